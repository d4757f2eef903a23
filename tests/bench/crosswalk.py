"""The benchmark of the crosswalk: a made export read, indexed and asked, in a process of its own.

`python -m bench.crosswalk` makes exports of one and of ten million rows, as CSV and as Parquet, in
a temporary folder; prints a table; and removes them. The rows are drawn from a seed: two hospitals
that count from the same number, names made of syllables, a fiftieth of the rows without a number,
one in two hundred twice, one in a hundred replaced by the next. Their numbers fail the elfproef, so
that they are nobody's; one in a thousand is of the test range.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from bench.clock import done, say
from bench.memory import peak
from remediation.model import bsn

MILLION = 1_000_000
_CORES, _MEBI, _LOOKS = 2, 1 << 20, 20_000
_CHUNK = 500_000  # rows that are made at a time
_SYLLABLES = ("nep", "stra", "ver", "zin", "huis", "mock", "ing", "schijn", "veld", "droom", "woud")
_WEIGHTS = np.array((9, 8, 7, 6, 5, 4, 3, 2, -1))
COLUMNS = {
    "local_number": "patientnr",
    "issuer": "uitgever",
    "bsn": "bsn",
    "status": "bsn_status",
    "birth_date": "geboortedatum",
    "sex": "geslacht",
    "family_name": "achternaam",
    "birth_name": "geboortenaam",
    "initials": "voorletters",
    "replaced_by": "vervangen_door",
}


def tables(rows: int, seed: int = 5) -> Iterator[pa.Table]:
    """Yield the rows in chunks; the same seed gives the same."""
    random = np.random.default_rng(seed)
    names = np.array(["".join(random.choice(_SYLLABLES, 3)).title() for _ in range(1000)])
    days = np.datetime64("1930-01-01") + np.arange(30_000)
    tests = np.array([bsn.test_number(n) for n in range(9000)])
    for start in range(0, rows, _CHUNK):
        n = np.arange(start, min(start + _CHUNK, rows), dtype=np.int64)
        n[random.random(len(n)) < 0.005] = start  # rows that repeat one
        hashed = (n.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
        numbers = _nobodys(n * 60 + 200_000_000)
        numbers = np.where(n % 1000 == 7, tests[n // 1000 % len(tests)], numbers)
        numbers = np.where(n % 50 == 3, "", numbers)
        local = np.char.zfill((n // 2 + 1).astype(str), 8)
        heir = np.char.zfill((n // 2 + 2).astype(str), 8)
        columns = [
            local,
            np.where(n % 2, "ZKH-OOST", "KL-WEST"),
            numbers,
            np.where(n % 9, "geverifieerd", "onbekend"),
            np.datetime_as_string(days[hashed % len(days)]),
            np.where(n % 2, "V", "M"),
            np.char.add(np.where(n % 3, "van ", ""), names[hashed // 7919 % len(names)]),
            np.where(n % 4, "", names[hashed // 104729 % len(names)]),
            np.char.add(_letters(n), _letters(n // 26)),
            np.where(n % 100 == 11, heir, ""),
        ]
        yield pa.table(dict(zip(COLUMNS.values(), map(pa.array, columns), strict=True)))


def _letters(n: np.ndarray) -> np.ndarray:
    return (n % 26 + ord("A")).astype(np.uint32).view("U1")


def _nobodys(numbers: np.ndarray) -> np.ndarray:
    """Return numbers of nine digits near these, none of which passes the elfproef."""
    digits = numbers[:, None] // 10 ** np.arange(8, -1, -1) % 10
    passing = digits @ _WEIGHTS % 11 == 0
    last = digits[:, -1]
    return (numbers + np.where(passing, np.where(last < 9, 1, -1), 0)).astype(str)


def make(rows: int, folder: Path) -> dict[str, Path]:
    """Write an export of so many rows in both kinds of file."""
    paths = {kind: folder / f"epd-{rows}.{kind}" for kind in ("csv", "parquet")}
    csv = parquet = None
    for table in tables(rows):
        csv = csv or pc.CSVWriter(paths["csv"], table.schema)
        parquet = parquet or pq.ParquetWriter(paths["parquet"], table.schema)
        csv.write_table(table)
        parquet.write_table(table)
    csv.close()
    parquet.close()
    return paths


@dataclass(frozen=True, slots=True)
class Result:
    """What it took to read an export, to index its tokens, and to look rows up."""

    kind: str
    rows: int
    kept: int
    file_mib: float
    read_seconds: float
    read_cpu_seconds: float
    tokens_seconds: float
    quality_seconds: float
    local_looks: float  # a second, as the following
    token_looks: float
    homonym_looks: float
    read_mib: float
    peak_mib: float


def look(path: Path) -> Result:
    """Read an export here, on two cores at most; return what it took."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    from remediation.model.secrets import Keys
    from remediation.model.tokens import patient_token
    from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
    from remediation.tables.crosswalk import Crosswalk
    from remediation.tables.crosswalk_quality import quality

    settings = CrosswalkSettings((path,), COLUMNS)
    start, spent = time.monotonic(), time.process_time()
    crosswalk = Crosswalk.read(read_crosswalk(settings, datetime.now(UTC)))
    read, read_cpu = time.monotonic() - start, time.process_time() - spent
    read_peak = peak(os.getpid())
    keys = Keys.from_hex("5a" * 32)
    tokens = crosswalk.tokens(keys)
    rows = np.random.default_rng(1).integers(0, len(crosswalk), _LOOKS).tolist()
    entries = [crosswalk.columns.entry(row) for row in rows]
    wanted = [(one.issuer, patient_token(keys, one.local_number)) for one in entries]
    start = time.monotonic()
    tokens.local("", "0" * 32), tokens.bsn("0" * 32)
    tokened = time.monotonic() - start
    local = _rate(lambda one: crosswalk.by_local(one.issuer, one.local_number), entries)
    by_token = _rate(lambda one: tokens.local(*one), wanted)
    crosswalk.homonyms(entries[0])
    alike = _rate(crosswalk.homonyms, entries)
    whole = peak(os.getpid())
    start = time.monotonic()
    counts = quality(crosswalk, ["geverifieerd"])
    return Result(
        path.suffix[1:],
        counts.rows,
        len(crosswalk),
        path.stat().st_size / _MEBI,
        read,
        read_cpu,
        tokened,
        time.monotonic() - start,
        local,
        by_token,
        alike,
        read_peak / 1024,
        whole / 1024,
    )


def _rate(ask, wanted) -> float:
    start = time.monotonic()
    for one in wanted:
        ask(one)
    return len(wanted) / (time.monotonic() - start)


def measured(rows: int, folder: Path) -> list[Result]:
    """Make an export in both kinds, look at each in a process of its own, and remove them."""
    start = time.monotonic()
    paths = make(rows, folder)
    say(f"{rows:,} rows made twice in {time.monotonic() - start:.0f} s")
    try:
        told = [
            done([sys.executable, "-m", "bench.crosswalk", "--look", path])
            for path in paths.values()
        ]
    finally:
        for path in paths.values():
            path.unlink()
    return [Result(**json.loads(one)) for one in told]


def markdown(results: list[Result]) -> str:
    """Return a table, and what it was made on."""
    headings = (
        "rows",
        "file",
        "reading, s (CPU)",
        "rows/s",
        "token index, s",
        "quality, s",
        "numbers/s",
        "tokens/s",
        "homonyms/s",
        "peak after reading, MiB",
        "peak of all, MiB",
    )
    rows = [
        (
            f"{one.rows:,}",
            f"{one.kind}, {one.file_mib:,.0f} MiB",
            f"{one.read_seconds:.0f} ({one.read_cpu_seconds:.0f})",
            f"{one.rows / one.read_seconds:,.0f}",
            f"{one.tokens_seconds:.0f}",
            f"{one.quality_seconds:.0f}",
            f"{one.local_looks:,.0f}",
            f"{one.token_looks:,.0f}",
            f"{one.homonym_looks:,.0f}",
            f"{one.read_mib:,.0f}",
            f"{one.peak_mib:,.0f}",
        )
        for one in results
    ]
    lines = ["| " + " | ".join(row) + " |" for row in (headings, ("---",) * len(headings), *rows)]
    made = f"Python {platform.python_version()}, numpy {np.__version__}, pyarrow {pa.__version__}"
    return "\n".join([*lines, "", f"{made}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}."])


def main() -> None:
    """Print the table for each size, or with `--look` measure one export as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[MILLION, 10 * MILLION])
    parser.add_argument("--look", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    chosen = parser.parse_args()
    if chosen.look:
        print(json.dumps(asdict(look(chosen.look))))  # noqa: T201 - its result
        return
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        results = [one for rows in chosen.rows for one in measured(rows, Path(folder))]
    print(markdown(results))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
