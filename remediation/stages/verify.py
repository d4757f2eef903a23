"""Verify: the touched files read again and held against what the manifest promised."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from remediation.dicom.locate import BsnRules
from remediation.errors import ManifestError
from remediation.model.audit import Seen, together, unseen
from remediation.model.files import FileRef, Layout, resolved
from remediation.model.placement import Placement
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.store import files
from remediation.store.archive import see
from remediation.store.intents import Intent
from remediation.store.manifests import Stored
from remediation.store.permission import roots_of
from remediation.store.primitives import drop_cache
from remediation.store.runs import applied, runs_of
from remediation.store.verifications import AS_PROMISED, FOLDER, NOT_WRITTEN
from remediation.tables.heads import stands
from remediation.tables.rows import RowMaker

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What to verify; `part` of `parts` for a nightly share."""

    output: Path
    roots: Mapping[str, Path]
    run_id: str
    now: datetime
    bsn_rules: BsnRules = field(default_factory=BsnRules)
    part: int = 1
    parts: int = 1
    seen: Seen = unseen  # hears of each study that was read, for the audit log


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Files per verdict: `as-promised`, `not-written`, or what is wrong; and where it lies.

    `not-written` is a file with its old bytes, which no run says it wrote: after a canary, after a
    rollback of another study, or because its study was refused.
    """

    files: int
    verdicts: dict[str, int]
    path: Path

    @property
    def right(self) -> bool:
        """Whether every file that was written is as promised, and no other one changed."""
        return set(self.verdicts) <= {AS_PROMISED, NOT_WRITTEN}


def run(
    options: VerifyOptions, stored: Stored, keys: Keys, *, advance: Advance = silent
) -> VerifyReport:
    """Hold every touched file against the manifest's promise, whole digests included.

    Raises:
        ManifestError: the manifest was not applied, nothing of it stands any more, or it is for
            another archive.
    """
    roots_of(stored.manifest, options.roots)
    runs = list(runs_of(options.output, stored.manifest.digest))
    last = next((one for one in reversed(runs) if one.begin.get("command") == "apply"), None)
    if last is None:
        raise ManifestError("the manifest was not applied", str(stored.folder), "apply it first")
    check = _Check(options, stored, keys, last.begin.get("out") or "")
    check.intents = {
        (intent.place.archive, intent.place.relative): intent
        for log in applied(runs, keys)
        for intent in log.intents
    }
    if not check.out and not check.intents:
        raise ManifestError(
            "nothing of this manifest stands in the archive",
            str(stored.folder),
            "it was rolled back, or nothing of it could be written",
        )
    verdicts: Counter[str] = Counter()
    studies: dict[tuple[str, str], list[str]] = {}
    for number, row in enumerate(stored.corrections.to_pylist()):
        if number % options.parts == options.part - 1:
            verdict = check.verdict(row)
            verdicts[verdict] += 1
            studies.setdefault((row["archive"], row["StudyInstanceUID"]), []).append(verdict)
            advance(1)
    for (archive, study), found in studies.items():
        options.seen(archive, study, len(found), together(found))
    path = options.output / FOLDER / f"{stored.manifest.manifest_id}-{options.run_id}.json"
    report = VerifyReport(sum(verdicts.values()), dict(sorted(verdicts.items())), path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = asdict(report) | {"path": path.name, "at": options.now.isoformat()}
    said |= {"slice": f"{options.part}/{options.parts}", "manifest": stored.manifest.digest}
    files.durable_write(path, json.dumps(said, indent=2, sort_keys=True).encode() + b"\n")
    return report


class _Check:
    def __init__(self, options: VerifyOptions, stored: Stored, keys: Keys, out: str) -> None:
        self.options, self.keys, self.out = options, keys, out
        self.placement = Placement.recorded(stored.manifest.placement)
        self.intents: dict[tuple[str, bytes], Intent] = {}

    def verdict(self, row: Row) -> str:
        relative = resolved(row["path"], self.keys)
        root = self.options.roots[row["archive"]]
        if self.out:
            root = Path(self.out) / row["archive"]
        seen = see(root, FileRef(relative, 0, 0))
        if not self.out and (row["archive"], os.fsencode(relative)) not in self.intents:
            same = (seen.ref.size, self.keys.digest(seen.head_bytes))
            return NOT_WRITTEN if same == (row["size"], row["head_digest"]) else "not-as-promised"
        size = row["size"] - row["head_length"] + row["result_length"]
        if seen.head is None or seen.state != "read":
            return "unreadable"
        if seen.ref.size != size or self.keys.digest(seen.head_bytes) != row["result_digest"]:
            return "not-as-promised"
        maker = RowMaker(
            self.keys,
            row["archive"],
            Layout(""),
            self.options.bsn_rules,
            True,
            self.options.run_id,
            self.options.now,
        )
        found = stands(maker, seen.ref, seen.head, seen.head_bytes, self.placement)
        if found != {row["bsn_token"]}:
            return "number-not-in-place"
        return AS_PROMISED if self._whole(row, root, relative) else "content-differs"

    def _whole(self, row: Row, root: Path, relative: str) -> bool:
        """Compare everything: the digest of the journal, or the tail with the archive's own."""
        key = row["archive"], os.fsencode(relative)
        if not self.out:
            intent = self.intents.get(key)
            return intent is not None and _sha256(root, relative) == intent.new.sha256
        archive = self.options.roots[row["archive"]]
        with ExitStack() as opened:
            try:
                tails = [
                    files.blocks(_opened(opened, one, relative), row[start])
                    for one, start in ((root, "result_length"), (archive, "head_length"))
                ]
                return all(mine == original for mine, original in zip(*tails, strict=True))
            except (ValueError, files.IoError, files.NotRegular):
                return False


def _opened(opened: ExitStack, root: Path, relative: str) -> int:
    descriptor = files.open_beneath(root, relative)
    opened.callback(files.close_read, descriptor)
    return descriptor


def _sha256(root: Path, relative: str) -> str:
    with ExitStack() as opened:
        descriptor = _opened(opened, root, relative)
        drop_cache(descriptor)
        return files.sha256_of(descriptor)
