"""Plan: identities and the target placement in, a manifest out. Nothing is left to decide later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from remediation.dicom.correction import Refused
from remediation.dicom.rewrite import Rewritten, rewrite
from remediation.errors import UsageError
from remediation.model.bsn import is_placeholder
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import ArchiveIssuers
from remediation.model.files import FileRef, resolved
from remediation.model.manifest import Manifest
from remediation.model.placement import Order, Placement
from remediation.model.running import Advance, silent, utc_now
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.archive import see
from remediation.store.inventory import Inventory
from remediation.store.manifests import Stored, save
from remediation.tables.judge import INSTANCE_COLUMNS, Sources, judged
from remediation.tables.periods import holds
from remediation.tables.schemas import (
    CORRECTIONS,
    IDENTITIES,
    INVENTORY,
    PERIODS,
    PLACES,
    REFUSALS,
    STUDIES,
)

Row = dict[str, Any]
EXPIRY = timedelta(days=90)
SELECTABLE = ("archive", "source", "study_month", "status", "Modality", "StudyInstanceUID")


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What to plan: target, selection, limits, and what goes into the manifest's head."""

    output: Path
    job_file: Path
    job_name: str
    author: str
    responsible: str
    placement: Placement
    roots: dict[str, Path]
    archives: dict[str, ArchiveIssuers]
    sources: Sources = field(default_factory=Sources)
    extra_issuers: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    in_place_statement: str = ""
    periods: tuple[str, ...] = ()
    select: tuple[tuple[str, str], ...] = ()
    max_files: int = 10_000
    at: datetime | None = None
    tool_version: str = ""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The manifest's folder and id, and its counts."""

    folder: Path
    manifest_id: str
    files: int
    studies: int
    refused: int


def run(
    options: PlanOptions, crosswalk: Crosswalk, keys: Keys, *, advance: Advance = silent
) -> PlanReport:
    """Write a manifest; the same inputs and time give the same one.

    Raises:
        DatasetError: an earlier stage has not run.
        UsageError: an unknown period or selection, or more files than `max_files`.
    """
    stored = _Planner(options, crosswalk, keys).plan(advance)
    counts = stored.manifest.counts
    return PlanReport(
        stored.folder.resolve(),
        stored.manifest.manifest_id,
        counts["files"],
        counts["studies"],
        counts["refused"],
    )


class _Planner:
    def __init__(self, options: PlanOptions, crosswalk: Crosswalk, keys: Keys) -> None:
        self.options, self.keys = options, keys
        self.inventory = Inventory(options.output, keys.key_id, INVENTORY)
        self.inventory.require()
        self.tokens = crosswalk.tokens(keys)
        self.periods = self._read("periods", PERIODS, "flag").to_pylist()
        unknown = set(options.periods) - {row["period_id"] for row in self.periods}
        if unknown:
            raise UsageError("no such period", "--period", "see `remediation report`")

    def _read(self, name: str, schema: pa.Schema, command: str) -> pa.Table:
        path = self.options.output / f"{name}.parquet"
        return datasets.read(path, schema, self.keys.key_id, f"remediation {command}")

    def plan(self, advance: Advance) -> Stored:
        columns = {
            *INSTANCE_COLUMNS,
            *self.options.sources.by,
            *(
                "size",
                "container",
                "head_length",
                "head_digest",
                "crawled_at",
            ),
        }
        instances = self.inventory.instances(columns)
        at = self.options.at or max(instances["crawled_at"].to_pylist(), default=utc_now())
        found = judged(
            instances,
            self.inventory.findings(),
            self._read("places", PLACES, "flag"),
            self.options.sources,
            self.options.placement,
        )
        by_study: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in instances.append_column("status", found.statuses).to_pylist():
            by_study[row["archive"], row["StudyInstanceUID"]].append(row)
        chosen = [
            (study, identity)
            for study, identity in self._chosen()
            if not self._is_right(identity, by_study[study["archive"], study["StudyInstanceUID"]])
        ]
        self._limit(chosen, by_study)
        corrections, refusals = [], []
        for study, identity in chosen:
            rows = by_study[study["archive"], study["StudyInstanceUID"]]
            try:
                corrections += self._study(study, identity, rows, at)
            except Refused as refused:
                refusals.append(_refusal(study, str(refused), len(rows)))
            advance(1)
        return self._save(corrections, refusals, at)

    def _chosen(self) -> Iterator[tuple[Row, Row]]:
        """Yield the selected studies with their identities."""
        studies = self._read("studies", STUDIES, "flag").to_pylist()
        identities = {
            (row["archive"], row["StudyInstanceUID"]): row
            for row in self._read("identities", IDENTITIES, "match").to_pylist()
        }
        wrong = [key for key, _ in self.options.select if key not in SELECTABLE]
        if wrong:
            raise UsageError("--select does not know that key", "", f"use {', '.join(SELECTABLE)}")
        for study in studies:
            study["period_id"] = self._period(study)
            identity = identities.get((study["archive"], study["StudyInstanceUID"]))
            if identity is not None and self._selected(study):
                yield study, identity

    def _is_right(self, identity: Row, rows: list[Row]) -> bool:
        """Tell whether a study stands as the placement has it, with a number that is its own.

        By the placement of the plan: what `flag` was told may have been another one.
        """
        return identity["outcome"] == "conformant" and all(map(self._stands, rows))

    def _stands(self, row: Row) -> bool:
        return row["status"] == "conformant" and self.options.placement.conformant_is_right

    def _selected(self, study: Row) -> bool:
        if self.options.periods and study["period_id"] not in self.options.periods:
            return False
        return all(str(study[key]) == value for key, value in self.options.select)

    def _period(self, study: Row) -> str | None:
        found = (str(row["period_id"]) for row in self.periods if holds(row, study))
        return next(found, None)

    def _limit(
        self, chosen: list[tuple[Row, Row]], by_study: dict[tuple[str, str], list[Row]]
    ) -> None:
        files = sum(
            len(by_study[study["archive"], study["StudyInstanceUID"]])
            for study, identity in chosen
            if identity["bsn_token"]
        )
        if files > self.options.max_files:
            raise UsageError(
                f"the plan would touch {files} files, more than max_files",
                f"[apply] max_files = {self.options.max_files}",
                "select less with --period or --select source=…, study_month=…",
            )

    def _study(self, study: Row, identity: Row, rows: list[Row], at: datetime) -> list[Row]:
        """Return the corrections of a whole study.

        Raises:
            Refused: one of its instances is; then the study is.
        """
        if identity["bsn_token"] is None:
            raise Refused(identity["reason"] or next(iter(identity["warnings"]), "not-resolved"))
        named = self.tokens.bsn(identity["bsn_token"])
        if not named:
            raise Refused("no-crosswalk-entry")
        number = named[0].bsn
        if is_placeholder(number, self.options.placeholders):
            raise Refused("placeholder-number")
        archive = self.options.archives.get(study["archive"], ArchiveIssuers())
        order = Order(
            number,
            identity["local_issuer"],
            archive.spellings(identity["local_issuer"]),
            self.options.placement,
            f"{at:%Y%m%d%H%M%S}.000000+0000",
            self.options.extra_issuers,
            self.options.placeholders,
        )
        made = []
        for row in rows:
            if self._stands(row):
                continue  # one of a mixed study that is right already
            rewritten = self._rewritten(row, order)
            if rewritten.edits:
                made.append(self._correction(study, identity, row, rewritten))
        return made

    def _rewritten(self, row: Row, order: Order) -> Rewritten:
        if row["container"]:
            raise Refused("in-container")
        root = self.options.roots[row["archive"]]
        ref = FileRef(resolved(row["path"], self.keys), row["size"], row["mtime_ns"])
        seen = see(root, ref)
        if seen.error:
            raise Refused(seen.error if seen.state != "unreadable" else f"head-{seen.error}")
        if seen.head is None or seen.ref != ref:
            raise Refused("changed-since-crawl")
        if seen.head_bytes and self.keys.digest(seen.head_bytes) != row["head_digest"]:
            raise Refused("changed-since-crawl")
        return rewrite(seen.head, ref.size, order)

    def _correction(self, study: Row, identity: Row, row: Row, rewritten: Rewritten) -> Row:
        tokens = {"bsn": identity["bsn_token"], "local": identity["local_token"], "": None}
        return {
            **{name: row[name] for name in ("archive", "path", "StudyInstanceUID")},
            **{name: row[name] for name in ("SOPInstanceUID", "size", "mtime_ns")},
            **{name: row[name] for name in ("head_length", "head_digest")},
            "result_length": len(rewritten.head),
            "result_digest": self.keys.digest(rewritten.head),
            "edits": [
                {
                    "attribute": edit.attribute,
                    "action": edit.action,
                    "value_source": edit.value_source,
                    "token": tokens[edit.token_of],
                }
                for edit in rewritten.edits
            ],
            "bsn_token": identity["bsn_token"],
            "local_issuer": identity["local_issuer"],
            "local_token": identity["local_token"],
            "rule": f"{row['status']} to {self.options.placement.target}",
            "period_id": study["period_id"],
        }

    def _save(self, corrections: list[Row], refusals: list[Row], at: datetime) -> Stored:
        options = self.options
        corrections.sort(key=lambda row: (row["archive"], row["StudyInstanceUID"], row["path"]))
        refusals.sort(key=lambda row: (row["archive"], row["StudyInstanceUID"]))
        archives = sorted({row["archive"] for row in corrections + refusals})
        manifest = Manifest(
            created=at.isoformat(),
            expires=(at + EXPIRY).isoformat(),
            author=options.author,
            responsible=options.responsible,
            job=options.job_name,
            placement=asdict(options.placement),
            archives={name: self.inventory.archive_id(name) for name in archives},
            counts={
                "files": len(corrections),
                "studies": len({(r["archive"], r["StudyInstanceUID"]) for r in corrections}),
                "refused": len(refusals),
            },
            in_place_statement=options.in_place_statement,
            key_id=self.keys.key_id,
            tool_version=options.tool_version,
            selection=tuple(
                [f"period={one}" for one in options.periods]
                + [f"{key}={value}" for key, value in options.select]
            ),
        )
        return save(
            options.output / "manifests",
            manifest,
            pa.Table.from_pylist(corrections, schema=CORRECTIONS),
            pa.Table.from_pylist(refusals, schema=REFUSALS),
            options.job_file,
        )


def _refusal(study: Row, reason: str, instances: int) -> Row:
    return {
        "StudyInstanceUID": study["StudyInstanceUID"],
        "archive": study["archive"],
        "reason": reason,
        "instances": instances,
    }
