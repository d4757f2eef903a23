"""Run records and the audit log: what ran, when, by whom, and how it ended.

`runs/<run_id>.json` is for people to read; the audit log (`store/audit`) is the proof. A command
whose beginning cannot be entered there does not run.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from remediation.app.config import Job
from remediation.app.console import note
from remediation.errors import PartlyDone, RemediationError, WorkFound
from remediation.model.audit import Seen, Who
from remediation.model.running import new_run_id, utc_now
from remediation.model.secrets import Keys
from remediation.model.washing import washed
from remediation.store.auditing import RunAudit
from remediation.store.files import durable_write

_WELL = {0, PartlyDone.exit_code, WorkFound.exit_code}
T = TypeVar("T", bound=Any)


class RunRecord(dict[str, Any]):
    """What one command counted, to be filled by it; and its place in the audit log."""

    def __init__(self, audit: RunAudit) -> None:
        super().__init__()
        self.audit = audit

    @property
    def run_id(self) -> str:
        """The run's id: of its record, its entries in the audit log, and its journal."""
        return self.audit.run_id

    def seen(self, keys: Keys) -> Seen:
        """Return what enters studies in the audit log, sealed.

        With an escrow key they are sealed with the run's own keys, which its journal has.
        """
        sealer, key = keys, ""
        if keys.escrowed:
            sealer, key = keys.own_run(self.run_id), f"run {self.run_id}"

        def enter(archive: str, study: str, count: int, result: str) -> None:
            self.audit.study(sealer.seal(study), archive, count, result, key)

        return enter

    def wired(self, options: T, keys: Keys) -> T:
        """Return a stage's options with the run's id, and with what enters its studies."""
        return replace(options, run_id=self.run_id, seen=self.seen(keys))


@contextlib.contextmanager
def recorded(
    job: Job,
    command: str,
    *,
    keys: Keys | None = None,
    by: str = "",
    about: Mapping[str, Any] | None = None,
) -> Iterator[RunRecord]:
    """Enter one command in the audit log when it begins and when it ends, and write its record.

    Yields what it may put its counts in. With `keys` also runs that were killed are entered;
    `about` is what the run is about, known at its beginning.

    Raises:
        RemediationError: the audit log cannot be written.
    """
    begun = utc_now()
    by = washed(by, "--by") if by else ""
    who = Who(getpass.getuser(), by, job.responsible, platform.node(), version("remediation"))
    record = RunRecord(RunAudit(job.output.dir, new_run_id(begun), command, who))
    record.audit.begin(about or {})
    code = 1
    try:
        yield record
        code = 0
    except RemediationError as error:
        code = error.exit_code
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        entered = _ended(record, code, keys)
        said = {
            "run_id": record.run_id,
            "command": command,
            "job": job.name,
            "person": who.person,
            "by": by,
            "responsible": job.responsible,
            "client": who.client,
            "begun": begun.isoformat(),
            "ended": utc_now().isoformat(),
            "exit_code": code,
            "version": who.version,
            "counts": {**(about or {}), **record},
            "audit": {"record": record.audit.head.seq, "head": record.audit.head.chain},
        }
        with contextlib.suppress(RemediationError, OSError):  # never hides how the command ended
            _write(job.output.dir / "runs" / f"{record.run_id}.json", said)
        if entered is not None and code in _WELL:
            raise entered


def _ended(record: RunRecord, code: int, keys: Keys | None) -> RemediationError | None:
    """Enter how a run ended and tell the log's head; return what went wrong with that."""
    try:
        head = record.audit.end(str(code), record, keys)
    except RemediationError as error:
        return error
    if record.audit.mended:
        note("warning: the audit log ended in half a line; it was taken away, and that is entered")
    note(f"audit: record {head.seq:,}, head {head.chain}")
    return None


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_write(path, json.dumps(record, indent=2, sort_keys=True, default=str).encode() + b"\n")
