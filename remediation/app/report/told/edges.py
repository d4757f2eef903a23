"""The edges of a broken period: when it began and ended, how sure that is, and in what way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from remediation.app.report.told import phrases
from remediation.app.report.words import NONE, Words

Row = Mapping[str, Any]
START, END = "start", "end"
STOPPED, FIRST, DRIFT = "stopped", "first", "drift"
_NO_END = {"open": "ended_open", STOPPED: "ended_stopped", "provisional": "ended_provisional"}
_NO_CHANGE = {
    FIRST: "edge_first",
    "open": "edge_open",
    STOPPED: "edge_stopped",
    "provisional": "edge_provisional",
}


def begun(row: Row, words: Words) -> str:
    """Return when and how a period began, as a sentence."""
    if row["start_kind"] == FIRST:
        return words("begun_first", day=words.day(row["start"]))
    key = "begun_drift" if row["start_kind"] == DRIFT else "begun_jump"
    return words(key, when=_when(row, START, words))


def ended(row: Row, words: Words) -> str:
    """Return when and how a period ended, or that it did not, as a sentence."""
    if row["end_kind"] in _NO_END:
        last = words.day(row["end"] - timedelta(days=1))
        return words(_NO_END[row["end_kind"]], day=last)
    key = "ended_drift" if row["end_kind"] == DRIFT else "ended_jump"
    return words(key, when=_when(row, END, words))


def _when(row: Row, edge: str, words: Words) -> str:
    day, low, high = _bounds(row, edge)
    if low is None or high is None:
        return words("when_day", day=words.day(day))
    if low == high:
        return words("when_sure", day=words.day(day))
    return words("when_between", between=phrases.between(low, high, words), day=words.day(day))


def _bounds(row: Row, edge: str) -> tuple[date, date | None, date | None]:
    return row[edge], row[f"{edge}_low"], row[f"{edge}_high"]


def margin(row: Row, edge: str, words: Words) -> str:
    """Return an edge's uncertainty in a few words for a table; a dash where nothing changed.

    >>> row = {"start": date(2011, 7, 4), "start_kind": "drift"}
    >>> row |= {"start_low": date(2011, 7, 2), "start_high": date(2011, 7, 6)}
    >>> margin(row, "start", Words.of("en"))
    '±2 days, slowly'
    """
    kind, (day, low, high) = row[f"{edge}_kind"], _bounds(row, edge)
    if kind in _NO_CHANGE:
        return words(_NO_CHANGE[kind])
    if low is None or high is None:
        return NONE
    said = f"±{words.count(_off(day, low, high), 'day')}"
    return words("edge_slow", margin=said) if kind == DRIFT else said


def _off(day: date, low: date, high: date) -> int:
    """Return the days that an edge may lie off, to the further side."""
    return max((day - low).days, (high - day).days)


def cell(row: Row, edge: str, words: Words) -> str:
    """Return an edge for a table of fixed columns: an ISO day, and the days it may lie off (95 %).

    The days are those of the further side.

    >>> row, en = {"start": date(2011, 7, 4), "start_kind": "jump"}, Words.of("en")
    >>> cell(row | {"start_low": date(2011, 7, 2), "start_high": date(2011, 7, 6)}, "start", en)
    '2011-07-04 ±2'
    >>> cell(row | {"start_low": date(2011, 6, 30), "start_high": date(2011, 7, 5)}, "start", en)
    '2011-07-04 ±4'
    """
    kind, (day, low, high) = row[f"{edge}_kind"], _bounds(row, edge)
    if kind == STOPPED:
        return words("cell_stopped", month=f"{day - timedelta(days=1):%Y-%m}")
    if kind in _NO_END:
        return words(_NO_CHANGE[kind])
    if low is None or high is None:
        return str(day)
    said = f"{day} ±{_off(day, low, high)}"
    return f"~{said}" if kind == DRIFT else said
