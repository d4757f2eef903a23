"""The crew: workers that were asked, and the mapper that spreads tasks over them."""

from __future__ import annotations

import contextlib
import queue
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from remediation.app.console import note
from remediation.app.hand import Answer, Ready, Task, Unfit, asked, busy, me, told, versions, work
from remediation.app.where import Where
from remediation.errors import RemediationError

_AHEAD = 4  # tasks a worker may have waiting: the client holds no list of the whole archive
_TRIES = 2  # more, of a task that fails; one whose worker dies is tried again as Dask is set
_LOOK_S = 2  # between looks at who is there
_STOP_S = 60  # for workers elsewhere to finish what they have in hand


class Crew:
    """The workers of a client; call it to map.

    Results come in the order of completion, with a bounded number of tasks under way.

    Attributes:
        threads: Tasks that are worked on at the same time, at the last look; 1 at least.
    """

    def __init__(self, client: Any, where: Where, ready: Ready) -> None:
        self.client, self.where, self.ready, self.versions = client, where, ready, versions()
        self.nice = 0 if where.scheduler else where.nice
        self.threads, self.looked = 1, 0.0
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
        answers = self.client.run(asked, self.ready, self.versions, on_error="return")
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
            if isinstance(result, Unfit):
                self._dismiss(result)
                send(task)
            else:
                future.release()
                yield result

    def _submit(self, function: Callable[[Any], Any], task: Any) -> Any:
        one = Task(function, task, self.ready, self.versions, self.nice)
        key = uuid.uuid4().hex  # by default it would name the function, and tell equal arguments
        self.running[key] = self.client.submit(work, one, key=key, pure=False, retries=_TRIES)
        return self.running[key]

    def _ahead(self) -> int:
        if time.monotonic() - self.looked > _LOOK_S:
            self._look()
        return _AHEAD * self.threads

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
            found = sum(self.client.nthreads().values())
        except Exception as error:  # noqa: BLE001 - whatever: it does not answer
            if self.client.status != "running":
                raise self._gone() from None
            raise self._explained(error) from None
        self.threads, self.looked = max(1, found), time.monotonic()
        if found:
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = self.looked
        elif self.looked - self.alone_since > self.where.patience:
            raise self._nobody()

    def _dismiss(self, unfit: Unfit) -> None:
        """Send a worker away: it would take every task, for it is done with each at once."""
        if unfit.worker in self.dismissed:
            return
        self.dismissed[unfit.worker] = error = _at(unfit.host, unfit.error)
        note(f"warning: a worker is sent away: {error}")
        # Not by who holds the result: that is copied to others when a worker goes.
        said = self.client.run(me, on_error="ignore")
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
                said = self.client.run(busy, frozenset(self.running), on_error="ignore")
                if not any(said.values()):
                    return
                time.sleep(0.2)

    def _nobody(self) -> RemediationError:
        if self.dismissed:
            return list(self.dismissed.values())[-1]
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


def _refusal(address: str, said: Answer | Exception) -> RemediationError | None:
    """Return why a worker cannot be used, its host named; None if it can."""
    if isinstance(said, Exception):
        return RemediationError(
            f"a worker cannot be asked ({type(said).__name__})",
            address,
            f"install {', '.join(versions())} there",
        )
    return _at(said.host, said.error) if said.error else None


def _at(host: str, error: RemediationError) -> RemediationError:
    where = f"the worker on {host}: {error.where}" if error.where else f"the worker on {host}"
    return type(error)(error.what, where, error.mend)
