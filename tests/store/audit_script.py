"""A run that is entered in the audit log, killed before the n-th system call of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from remediation.model.audit import Who
from remediation.store.auditing import RunAudit

CALLS = ("open", "write", "fsync", "ftruncate", "close", "unlink", "mkdir")


def main(output: Path, moment: int) -> None:
    """Do two runs; die before the `moment`-th call, a write half done."""
    left = moment

    def counted(real, name):
        def call(*arguments, **more):
            nonlocal left
            left -= 1
            if left == 0:
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)

        return call

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name), name))
    for name in ("r1", "r2"):
        run = RunAudit(output, name, "apply", Who("beheer", "", "PACS", "pc", "0"))
        run.begin({"manifest": "m1"})
        run.study("sealed:AAAA", "noord", 2, "applied")
        run.end("0", {"applied": 2}, None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
