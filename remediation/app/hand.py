"""The hand: what runs in a worker. The question whether it is ready, and the doing of every task.

Both say what went wrong in a line of ours and never in another's words: a worker logs the text of
every exception, and its scheduler keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from remediation.errors import RemediationError, ShareError

Ready = Callable[[], None]  # raises unless the process can work; compared, so that it asks once

_ANSWER_S = 30  # for a worker to look at its share: one that hangs is not waited for
_ME = uuid.uuid4().hex  # this process, as a worker


def at_ease() -> None:
    """Ask nothing."""


@dataclass(frozen=True, slots=True, repr=False)
class Task:
    """What a worker is sent: a function and its argument, and what must hold where it runs."""

    function: Callable[[Any], Any]
    task: Any
    ready: Ready
    versions: tuple[str, ...]
    nice: int

    def __repr__(self) -> str:
        return "<task>"  # Dask logs the arguments of what fails


@dataclass(frozen=True, slots=True)
class Unfit:
    """What a worker gives back instead of a result; `worker` as it calls itself."""

    worker: str
    host: str
    error: RemediationError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says when it is asked."""

    host: str
    spills: bool
    error: RemediationError | None


def work(one: Task) -> Any:
    """Do one task; a worker that is not ready does nothing and says so."""
    _step_back(one.nice)
    try:
        _fit(one.ready, one.versions)
    except Exception as error:  # noqa: BLE001 - none of them may reach Dask
        return Unfit(_ME, platform.node(), told(error))
    try:
        return one.function(one.task)
    except Exception as error:  # noqa: BLE001 - as above
        failure = told(error)
    # Outside the handler, or the first exception would travel along as the context of this one.
    raise failure


async def asked(ready: Ready, wanted: tuple[str, ...], dask_worker: Any) -> Answer:
    """Answer whether this worker is ready: beside its event loop, which a dead share would hold."""
    error: RemediationError | None = None
    try:
        await asyncio.wait_for(asyncio.to_thread(_fit, ready, wanted), _ANSWER_S)
    except TimeoutError:
        error = ShareError("a share does not answer", "", "look at the mounts of that machine")
    except Exception as raised:  # noqa: BLE001 - as above
        error = told(raised)
    memory = dask_worker.memory_manager
    spills = memory.memory_target_fraction or memory.memory_spill_fraction
    return Answer(platform.node(), bool(memory.memory_limit and spills), error)


@lru_cache(maxsize=8)
def _fit(ready: Ready, wanted: tuple[str, ...]) -> None:
    """Ask once in each process: what raises is not remembered."""
    if versions() != wanted:
        raise RemediationError(
            f"other versions: {', '.join(versions())}", "", f"install {', '.join(wanted)}"
        )
    ready()


def me() -> str:
    """Return what this worker calls itself."""
    return _ME


def busy(keys: frozenset[str], dask_worker: Any) -> bool:
    """Tell whether this worker has one of these tasks in hand."""
    return any(key in dask_worker.state.tasks for key in keys)


def versions() -> tuple[str, ...]:
    """Return the versions that must be the same everywhere: pickles go to and fro."""
    python = ".".join(platform.python_version_tuple()[:2])
    names = ("remediation", "distributed")
    return (f"Python {python}", *(f"{name} {version(name)}" for name in names))


def _step_back(nice: int) -> None:
    """Let other programs go first; on Linux for this thread and those that it starts."""
    if nice and hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))


def told(error: BaseException) -> RemediationError:
    """Return our own error as it is, but for its causes; of another its kind and where it arose."""
    if isinstance(error, RemediationError):
        return type(error)(error.what, error.where, error.mend)
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return RemediationError(f"a worker failed ({type(error).__name__})", where, "please report it")
