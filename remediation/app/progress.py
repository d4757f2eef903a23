"""Progress bars on a terminal, silence elsewhere. tqdm is used here only."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

_TELLING = 0.01  # of the work: before that nobody knows how long it takes


class Bar:
    """A bar that is told of units done, and of the share of all work that they are."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar, self._begun = bar, time.monotonic()

    def __call__(self, units: int) -> None:
        """Hear that so many more units are done."""
        self._bar.update(units)

    def share(self, done: float) -> None:
        """Hear what part of all is done, 0 to 1: the bar says how long the rest will take."""
        took = time.monotonic() - self._begun
        if done > _TELLING and took > 1 and not self._bar.disable:
            left = tqdm.format_interval(round(took * (1 - done) / done))
            self._bar.set_postfix_str(f"about {done:.0%}, {left} left", refresh=False)


@contextlib.contextmanager
def progress(what: str, unit: str, total: int | None = None) -> Iterator[Bar]:
    """Yield a function that is told how many units are done; the bar stands on stderr."""
    with tqdm(
        desc=what, unit=f" {unit}", total=total, file=sys.stderr, disable=not sys.stderr.isatty()
    ) as bar:
        yield Bar(bar)
