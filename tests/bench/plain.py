"""What is plain: the limit of reading, a bare walk, and a crawl as one would write it in an hour.

`python -m bench.plain ROOT OUTPUT WORKERS` is that crawl: dask.bag, pydicom, pandas, Parquet.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.peers import RUN, UNSEARCHED, lenient_pydicom

FIRST_READ = 16 * 1024
_AT_ONCE = 1000  # files of one partition


def limit(paths: Sequence[str]) -> int:
    """Open, fstat, read 16 KiB, close: less than this nobody can do."""
    total = 0
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fstat(descriptor)
        total += len(os.pread(descriptor, FIRST_READ, 0))
        os.close(descriptor)
    return total


def bare_walk(root: str, *, stat: bool) -> int:
    """Walk a tree by os.scandir, with a stat of each entry or without; count what is no folder."""
    found = 0
    with os.scandir(root) as entries:
        for entry in entries:
            if stat:
                entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                found += bare_walk(entry.path, stat=stat)
            else:
                found += 1
    return found


def record(path: str) -> dict[str, Any]:
    """Return one file's row, as pydicom gives it: iterall, all values as text, a regex."""
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        runs: list[str] = []
        for element in dataset.iterall():
            if element.VR not in UNSEARCHED:
                runs += RUN.findall(str(element.value))
        wanted = ("StudyInstanceUID", "SOPInstanceUID", "StudyDate", "Modality", "PatientID")
        row = {keyword: str(dataset.get(keyword, "")) for keyword in wanted}
    return {"path": path, "size": os.stat(path).st_size, "numbers": " ".join(runs), **row}  # noqa: PTH116


def _every(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        yield from (f"{folder}/{name}" for name in names)


def crawl(root: Path, output: Path, workers: int, pool: ProcessPoolExecutor) -> int:
    """Crawl an archive into one Parquet file; return the number of rows."""
    import dask.bag
    import pandas as pd

    paths = list(_every(root))
    parts = max(workers, len(paths) // _AT_ONCE)
    bag = dask.bag.from_sequence(paths, npartitions=parts)
    rows = bag.map(record).compute(scheduler="processes", pool=pool, num_workers=workers)
    output.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(output / "rows.parquet", compression="zstd")
    return len(rows)


def main() -> None:
    """Crawl with workers that are up already, and print the seconds that it took."""
    root, output, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=lenient_pydicom) as pool:
        list(pool.map(record, sorted(_every(root))[: 4 * workers]))  # so that they are up
        start = time.perf_counter()
        crawl(root, output, workers, pool)
        sys.stdout.write(str(time.perf_counter() - start))


if __name__ == "__main__":
    main()
