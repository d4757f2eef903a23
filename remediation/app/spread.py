"""Spread: the options that say where a command's workers are, and workers only where they pay."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import click

from remediation.app.fleet import fleet
from remediation.app.hand import Ready
from remediation.app.where import Where
from remediation.model.running import Mapper

C = TypeVar("C", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--workers",
        type=click.IntRange(1),
        metavar="N",
        help="Worker processes of this machine; the job's workers by default.",
    ),
    click.option(
        "--scheduler", metavar="URL", help="The workers of this Dask scheduler: tls://..."
    ),
    click.option(
        "--scheduler-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The same, by the file that `dask scheduler` wrote.",
    ),
)


def spread(command: C) -> C:
    """Give a command --workers, --scheduler and --scheduler-file."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextlib.contextmanager
def fleet_for_many(where: Where, ready: Ready, few: int) -> Iterator[Mapper]:
    """Yield a mapper: this process where there are few tasks, `where` says where there are more.

    Workers of this machine take seconds to start. Those of a scheduler are there, and are asked for
    all that they need before the first task, however few there are.

    Args:
        where: where the workers are.
        ready: called in every process before its first task.
        few: tasks that this process does by itself.
    """
    if where.scheduler or where.workers <= 1:
        with fleet(where, ready) as mapper:
            yield mapper
        return
    with contextlib.ExitStack() as held:

        def spread_out(function: Callable[[Any], Any], tasks: Iterable[Any], /) -> Iterator[Any]:
            waiting = iter(tasks)
            first = list(islice(waiting, few + 1))
            one = Where(1) if len(first) <= few else where
            return held.enter_context(fleet(one, ready))(function, chain(first, waiting))

        yield spread_out
