"""Show: what a manifest would do, counts first; then kinds of change and a sample, masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from remediation.errors import RemediationError
from remediation.model.manifest import Review
from remediation.model.places import stable
from remediation.model.running import utc_now
from remediation.store import datasets, manifests
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions, spent
from remediation.store.standing import Consent, consents
from remediation.tables.schemas import PERIODS, STUDIES

Row = Mapping[str, Any]
_TOKEN = 8  # digits of a token that are shown: enough to tell two apart, no more
NONE, UNKNOWN = "none", "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """What one edit does to an attribute.

    Attributes:
        before: absent | other (something else stands there) | kept (what stands there stays).
        after: bsn | local (the local number) | value | absent | item (one item more).
        source: where the new value comes from: crosswalk | header | job | constant.
        token: the first digits of the value's token; empty where it has none.
    """

    attribute: str
    before: str
    after: str
    source: str
    token: str

    @property
    def place(self) -> str:
        """The attribute, whichever item of its sequence it stands in."""
        return stable(self.attribute)


@dataclass(frozen=True, slots=True)
class Kind:
    """Files to which the same happens; `changes` are those of the first of them."""

    rule: str
    files: int
    studies: int
    example: str
    archive: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ShowReport:
    """Counts of files by rule, archive and period, of studies by refusal, and a few rows.

    Attributes:
        by_source, by_month: files; empty where `left_out` says so.
        periods: rows of PERIODS of the periods that it touches, where `flag` has told of them.
        refused: studies per reason.
        kinds: every kind of change, the most frequent first.
        successor: the manifest that took its place; empty where none did.
        spent: it was applied in place, and is used up.
        required: approvals that the job asks for; None where the job was not read.
        left_out: what could not be told, and why.
    """

    manifest_id: str
    digest: str
    created: str
    expires: str
    expired: bool
    author: str
    responsible: str
    job: str
    target: str
    archives: dict[str, str]
    selection: tuple[str, ...]
    counts: dict[str, int]
    by_rule: dict[str, int]
    by_archive: dict[str, int]
    by_period: dict[str, int]
    by_source: dict[str, int]
    by_month: dict[str, int]
    periods: tuple[dict[str, Any], ...]
    refused: dict[str, int]
    kinds: tuple[Kind, ...]
    not_done: tuple[str, ...]
    in_place_statement: str
    parent: str
    reviews: tuple[Review, ...]
    successor: str
    spent: bool
    approvals: tuple[Consent, ...]
    required: int | None
    left_out: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def run(
    stored: Stored,
    limit: int = 10,
    *,
    output: Path | None = None,
    conditions: Conditions | None = None,
    now: datetime | None = None,
) -> ShowReport:
    """Sum up a manifest; `limit` rows of it, in its own order.

    Args:
        stored: the manifest.
        limit: how many files are shown one by one.
        output: the job's output folder, where the studies' sources and months are; by default
            the one that the manifest lies in.
        conditions: what the job asks of approvals; None where the job is not known.
        now: the time; that of the clock by default.
    """
    manifest, rows = stored.manifest, stored.corrections.to_pylist()
    output = output or stored.folder.resolve().parents[1]
    now = now or utc_now()
    beside = _Beside(output, manifest.key_id)
    by_source, by_month = beside.studies(rows)
    return ShowReport(
        manifest_id=manifest.manifest_id,
        digest=manifest.digest,
        created=manifest.created,
        expires=manifest.expires,
        expired=now > datetime.fromisoformat(manifest.expires),
        author=manifest.author,
        responsible=manifest.responsible,
        job=manifest.job,
        target=str(manifest.placement["target"]),
        archives=dict(manifest.archives),
        selection=manifest.selection,
        counts=dict(manifest.counts),
        by_rule=_counts(row["rule"] for row in rows),
        by_archive=_counts(row["archive"] for row in rows),
        by_period=_counts(row["period_id"] or NONE for row in rows),
        by_source=by_source,
        by_month=by_month,
        periods=beside.periods(rows),
        refused=_counts(stored.refusals["reason"].to_pylist()),
        kinds=_kinds(rows),
        not_done=manifest.not_done,
        in_place_statement=manifest.in_place_statement,
        parent=manifest.parent.manifest_id if manifest.parent else "",
        reviews=manifest.reviews,
        successor=manifests.successor(stored, output) or "",
        spent=_spent(stored, output, beside.left_out),
        approvals=consents(stored, output, conditions, now),
        required=conditions.required if conditions else None,
        left_out=tuple(beside.left_out),
        rows=tuple(map(_row, rows[:limit])),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


# -- what lies beside it -----------------------------------------------------------------------


class _Beside:
    """Datasets of `flag` in the output folder; `left_out` says what could not be had, and why."""

    def __init__(self, output: Path, key_id: str) -> None:
        self.output, self.key_id = output, key_id
        self.left_out: list[str] = []

    def studies(self, rows: list[Row]) -> tuple[dict[str, int], dict[str, int]]:
        """Return files by source and by month."""
        wanted = sorted({row["StudyInstanceUID"] for row in rows})
        columns = ("archive", "StudyInstanceUID", "source", "study_month")
        where = ds.field("StudyInstanceUID").isin(wanted)
        found = self._rows("studies", STUDIES, columns, where, "source and month")
        if found is None:
            return {}, {}
        known = {_study(one): one for one in found}
        told = [(row["archive"], known.get(_study(row), {})) for row in rows]
        sources = (f"{archive}: {one.get('source') or UNKNOWN}" for archive, one in told)
        months = Counter(one.get("study_month") or UNKNOWN for _, one in told)
        return _counts(sources), dict(sorted(months.items()))

    def periods(self, rows: list[Row]) -> tuple[dict[str, Any], ...]:
        """Return the rows of PERIODS of the periods that a manifest touches."""
        wanted = sorted({row["period_id"] for row in rows if row["period_id"]})
        if not wanted:
            return ()
        where = ds.field("period_id").isin(wanted)
        found = self._rows("periods", PERIODS, PERIODS.names, where, "the periods' story")
        return tuple(sorted(found or (), key=lambda row: (row["start"], row["period_id"])))

    def _rows(
        self, name: str, schema: pa.Schema, columns: Collection[str], where: Any, what: str
    ) -> list[dict[str, Any]] | None:
        path = self.output / f"{name}.parquet"
        if not path.exists():
            self.left_out.append(f"{what}: {path.name} is not there")
            return None
        try:
            found: list[dict[str, Any]] = datasets.read_rows(
                path, schema, self.key_id, "remediation flag", columns=columns, where=where
            ).to_pylist()
        except RemediationError as error:
            self.left_out.append(f"{what}: {error.what}")
            return None
        return found


def _spent(stored: Stored, output: Path, left_out: list[str]) -> bool:
    try:
        return spent(stored, output)
    except RemediationError as error:
        left_out.append(f"whether it was applied: {error.what}")
        return False


# -- what would change -------------------------------------------------------------------------

_BEFORE = {"add": "absent", "append": "kept"}
_AFTER = {"remove": "absent", "append": "item"}


def _kinds(rows: list[Row]) -> tuple[Kind, ...]:
    """Return every kind of change: the same edits by the same rule, whatever their values."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(
            (row["rule"], *((one.place, one.before, one.after) for one in _changes(row))), []
        ).append(row)
    kinds = [
        Kind(
            alike[0]["rule"],
            len(alike),
            len({_study(row) for row in alike}),
            alike[0]["StudyInstanceUID"],
            alike[0]["archive"],
            _changes(alike[0]),
        )
        for alike in groups.values()
    ]
    return tuple(sorted(kinds, key=lambda one: (-one.files, one.rule, one.example)))


def _changes(row: Row) -> tuple[Change, ...]:
    return tuple(_change(edit, row) for edit in row["edits"])


def _change(edit: Row, row: Row) -> Change:
    token = edit["token"] or ""
    of = {row["local_token"]: "local", row["bsn_token"]: "bsn"}
    action = edit["action"]
    return Change(
        edit["attribute"],
        _BEFORE.get(action, "other"),
        _AFTER.get(action, of.get(token, "value") if token else "value"),
        edit["value_source"],
        token[:_TOKEN],
    )


def _study(row: Row) -> tuple[str, str]:
    return row["archive"], row["StudyInstanceUID"]


def _row(row: Row) -> dict[str, Any]:
    return {
        "archive": row["archive"],
        "StudyInstanceUID": row["StudyInstanceUID"],
        "rule": row["rule"],
        "edits": [
            f"{edit['action']} {edit['attribute']} from {edit['value_source']}"
            + (f" (token {edit['token'][:_TOKEN]}…)" if edit["token"] else "")
            for edit in row["edits"]
        ],
    }
