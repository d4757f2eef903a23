"""Running commands in scenarios: in this process, or in one of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from small_hospital import Hospital

from remediation.app.cli import _run
from remediation.store.inventory import Inventory
from remediation.tables.schemas import INVENTORY

AUDIT = re.compile(r"audit: record [\d,]+, head [0-9a-f]{64}\n")


@dataclass(frozen=True)
class Said:
    """How a command ended, and all that it said; the audit log's head apart from other messages."""

    code: int
    out: str
    err: str
    audit: str = ""

    @classmethod
    def of(cls, code: int, out: str, err: str) -> Said:
        lines = err.splitlines(keepends=True)
        heads = [line for line in lines if AUDIT.fullmatch(line)]
        assert len(heads) <= 1, f"a run tells its head once: {heads}"
        rest = "".join(line for line in lines if line not in heads)
        return cls(code, out, rest, "".join(heads).strip())

    @property
    def head(self) -> str:
        """The audit log's head when the command ended; empty where it told none."""
        return self.audit[-64:]

    @property
    def line(self) -> str:
        """The one line on stderr."""
        assert self.err.count("\n") == 1, f"not one line: {self.err!r}"
        assert self.err.startswith("remediation: ")
        assert "Traceback" not in self.err
        return self.err.strip()


def call(capsys, *arguments: object) -> Said:
    """Run a command in this process."""
    capsys.readouterr()
    code = _run([str(one) for one in arguments])
    said = capsys.readouterr()
    return Said.of(code, said.out, said.err)


def spawn(*arguments: object, before: Sequence[str] = (), **environment: str) -> subprocess.Popen:
    """Start a command in a process and a session of its own."""
    command = [*before, sys.executable, "-m", "remediation", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
        preexec_fn=_hears_interrupts,  # noqa: PLW1509 - one system call, no lock taken
    )


def _hears_interrupts() -> None:
    # A shell that starts the tests in the background has every child ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(process: subprocess.Popen, seconds: float = 90) -> Said:
    """Wait for a process and return what it said."""
    out, err = process.communicate(timeout=seconds)
    return Said.of(process.returncode, out, err)


def run(*arguments: object, before: Sequence[str] = (), **environment: str) -> Said:
    return ended(spawn(*arguments, before=before, **environment))


def rows(hospital: Hospital) -> list[str]:
    """Return the inventory, but for the run that made it."""
    key_id = hospital.session().keys.key_id
    inventory = Inventory(hospital.output, key_id, INVENTORY)
    found = []
    for table in (inventory.instances(), inventory.findings()):
        names = [name for name in table.column_names if name not in {"run_id", "crawled_at"}]
        found += [repr(row) for row in table.select(names).to_pylist()]
    return sorted(found)
