"""Undo data dropped from one journal; killed before the n-th system call of its own."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from remediation.store.journal import Journal

CALLS = ("open", "write", "fsync", "fchmod", "close", "rename", "replace", "ftruncate")


def main(path: Path, moment: int) -> None:
    """Drop it; die before the `moment`-th call, a write half done."""
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
    journal, _ = Journal.reopen(path)
    with journal:
        journal.forget({"by": "iemand"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
