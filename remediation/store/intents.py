"""What the journal says of a study, as values: its files, their old and new bytes, how far it came.

Paths and the StudyInstanceUID are sealed in the records, undo bytes encrypted and bound to the
file and to both digests, so that they open for nothing else.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from remediation.errors import DatasetError
from remediation.model.outcomes import Outcome
from remediation.model.secrets import Keys
from remediation.store.files import OURS
from remediation.store.journal import Record, Type


class Kind(StrEnum):
    """What a study was staged for."""

    APPLY = "apply"
    ROLLBACK = "rollback"


class Bytes(StrEnum):
    """Which bytes a closed study ended with: those from before it was staged, or the new ones."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Place:
    """One file of an archive, and the stem of the two names made beside it while it is written."""

    archive: str
    relative: bytes
    stem: str

    @property
    def staged(self) -> bytes:
        """The name of the new file until it takes the target's place."""
        return os.fsencode(self.stem + ".new")

    @property
    def aside(self) -> bytes:
        """The second name of the old file until its study is finished."""
        return os.fsencode(self.stem + ".old")


@dataclass(frozen=True, slots=True)
class FileState:
    """A file's bytes: size and head length in bytes, the head's keyed digest, the whole's SHA-256.

    A SHA-256 or a time of None is not known beforehand, and not asked for.
    """

    size: int
    head_length: int
    head_digest: str
    sha256: str | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One file of a study that is staged whole: old and new bytes, and the encrypted way back.

    Attributes:
        undo: empty where it was dropped (`forget`).
        keys: those of the run that it was read from, where that has keys of its own.
    """

    place: Place
    old: FileState
    new: FileState
    undo: bytes
    keys: Keys | None = field(default=None, repr=False, compare=False)

    def open_undo(self, keys: Keys) -> bytes:
        """Return the undo bytes.

        Raises:
            DatasetError: They were dropped.
            KeyFileError: They were made with another key, for another file, or altered since.
        """
        if not self.undo:
            raise DatasetError("the undo data was dropped", "", "restore the file from a backup")
        own = self.keys or keys
        return own.decrypt(self.undo, _context(self.place, self.old, self.new, own))


def new_intent(place: Place, old: FileState, new: FileState, undo: bytes, keys: Keys) -> Intent:
    """Return an intent with its `undo` bytes encrypted."""
    return Intent(place, old, new, keys.encrypt(undo, _context(place, old, new, keys)))


def _context(place: Place, old: FileState, new: FileState, keys: Keys) -> bytes:
    parts = (place.archive, _text(place.relative), str(old.sha256), str(new.sha256))
    return keys.token("undo", *parts).encode()


def _text(relative: bytes) -> str:
    return relative.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# --- to records -------------------------------------------------------------------------------


def _place_record(place: Place, keys: Keys) -> dict[str, Any]:
    path = keys.seal(_text(place.relative))
    return {"archive": place.archive, "path": path, "stem": place.stem}


def stage_record(
    study: str, kind: Kind, places: Sequence[Place], keys: Keys, group: str = ""
) -> dict[str, Any]:
    """Return the body of a STAGE record; `group` is the caller's own word, such as a period id."""
    listed = [_place_record(place, keys) for place in places]
    return {"study": keys.seal(study), "kind": str(kind), "group": group, "files": listed}


def intent_record(stage: int, intents: Iterable[Intent], keys: Keys) -> dict[str, Any]:
    """Return the body of an INTENT record for the study of STAGE record `stage`."""
    listed = [
        {
            **_place_record(intent.place, keys),
            "old": asdict(intent.old),
            "new": asdict(intent.new),
            "undo": base64.b64encode(intent.undo).decode("ascii"),
        }
        for intent in intents
    ]
    return {"stage": stage, "files": listed}


def closed_record(
    stage: int, stand: Bytes, files: Iterable[tuple[str, bytes, Outcome]], keys: Keys
) -> dict[str, Any]:
    """Return the body of a CLOSED record: which bytes stand, and each file's outcome."""
    return {"stage": stage, "bytes": str(stand), "files": outcome_list(files, keys)}


def outcome_list(files: Iterable[tuple[str, bytes, Outcome]], keys: Keys) -> list[dict[str, Any]]:
    """Return outcomes for a record, each of (archive, relative path, outcome); paths sealed."""
    return [
        {
            "archive": archive,
            "path": keys.seal(_text(relative)),
            "result": str(outcome.result),
            "reason": outcome.reason,
        }
        for archive, relative, outcome in files
    ]


# --- from records -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StudyLog:
    """How far one study came in one run.

    Attributes:
        stage: The number of its STAGE record, which later records name.
        intents: One per place once all are staged; empty before.
        done: All were switched and read back.
        put_back: It was decided that it goes back.
        closed: Which bytes stand; None while something is left to do.
    """

    stage: int
    study: str
    kind: Kind
    group: str
    places: tuple[Place, ...]
    intents: tuple[Intent, ...] = ()
    done: bool = False
    put_back: bool = False
    closed: Bytes | None = None

    @property
    def stands_new(self) -> bool:
        """Whether the new bytes stand, closed or not."""
        return self.closed is Bytes.NEW or (self.closed is None and self.done and not self.put_back)


def study_logs(records: Iterable[Record], keys: Keys) -> tuple[StudyLog, ...]:
    """Return the studies that a journal tells of, in order of their staging.

    Raises:
        DatasetError: A record lacks what it must say, or tells of a study never staged.
        KeyFileError: The journal was written with another key.
    """
    logs: dict[int, StudyLog] = {}
    own: Keys | None = None
    for record in records:
        if record.type is Type.BEGIN and "run_key" in record.body:
            own = keys.of_run(record.body)
        try:
            _tell(logs, record, own or keys, own)
        except (KeyError, TypeError, ValueError):
            raise DatasetError(
                "a journal record does not say what it must", f"record {record.seq}"
            ) from None
    return tuple(logs.values())


def _tell(logs: dict[int, StudyLog], record: Record, keys: Keys, own: Keys | None) -> None:
    body = record.body
    if record.type is Type.STAGE:
        logs[record.seq] = StudyLog(
            record.seq,
            keys.unseal(body["study"]),
            Kind(body["kind"]),
            body["group"],
            tuple(_place(entry, keys) for entry in body["files"]),
        )
        return
    if record.type not in {Type.INTENT, Type.STUDY_DONE, Type.PUT_BACK, Type.CLOSED}:
        return
    log = logs[body["stage"]]
    if record.type is Type.INTENT:
        log = replace(log, intents=tuple(_intent(entry, keys, own) for entry in body["files"]))
        if tuple(intent.place for intent in log.intents) != log.places:
            raise ValueError
    elif record.type is Type.STUDY_DONE:
        log = replace(log, done=True)
    elif record.type is Type.PUT_BACK:
        log = replace(log, put_back=True)
    else:
        log = replace(log, closed=Bytes(body["bytes"]))
    logs[log.stage] = log


def _place(entry: Mapping[str, Any], keys: Keys) -> Place:
    stem = entry["stem"]
    # A name that is made or removed beside a target is always one of ours.
    if not os.fsencode(stem).startswith(OURS) or "/" in stem or "\0" in stem:
        raise ValueError
    return Place(entry["archive"], _bytes(keys.unseal(entry["path"])), stem)


def _intent(entry: Mapping[str, Any], keys: Keys, own: Keys | None) -> Intent:
    old, new = FileState(**entry["old"]), FileState(**entry["new"])
    if None in {old.sha256, new.sha256} or old.sha256 == new.sha256:
        raise ValueError
    dropped = "undo_sha256" in entry
    undo = b"" if dropped else base64.b64decode(entry["undo"], validate=True)
    return Intent(_place(entry, keys), old, new, undo, own)
