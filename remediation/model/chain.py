"""Chained records: lines of JSON, each with the SHA-256 of all that came before it.

A record cannot be altered, taken out or moved without every later `chain` being another; whoever
noted one of them down can tell. No key is needed to check it, so it proves nothing against someone
who can rewrite all of it and every note of it.

>>> first, one = line(start("example"), {"seq": 1, "what": "a"})
>>> second, two = line(one, {"seq": 2, "what": "b"})
>>> line(start("example"), {"seq": 1, "what": "A"})[1] == one
False
>>> json.loads(second)["chain"] == two
True
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def start(what: str) -> str:
    """Return the value that stands before the first record of `what`."""
    return hashlib.sha256(f"remediation {what}".encode()).hexdigest()


def line(
    chain: str, record: Mapping[str, Any], bound: Mapping[str, Any] | None = None
) -> tuple[bytes, str]:
    """Return a record as a line of JSON that ends in a newline, and the chain's next value.

    Args:
        chain: the value before it.
        record: what the line says; `chain` is added to it.
        bound: what the chain holds fast in its stead, where a part may be dropped later.
    """
    link = hashlib.sha256(f"{chain}\n{_text(record if bound is None else bound)}".encode())
    value = link.hexdigest()
    return written({**record, "chain": value}), value


def written(record: Mapping[str, Any]) -> bytes:
    """Return a record, its chain value in it, as the line that it is."""
    return _text(record).encode() + b"\n"


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)
