"""Crawl: archive share in, inventory out; new and changed files only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from remediation.dicom.header import glance
from remediation.dicom.locate import BsnRules
from remediation.errors import KeyFileError
from remediation.model.files import ArchiveRoot, FileRef, Layout
from remediation.model.listing import AGAIN
from remediation.model.pacing import Hours, Pace
from remediation.model.running import Advance, Mapper, silent, utc_now
from remediation.model.secrets import Keys
from remediation.store.ahead import Ahead, Begun
from remediation.store.archive import Seen, see, see_inside
from remediation.store.difference import Difference, Work, opened, sealed
from remediation.store.files import IoError
from remediation.store.folders import FolderIndex, known, table
from remediation.store.gone import Gone
from remediation.store.inventory import NOT_OPENED, Inventory
from remediation.store.keys import load_key_file
from remediation.store.merging import Merge
from remediation.store.walking import Parts, check_root, first_files
from remediation.tables.rows import Row, RowMaker
from remediation.tables.schemas import FINDINGS, INSTANCES, INVENTORY
from remediation.tables.tallies import TALLIED, tallies

SHARD_FILES = 1000
_NOT_READ = {"special": "not-a-file", "link": "link"}
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")  # how files begin that a system would run
_DOZE_S = 60  # outside the window: how often the clock is looked at


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
    readers: int = 4  # threads of a worker where the share is slow to answer
    reads_per_second: float = 0  # of one worker; 0: as fast as it goes
    hours: Hours = field(default_factory=Hours)

    def inventory(self) -> Inventory:
        """Return the inventory that is written."""
        return Inventory(self.output, self.key_id, INVENTORY)


@dataclass(frozen=True, slots=True)
class Shard:
    """One task: the folders and files to read, sealed, so that no path crosses the wire."""

    number: int
    work: bytes
    replaces: bool = False  # some of the files were known


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """Counts of files; `states` of what was read in this run, files inside containers included.

    Attributes:
        read_bytes: Bytes of heads that were read; `seconds` that the run took.
        elsewhere: Files whose StudyDate is not the date of their folder.
        pruned_checked: Files that were read to see whether pruned folders are StudyDates;
            `pruned_wrong` of them are of another date.
        broken_containers: Containers that could not be read to their end.
        programs: DICOM files whose preamble makes a program of them (CVE-2019-11687); it stays.
    """

    archive: str
    walked: int
    new: int
    changed: int
    unchanged: int
    vanished: int
    pruned_folders: int
    lost_folders: int
    states: dict[str, int]
    read_bytes: int = 0
    seconds: float = 0.0
    elsewhere: int = 0
    pruned_checked: int = 0
    pruned_wrong: int = 0
    broken_containers: int = 0
    programs: int = 0

    @property
    def incomplete(self) -> bool:
        """Tell whether something could not be read, or was passed over and should not have been."""
        unread = self.states.get("unreadable", 0)
        return any((self.lost_folders, unread, self.pruned_wrong, self.broken_containers))


def run(
    options: CrawlOptions,
    *,
    mapper: Mapper = map,
    advance: Advance = silent,
    share: Callable[[float], None] = lambda _done: None,
    sleep: Callable[[float], None] = time.sleep,
) -> CrawlReport:
    """Bring the inventory of one archive up to date.

    Args:
        options: what to crawl.
        mapper: spreads the shards over workers.
        advance: told of files that were read.
        share: told what part of the archive was walked, 0 to 1.
        sleep: waits for the window.

    Raises:
        ShareError: the root is missing or cannot be read, or the disk is full.
        KeyFileError: a worker holds another key.
    """
    begun, archive = time.monotonic(), options.archive
    check_root(archive.root)
    keys, inventory = load_key_file(options.key_file), options.inventory()
    if options.fresh and not options.partial:
        inventory.forget(archive.name)
    inventory.archive_id(archive.name)
    merge = Merge(inventory, archive.name, keys, options.run_id, tallies, TALLIED)
    merge.run()
    if not inventory.holds(archive.name):
        inventory.index_path(archive.name).unlink(missing_ok=True)
    index = FolderIndex(inventory.index_path(archive.name), INVENTORY["folders"], keys)
    gone = Gone(inventory.shard(archive.name, options.run_id, 0).with_name("gone"), keys)
    layout = Layout(archive.layout)
    difference = Difference(
        root=archive.root,
        index=index,
        gone=gone,
        prune=_pruner(options, layout),
        share=share,
        fresh=options.fresh,
        partial=options.partial,
    )
    counts: Counter[str] = Counter()
    for one in mapper(read_shard, _tasks(options, difference, keys, sleep)):
        counts.update(one)
        advance(one["files"])
    difference.close()
    merge.run(gone, seal=options.seal_paths, sure=True)
    # An empty archive was crawled as well: what comes next must not ask for it again.
    (inventory.folder / "instances").mkdir(parents=True, exist_ok=True, mode=0o700)
    checked = [_is_of_its_folder(options, layout, one) for one in difference.sampled]
    walked = difference.counts
    return CrawlReport(
        archive.name,
        walked["walked"],
        walked["new"],
        walked["changed"],
        walked["unchanged"],
        gone.count,
        walked["pruned"],
        walked["lost"],
        {key[6:]: n for key, n in sorted(counts.items()) if key.startswith("state:")},
        counts["bytes"],
        time.monotonic() - begun,
        counts["elsewhere"],
        sum(one is not None for one in checked),
        checked.count(False),
        counts["broken"],
        counts["programs"],
    )


def _tasks(
    options: CrawlOptions, difference: Difference, keys: Keys, sleep: Callable[[float], None]
) -> Iterator[tuple[CrawlOptions, Shard]]:
    for number, (work, replaces) in enumerate(difference.shards(SHARD_FILES)):
        while wait := options.hours.wait(utc_now()):
            sleep(min(wait, _DOZE_S))
        yield options, Shard(number, sealed(work, keys), replaces)


def _pruner(options: CrawlOptions, layout: Layout) -> Callable[[Parts], bool]:
    """Return what tells whether a folder of StudyDates lies outside the range."""
    if not options.archive.prunes:
        return lambda _parts: False
    return lambda parts: layout.outside(parts, options.start, options.end)


def _is_of_its_folder(options: CrawlOptions, layout: Layout, parts: Parts) -> bool | None:
    """Tell whether a file of a pruned folder is of its date; None where no file tells."""
    root, span = options.archive.root, layout.span(parts)
    for path in first_files(root, parts):
        head = see(root, FileRef(path, 0, 0), glance).head
        day = head and RowMaker.date_of(head, "StudyDate")
        if day and span:
            return span[0] <= day <= span[1]
    return None


def read_shard(task: tuple[CrawlOptions, Shard]) -> dict[str, int]:
    """Read the files of one shard and write its Parquet; return counts.

    Raises:
        KeyFileError: this worker's key file is not the one that the run began with.
    """
    options, shard = task
    keys = load_key_file(options.key_file)
    if keys.key_id != options.key_id:
        raise KeyFileError(
            "this worker has another key", "key file", "give every worker the same key file"
        )
    reading = _Reading(options, keys)
    reading.read(opened(shard.work, keys))
    inventory = options.inventory()
    folders = [known(parts, entries, keys) for parts, entries in reading.folders.items()]
    inventory.write_shard(
        inventory.shard(options.archive.name, options.run_id, shard.number),
        {
            "instances": pa.Table.from_pylist(reading.rows, schema=INSTANCES),
            "findings": pa.Table.from_pylist(reading.found, schema=FINDINGS),
            "folders": table(folders, INVENTORY["folders"], keys),
        },
        replaces=shard.replaces,
    )
    return dict(reading.counts)


class _Reading:
    """Reads the files of one shard into rows."""

    def __init__(self, options: CrawlOptions, keys: Keys) -> None:
        self.options, self.layout = options, Layout(options.archive.layout)
        self.maker = RowMaker(
            keys,
            options.archive.name,
            self.layout,
            options.rules,
            options.seal_paths,
            options.run_id,
            options.at,
        )
        self.rows: list[Row] = []
        self.found: list[Row] = []
        self.folders: dict[Parts, dict[str, Any]] = {}
        self.counts: Counter[str] = Counter()

    def read(self, work: Work) -> None:
        """Read everything; a bad file becomes a row, never an exception."""
        regular: list[tuple[Parts, str]] = []
        for parts, files in work:
            self.folders[parts] = {}
            for name, size, mtime_ns, word in files:
                if word == "file":
                    regular.append((parts, name))
                    continue
                ref = FileRef("/".join((*parts, name)), size, mtime_ns)
                self._note(parts, name, word, Seen(ref, "not-dicom", _NOT_READ[word]))
        options = self.options
        ahead = Ahead(options.archive.root, options.readers, Pace(options.reads_per_second))
        for index, one in ahead.read(["/".join((*parts, name)) for parts, name in regular]):
            if isinstance(one, Seen):
                self._note(*regular[index], "file", one)
                continue
            try:
                self._note(*regular[index], "file", self._look(ahead, one))
            finally:
                one.close()

    def _look(self, ahead: Ahead, begun: Begun) -> Seen:
        seen = ahead.look(begun)
        self.counts["bytes"] += max(len(begun.data), len(seen.head_bytes))
        self.counts["programs"] += seen.head is not None and begun.data.startswith(_PROGRAMS)
        if seen.state != "container":
            return seen
        last = seen
        try:
            for inside in see_inside(begun.descriptor, begun.ref):
                if inside.inside:
                    self._row(inside)
                else:  # what is wrong with the container itself
                    last = inside
        except IoError:  # the share failed in the middle: it is read again
            last = Seen(begun.ref, "container", "unreadable")
        self.counts["broken"] += last.error != ""
        return last

    def _note(self, parts: Parts, name: str, word: str, seen: Seen) -> None:
        """Note a file in the listing of its folder, as it was when read, and make its row."""
        size = AGAIN if seen.error in NOT_OPENED else seen.ref.size
        self.folders[parts][name] = (size, seen.ref.mtime_ns, word)
        self.counts["files"] += 1
        row = self._row(seen)
        if row["study_date_source"] == "StudyDate":
            span = self.layout.span(parts)
            self.counts["elsewhere"] += bool(span and not span[0] <= row["StudyDate"] <= span[1])

    def _row(self, seen: Seen) -> Row:
        row, findings = self.maker.rows(
            seen.ref, seen.state, seen.error, seen.head, seen.head_bytes, inside=seen.inside
        )
        self.rows.append(row)
        self.found += findings
        self.counts[f"state:{seen.state}"] += 1
        return row
