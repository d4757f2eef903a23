"""The fleet: worker processes of Dask, for stages that read much. Dask is used here only.

Workers listen on loopback behind TLS with a certificate of this run alone: whoever can talk to a
worker can make it run code. Nothing spills to disk, and task keys are opaque.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from remediation.errors import RemediationError
from remediation.model.running import Mapper

_AHEAD = 4  # tasks a worker may have waiting: the client holds no list of the whole archive


@contextlib.contextmanager
def fleet(workers: int) -> Iterator[Mapper]:
    """Yield a mapper over `workers` processes; for 1 the built-in `map` of this process."""
    if workers <= 1:
        yield map
        return
    import dask
    from distributed import Client, LocalCluster, Security

    quiet = {
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.comm.timeouts.connect": "30s",
        "distributed.admin.log-length": 0,
        # The scheduler's web server cannot be left out; it has no page, and any free port.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    for name in ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory(prefix="remediation-") as private,
        dask.config.set(quiet | {"temporary-directory": private}),
        contextlib.ExitStack() as held,
    ):
        with _deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                local_directory=private,
                security=Security.temporary(),
                silence_logs=logging.CRITICAL,
            )
            held.enter_context(cluster)
        yield _Spread(held.enter_context(Client(cluster)), workers)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that never hear Ctrl-C: this one does, afterwards, and ends them.

    On a terminal it goes to every process. A worker would print a traceback, which may hold values.
    """
    main = threading.current_thread() is threading.main_thread()
    if not (main and hasattr(signal, "pthread_sigmask")):
        yield
        return
    # What is ignored stays so in a new process; what is blocked here waits until it is heard.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Spread:
    """Maps in the order of completion, with a bounded number of tasks under way."""

    def __init__(self, client: Any, workers: int) -> None:
        self.client, self.ahead = client, workers * _AHEAD

    def __call__(self, function: Callable[[Any], Any], tasks: Iterable[Any], /) -> Iterator[Any]:
        from distributed import as_completed

        waiting = iter(tasks)
        running = as_completed(self._submit(function, task) for task in islice(waiting, self.ahead))
        for future in running:
            error = future.exception()
            if error is not None:
                raise _told(error)
            result = future.result()
            future.release()
            for task in islice(waiting, 1):
                running.add(self._submit(function, task))
            yield result

    def _submit(self, function: Callable[[Any], Any], task: Any) -> Any:
        return self.client.submit(function, task, key=uuid.uuid4().hex, pure=False, retries=2)


def _told(error: BaseException) -> BaseException:
    """Keep our own one-line errors; of others only the kind, for their text may hold values."""
    if isinstance(error, RemediationError):
        return error
    return RemediationError(
        f"a worker failed ({type(error).__name__})", "", "run again with --debug"
    )
