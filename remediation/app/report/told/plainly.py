"""Rows as they may be said: dates as text, and no foreign text that was not washed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from remediation.app.report.words import Words

_OURS = frozenset({"period_id", "periods"})  # ids: digits that are nobody's number


def plainly(row: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """Return a row for a JSON document.

    >>> row = {"period_id": "12345678", "source": "Zkh" + chr(0) + "Oost", "event": None}
    >>> plainly(row | {"start": date(2011, 7, 4), "private_creator": ""}, Words.of("en"))
    {'period_id': '12345678', 'source': 'Zkh Oost', 'event': None, 'start': '2011-07-04', \
'private_creator': ''}
    """
    return {key: value if key in _OURS else _plain(value, words) for key, value in row.items()}


def _plain(value: Any, words: Words) -> Any:
    if isinstance(value, str):
        return words.plain(value) if value else value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return plainly(value, words)
    if isinstance(value, list | tuple):
        return [_plain(one, words) for one in value]
    return value
