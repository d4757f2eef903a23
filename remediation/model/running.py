"""How stages run: what maps their tasks, what hears of progress, how a run is named."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol


class Mapper(Protocol):
    """Applies a function to tasks, in any order; the built-in `map` is one."""

    def __call__(self, function: Callable[[Any], Any], tasks: Iterable[Any], /) -> Iterator[Any]:
        """Yield the function's result for each task."""
        ...


Advance = Callable[[int], None]  # told of files, as they are done


def silent(_files: int) -> None:
    """Hear of progress and say nothing."""


def utc_now() -> datetime:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def new_run_id(at: datetime) -> str:
    """Return a name for a run that sorts by time: `20261123T010400Z-1a2b`."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
