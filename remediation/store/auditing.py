"""One run in the audit log: that it began, what it touched, how it ended; and those killed before.

While a run goes on it holds a lock on `audit/open/<run id>`. The system drops the lock with the
process, so a file there that nobody holds is of a run that was killed: whoever ends next enters how
far that one came, by its journals, and that it was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from remediation.errors import RemediationError
from remediation.model.audit import Entry, Event, Who
from remediation.model.running import utc_now
from remediation.model.secrets import Keys
from remediation.store import audit, files
from remediation.store.locks import try_lock

OPEN = "open"
KILLED = "broken-off"  # killed, or without room to enter its end
_AT_ONCE = 256  # studies that are entered together


@dataclass(slots=True)
class RunAudit:
    """The entries of one run, and the marker that tells that it is going on.

    Attributes:
        output: the job's output folder.
        head: the log's head after the last entry of this run.
        mended: a line that an earlier run left half was taken away.
    """

    output: Path
    run_id: str
    command: str
    who: Who
    head: audit.Head = field(default_factory=audit.Head)
    mended: bool = False
    _waiting: list[Entry] = field(default_factory=list)
    _marker: int = -1

    def begin(self, about: Mapping[str, Any]) -> None:
        """Enter that the run began, and what it is about; nothing may be done before that.

        Raises:
            RemediationError: the log cannot be written, or is not what was written.
        """
        path = self._path()
        with files.guarded("the audit log's folder cannot be made", audit.FOLDER):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.parent.chmod(0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            self._marker = os.open(path, flags, 0o600)
        try:
            try_lock(self._marker, path)
            said = {"command": self.command, "who": asdict(self.who)}
            files.write_all(self._marker, json.dumps(said).encode() + b"\n")
            files.fsync(self._marker)
            self._append([self._entry(Event.BEGAN, counts=_plain(about))])
        except BaseException:
            self._close()
            raise

    def study(self, sealed: str, archive: str, count: int, result: str, key: str = "") -> None:
        """Enter what became of one study; `key` names what it is sealed with, if not the job's.

        Raises:
            RemediationError: the log cannot be written.
        """
        entry = self._entry(Event.OBJECT, archive=archive, study=sealed, key=key)
        self._wait(entry, count, result)

    def patient(self, token: str, result: str) -> None:
        """Enter that somebody looked at one patient.

        Raises:
            RemediationError: the log cannot be written.
        """
        self._wait(self._entry(Event.OBJECT, patient=token), 0, result)

    def end(self, result: str, counts: Mapping[str, Any], keys: Keys | None) -> audit.Head:
        """Enter how the run ended, and those that were killed before; return the log's head.

        Raises:
            RemediationError: the log cannot be written.
        """
        entry = self._entry(Event.ENDED, result=result, counts=_plain(counts))
        waiting, self._waiting = self._waiting, []
        try:
            self._append([*waiting, entry])
        except BaseException:
            self._close(keep=True)  # the next run enters that this one has no end
            raise
        try:
            with contextlib.suppress(RemediationError, OSError):  # the next run tries again
                self._enter_killed(keys)
        finally:
            self._close()
        return self.head

    # --- the log --------------------------------------------------------------------------------

    def _entry(self, event: Event, **said: Any) -> Entry:
        at = utc_now().isoformat()
        return Entry(at, self.run_id, event, self.command, self.who, **said)

    def _wait(self, entry: Entry, count: int, result: str) -> None:
        self._waiting.append(replace(entry, files=count, result=result))
        if len(self._waiting) >= _AT_ONCE:
            waiting, self._waiting = self._waiting, []
            self._append(waiting)

    def _append(self, entries: list[Entry]) -> None:
        self.head = audit.append(self.output, entries)
        self.mended = self.mended or self.head.mended

    # --- the marker -----------------------------------------------------------------------------

    def _path(self) -> Path:
        return self.output / audit.FOLDER / OPEN / self.run_id

    def _close(self, *, keep: bool = False) -> None:
        if self._marker >= 0:
            with contextlib.suppress(OSError):
                if not keep:
                    self._path().unlink(missing_ok=True)
            files.close_read(self._marker)
            self._marker = -1

    # --- those that were killed -----------------------------------------------------------------

    def _enter_killed(self, keys: Keys | None) -> None:
        for path in sorted(self._path().parent.iterdir()):
            if path.name == self.run_id:
                continue
            with _abandoned(path) as found:
                if found is None or (keys is None and _journals(self.output, path.name)):
                    continue
                if entries := self._of_killed(path.name, found, keys):
                    self._append(entries)
                path.unlink(missing_ok=True)

    def _of_killed(self, run_id: str, found: bytes, keys: Keys | None) -> list[Entry]:
        try:
            said = json.loads(found)
            command, who = str(said["command"]), Who(**said["who"])
        except (ValueError, KeyError, TypeError):
            return []  # killed before it was entered that it began
        entered, began = set(), False
        for one in audit.read(self.output):
            if one.said.get("run") == run_id:
                if one.said["event"] == Event.ENDED:
                    return []
                began = began or one.said["event"] == Event.BEGAN
                entered.add(one.said.get("study"))
        if not began:
            return []
        at = utc_now().isoformat()
        entries = [
            Entry(at, run_id, Event.OBJECT, command, who, archive, study, "", "", count, result)
            for archive, study, count, result in _journaled(self.output, run_id, keys)
            if study not in entered
        ]
        return [*entries, Entry(at, run_id, Event.ENDED, command, who, result=KILLED)]


def _plain(counts: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(dict(counts), default=str))
    return plain


@contextlib.contextmanager
def _abandoned(path: Path) -> Iterator[bytes | None]:
    """Yield what a marker says, held; None where its run is going on, or has just ended."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        yield None
        return
    try:
        yield files.read_at(descriptor, 0, _LONGEST) if try_lock(descriptor, path) else None
    finally:
        files.close_read(descriptor)


_LONGEST = 1 << 16


def _journals(output: Path, run_id: str) -> list[Path]:
    return sorted((output / "journal").glob(f"{run_id}*.jsonl"))


def _journaled(output: Path, run_id: str, keys: Keys | None) -> Iterator[tuple[str, str, int, str]]:
    """Yield (archive, sealed study, files, result) of what a run's journals tell."""
    if keys is None:
        return
    # A crawl works where journals do not.
    from remediation.store.intents import study_logs
    from remediation.store.journal import read

    for path in _journals(output, run_id):
        for log in study_logs(read(path), keys):
            result = f"{log.kind}-{log.closed or 'open'}"
            archive = log.places[0].archive if log.places else ""
            yield archive, keys.seal(log.study), len(log.places), result
