"""What the fault sweep runs under strace: apply, roll back or recover one study of byte files.

`python fault_script.py WORK apply|rollback|recover`. WORK holds the archive, the journals, and says
nothing about faults: those come from outside. Exit 0: said what became of the study. Any traceback
is a fault that nobody foresaw.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from store.byte_study import KEYS, STUDY, byte_study, changes, intents_of, roots

from remediation.errors import RemediationError
from remediation.store.changes import undo_of
from remediation.store.intents import Kind
from remediation.store.journal import Journal, journals
from remediation.store.recovery import recover
from remediation.store.study import StudyWriter

MARK = "/fault-sweep-mark"  # the calls between two looks at this path are the ones to disturb
ARCHIVE, JOURNAL = "archive", "journal"


def apply(work: Path) -> str:
    with Journal.create(
        work / JOURNAL, "run-apply", {"command": "apply", "run_key": "run-apply"}
    ) as journal:
        writer = StudyWriter(journal, KEYS)
        return _written(writer, changes(work / ARCHIVE, byte_study()))


def rollback(work: Path) -> str:
    root = work / ARCHIVE
    back = [undo_of(i, root, KEYS) for i in intents_of(work / JOURNAL / "run-apply.jsonl")]
    with Journal.create(
        work / JOURNAL, "run-rollback", {"command": "rollback", "run_key": "run-rollback"}
    ) as journal:
        return _written(StudyWriter(journal, KEYS, Kind.ROLLBACK), back)


def _written(writer: StudyWriter, wanted: list) -> str:
    result = writer.finish(writer.write(STUDY, wanted))
    return " ".join([*(o.text for o in result.outcomes), f"halt={result.halt}"])


def settle(work: Path) -> str:
    found = recover(roots(work / ARCHIVE), journals(work / JOURNAL), KEYS)
    return " ".join(f"{one.state}:{one.reason}" for one in found)


STEPS = {"apply": apply, "rollback": rollback, "recover": settle}


def main() -> None:
    work, step = Path(sys.argv[1]), STEPS[sys.argv[2]]
    os.access(MARK, os.F_OK)
    try:
        said = step(work)
    except RemediationError as error:
        said = f"{type(error).__name__}: {error}"
    os.access(MARK, os.F_OK)
    os.write(1, f"{said}\n".encode())


if __name__ == "__main__":
    main()
