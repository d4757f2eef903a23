"""Plan: identities and the target placement in, a manifest out. Nothing is left to decide later.

What is chosen is known before a head is read. Heads are read in tasks of whole studies, wherever
the mapper puts them; what comes back is put in order, so that neither workers nor the order of the
inventory show in the manifest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.errors import UsageError
from remediation.model.bsn import is_placeholder
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import ArchiveIssuers
from remediation.model.manifest import Manifest
from remediation.model.placement import Placement
from remediation.model.running import Advance, Mapper, silent, utc_now
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.batches import Batches
from remediation.store.foreseen import (
    File,
    Foreseen,
    Foresight,
    Study,
    Task,
    foresee,
    sealed,
)
from remediation.store.inventory import Inventory
from remediation.store.manifests import Stored, save
from remediation.tables.codes import encoded, kept, one_of
from remediation.tables.judge import FINDING_COLUMNS, INSTANCE_COLUMNS, Sources, judged
from remediation.tables.planned import COLUMNS, Planned, correction, grouped, shared_out
from remediation.tables.schemas import (
    CORRECTIONS,
    IDENTITIES,
    INVENTORY,
    PERIODS,
    PLACES,
    REFUSALS,
    STUDIES,
)
from remediation.tables.selection import (
    IDENTITY_COLUMNS,
    STUDY_COLUMNS,
    Numbered,
    chosen,
    parsed,
)

Row = dict[str, Any]
EXPIRY = timedelta(days=90)
TASK_FILES = 500


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What to plan: target, selection, limits, and what goes into the manifest's head."""

    output: Path
    key_file: Path
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
    readers: int = 4  # threads of a worker where the share is slow to answer
    reads_per_second: float = 0  # of one worker; 0: as fast as it goes
    task_files: int = TASK_FILES
    batch_rows: int = 200_000  # instances whose columns are in memory at once


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The manifest's folder and id, and its counts; `heads` were read in `seconds`."""

    folder: Path
    manifest_id: str
    files: int
    studies: int
    refused: int
    heads: int = 0
    seconds: float = 0.0


def run(
    options: PlanOptions,
    crosswalk: Crosswalk,
    keys: Keys,
    *,
    mapper: Mapper = map,
    advance: Advance = silent,
) -> PlanReport:
    """Write a manifest; the same inputs and time give the same one.

    Args:
        options: what to plan.
        crosswalk: the EPD export.
        keys: the job's keys.
        mapper: spreads the reading of heads over workers.
        advance: told of studies.

    Raises:
        DatasetError: an earlier stage has not run.
        UsageError: an unknown period or selection, or more files than `max_files`.
        KeyFileError: a worker holds another key.
        ShareError: the disk is full.
    """
    planner = _Planner(options, crosswalk, keys)
    stored = planner.plan(mapper, advance)
    counts = stored.manifest.counts
    return PlanReport(
        stored.folder.resolve(),
        stored.manifest.manifest_id,
        counts["files"],
        counts["studies"],
        counts["refused"],
        planner.heads,
        planner.seconds,
    )


class _Planner:
    def __init__(self, options: PlanOptions, crosswalk: Crosswalk, keys: Keys) -> None:
        self.options, self.keys, self.crosswalk = options, keys, crosswalk
        self.wanted = parsed(options.select)
        self.inventory = Inventory(options.output, keys.key_id, INVENTORY)
        self.inventory.require()
        self.batches = Batches.of(self.inventory, options.batch_rows)
        self.heads, self.seconds = 0, 0.0
        self.corrections: list[Row] = []
        self.refusals: list[Row] = []
        self.unresolved = REFUSALS.empty_table()

    def _read(self, name: str, schema: pa.Schema, command: str) -> pa.Table:
        path = self.options.output / f"{name}.parquet"
        return datasets.read(path, schema, self.keys.key_id, f"remediation {command}")

    def plan(self, mapper: Mapper, advance: Advance) -> Stored:
        """Choose, read heads, and write the manifest."""
        at = self.options.at or self._crawled_at()
        studies = self._chosen()
        asked = np.asarray(studies["bsn_token"].is_valid()) | one_of(
            studies["outcome"], {"conformant"}
        )
        self.unresolved = _unresolved(kept(studies, ~asked))
        advance(self.unresolved.num_rows)
        planned = self._planned(kept(studies, asked))
        begun = time.monotonic()
        self._foresee(planned, at, mapper, advance)
        self.seconds = time.monotonic() - begun
        return self._save(at)

    def _crawled_at(self) -> datetime:
        """Return when the newest file of the inventory was read: the plan's time by default."""
        times = (
            pc.max(self.batches.read("instances", batch, ["crawled_at"])["crawled_at"]).as_py()
            for batch in self.batches.all
        )
        return max((time for time in times if time), default=utc_now())

    # -- what it is about -------------------------------------------------------------------------

    def _chosen(self) -> pa.Table:
        periods = self._read("periods", PERIODS, "flag").to_pylist()
        if set(self.options.periods) - {row["period_id"] for row in periods}:
            raise UsageError("no such period", "--period", "`remediation periods list` shows them")
        return chosen(
            self._read("studies", STUDIES, "flag").select(list(STUDY_COLUMNS)),
            self._read("identities", IDENTITIES, "match").select(list(IDENTITY_COLUMNS)),
            periods,
            self.wanted,
            frozenset(self.options.periods),
        )

    def _open(self, studies: pa.Table) -> Iterator[Planned]:
        """Yield the studies that have files which do not stand as wanted.

        Raises:
            UsageError: those that can be corrected have more files than `max_files`. Memory holds
                so many, and one batch of columns.
        """
        places, placement = self._read("places", PLACES, "flag"), self.options.placement
        numbered = Numbered(studies)
        own = {name: column.to_pylist() for name, column in numbered.uids.items()}
        columns = list(dict.fromkeys([*COLUMNS, *INSTANCE_COLUMNS, *self.options.sources.by]))
        batches = self.batches.holding(own)
        own.clear()
        can_be, files = np.asarray(studies["bsn_token"].is_valid()), 0
        most = self.options.max_files
        for instances, findings in batches.whole_studies(
            columns, FINDING_COLUMNS, lambda rows: kept(rows, numbered.of(rows) >= 0)
        ):
            found = judged(instances, findings, places, self.options.sources, placement)
            stands = one_of(found.statuses, {"conformant"}) & placement.conformant_is_right
            rows = instances.select(list(COLUMNS)).append_column("status", found.statuses)
            rows = kept(rows, ~stands)
            at = numbered.of(rows)
            files += int(can_be[at].sum())
            if files <= most:  # else they are only counted from here on
                yield from grouped(rows, at, studies)
        if files > most:
            raise UsageError(
                f"the plan would touch {files} files, more than max_files",
                f"[apply] max_files = {most}",
                "select less with --period or --select source=…, study_month=…",
            )

    def _planned(self, studies: pa.Table) -> list[Planned]:
        """Return the studies of which heads are to be read; none is read before all are known."""
        planned = list[Planned]()
        for one in self._open(studies):
            reason = self._without_number(one.study)
            if reason:
                self._refuse(one.study, reason)
            else:
                planned.append(one)
        return sorted(planned, key=lambda one: one.at)

    def _without_number(self, study: Row) -> str:
        """Return why nothing may be written into a study; empty where a number may.

        Raises:
            UsageError: it is of an archive that the job does not name.
        """
        if study["bsn_token"] is None:
            return str(study["why"])
        number = self._number(study)
        if not number:
            return "no-crosswalk-entry"
        if study["archive"] not in self.options.roots:
            raise UsageError(
                "studies of an archive that the job does not name",
                f"[[archive]] {study['archive']}",
                "name it again, or select others with --select archive=…",
            )
        return "placeholder-number" if is_placeholder(number, self.options.placeholders) else ""

    def _number(self, study: Row) -> str:
        named = self.crosswalk.tokens(self.keys).bsn(study["bsn_token"])
        return named[0].bsn if named else ""

    # -- heads ------------------------------------------------------------------------------------

    def _foresee(
        self, planned: Sequence[Planned], at: datetime, mapper: Mapper, advance: Advance
    ) -> None:
        under_way: dict[int, list[Planned]] = {}
        for found in mapper(foresee, self._tasks(planned, at, under_way)):
            studies = under_way.pop(found.number)
            self.heads += found.files
            self._note(studies, found)
            advance(len(studies))

    def _tasks(
        self, planned: Sequence[Planned], at: datetime, under_way: dict[int, list[Planned]]
    ) -> Iterator[tuple[Foresight, Task]]:
        options = self.options
        extras = (tuple(options.extra_issuers), tuple(options.placeholders))
        for number, studies in enumerate(shared_out(planned, options.task_files)):
            archive = studies[0].study["archive"]
            sight = Foresight(
                options.roots[archive],
                options.key_file,
                self.keys.key_id,
                options.placement,
                f"{at:%Y%m%d%H%M%S}.000000+0000",
                options.readers,
                options.reads_per_second,
            )
            under_way[number] = studies
            work = [self._order(one) for one in studies]
            yield sight, Task(number, sealed(work, extras, self.keys))

    def _order(self, one: Planned) -> Study:
        issuer = one.study["local_issuer"]
        archive = self.options.archives.get(one.study["archive"], ArchiveIssuers())
        files = tuple(
            File(
                row["path"],
                row["size"],
                row["mtime_ns"],
                row["head_digest"],
                bool(row["container"]),
            )
            for row in one.files
        )
        return Study(
            self._number(one.study), issuer, tuple(sorted(archive.spellings(issuer))), files
        )

    def _note(self, studies: Sequence[Planned], found: Foreseen) -> None:
        """Note each study whole: its corrections, or why there are none."""
        for one, promises in zip(studies, found.studies, strict=True):
            if isinstance(promises, str):
                self._refuse(one.study, promises)
                continue
            for file, promise in zip(one.files, promises, strict=True):
                if promise:
                    head = promise.length, promise.digest
                    target = self.options.placement.target
                    self.corrections.append(
                        correction(one.study, file, head, promise.edits, target)
                    )

    # -- the manifest -----------------------------------------------------------------------------

    def _refuse(self, study: Row, reason: str) -> None:
        told = {name: study[name] for name in ("StudyInstanceUID", "archive", "instances")}
        self.refusals.append(told | {"reason": reason})

    def _save(self, at: datetime) -> Stored:
        options = self.options
        self.corrections.sort(
            key=lambda row: (row["archive"], row["StudyInstanceUID"], row["path"])
        )
        refusals = pa.concat_tables(
            [
                self.unresolved,
                pa.Table.from_pylist(self.refusals, schema=REFUSALS),
            ]
        ).sort_by([("archive", "ascending"), ("StudyInstanceUID", "ascending")])
        archives = {row["archive"] for row in self.corrections}
        archives |= set(encoded(refusals["archive"]).dictionary.to_pylist())
        studies = {(row["archive"], row["StudyInstanceUID"]) for row in self.corrections}
        manifest = Manifest(
            created=at.isoformat(),
            expires=(at + EXPIRY).isoformat(),
            author=options.author,
            responsible=options.responsible,
            job=options.job_name,
            placement=asdict(options.placement),
            archives={name: self.inventory.archive_id(name) for name in sorted(archives)},
            counts={
                "files": len(self.corrections),
                "studies": len(studies),
                "refused": refusals.num_rows,
            },
            in_place_statement=options.in_place_statement,
            key_id=self.keys.key_id,
            tool_version=options.tool_version,
            selection=tuple(
                [f"period={one}" for one in sorted(set(options.periods))]
                + [f"{key}={value}" for key, value in sorted(set(options.select))]
            ),
        )
        return save(
            options.output / "manifests",
            manifest,
            pa.Table.from_pylist(self.corrections, schema=CORRECTIONS),
            refusals,
            options.job_file,
        )


def _unresolved(studies: pa.Table) -> pa.Table:
    """Return the refusals of what `match` could not resolve: it may be most of an archive."""
    own = studies.select(["StudyInstanceUID", "archive", "why", "instances"])
    return own.rename_columns(REFUSALS.names).cast(REFUSALS)
