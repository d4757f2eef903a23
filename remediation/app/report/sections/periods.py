"""Broken periods: when, how deep, near which event, and what changed, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remediation.app.report.gather import Facts
from remediation.app.report.shown import capped
from remediation.app.report.words import Words
from remediation.model import issuers

_MOST, _STATED = 60, 3
_SHAPE, _SYNTAX = "patient_id_shape", "TransferSyntaxUID"


@dataclass(frozen=True, slots=True)
class Period:
    """One broken period as it is shown; `shares` are before, inside and after."""

    number: str
    when: str
    source: str
    studies: str
    shares: tuple[str, str, str]
    interval: str
    status: str
    meaning: str
    event: str
    has_event: bool
    cause: str
    period_id: str


@dataclass(frozen=True, slots=True)
class Section:
    """The periods, and a note where there are more."""

    periods: tuple[Period, ...]
    note: str


def section(facts: Facts, words: Words) -> Section | None:
    """Return the periods; None without `flag`."""
    if facts.periods is None:
        return None
    numbered = list(enumerate(facts.periods, start=1))
    kept, note = capped(numbered, _MOST, words, sheet=True)
    return Section(tuple(_period(number, row, words) for number, row in kept), note)


def _period(number: int, row: Mapping[str, Any], words: Words) -> Period:
    shares = (row["coverage_before"], row["coverage"], row["coverage_after"])
    before, inside, after = (words.share(share) for share in shares)
    return Period(
        number=str(number),
        when=words.stretch(row["start"], row["end"]),
        source=words.source(row["archive"], row["source"]),
        studies=words.number(row["studies"]),
        shares=(before, inside, after),
        interval=words.interval(row["low"], row["high"]),
        status=row["dominant_status"],
        meaning=words.catalogue.statuses.get(row["dominant_status"], ""),
        event=event(row, words),
        has_event=row["event"] is not None,
        cause=cause(row, words),
        period_id=row["period_id"],
    )


def event(row: Mapping[str, Any], words: Words) -> str:
    """Return the event of a period with its distance, or that there is none nearby."""
    if row["event"] is None:
        return words("no_event")
    name, kind = words.plain(row["event"]), words.event_kind(row["event_kind"])
    if kind.casefold() not in name.casefold():
        name = words("event_of", event=name, kind=kind)
    days = row["event_distance_days"]
    if not days:
        return words("event_at", event=name)
    return words("event_near", event=name, days=words.count(days, "day"))


def cause(row: Mapping[str, Any], words: Words) -> str:
    """Return what changed at a period's edge as one sentence, the strongest signals first.

    Where nothing comes before the period, it was held against what comes after.
    """
    known = [one for one in row["causes"] or () if one["signal"] in words.catalogue.causes]
    clauses = [_clause(one, words) for one in known[:_STATED]]
    if not clauses:
        return words("cause_none")
    said = words.listed(clauses)
    if row["coverage_before"] is None:
        return words("cause_until", day=words.day(row["end"]), clauses=said)
    return words("cause_from", day=words.day(row["start"]), clauses=said)


def _clause(one: Mapping[str, Any], words: Words) -> str:
    both, lost, gained = words.catalogue.causes[one["signal"]]
    form = both if one["before"] and one["inside"] else gained if one["inside"] else lost
    before, inside = (value(one["signal"], one[side], words) for side in ("before", "inside"))
    return form.format(before=before, inside=inside)


def value(signal: str, text: str | None, words: Words) -> str:
    """Return the value of a signal for people: a shape in words, a transfer syntax by name.

    >>> value("patient_id_shape", "999999999", Words.of("nl"))
    '9 cijfers'
    >>> value("patient_id_shape", "A99-99", Words.of("nl"))
    'A##-##'
    >>> value("TransferSyntaxUID", "1.2.840.10008.1.2.1", Words.of("nl"))
    'Explicit VR Little Endian'
    """
    text = text or ""
    if text == issuers.BSN_OID:
        return words("bsn_oid")
    if signal == _SHAPE and text:
        if set(text) == {"9"}:
            return words("shape_digits", count=words.number(len(text)))
        return words.plain("".join("#" if sign.isdigit() else sign for sign in text))
    if signal == _SYNTAX:
        from pydicom.uid import UID

        return words.plain(UID(text).name)
    return words.plain(text)
