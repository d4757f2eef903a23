"""Whole crawls: beside a plain one, by one worker and two, of one size and eight; unchanged."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count

from bench import memory, ours, plain
from bench.archive import Made, linked, tree
from bench.clock import Times, done, in_rounds, say, warm
from bench.setting import Setting
from bench.table import Row, compared, least, measured, most

WHOLE, SCALE = "The whole crawl: walk, Dask, full search, Parquet; warm", "Scaling, one process"
MEMORY, UNCHANGED = "Memory, two workers", "An unchanged archive"
SIZES = (1, 2, 4, 8)
WORKERS = 2
_PARTLY = 3  # the exit code where some files could not be read: damaged samples are among them


def _all_warm(made: Made) -> list[str]:
    paths = [f"{made.root}/{name}" for name in made.names]
    warm(paths)
    return paths


def _crawls(setting: Setting, made: Made, name: str, mapper: object = map) -> Callable[[], int]:
    """Return a crawl into a folder that is new each time."""
    turn = count()

    def run() -> int:
        output = setting.output(f"{name}-{next(turn)}")
        return ours.crawl(ours.options(made.root, output, setting.key()), mapper)

    return run


def _typed(setting: Setting, made: Made) -> Callable[[], object]:
    """Return the command as it is typed: its process, its imports and its workers included."""
    output = setting.output("typed")
    setting.folder.mkdir(parents=True, exist_ok=True)
    job = setting.folder / "bench.toml"
    ours.job_file(job, made.root, output, setting.key(), WORKERS)
    command = [sys.executable, "-m", "remediation", "crawl", str(job), "--fresh"]
    return partial(done, command, {0, _PARTLY})


def whole_rows(setting: Setting) -> list[Row]:
    """Return rows for the whole command beside dask.bag with pydicom, and for two workers."""
    made = setting.archive()
    say(f"whole crawls of {len(made.names)} files")
    _all_warm(made)
    inner: list[float] = []
    command = [sys.executable, "-m", "bench.plain", made.root, setting.output("plain"), WORKERS]

    def bag() -> None:
        inner.append(float(done(command)))

    with ours.fleet(WORKERS) as mapper:
        two = _crawls(setting, made, "two", mapper)
        two()  # workers that are up, modules imported
        names = {
            "two workers": two,
            "one worker": _crawls(setting, made, "one"),
            "as typed": _typed(setting, made),
            "dask.bag as typed": bag,
        }
        timed = in_rounds(names, setting.rounds)
    times = Times({**timed.seconds, "dask.bag with pydicom": inner})
    files = len(made.names)
    what = "times as fast as dask.bag with pydicom, two workers each"
    return [
        compared(
            WHOLE,
            f"{what}, workers up",
            times,
            ("two workers", "dask.bag with pydicom"),
            files=files,
            goal=least(25),
        ),
        compared(
            WHOLE,
            f"{what}, as typed (processes, imports, workers)",
            times,
            ("as typed", "dask.bag as typed"),
            files=files,
        ),
        compared(
            WHOLE,
            "two workers, times one",
            times,
            ("two workers", "one worker"),
            files=files,
            goal=least(1.7),
        ),
    ]


def scale_rows(setting: Setting) -> list[Row]:
    """Return what 2, 4 and 8 times the files cost."""
    made = setting.archive()
    say(f"scaling: {len(made.names)} files to {SIZES[-1]} times as many")
    sizes = {f"{times}x": linked(made, times) for times in SIZES}
    _all_warm(made)
    variants = {name: _crawls(setting, one, name) for name, one in sizes.items()}
    times = in_rounds(variants, min(3, setting.rounds))
    return [
        measured(
            SCALE,
            f"{size} times the files, times the time",
            times.ratio(f"{size}x", "1x"),
            "x",
            ours=f"{size}x: {times.typical(f'{size}x'):.2f} s",
            against=f"1x: {times.typical('1x'):.2f} s",
            goal=most(8.5) if size == SIZES[-1] else None,
        )
        for size in SIZES[1:]
    ]


def memory_rows(setting: Setting) -> list[Row]:
    """Return the peaks of client and workers at the smallest and the largest size."""
    made = setting.archive()
    rows = []
    for size in (SIZES[0], SIZES[-1]):
        one = linked(made, size)
        say(f"memory: {len(one.names)} files")
        found = memory.of_crawl(one.root, setting.output("memory"), setting.key(), WORKERS)
        for who, bound in (("worker", 300), ("client", 500)):
            what = f"peak of {'a worker' if who == 'worker' else 'the client'}, {size}x the files"
            note = f"{found['files']:,} files"
            rows.append(measured(MEMORY, what, found[who], "MiB", goal=most(bound), note=note))
    return rows


def unchanged_rows(setting: Setting) -> list[Row]:
    """Return what crawling again costs where nothing has changed, beside a bare walk."""
    rows = []
    for made, what in (
        (setting.archive(), "the archive"),
        (tree(setting.folder, setting.files * 15), "a tree of empty files"),
    ):
        say(f"unchanged: {len(made.names)} files of {what}")
        chosen = ours.options(made.root, setting.output("unchanged"), setting.key())
        start = time.perf_counter()
        ours.crawl(chosen)
        first = time.perf_counter() - start
        times = in_rounds(
            {
                "ours": partial(ours.crawl, chosen, fresh=False),
                "scandir and stat": partial(plain.bare_walk, str(made.root), stat=True),
            },
            setting.rounds,
        )
        files = len(made.names)
        rows.append(
            compared(
                UNCHANGED,
                f"{what}, {files:,} files: times a bare walk",
                times,
                ("ours", "scandir and stat"),
                files=files,
                goal=most(1.5),
                flip=True,
                note=f"{first / times.typical('ours'):.0f} times as fast as the first crawl",
            )
        )
    return rows


def outputs_gone(setting: Setting) -> None:
    """Remove the outputs of all crawls."""
    shutil.rmtree(setting.output(""), ignore_errors=True)
