"""An OpenAI-compatible server that calls the tools it is told to, one a request: run as a program, it prints its port first.

What it says next depends on nothing but the request: how many tools have answered in it, and which are offered.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LAST_WORDS = "Refunds take 99 days."


class Scripted(BaseHTTPRequestHandler):
    """Calls the next tool of the script if it is offered; has the last word if it is not, or if there is none."""

    protocol_version = "HTTP/1.1"
    script: tuple[str, ...] = ()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = self._next(asked)
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
        self._say(json.dumps(body).encode())

    def _next(self, asked: dict[str, Any]) -> dict[str, Any]:
        done = sum(message["role"] == "tool" for message in asked["messages"])
        offered = {tool["function"]["name"] for tool in asked.get("tools", ())}
        if done < len(self.script) and self.script[done] in offered:
            arguments = json.dumps({"request": f"step {done + 1}"})
            call = {"id": f"call-{done}", "type": "function"}
            call |= {"function": {"name": self.script[done], "arguments": arguments}}
            return {"role": "assistant", "content": None, "tool_calls": [call]}
        return {"role": "assistant", "content": LAST_WORDS}

    def _say(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    Scripted.script = tuple(sys.argv[1:])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    print(server.server_port, flush=True)
    server.serve_forever()
