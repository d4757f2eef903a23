"""Run records: what ran, when, by whom, and how it ended (`runs/<run_id>.json`)."""

from __future__ import annotations

import contextlib
import getpass
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from remediation.app.config import Job
from remediation.errors import RemediationError
from remediation.model.running import new_run_id, utc_now
from remediation.store.files import durable_write


@contextlib.contextmanager
def recorded(job: Job, command: str) -> Iterator[dict[str, Any]]:
    """Write a record of one command when it ends, whatever way; yields a dict for its counts."""
    begun = utc_now()
    counts: dict[str, Any] = {}
    code: int | None = 1
    try:
        yield counts
        code = 0
    except RemediationError as error:
        code = error.exit_code
        raise
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        run_id = new_run_id(begun)
        record = {
            "run_id": run_id,
            "command": command,
            "job": job.name,
            "person": getpass.getuser(),
            "responsible": job.responsible,
            "client": platform.node(),
            "begun": begun.isoformat(),
            "ended": utc_now().isoformat(),
            "exit_code": code,
            "version": version("remediation"),
            "counts": counts,
        }
        with contextlib.suppress(RemediationError, OSError):  # never hides how the command ended
            _write(job.output.dir / "runs" / f"{run_id}.json", record)


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    durable_write(path, json.dumps(record, indent=2, sort_keys=True, default=str).encode() + b"\n")
