"""Review: a manifest and a decision in, a smaller manifest out that takes its place.

A review can only take studies out. What it took out stands among the refusals of the new manifest,
and the decision in its `reviews`; nothing is left to guess. It needs approvals of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from remediation.errors import ManifestError, UsageError
from remediation.model.approvals import Rules
from remediation.model.manifest import EXCLUDED, Manifest, Parent, Review
from remediation.model.minisign import public_line_of
from remediation.model.washing import washed
from remediation.store import manifests, reviews
from remediation.store.approvals import load_approver_key
from remediation.store.consent import in_utc, usable_name
from remediation.store.manifests import Stored
from remediation.store.permission import spent

Row = Mapping[str, Any]
_Study = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """Who decides what, and why."""

    by: str
    why: str
    at: datetime
    output: Path
    exclude: tuple[str, ...] = ()
    only_periods: tuple[str, ...] = ()
    key: Path | None = None
    approvers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """The new manifest; `studies` and `files` were taken out, the others are left."""

    folder: Path
    manifest_id: str
    parent: str
    studies: int
    files: int
    studies_left: int
    files_left: int


def run(options: ReviewOptions, stored: Stored) -> ReviewReport:
    """Write the manifest that is left, and mark the old one as superseded.

    Raises:
        ManifestError: superseded, expired or spent; or the reviewer's key is not theirs.
        UsageError: nothing to take out, or nothing left; a number in the reason.
        KeyFileError: the key is missing, readable by others, or no signing key.
    """
    said = replace(options, by=usable_name(washed(options.by, "--by")))
    why = washed(options.why, "--why")
    _usable(stored, said)
    secret = load_approver_key(said.key) if said.key else None
    public = public_line_of(secret) if secret else ""
    if public:
        Rules("", None, said.approvers, 1).check(said.by, public, "--key")
    out = _taken_out(said, stored)
    rows = stored.corrections.to_pylist()
    kept = [row for row in rows if _study(row) not in out]
    if not kept:
        raise UsageError(
            "nothing would be left of the manifest",
            str(stored.folder),
            "leave it unapproved, or revoke its approvals",
        )
    files = len(rows) - len(kept)
    decision = Review(
        said.by,
        in_utc(said.at),
        why,
        tuple(sorted(set(said.exclude))),
        tuple(sorted(set(said.only_periods))),
        len(out),
        files,
        public,
    )
    made = manifests.keep(
        stored.folder.parent,
        _smaller(stored.manifest, decision, len(kept), len({_study(row) for row in kept})),
        pa.Table.from_pylist(kept, schema=stored.corrections.schema),
        pa.Table.from_pylist(_refusals(stored, out, rows), schema=stored.refusals.schema),
        before=partial(reviews.sign, secret_key_text=secret) if secret else None,
    )
    manifests.supersede(stored, made, said.output)
    left = made.manifest.counts
    return ReviewReport(
        made.folder.resolve(),
        made.manifest.manifest_id,
        stored.manifest.manifest_id,
        len(out),
        files,
        left["studies"],
        left["files"],
    )


def _usable(stored: Stored, options: ReviewOptions) -> None:
    manifests.in_force(stored, options.at, options.output)
    if spent(stored, options.output):
        raise ManifestError(
            "the manifest was applied: it is spent", str(stored.folder), "roll back what is wrong"
        )


def _taken_out(options: ReviewOptions, stored: Stored) -> frozenset[_Study]:
    """Return the studies that a decision takes out of a manifest.

    Raises:
        UsageError: it names none, or what the manifest does not hold.
    """
    periods = {_study(row): row["period_id"] for row in stored.corrections.to_pylist()}
    strange = set(options.exclude) - {uid for _, uid in periods}
    if strange:
        raise UsageError("no such study in the manifest", "--exclude", "see `remediation show`")
    if set(options.only_periods) - set(periods.values()):
        raise UsageError(
            "no such period in the manifest", "--only-period", "see `remediation show`"
        )
    out = {one for one in periods if one[1] in options.exclude}
    if options.only_periods:
        out |= {one for one, period in periods.items() if period not in options.only_periods}
    if not out:
        raise UsageError(
            "this review takes nothing out", "--exclude, --only-period", "name what to leave out"
        )
    return frozenset(out)


def _smaller(manifest: Manifest, decision: Review, files: int, studies: int) -> Manifest:
    counts = {
        "files": files,
        "studies": studies,
        "refused": manifest.counts["refused"] + decision.studies,
    }
    return replace(
        manifest,
        counts=counts,
        parent=Parent(manifest.manifest_id, manifest.digest),
        reviews=(*manifest.reviews, decision),
    )


def _refusals(stored: Stored, out: frozenset[_Study], rows: list[Row]) -> list[Row]:
    files = Counter(map(_study, rows))
    taken = [
        {"StudyInstanceUID": uid, "archive": archive, "reason": EXCLUDED, "instances": files[one]}
        for one in out
        for archive, uid in [one]
    ]
    both: list[Row] = [*stored.refusals.to_pylist(), *taken]
    return sorted(both, key=lambda row: (row["archive"], row["StudyInstanceUID"]))


def _study(row: Row) -> _Study:
    return row["archive"], row["StudyInstanceUID"]
