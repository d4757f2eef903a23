"""Causes: what changed in the files at the edges of a broken period, the strongest first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from remediation.app.report.words import Words
from remediation.model import issuers

Row = Mapping[str, Any]
_STATED = 4
_SHAPE, _SYNTAX, _AGE = "patient_id_shape", "TransferSyntaxUID", "file_age"


def sentences(row: Row, words: Words) -> tuple[str, ...]:
    """Return what changed at either edge, a sentence for each; one that says so where nothing did.

    At the end of a period it is told what came instead of what was inside.
    """
    said = []
    for edge in ("start", "end"):
        clauses = _clauses(row, edge, words)
        if clauses:
            joined = reduce(lambda a, b: words("clauses", first=a, last=b), clauses)
            said.append(words("cause_from", day=words.day(row[edge]), clauses=joined))
    return tuple(said) or (words("cause_none"),)


def _clauses(row: Row, edge: str, words: Words) -> list[str]:
    known = [
        one
        for one in row["causes"] or ()
        if one["signal"] in words.catalogue.causes and (one["edge"] or "start") == edge
    ]
    return [_clause(one, edge, words) for one in known[:_STATED]]


def _clause(one: Row, edge: str, words: Words) -> str:
    was, now = (one["before"], one["inside"]) if edge == "start" else (one["inside"], one["before"])
    both, lost, gained = words.catalogue.causes[one["signal"]]
    form = both if was and now else gained if now else lost
    return form.format(was=value(one["signal"], was, words), now=value(one["signal"], now, words))


def value(signal: str, text: str | None, words: Words) -> str:
    """Return the value of a signal for people: a shape in words, a transfer syntax by name.

    >>> value("patient_id_shape", "999999999", Words.of("nl"))
    '9 cijfers'
    >>> value("patient_id_shape", "A99-99", Words.of("nl"))
    'A##-##'
    >>> value("TransferSyntaxUID", "1.2.840.10008.1.2.1", Words.of("nl"))
    'Explicit VR Little Endian'
    >>> value("bsn_issuer", "2.16.840.1.113883.2.4.6.3", Words.of("en"))
    'the BSN OID'
    >>> value("file_age", "later", Words.of("en"))
    'more than a year after the study'
    """
    text = text or ""
    if text == issuers.BSN_OID:
        return words("bsn_oid")
    if signal == _AGE:
        return words.catalogue.ages.get(text, words.plain(text))
    if signal == _SHAPE and text:
        if set(text) == {"9"}:
            return words("shape_digits", count=words.number(len(text)))
        return words.plain("".join("#" if sign.isdigit() else sign for sign in text))
    if signal == _SYNTAX:
        from pydicom.config import IGNORE
        from pydicom.uid import UID

        return words.plain(UID(text, IGNORE).name)
    return words.plain(text)
