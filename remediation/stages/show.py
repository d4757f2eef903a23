"""Show: what a manifest would do, counts first; values are masked as tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from remediation.store.manifests import Stored


@dataclass(frozen=True, slots=True)
class ShowReport:
    """Counts of files by rule, archive and period, of studies by refusal, and a few rows."""

    manifest_id: str
    digest: str
    created: str
    expires: str
    author: str
    target: str
    counts: dict[str, int]
    by_rule: dict[str, int]
    by_archive: dict[str, int]
    by_period: dict[str, int]
    refused: dict[str, int]
    not_done: tuple[str, ...]
    in_place_statement: str
    approvals: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def run(stored: Stored, limit: int = 10) -> ShowReport:
    """Sum up a manifest; `limit` rows of it, in its own order."""
    manifest = stored.manifest
    folder = stored.folder / "approvals"
    return ShowReport(
        manifest.manifest_id,
        manifest.digest,
        manifest.created,
        manifest.expires,
        manifest.author,
        str(manifest.placement["target"]),
        dict(manifest.counts),
        _counts(stored.corrections["rule"].to_pylist()),
        _counts(stored.corrections["archive"].to_pylist()),
        _counts([one or "none" for one in stored.corrections["period_id"].to_pylist()]),
        _counts(stored.refusals["reason"].to_pylist()),
        manifest.not_done,
        manifest.in_place_statement,
        tuple(sorted(path.name for path in folder.iterdir())) if folder.exists() else (),
        tuple(map(_row, stored.corrections.slice(0, limit).to_pylist())),
    )


def _counts(values: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "archive": row["archive"],
        "StudyInstanceUID": row["StudyInstanceUID"],
        "rule": row["rule"],
        "edits": [
            f"{edit['action']} {edit['attribute']} from {edit['value_source']}"
            + (f" (token {edit['token'][:8]}…)" if edit["token"] else "")
            for edit in row["edits"]
        ],
    }
