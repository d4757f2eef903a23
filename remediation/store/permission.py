"""Permission: whether a manifest may be applied here and now, and with whose approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from remediation.errors import KeyFileError, ManifestError, ShareError, UsageError
from remediation.model.manifest import Manifest
from remediation.model.placement import Placement
from remediation.model.secrets import Keys
from remediation.store.approvals import valid_approvals
from remediation.store.intents import study_logs
from remediation.store.journal import journals, read
from remediation.store.manifests import Stored, in_force
from remediation.store.recovery import State, recover
from remediation.store.reviews import reviewed
from remediation.store.runs import runs_of
from remediation.store.walking import check_root


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the job says, to be held against a manifest.

    Attributes:
        archive_ids: name to the id in the job's state.
        approvers: name to minisign public line; empty where the job names nobody.
        author_key: public line of the manifest's author, where the job knows it.
        required: approvals by different people.
    """

    archive_ids: Mapping[str, str]
    approvers: Mapping[str, str] = field(default_factory=dict)
    author_key: str | None = None
    required: int = 1
    max_files: int = 10_000
    in_place_statement: str = ""


def roots_of(manifest: Manifest, roots: Mapping[str, Path]) -> dict[str, Path]:
    """Return the roots of a manifest's archives, by name.

    Raises:
        ManifestError: the job has no such archive.
        ShareError: a root is missing or cannot be read.
    """
    strange = sorted(manifest.archives.keys() - roots.keys())
    if strange:
        raise ManifestError(
            "the manifest is for another archive",
            ", ".join(strange),
            "use the job that it was made with",
        )
    for name in manifest.archives:
        check_root(roots[name])
    return {name: roots[name] for name in manifest.archives}


def current(
    conditions: Conditions, stored: Stored, keys: Keys, now: datetime, output: Path
) -> None:
    """Raise unless a manifest is of this key and these archives, not expired, and the newest.

    Raises:
        KeyFileError: made with another key.
        ManifestError: for another archive, expired, or superseded by a review.
    """
    manifest = stored.manifest
    if manifest.key_id != keys.key_id:
        raise KeyFileError(
            "the manifest was made with another key", str(stored.folder), "use that key file"
        )
    for name, number in manifest.archives.items():
        if conditions.archive_ids.get(name) != number:
            raise ManifestError(
                "the manifest is for another archive", name, "plan with the job of this archive"
            )
    in_force(stored, now, output)


def approved(conditions: Conditions, stored: Stored, output: Path, now: datetime) -> None:
    """Raise unless enough people approved a manifest, since it was last rolled back.

    Raises:
        ManifestError: they did not, or took it back.
    """
    reviewed(stored, conditions.approvers)
    valid_approvals(
        stored.folder,
        stored.raw,
        stored.manifest.digest,
        author=stored.manifest.author,
        author_key=conditions.author_key,
        approvers=conditions.approvers,
        required=conditions.required,
        now=now,
        output=output,
        since=rolled_back_at(output, stored.manifest.digest),
    )


def rolled_back_at(output: Path, digest: str) -> datetime | None:
    """Return when a manifest was last rolled back as a whole; None where it never was."""
    ends = [
        run.end
        for run in runs_of(output, digest)
        if run.begin.get("command") == "rollback" and run.complete
    ]
    return datetime.fromisoformat(max(ends)) if ends else None


def spent(stored: Stored, output: Path) -> bool:
    """Tell whether a manifest was applied in place in full, and nothing of it rolled back since.

    Then it has been used: whatever stands in a file now, somebody else put there.
    """
    used = False
    for run in runs_of(output, stored.manifest.digest):
        if run.begin.get("command") == "rollback":
            used = False
        elif run.begin.get("mode") == "in-place" and run.complete:
            used = True
    return used


def in_place(conditions: Conditions, stored: Stored) -> None:
    """Raise unless the conditions of in-place work hold.

    Raises:
        UsageError: no statement of what was agreed, PatientID would be the BSN, or too
            many files.
        ManifestError: its placement is not known.
    """
    manifest = stored.manifest
    if not (manifest.in_place_statement and conditions.in_place_statement):
        raise UsageError(
            "in-place work needs the statement of what was agreed with the PACS vendor",
            "[apply] in_place_statement",
            "fill it in and plan again, or use --out",
        )
    if Placement.recorded(manifest.placement).primary_is_bsn:
        raise UsageError(
            "a placement like exchange, with the BSN as PatientID, is never written in place",
            "--in-place",
            "use --out",
        )
    if manifest.counts["files"] > conditions.max_files:
        raise UsageError(
            "the manifest touches more files than max_files", "[apply] max_files", "plan less"
        )


def settle(output: Path, roots: Mapping[str, Path], keys: Keys) -> None:
    """Bring interrupted runs to a clean state before anything new is written.

    Raises:
        ShareError: a study is in a state that only a person can judge.
    """
    left = recover(roots, journals(output / "journal"), keys)
    if any(one.state not in {State.OLD, State.NEW} for one in left):
        raise ShareError(
            "an interrupted run left a study that needs a person", "", "see `remediation recover`"
        )


def settled(output: Path, keys: Keys) -> None:
    """Raise unless no run was interrupted; for work that may not touch the archive.

    Raises:
        ShareError: a run was interrupted.
    """
    for path in journals(output / "journal"):
        if not all(log.closed for log in study_logs(read(path), keys)):
            raise ShareError(
                "an interrupted run is not settled", path.stem, "run `remediation recover` first"
            )
