"""The crew: workers that were asked, and the mapper that spreads tasks over them.

What runs in a worker stands here as well: the question whether it is ready, and the one function
that does every task. Both say what went wrong in a line of ours and never in another's words, for a
worker logs the text of every exception, and its scheduler keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import queue
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from remediation.app.console import note
from remediation.app.where import Where
from remediation.errors import RemediationError, ShareError

Ready = Callable[[], None]  # raises unless the process can work; compared, so that it asks once

_AHEAD = 4  # tasks a worker may have waiting: the client holds no list of the whole archive
_TRIES = 2  # more, of a task that fails; one whose worker dies is tried again as Dask is set
_LOOK_S = 2  # between looks at who is there
_ANSWER_S = 30  # for a worker to look at its share: one that hangs is not waited for
_STOP_S = 60  # for workers elsewhere to finish what they have in hand


_ME = uuid.uuid4().hex  # this process, as a worker


def at_ease() -> None:
    """Ask nothing."""


# --- in a worker ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class _Task:
    function: Callable[[Any], Any]
    task: Any
    ready: Ready
    nice: int

    def __repr__(self) -> str:
        return "<task>"  # Dask logs the arguments of what fails


@dataclass(frozen=True, slots=True)
class _Unfit:
    """What a worker gives back instead of a result."""

    worker: str
    host: str
    error: RemediationError


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a worker says when it is asked."""

    host: str
    versions: tuple[str, ...]
    spills: bool
    error: RemediationError | None


def _work(one: _Task) -> Any:
    """Do one task; a worker that is not ready does nothing and says so."""
    _step_back(one.nice)
    try:
        _fit(one.ready)
    except Exception as error:  # noqa: BLE001 - none of them may reach Dask
        return _Unfit(_ME, platform.node(), told(error))
    try:
        return one.function(one.task)
    except Exception as error:  # noqa: BLE001 - as above
        failure = told(error)
    # Outside the handler, or the first exception would travel along as the context of this one.
    raise failure


async def _asked(ready: Ready, dask_worker: Any) -> _Answer:
    """Answer whether this worker is ready: beside its event loop, which a dead share would hold."""
    error: RemediationError | None = None
    try:
        await asyncio.wait_for(asyncio.to_thread(_fit, ready), _ANSWER_S)
    except TimeoutError:
        error = ShareError("a share does not answer", "", "look at the mounts of that machine")
    except Exception as raised:  # noqa: BLE001 - as above
        error = told(raised)
    memory = dask_worker.memory_manager
    spills = memory.memory_target_fraction or memory.memory_spill_fraction
    return _Answer(platform.node(), _versions(), bool(memory.memory_limit and spills), error)


@lru_cache(maxsize=8)
def _fit(ready: Ready) -> None:
    """Ask once in each process: what raises is not remembered."""
    ready()


def _me() -> str:
    return _ME


def _busy(keys: frozenset[str], dask_worker: Any) -> bool:
    return any(key in dask_worker.state.tasks for key in keys)


def _versions() -> tuple[str, ...]:
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


# --- in this process -----------------------------------------------------------------------------


class Crew:
    """The workers of a client; call it to map.

    Results come in the order of completion, with a bounded number of tasks under way.
    """

    def __init__(self, client: Any, where: Where, ready: Ready) -> None:
        self.client, self.where, self.ready = client, where, ready
        self.threads, self.looked = 0, 0.0  # how many at the last look, and when that was
        self.alone_since: float | None = None
        self.running: dict[str, Any] = {}  # futures by key, of all calls
        self.dismissed: dict[str, RemediationError] = {}

    def gather(self) -> None:
        """Wait for a first worker, and ask all that are there.

        Raises:
            RemediationError: None comes, or one is not ready; of the class that it raised itself.
        """
        try:
            self.client.wait_for_workers(1, timeout=self.where.patience)
        except TimeoutError:
            raise self._nobody() from None
        answers = self.client.run(_asked, self.ready, on_error="return")
        # A worker that left meanwhile is no fault; if it comes back, its first task asks it.
        answers = {at: one for at, one in answers.items() if not isinstance(one, OSError)}
        refusals = [one for at, said in sorted(answers.items()) if (one := _refusal(at, said))]
        if refusals:
            more = f" (and {len(refusals) - 1} more workers)" if len(refusals) > 1 else ""
            first = refusals[0]
            raise type(first)(f"{first.what}{more}", first.where, first.mend)
        spilling = sum(one.spills for one in answers.values())
        if spilling:
            note(
                f"warning: {spilling} workers may spill to disk (they are given no values): "
                "start them with DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False and "
                "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET=False"
            )
        self._look()

    def __call__(self, function: Callable[[Any], Any], tasks: Iterable[Any], /) -> Iterator[Any]:
        """Yield the function's result for each task."""
        waiting, done = iter(tasks), queue.SimpleQueue[Any]()
        under_way: dict[str, Any] = {}

        def send(task: Any) -> None:
            future = self._submit(function, task)
            under_way[future.key] = task
            future.add_done_callback(done.put)

        while True:
            for task in islice(waiting, max(0, self._ahead() - len(under_way))):
                send(task)
            if not under_way:
                return
            future = self._next(done)
            result = self._result(future)
            del self.running[future.key]
            task = under_way.pop(future.key)
            if isinstance(result, _Unfit):
                self._dismiss(result)
                send(task)
            else:
                future.release()
                yield result

    def _submit(self, function: Callable[[Any], Any], task: Any) -> Any:
        one = _Task(function, task, self.ready, 0 if self.where.scheduler else self.where.nice)
        key = uuid.uuid4().hex  # by default it would name the function, and tell equal arguments
        self.running[key] = self.client.submit(_work, one, key=key, pure=False, retries=_TRIES)
        return self.running[key]

    def _ahead(self) -> int:
        if time.monotonic() - self.looked > _LOOK_S:
            self._look()
        return _AHEAD * max(1, self.threads)

    def _next(self, done: queue.SimpleQueue[Any]) -> Any:
        while True:
            try:
                return done.get(timeout=_LOOK_S)
            except queue.Empty:
                self._look()

    def _result(self, future: Any) -> Any:
        while True:
            try:
                return future.result(timeout=_LOOK_S)
            except TimeoutError:  # the worker that held it died: another works on it
                self._look()
            except Exception as error:  # noqa: BLE001 - its text may hold a value
                raise self._explained(error) from None

    def _look(self) -> None:
        """Count the workers; raise when there was none for longer than patience lasts."""
        try:
            self.threads = sum(self.client.nthreads().values())
        except Exception as error:  # noqa: BLE001 - whatever: it does not answer
            if self.client.status != "running":
                raise self._gone() from None
            raise self._explained(error) from None
        self.looked = time.monotonic()
        if self.threads:
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = self.looked
        elif self.looked - self.alone_since > self.where.patience:
            raise self._nobody()

    def _dismiss(self, unfit: _Unfit) -> None:
        """Send a worker away: it would take every task, for it is done with each at once."""
        if unfit.worker in self.dismissed:
            return
        self.dismissed[unfit.worker] = unfit.error
        note(f"warning: the worker on {unfit.host} is sent away: {unfit.error}")
        # Not by who holds the result: that is copied to others when a worker goes.
        said = self.client.run(_me, on_error="ignore")
        gone = [address for address, worker in said.items() if worker == unfit.worker]
        self.client.retire_workers(workers=gone, close_workers=True)

    def stop(self) -> None:
        """Drop what is under way; wait until workers elsewhere have nothing of it in hand.

        Those of this machine end with the fleet. One elsewhere would go on with its task, and
        write its shard, while the next run works already.
        """
        if not self.running or self.client.status != "running":
            return
        with contextlib.suppress(Exception):  # it is over: nothing may hide why
            self.client.cancel(list(self.running.values()))
            end = time.monotonic() + _STOP_S
            while self.where.scheduler and time.monotonic() < end:
                said = self.client.run(_busy, frozenset(self.running), on_error="ignore")
                if not any(said.values()):
                    return
                time.sleep(0.2)

    def _nobody(self) -> RemediationError:
        if self.dismissed:
            return told(list(self.dismissed.values())[-1])
        return RemediationError(
            f"no workers for {self.where.patience:g} seconds",
            self.where.scheduler or "this machine",
            "start some, and run again to go on",
        )

    def _gone(self) -> RemediationError:
        return RemediationError(
            "the scheduler went away", self.where.scheduler, "start it, and run again to go on"
        )

    def _explained(self, error: Exception) -> RemediationError:
        kind = type(error).__name__
        if kind == "FutureCancelledError":
            return self._gone()
        if kind == "KilledWorker":
            return RemediationError(
                "a worker failed: several died, one after the other, at the same files",
                self.where.scheduler,
                "have they memory enough? run again to go on",
            )
        return told(error)


def _refusal(address: str, said: _Answer | Exception) -> RemediationError | None:
    """Return why a worker cannot be used, its host named; None if it can."""
    if isinstance(said, Exception):
        return RemediationError(
            f"a worker cannot be asked ({type(said).__name__})",
            address,
            f"install {', '.join(_versions())} there",
        )
    host = f"the worker on {said.host}"
    if said.versions != _versions():
        return RemediationError(
            f"a worker has {', '.join(said.versions)}", host, f"install {', '.join(_versions())}"
        )
    if said.error is not None:
        one = said.error
        return type(one)(one.what, f"{host}: {one.where}" if one.where else host, one.mend)
    return None
