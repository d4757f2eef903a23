"""Crawl: archive share in, inventory out; new and changed files only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa

from remediation.dicom.locate import BsnRules
from remediation.errors import KeyFileError
from remediation.model.files import FileRef, Layout, resolved, stored
from remediation.model.running import Advance, Mapper, silent
from remediation.model.secrets import Keys
from remediation.store.archive import Seen, check_root, see, walk
from remediation.store.inventory import Inventory, Known
from remediation.store.keys import load_key_file
from remediation.tables.rows import Row, RowMaker
from remediation.tables.schemas import FINDINGS, INSTANCES, TALLIES
from remediation.tables.tallies import tallies

SHARD_FILES = 1000


@dataclass(frozen=True, slots=True)
class ArchiveRoot:
    """One archive as the crawl sees it."""

    name: str
    root: Path
    layout: str = ""
    prunes: bool = False  # the folders are StudyDates


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """What to crawl, and where to write it; travels to the workers, so it holds no key."""

    archive: ArchiveRoot
    output: Path
    key_file: Path
    key_id: str
    run_id: str
    at: datetime
    rules: BsnRules = field(default_factory=BsnRules)
    seal_paths: bool = True
    start: date | None = None
    end: date | None = None
    partial: bool = False  # a sub-range: says nothing about files outside it
    fresh: bool = False

    def inventory(self) -> Inventory:
        """Return the inventory that is written."""
        return Inventory(self.output, self.key_id, INSTANCES, FINDINGS, TALLIES)


@dataclass(frozen=True, slots=True)
class Shard:
    """One task: stored paths (sealed, so that no path crosses the wire), sizes, mtimes, words."""

    number: int
    files: tuple[tuple[str, int, int, str], ...]


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """Counts of files; `states` of the files that were read in this run."""

    archive: str
    walked: int
    new: int
    changed: int
    unchanged: int
    vanished: int
    pruned_folders: int
    lost_folders: int
    states: dict[str, int]

    @property
    def incomplete(self) -> bool:
        """Tell whether something could not be read."""
        return self.lost_folders > 0 or self.states.get("unreadable", 0) > 0


def run(options: CrawlOptions, *, mapper: Mapper = map, advance: Advance = silent) -> CrawlReport:
    """Bring the inventory of one archive up to date.

    Raises:
        ShareError: the root is missing or cannot be read, or the disk is full.
        KeyFileError: a worker holds another key.
    """
    archive = options.archive
    check_root(archive.root)
    keys = load_key_file(options.key_file)
    inventory = options.inventory()
    if options.fresh and not options.partial:
        inventory.forget(archive.name)
    inventory.archive_id(archive.name)
    inventory.merge(archive.name, inventory.known(archive.name), (), tallies)
    known = inventory.known(archive.name)
    survey = _Survey(options, keys, known)
    tasks = ((options, Shard(n, part)) for n, part in enumerate(_batches(survey.work())))
    states: Counter[str] = Counter()
    for counted in mapper(read_shard, tasks):
        states.update(counted)
        advance(sum(counted.values()))
    gone = survey.vanished()
    inventory.merge(archive.name, known, gone, tallies)
    # An empty archive was crawled as well: what comes next must not ask for it again.
    (inventory.folder / "instances").mkdir(parents=True, exist_ok=True, mode=0o700)
    counts = survey.counts
    return CrawlReport(
        archive.name,
        counts["walked"],
        counts["new"],
        counts["changed"],
        counts["unchanged"],
        len(gone),
        len(survey.pruned),
        counts["lost"],
        dict(sorted(states.items())),
    )


def _batches(
    files: Iterator[tuple[str, int, int, str]],
) -> Iterator[tuple[tuple[str, int, int, str], ...]]:
    while part := tuple(islice(files, SHARD_FILES)):
        yield part


class _Survey:
    """Walks the archive and holds every file against what the inventory knows."""

    def __init__(self, options: CrawlOptions, keys: Keys, known: dict[str, Known]) -> None:
        self.options, self.keys, self.known = options, keys, known
        self.layout = Layout(options.archive.layout)
        self.met: set[str] = set()
        self.pruned: set[str] = set()  # folders that were not opened: nothing in them has vanished
        self.counts: Counter[str] = Counter()

    def work(self) -> Iterator[tuple[str, int, int, str]]:
        """Yield the files that must be read."""
        for ref, word in walk(self.options.archive.root, self._skip, self._lost):
            self.counts["walked"] += 1
            path = stored(ref.path, self.keys, seal=self.options.seal_paths)
            self.met.add(path)
            before = self.known.get(path)
            same = before and (before.size, before.mtime_ns) == (ref.size, ref.mtime_ns)
            if before and same and not before.again and not self.options.fresh:
                self.counts["unchanged"] += 1
                continue
            self.counts["changed" if before else "new"] += 1
            yield path, ref.size, ref.mtime_ns, word

    def _lost(self) -> None:
        self.counts["lost"] += 1

    def _skip(self, parts: list[str]) -> bool:
        """Prune a directory of StudyDates that lies outside the range."""
        start, end = self.options.start, self.options.end
        span = self.layout.span(parts) if self.options.archive.prunes else None
        outside = span is not None and bool((start and span[1] < start) or (end and span[0] > end))
        if outside:
            self.pruned.add("/".join(parts))
        return outside

    def vanished(self) -> set[str]:
        """Return the known files that were looked for and not found."""
        if self.options.partial or self.counts["lost"]:
            return set()
        missing = self.known.keys() - self.met
        return {path for path in missing if not self._in_pruned(resolved(path, self.keys))}

    def _in_pruned(self, path: str) -> bool:
        parts = path.split("/")[:-1]
        return any("/".join(parts[: n + 1]) in self.pruned for n in range(len(parts)))


def read_shard(task: tuple[CrawlOptions, Shard]) -> dict[str, int]:
    """Read the files of one shard and write its Parquet; return the number of files per state.

    Raises:
        KeyFileError: this worker's key file is not the one that the run began with.
    """
    options, shard = task
    keys = load_key_file(options.key_file)
    if keys.key_id != options.key_id:
        raise KeyFileError(
            "this worker has another key", "key file", "give every worker the same key file"
        )
    maker = RowMaker(
        keys,
        options.archive.name,
        Layout(options.archive.layout),
        options.rules,
        options.seal_paths,
        options.run_id,
        options.at,
    )
    rows: list[Row] = []
    found: list[Row] = []
    states: Counter[str] = Counter()
    for path, size, mtime_ns, word in shard.files:
        ref = FileRef(resolved(path, keys), size, mtime_ns)
        seen = (
            see(options.archive.root, ref)
            if word == "file"
            else Seen(ref, "not-dicom", "not-a-file" if word == "special" else word)
        )
        row, findings = maker.rows(seen.ref, seen.state, seen.error, seen.head, seen.head_bytes)
        states[seen.state] += 1
        rows.append(row)
        found += findings
    inventory = options.inventory()
    inventory.write_shard(
        inventory.shard(options.archive.name, options.run_id, shard.number),
        pa.Table.from_pylist(rows, schema=INSTANCES),
        pa.Table.from_pylist(found, schema=FINDINGS),
    )
    return dict(states)
