"""Signs and checks what goes between Rolecall and a company's own chat: HMAC-SHA256 over the time and the body."""

from __future__ import annotations

import hashlib
import hmac

TIME_HEADER = "X-Rolecall-Timestamp"
SIGNATURE_HEADER = "X-Rolecall-Signature"
WINDOW = 300
"""Seconds by which a signature's time may differ from ours."""


def signature(secret: str, time: str, body: bytes) -> str:
    """The signature of a body: ``v1=`` and the hexadecimal HMAC-SHA256 of ``TIME.BODY``."""
    return "v1=" + hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed(secret: str, now: float, body: bytes) -> dict[str, str]:
    """The headers that prove a body."""
    time = str(int(now))
    return {TIME_HEADER: time, SIGNATURE_HEADER: signature(secret, time, body), "Content-Type": "application/json"}


def proven(secret: str, now: float, time: str, given: str, body: bytes) -> bool:
    """Whether a body was signed with our secret less than `WINDOW` seconds ago. An empty secret proves nothing."""
    if not secret or not (time.isascii() and time.isdigit() and len(time) < 16) or abs(now - int(time)) > WINDOW:
        return False
    return hmac.compare_digest(signature(secret, time, body).encode(), given.encode("utf-8", "replace"))
