"""Walking a large tree, and writing Parquet: rows a second, processor time, bytes a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import pandas as pd

from bench import ours, plain
from bench.archive import tree
from bench.clock import in_rounds, say
from bench.setting import Setting
from bench.table import Row, compared, measured, most

WALK, PARQUET = "Walking a tree", "Parquet"
_MONTH = 30.44  # days
_DENSE = 1000  # files a month
_DEMO = 2400  # studies; the demo's own number, and it wants no less than half of it


def walk_rows(setting: Setting) -> list[Row]:
    """Return how walking compares with bare walks, with find, and with pathlib."""
    made = tree(setting.folder, setting.files * 15)
    say(f"walking {len(made.names)} entries")
    root = str(made.root)
    others = {
        "scandir and stat": partial(plain.bare_walk, root, stat=True),
        "scandir alone": partial(plain.bare_walk, root, stat=False),
        "os.walk": lambda: sum(len(names) for _, _, names in os.walk(root)),
        "pathlib.rglob and stat": lambda: sum(p.stat().st_size for p in Path(root).rglob("*")),
    }
    if shutil.which("find"):
        command = ["find", root, "-printf", "%s %T@\n"]
        others["find, with size and time"] = partial(
            subprocess.run, command, check=True, capture_output=True
        )
    times = in_rounds({"ours": partial(ours.walk, made.root), **others}, setting.rounds)
    return [
        compared(
            WALK,
            f"{len(made.names):,} files: times {other}",
            times,
            ("ours", other),
            files=len(made.names),
            flip=True,
        )
        for other in others
    ]


def parquet_rows(setting: Setting) -> list[Row]:
    """Return what Parquet costs, in time and in bytes."""
    return [*_cost(setting), *_speed(setting), *_size(setting)]


def _cost(setting: Setting) -> list[Row]:
    made = setting.archive()
    say("Parquet: its share of a crawl")
    chosen = ours.options(made.root, setting.output("parquet"), setting.key())
    shares = []
    for _ in range(min(3, setting.rounds)):
        with ours.parquet_seconds() as spent:
            start = time.process_time()
            ours.crawl(chosen)
            shares.append(100 * spent() / (time.process_time() - start))
    return [
        measured(
            PARQUET,
            "from rows to Parquet, compaction included: share of the crawl's processor time",
            sorted(shares)[len(shares) // 2],
            "%",
            lowest=min(shares),
            highest=max(shares),
            goal=most(10),
        )
    ]


def _speed(setting: Setting) -> list[Row]:
    made, _, positions = setting.sample(1000)
    say("Parquet: rows a second")
    rows = ours.rows(made.root, [made.names[p] for p in positions], setting.key())
    chosen = ours.options(made.root, setting.output("shard"), setting.key())
    plainly = setting.output("pandas")
    plainly.mkdir(parents=True, exist_ok=True)

    def by_pandas() -> None:
        for part, name in zip(rows, ("instances", "findings"), strict=True):
            pd.DataFrame(part).to_parquet(plainly / f"{name}.parquet", compression="zstd")

    times = in_rounds(
        {"ours": partial(ours.write, rows, chosen), "pandas.to_parquet": by_pandas},
        setting.rounds,
    )
    return [
        compared(
            PARQUET,
            "writing a shard of rows, durably: times as fast as pandas",
            times,
            ("ours", "pandas.to_parquet"),
            files=len(rows[0]) + len(rows[1]),
            note=f"rows, not files; {len(rows[0]):,} of instances, {len(rows[1]):,} of findings",
        )
    ]


def _size(setting: Setting) -> list[Row]:
    say("Parquet: bytes a file")
    studies = _DEMO if setting.files >= _DEMO else _DEMO // 2
    files, output = ours.demo(setting.folder / "demo", studies)
    found = [
        measured(
            PARQUET,
            "the demo's inventory, bytes a file",
            ours.stored_bytes(output) / files,
            "bytes",
            goal=most(250),
            note=f"{files:,} files in {studies:,} studies over ten years",
        )
    ]
    count = min(setting.files, 4 * _DENSE)
    made = setting.archive(count, max(1, round(count / _DENSE * _MONTH)))
    chosen = ours.options(made.root, setting.output("dense"), setting.key())
    ours.crawl(chosen)
    for archive, where, output in (
        (made, f"an archive with {_DENSE:,} files a month", setting.output("dense")),
        (setting.archive(), "the archive of this benchmark", setting.output("parquet")),
    ):
        size = ours.stored_bytes(output) / len(archive.names)
        index = ours.stored_bytes(output, ("folders",)) / len(archive.names)
        note = f"{len(archive.names):,} files; the index of folders has {index:.1f} besides"
        found.append(measured(PARQUET, f"{where}, bytes a file", size, "bytes", note=note))
    return found
