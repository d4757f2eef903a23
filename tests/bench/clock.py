"""Timing in rounds: every variant runs once in each round, in turn, so that noise meets all alike.

The result is a ratio: the median over the rounds of the quotient of two variants' times.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_DROP = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quotient of times: its median over the rounds, its least and its largest."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each variant, round by round."""

    seconds: Mapping[str, list[float]]

    def typical(self, name: str) -> float:
        """Return the median time of a variant in seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> Ratio:
        """Return how many times as long as `other` the variant `name` takes."""
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return spread([one / two for one, two in pairs])

    def fastest(self, names: Iterable[str]) -> str:
        """Return the variant with the least median time."""
        return min(names, key=self.typical)


def spread(values: list[float]) -> Ratio:
    """Return the median of values with their range."""
    return Ratio(statistics.median(values), min(values), max(values))


def in_rounds(
    variants: Mapping[str, Callable[[], object]],
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> Times:
    """Run all variants `rounds` times, another first in each round.

    Args:
        variants: what is timed, by name.
        rounds: how often.
        before: run before each variant, not timed; drops caches where they are to be cold.
    """
    names, seconds = list(variants), {name: list[float]() for name in variants}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            before()
            start = time.perf_counter()
            variants[name]()
            seconds[name].append(time.perf_counter() - start)
    return Times(seconds)


def drop_caches(paths: Iterable[str], *, gentle: bool) -> str:
    """Drop the page cache of files, or of the whole machine; say which it was.

    Args:
        paths: the files that are to be cold.
        gentle: leave the caches of everything else on the machine alone.
    """
    if not gentle and os.access(_DROP, os.W_OK):
        try:
            _DROP.write_text("3\n")
        except OSError:
            pass  # a container may say that root may, and mean no
        else:
            return "all caches of the machine dropped"
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return "the files' own pages dropped"


def warm(paths: Iterable[str]) -> None:
    """Bring files into the page cache."""
    for path in paths:
        with open(path, "rb") as source:  # noqa: PTH123 - Path.open is slower
            while source.read(1 << 20):
                pass


def done(command: Iterable[object], codes: Iterable[int] = (0,)) -> str:
    """Run a command and return what it printed.

    Raises:
        RuntimeError: it ended with another code than these.
    """
    here = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    found = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    if found.returncode not in codes:
        raise RuntimeError(f"exit code {found.returncode}: {found.stderr[-2000:]}")
    return found.stdout


def say(text: str) -> None:
    """Tell how far it is, on stderr."""
    sys.stderr.write(f"{text}\n")
