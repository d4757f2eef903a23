"""Selection: studies and identities in; those that a plan is about, with who they are, out.

By whole columns, as an archive may have a million studies of which few are to be corrected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.errors import UsageError
from remediation.tables.codes import Flags, encoded, integers, kept, numbers, one_of
from remediation.tables.lying import COLUMNS, Lying
from remediation.tables.schemas import STATUSES

Select = Mapping[str, frozenset[Any]]

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])|unknown", re.ASCII)
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)
_OPTION = "--select"
# Columns of STUDIES, as the contract names them; `places` by one of those of the study.
SELECTABLE = (
    "archive",
    "StudyInstanceUID",
    "StudyDate",
    "study_month",
    "source",
    "Modality",
    "instances",
    "status",
    "places",
    "patient_token",
)
STUDY_COLUMNS = tuple(dict.fromkeys([*SELECTABLE, *COLUMNS]))
_WHO = ("outcome", "why", "bsn_token", "local_issuer", "local_token")
IDENTITY_COLUMNS = (
    *("archive", "StudyInstanceUID", "outcome", "reason", "warnings"),
    *("bsn_token", "local_issuer", "local_token"),
)
_NOT_RESOLVED = "not-resolved"


def _month(text: str) -> str:
    if not _MONTH.fullmatch(text):
        raise ValueError("a month as 2011-07, or unknown")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day as 2011-07-04") from None


def _status(text: str) -> str:
    words = [status.replace("_", "-") for status in STATUSES]
    if text not in words:
        raise ValueError(f"one of {', '.join(words)}")
    return text


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError("a token, 32 hexadecimal digits: never a number")
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number")
    return int(text)


_READ: Mapping[str, Callable[[str], Any]] = {
    "study_month": _month,
    "StudyDate": _day,
    "status": _status,
    "patient_token": _token,
    "instances": _whole,
}


def parsed(pairs: Iterable[tuple[str, str]]) -> Select:
    """Return what is wanted of each key: one of its values, and that of every key.

    Raises:
        UsageError: a key that is not known, or a value that cannot be one; neither is repeated.

    >>> parsed([("status", "absent"), ("status", "mixed")]) == {"status": {"absent", "mixed"}}
    True
    >>> parsed([("PatientID", "12345")])
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: a key that studies are not selected by (--select): use ...
    """
    found: dict[str, set[Any]] = {}
    for key, text in pairs:
        if key not in SELECTABLE:
            raise UsageError(
                "a key that studies are not selected by", _OPTION, f"use {', '.join(SELECTABLE)}"
            )
        try:
            value = _READ.get(key, str)(text)
        except ValueError as error:
            raise UsageError(
                "a value that no study can have", f"{_OPTION} {key}=", f"give {error}"
            ) from None
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def selected(studies: pa.Table, wanted: Select) -> Flags:
    """Tell of each study (of STUDIES) whether it has one of the values wanted of every key."""
    flags = np.ones(studies.num_rows, dtype=bool)
    for key, values in wanted.items():
        column = studies[key]
        if pa.types.is_list(column.type):
            flags &= _among(column, values)
        elif pa.types.is_string(column.type):
            flags &= one_of(column, values)
        else:
            flags &= np.asarray(pc.is_in(column, pa.array(sorted(values), column.type)))
    return flags


def _among(column: pa.ChunkedArray, values: frozenset[Any]) -> Flags:
    """Tell of each list whether one of these is in it."""
    parents, words = pc.list_parent_indices(column), pc.list_flatten(column)
    flags = np.zeros(len(column), dtype=bool)
    flags[integers(parents)[one_of(words, values)]] = True
    return flags


def chosen(
    studies: pa.Table,
    identities: pa.Table,
    periods: list[dict[str, Any]],
    wanted: Select,
    period_ids: frozenset[str],
) -> pa.Table:
    """Return the studies that a plan is about, in order of archive and StudyInstanceUID.

    Args:
        studies: STUDIES, at least `STUDY_COLUMNS`.
        identities: IDENTITIES, at least `IDENTITY_COLUMNS`; a study without one is left out.
        periods: of PERIODS; a study lies in the first that holds it.
        wanted: what is wanted of the studies.
        period_ids: the periods that are wanted; empty for all studies.

    Returns:
        archive, StudyInstanceUID, instances, period_id, outcome, why (it cannot be resolved),
        bsn_token, local_issuer, local_token.
    """
    ids = Lying(studies).period_ids(periods)
    flags = selected(studies, wanted)
    if period_ids:
        flags &= one_of(ids, period_ids)
    own = studies.select(["archive", "StudyInstanceUID", "instances"])
    own = kept(own.append_column("period_id", ids), flags)
    who = identities.append_column("why", _why(identities))
    who = who.select(["archive", "StudyInstanceUID", *_WHO])
    found = own.join(who, ["archive", "StudyInstanceUID"], join_type="inner")
    return found.sort_by([("archive", "ascending"), ("StudyInstanceUID", "ascending")])


def _why(identities: pa.Table) -> pa.Array:
    """Return why a study is not resolved: its reason, or else its first warning."""
    warnings = identities["warnings"].combine_chunks()
    at = integers(pc.list_parent_indices(warnings))
    first = np.full(len(warnings), -1)
    first[at[::-1]] = np.arange(len(at))[::-1]
    warned = pc.list_flatten(warnings).take(pa.array(first, mask=first < 0))
    reason = identities["reason"].combine_chunks()
    own = pc.if_else(pc.equal(pc.fill_null(reason, ""), ""), warned, reason)
    return pc.fill_null(own, _NOT_RESOLVED)


class Numbered:
    """Studies by their row in a table (of `chosen`), to be found again from instances."""

    def __init__(self, studies: pa.Table) -> None:
        self.rows = {
            archive: np.flatnonzero(one_of(studies["archive"], {archive}))
            for archive in encoded(studies["archive"]).dictionary.to_pylist()
        }
        self.uids = {
            archive: studies["StudyInstanceUID"].take(pa.array(rows)).combine_chunks()
            for archive, rows in self.rows.items()
        }

    def of(self, instances: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return of each instance the row of its study; -1 for none."""
        at = np.full(instances.num_rows, -1, dtype=np.int64)
        studies = encoded(instances["StudyInstanceUID"])
        codes = numbers(studies)
        for archive, rows in self.rows.items():
            here = one_of(instances["archive"], {archive})
            if here.any():
                found = integers(pc.index_in(studies.dictionary, self.uids[archive]))
                row = np.append(np.where(found < 0, -1, rows[found] if len(rows) else -1), -1)
                at[here] = row[codes[here]]
        return at
