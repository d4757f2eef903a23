"""The audit log's entries: who did what, on whose responsibility, to which object, how it ended.

One entry when a run begins, one for each study that it touched, one when it has ended. Studies are
sealed and patients are tokens, so that only the key holder can tell whom an entry is about.
Source: NEN 7513 (what is logged); DICOM PS3.15 A.5 (the letters of an action).

>>> who = Who("jdv", "", "PACS-beheer", "werkplek-7", "0.3.0")
>>> entry = Entry("2026-11-25T18:00:00+00:00", "r1", Event.BEGAN, "apply", who)
>>> sorted(entry.said())
['action', 'at', 'client', 'command', 'event', 'person', 'responsible', 'run', 'version']
>>> action_of("apply"), action_of("something new")
('U', 'E')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Seen = Callable[[str, str, int, str], None]  # archive, StudyInstanceUID, files, what became of it


def unseen(_archive: str, _study: str, _files: int, _result: str) -> None:
    """Hear of a study and note nothing."""


def together(results: Iterable[object]) -> str:
    """Return what became of a study from what became of its files.

    >>> together(["refused", "drifted", "refused"])
    'drifted,refused'
    """
    return ",".join(sorted({str(one) for one in results}))


class Event(StrEnum):
    """What an entry is about."""

    BEGAN = "began"  # a run; without `ended` it was killed
    OBJECT = "object"  # one study, or one patient, in that run
    ENDED = "ended"  # a run, with its counts
    MENDED = "mended"  # a last line that was cut off was taken away before this


# C create, R read, U update, D delete; E execute where nothing is done to a header or an identity.
_ACTIONS = {
    "crawl": "R",
    "match": "R",
    "apply": "U",
    "rollback": "U",
    "recover": "U",
    "verify": "R",
    "export": "R",
    "trace": "R",
    "plan": "C",
    "forget": "D",
}


def action_of(command: str) -> str:
    """Return the letter of what a command does."""
    return _ACTIONS.get(command, "E")


@dataclass(frozen=True, slots=True)
class Who:
    """Who runs a command, for whom they speak, on whose responsibility, and from where.

    Attributes:
        person: the user that the process runs as.
        by: the name that was given with `--by`; empty where none was.
        client: the machine.
    """

    person: str
    by: str
    responsible: str
    client: str
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        at: UTC, ISO 8601.
        run: the run's id: that of its record in `runs/` and of its journal.
        study: the sealed StudyInstanceUID.
        patient: a token.
        key: what `study` is sealed with; empty: the job's key.
        files: files of the study.
        result: what became of the object or the run, from a closed list or an exit code.
        counts: what a run counted, and the manifest it was about.
    """

    at: str
    run: str
    event: Event
    command: str
    who: Who
    archive: str = ""
    study: str = ""
    patient: str = ""
    key: str = ""
    files: int = 0
    result: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """Return what the record says: JSON values, nothing that is empty."""
        found = {
            "at": self.at,
            "run": self.run,
            "event": str(self.event),
            "command": self.command,
            "action": action_of(self.command),
            "person": self.who.person,
            "by": self.who.by,
            "responsible": self.who.responsible,
            "client": self.who.client,
            "version": self.who.version,
            "archive": self.archive,
            "study": self.study,
            "patient": self.patient,
            "key": self.key,
            "files": self.files,
            "result": self.result,
            "counts": dict(self.counts),
        }
        return {name: value for name, value in found.items() if value}
