"""What is measured of this package: every call into it is in this file, and none elsewhere.

When the crawl changes, this is the one file of the benchmark to bring along.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pyarrow as pa

from remediation.app.config import load_job
from remediation.app.demo.build import build as build_demo
from remediation.app.fleet import fleet
from remediation.app.wiring import Session
from remediation.dicom.locate import BsnRules, findings, identifiers
from remediation.model.files import FileRef, Layout
from remediation.model.running import new_run_id, utc_now
from remediation.stages import crawl as crawl_stage
from remediation.stages.crawl import ArchiveRoot, CrawlOptions
from remediation.store.archive import see
from remediation.store.archive import walk as walk_archive
from remediation.store.inventory import Inventory
from remediation.store.keys import load_key_file, new_key_file
from remediation.tables.rows import RowMaker

__all__ = ["crawl", "fleet", "full", "parquet_seconds", "rows", "search", "selected", "walk"]

LAYOUT = "{yyyy}/{mm}/{dd}"
RULES = BsnRules()
Seen = Sequence[str] | None


# -- one file ---------------------------------------------------------------------------------


def selected(root: Path, names: Sequence[str]) -> list[Seen]:
    """Return of each file its identifiers: what is known of the patient's numbers."""
    found: list[Seen] = []
    for name in names:
        head = see(root, FileRef(name, 0, 0)).head
        found.append([one.text for one in identifiers(head, RULES)] if head else None)
    return found


def full(root: Path, names: Sequence[str]) -> list[Seen]:
    """Return of each file the numbers that the full search finds."""
    return [_searched(root, name) for name in names]


def _searched(root: Path, name: str) -> Seen:
    head = see(root, FileRef(name, 0, 0)).head
    if head is None:
        return None
    return [one.number for one in findings(head, identifiers(head, RULES), RULES)]


def rows(root: Path, names: Sequence[str], key_file: Path) -> tuple[list[Any], list[Any]]:
    """Return the rows of instances and of findings: the full search, with tokens and seals."""
    maker = _maker(key_file)
    instances, found = [], []
    for name in names:
        seen = see(root, FileRef(name, 0, 0))
        row, more = maker.rows(seen.ref, seen.state, seen.error, seen.head, seen.head_bytes)
        instances.append(row)
        found += more
    return instances, found


def _maker(key_file: Path) -> RowMaker:
    keys = load_key_file(key_file)
    now = utc_now()
    return RowMaker(keys, "bench", Layout(LAYOUT), RULES, True, new_run_id(now), now)


def search(root: Path, names: Sequence[str], readers: int) -> int:
    """Read and search files as one worker process does, with so many readers."""
    with ThreadPoolExecutor(readers) as pool:
        return sum(found is not None for found in pool.map(lambda n: _searched(root, n), names))


# -- a whole crawl ----------------------------------------------------------------------------


def key(folder: Path) -> Path:
    """Return a key file, made where it is missing."""
    path = folder / "bench.key"
    if not path.exists():
        new_key_file(path)
    return path


def options(root: Path, output: Path, key_file: Path) -> CrawlOptions:
    """Return the options of a crawl of one archive."""
    now = utc_now()
    archive = ArchiveRoot("bench", root, LAYOUT, prunes=True)
    key_id = load_key_file(key_file).key_id
    return CrawlOptions(archive, output, key_file, key_id, new_run_id(now), now)


def crawl(chosen: CrawlOptions, mapper: Any = map, *, fresh: bool = True) -> int:
    """Crawl an archive; return the number of files that were read."""
    if fresh:
        shutil.rmtree(chosen.output, ignore_errors=True)
    chosen = replace(chosen, run_id=new_run_id(utc_now()))
    return sum(crawl_stage.run(chosen, mapper=mapper).states.values())


def walk(root: Path) -> int:
    """Walk an archive as the crawl does; return the number of entries that are no folders."""
    return sum(1 for _ in walk_archive(root, lambda _parts: False, lambda: None))


def job_file(path: Path, root: Path, output: Path, key_file: Path, workers: int) -> Path:
    """Write the job file of a crawl as it is typed: `python -m remediation crawl PATH`."""
    path.write_text(
        f'[job]\nname = "bench"\nallow_test_numbers = true\n'
        f'[[archive]]\nname = "bench"\nroot = "{root.absolute()}"\nlayout = "{LAYOUT}"\n'
        f'[privacy]\nkey_file = "{key_file.absolute()}"\n'
        f'[run]\nworkers = {workers}\n[output]\ndir = "{output.absolute()}"\n'
    )
    return path


# -- Parquet ----------------------------------------------------------------------------------


@contextlib.contextmanager
def parquet_seconds() -> Iterator[Callable[[], float]]:
    """Count, within, the processor seconds of everything from rows to Parquet, compaction too."""
    spent = [0.0]
    deep = [0]

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            deep[0] += 1
            start = time.process_time()
            try:
                return function(*args, **named)
            finally:
                deep[0] -= 1
                if not deep[0]:
                    spent[0] += time.process_time() - start

        return call

    table = SimpleNamespace(from_pylist=timed(pa.Table.from_pylist))
    with (
        mock.patch.object(Inventory, "write_shard", timed(Inventory.write_shard)),
        mock.patch.object(Inventory, "merge", timed(Inventory.merge)),
        mock.patch.object(crawl_stage, "pa", SimpleNamespace(Table=table)),
    ):
        yield lambda: spent[0]


def write(made: tuple[list[Any], list[Any]], chosen: CrawlOptions) -> None:
    """Write rows (of `rows`) as a worker does: one shard."""
    inventory = chosen.inventory()
    shutil.rmtree(chosen.output, ignore_errors=True)
    inventory.write_shard(
        inventory.shard("bench", chosen.run_id, 0),
        pa.Table.from_pylist(made[0], schema=crawl_stage.INSTANCES),
        pa.Table.from_pylist(made[1], schema=crawl_stage.FINDINGS),
    )


def stored_bytes(output: Path) -> int:
    """Return the bytes of instances, findings and tallies of an output folder."""
    folders = (output / "inventory" / name for name in ("instances", "findings", "tallies"))
    return sum(p.stat().st_size for folder in folders for p in folder.rglob("*") if p.is_file())


def demo(folder: Path, studies: int) -> tuple[int, Path]:
    """Build the demo hospital and crawl it; return its number of files and the output folder."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = build_demo(folder, studies)
    session = Session.open(load_job(paths.job))
    read = 0
    for archive in session.job.archives:
        report = crawl_stage.run(session.crawl_options(archive.name))
        read += sum(report.states.values())
    return read, session.output
