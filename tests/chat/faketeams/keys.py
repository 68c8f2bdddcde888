"""Keys of the fake Bot Connector, and tokens signed with them: good ones, and every kind of bad one."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER = "https://api.botframework.com"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key by name; the same one each time."""
    return rsa.generate_private_key(65537, 2048)


def public_jwk(kid: str, endorsements: tuple[str, ...] = ("msteams",)) -> dict[str, Any]:
    """What the key server says of a key."""
    numbers = rsa_key(kid).public_key().public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "kid": kid,
        "n": _number(numbers.n),
        "e": _number(numbers.e),
        "endorsements": list(endorsements),
    }


def claims(app_id: str, service: str, **other: Any) -> dict[str, Any]:
    """The claims of a good token, with some of them changed; None takes one away."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": app_id, "serviceurl": service, "nbf": now - 10, "exp": now + 3600}
    return {key: value for key, value in (good | other).items() if value is not None}


def token(found: dict[str, Any], kid: str | None = "k1", key: Any = None, algorithm: str = "RS256") -> str:
    """A signed token."""
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(found, key or rsa_key(kid or "k1"), algorithm=algorithm, headers=headers)


def unsigned(found: dict[str, Any], algorithm: str, kid: str = "k1", signature: str = "") -> str:
    """A token that only looks like one."""
    head = {"alg": algorithm, "typ": "JWT", "kid": kid}
    return f"{_part(json.dumps(head).encode())}.{_part(json.dumps(found).encode())}.{signature}"


def _number(value: int) -> str:
    return _part(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
