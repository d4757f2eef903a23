"""The fleet: worker processes of Dask, for stages that read much. Dask is used here only.

Workers of this machine listen on loopback behind TLS, with a certificate of this run alone: whoever
can talk to a worker can make it run code. Those of a scheduler elsewhere are reached over TLS with
certificates of the hospital's own. Nothing of a value passes through Dask: task keys are random,
tasks show nothing of themselves, and what fails in a worker leaves it as a line of ours.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from remediation.app.console import note
from remediation.app.crew import Crew
from remediation.app.hand import Ready, at_ease
from remediation.app.where import Where
from remediation.errors import RemediationError, UsageError
from remediation.model.running import Mapper

_REACH_S = 12  # to reach a scheduler


@contextlib.contextmanager
def fleet(where: Where | int, ready: Ready = at_ease) -> Iterator[Mapper]:
    """Yield a mapper over the workers; for one process it is the built-in `map` of this one.

    Args:
        where: Where they are, or how many processes of this machine.
        ready: Called in every process before its first task; what it raises is this command's
            error, or, from a worker that comes later, a warning: that one is sent away.

    Raises:
        UsageError: The certificates are missing or cannot be used.
        RemediationError: The scheduler cannot be reached, no worker comes, or one is not ready.
    """
    where = Where(where) if isinstance(where, int) else where
    if not where.scheduler and where.workers <= 1:
        ready()
        yield map
        return
    for name in ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (_elsewhere if where.scheduler else _here)(where) as client:
        crew = Crew(client, where, ready)
        crew.gather()
        try:
            yield crew
        finally:
            crew.stop()


@contextlib.contextmanager
def _here(where: Where) -> Iterator[Any]:
    """Yield a client of new processes of this machine; they end with it."""
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
    with (
        tempfile.TemporaryDirectory(prefix="remediation-") as private,
        dask.config.set(quiet | {"temporary-directory": private}),
        contextlib.ExitStack() as held,
    ):
        with _deaf_to_interrupts():
            cluster = LocalCluster(
                n_workers=where.workers,
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
        yield held.enter_context(_closing(Client(cluster)))


@contextlib.contextmanager
def _elsewhere(where: Where) -> Iterator[Any]:
    """Yield a client of a scheduler that others started; it and its workers stay."""
    import dask
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    security = _security(where)
    with dask.config.set({"distributed.comm.timeouts.connect": f"{_REACH_S}s"}):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", VersionMismatchWarning)
                client = Client(
                    where.scheduler, security=security, timeout=_REACH_S, set_as_default=False
                )
        except (OSError, ImportError):
            raise RemediationError(
                "the scheduler cannot be reached",
                where.scheduler,
                "is it running there, with certificates of the same authority as ours?",
            ) from None
        with _closing(client):
            if any(issubclass(one.category, VersionMismatchWarning) for one in caught):
                note("warning: the versions of Dask differ between here, scheduler and workers")
            yield client


@contextlib.contextmanager
def _closing(client: Any) -> Iterator[Any]:
    """Yield a client and close it; whatever goes wrong then is no fault of the work.

    Closing raises what the client's attempt to reach a dead scheduler again raised, and would hide
    the line that says so.
    """
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close()


def _security(where: Where) -> Any:
    """Return certificates: those of the job, or else those of Dask's own configuration."""
    from distributed import Security

    if where.scheduler.startswith("tcp://"):
        return None
    files = {
        "tls_ca_file": where.tls_ca,
        "tls_client_cert": where.tls_cert,
        "tls_client_key": where.tls_key,
    }
    given = {name: str(path) for name, path in files.items() if path}
    security = Security(require_encryption=True, **given)
    if not (security.tls_ca_file and security.tls_client_cert):
        raise UsageError(
            "a tls:// scheduler needs certificates",
            "[run] tls_ca, tls_cert, tls_key",
            "name them there, or in Dask's own configuration (distributed.comm.tls)",
        )
    try:
        security.get_connection_args("client")
    except OSError:  # an SSLError is one
        raise UsageError(
            "the certificates cannot be used",
            "[run] tls_ca, tls_cert, tls_key",
            "they must be readable PEM files, and the key that of the certificate",
        ) from None
    return security


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
