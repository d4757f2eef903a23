"""Progress bars on a terminal, silence elsewhere. tqdm is used here only."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from tqdm import tqdm

from remediation.model.running import Advance


@contextlib.contextmanager
def progress(what: str, unit: str, total: int | None = None) -> Iterator[Advance]:
    """Yield a function that is told how many units are done; the bar stands on stderr."""
    with tqdm(
        desc=what, unit=f" {unit}", total=total, file=sys.stderr, disable=not sys.stderr.isatty()
    ) as bar:

        def advance(units: int) -> None:
            bar.update(units)

        yield advance
