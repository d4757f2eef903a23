"""Running commands in scenarios: in this process, or in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from remediation.app.cli import _run


@dataclass(frozen=True)
class Said:
    """How a command ended, and all that it said."""

    code: int
    out: str
    err: str

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
    return Said(code, said.out, said.err)


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
    )


def ended(process: subprocess.Popen, seconds: float = 90) -> Said:
    """Wait for a process and return what it said."""
    out, err = process.communicate(timeout=seconds)
    return Said(process.returncode, out, err)


def run(*arguments: object, before: Sequence[str] = (), **environment: str) -> Said:
    return ended(spawn(*arguments, before=before, **environment))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
