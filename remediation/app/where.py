"""Where the workers are: processes of this machine, or those of a Dask scheduler.

An address that leaves the machine is encrypted, wherever it was read: whoever can talk to a
scheduler can make its workers run code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from remediation.app import config_checks as checks
from remediation.app.config_sections import Run
from remediation.errors import UsageError

_LARGEST = 1 << 20  # bytes of a scheduler file; one is a page


@dataclass(frozen=True, slots=True)
class Where:
    """How to reach workers.

    Attributes:
        workers: Processes of this machine; counts for nothing with a scheduler.
        nice: How far those step back for other programs, 0 to 19.
        scheduler: The address of a scheduler; empty for processes of this machine.
        tls_ca: What vouches for everyone in the cluster; `tls_cert` and `tls_key` are ours. None:
            as Dask's own configuration says.
        patience: Seconds for a first worker to come, and for one to come back.
    """

    workers: int = 1
    nice: int = 0
    scheduler: str = ""
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    patience: float = 30


def chosen(
    run: Run,
    workers: int | None = None,
    scheduler: str | None = None,
    scheduler_file: Path | None = None,
) -> Where:
    """Return where a run works: as the command line says, or else the job.

    Raises:
        UsageError: More than one place is named, or an address would go over the network in plain.
    """
    given = [one for one in (workers, scheduler, scheduler_file) if one is not None]
    if len(given) > 1:
        raise UsageError(
            "workers at more than one place", "--workers, --scheduler, --scheduler-file", "name one"
        )
    if workers is not None:
        return Where(workers, run.nice)
    if scheduler is not None:
        address = _checked(scheduler, "--scheduler")
    elif scheduler_file is not None:
        address = address_in(scheduler_file)
    elif run.scheduler_file is not None:
        address = address_in(run.scheduler_file)
    else:
        address = run.scheduler or ""
    return Where(
        run.workers, run.nice, address, run.tls_ca, run.tls_cert, run.tls_key, run.wait_for_workers
    )


def address_in(path: Path) -> str:
    """Return the address in a scheduler file.

    Raises:
        UsageError: It is not there, not a scheduler file, or the address is not encrypted.
    """
    mend = "name the file that `dask scheduler --scheduler-file` wrote"
    try:
        with path.open("rb") as file:
            address = json.loads(file.read(_LARGEST))["address"]
    except FileNotFoundError:
        raise UsageError("no such scheduler file", str(path), "start the scheduler first") from None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise UsageError("not a scheduler file", str(path), mend) from None
    if not isinstance(address, str):
        raise UsageError("not a scheduler file", str(path), mend)
    return _checked(address, str(path))


def _checked(address: str, where: str) -> str:
    try:
        return checks.scheduler(address)
    except ValueError as error:
        mend = "start `dask scheduler` with --tls-ca-file, --tls-cert and --tls-key"
        raise UsageError(f"the scheduler's address {error}", where, mend) from None
