"""Logs for people or for machines: one line each, with the id of the answer that it is about."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

from bot.delivery.monitoring import CURRENT


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the answer's id, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if answer := CURRENT.get():
            line["answer"] = answer
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """Time, level, logger and message, and the answer's id behind them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        answer = CURRENT.get()
        return super().format(record) + (f" [answer {answer}]" if answer else "")


def log_as(form: Literal["text", "json"], level: int) -> None:
    """Write the log of this process to stderr in one form, from a level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else PlainLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
