"""One run at a time on an archive root: a lock on this host, and a marker while it is written.

The lock is an flock on a file in the user's state folder, named after the root's real path: the
system drops it with the process, so that a killed run blocks nobody. While corrections are written
in place a marker lies in the root itself as well, for the runs of other hosts and users to see.
Both say who holds them.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from remediation.errors import LockedError, ShareError
from remediation.store.files import OURS, IoError, fsync, write_all

MARKER = os.fsdecode(OURS) + "lock"
STATE_VARIABLE = "REMEDIATION_STATE_DIR"
_LONGEST = 4096
_SHOWN = 120
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_IN_USE = "the archive is in use"
_BY_HAND = f"let that run end; if it died, run recover there and take {MARKER} away"


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds a root. `machine` and `process` tell apart what a name or pid cannot."""

    host: str
    machine: str
    pid: int
    process: str
    user: str
    command: str
    since: str

    @classmethod
    def this_run(cls, command: str) -> Holder:
        """Return the holder that describes the running process."""
        pid = os.getpid()
        return cls(
            host=socket.gethostname(),
            machine=_machine(),
            pid=pid,
            process=_process(pid),
            user=_user(),
            command=command,
            since=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @classmethod
    def from_json(cls, content: bytes) -> Holder | None:
        """Return the holder that a lock or marker names, or None if it names none."""
        try:
            found = json.loads(content)
            holder = cls(**found)
        except (ValueError, TypeError, RecursionError):
            return None
        texts = [value for name, value in found.items() if name != "pid"]
        sound = isinstance(holder.pid, int) and all(isinstance(text, str) for text in texts)
        return holder if sound and 0 < holder.pid < 1 << 31 else None

    def to_json(self) -> bytes:
        """Return one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    def is_gone(self) -> bool:
        """Tell whether this was a run on this very machine that has ended. In doubt: False."""
        if self.host != socket.gethostname() or self.machine != _machine():
            return False
        if sys.platform == "win32":
            return False  # os.kill would end the process there
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
        # After a restart the same pid is soon somebody else's.
        return "" not in (self.process, _process(self.pid)) and self.process != _process(self.pid)

    def __str__(self) -> str:
        parts = (self.command, self.host, self.pid, self.user, self.since)
        # What lies on a share may be anybody's: no line ends or terminal codes from there.
        command, host, pid, user, since = (
            "".join(c if c.isprintable() else "?" for c in str(part))[:_SHOWN] for part in parts
        )
        return f"{command} on {host}, pid {pid}, user {user}, since {since}"


@contextlib.contextmanager
def lock_root(root: Path, command: str, *, in_place: bool) -> Iterator[None]:
    """Hold the archive root `root` for `command` until the block ends; never waits.

    With `in_place` a marker lies in the root meanwhile. A marker of a run that ended on this
    machine without taking it away is replaced; without `in_place` it is left where it lies.

    Raises:
        LockedError: Another run holds the root; `where` names it.
        ShareError: The state folder or the root cannot be used.
    """
    holder = Holder.this_run(command)
    with _lock_file(root, holder):
        stale = _stale_marker(root / MARKER)
        if not in_place:
            yield
            return
        with _marker(root / MARKER, holder, stale):
            yield


def lock_path(root: Path) -> Path:
    """Return the file that is locked for `root`, the same for every path that leads there."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
    return _state_folder() / "locks" / f"{name}.lock"


def _state_folder() -> Path:
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named)
    # The base directory specification has a relative XDG_STATE_HOME ignored.
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 - Path("") is a folder
        base = os.path.expanduser("~/.local/state")  # noqa: PTH111 - Path raises RuntimeError
    if not os.path.isabs(base):  # noqa: PTH117
        raise ShareError("no home folder to keep locks in", mend=f"set {STATE_VARIABLE}")
    return Path(base) / "remediation"


@contextlib.contextmanager
def _lock_file(root: Path, holder: Holder) -> Iterator[None]:
    path = lock_path(root)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never unlinked: whoever waits on a removed file would lock what nobody else sees.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
    except OSError as error:
        raise ShareError(
            f"the lock cannot be made, {error.strerror}", str(path), f"set {STATE_VARIABLE}"
        ) from error
    try:
        if not try_lock(handle, path):
            raise LockedError(_IN_USE, _named(path), "let that run end first")
        os.ftruncate(handle, 0)
        write_all(handle, holder.to_json())
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def try_lock(handle: int, path: Path) -> bool:
    """Lock an open file for this process alone, without waiting; False: another holds it.

    Raises:
        ShareError: The folder cannot hold locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            # Locked bytes cannot be read there: lock one far beyond the content.
            os.lseek(handle, 1 << 30, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise ShareError(
            f"this folder cannot hold locks, {error.strerror}", str(path), f"set {STATE_VARIABLE}"
        ) from error
    return True


def _named(path: Path) -> str:
    for _ in range(5):
        holder = Holder.from_json(_content(path) or b"")
        if holder is not None:
            return str(holder)
        time.sleep(0.02)  # locked a moment ago, and not signed yet
    return f"a run that does not say who it is, {path}"


@contextlib.contextmanager
def _marker(path: Path, holder: Holder, stale: bytes | None) -> Iterator[None]:
    # Filled beside its place and linked there whole: a kill never leaves one that names nobody.
    beside = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        if stale is not None:
            _take_away(path, stale)
        _fill(beside, holder.to_json())
        os.link(beside, path)
    except FileExistsError:
        raise LockedError(_IN_USE, _named(path), _BY_HAND) from None
    except IoError as error:
        raise ShareError(
            f"the archive cannot be written, {error.where}", str(path), "check the share"
        ) from None
    except OSError as error:
        raise ShareError(
            f"the archive cannot be written, {error.strerror}", str(path), "check the share"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if path.read_bytes() == holder.to_json():  # another's is left where it is
                path.unlink()


def _fill(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o644)
    try:
        write_all(handle, content)
        fsync(handle)
    finally:
        os.close(handle)


def _stale_marker(path: Path) -> bytes | None:
    """Return what an ended run's marker holds, None where there is no marker."""
    content = _content(path)
    if content is None:
        return None
    holder = Holder.from_json(content)
    if holder is None:
        raise LockedError("the archive may be in use", f"unreadable marker {path}", _BY_HAND)
    if not holder.is_gone():
        raise LockedError(_IN_USE, str(holder), _BY_HAND)
    return content


def _take_away(path: Path, stale: bytes) -> None:
    # Two runs may find the same stale marker. The lock on it picks one; the other must not then
    # remove the marker that the first has put in its place.
    try:
        handle = os.open(path, os.O_RDWR | _NO_LINK)
    except FileNotFoundError:
        return
    except PermissionError:
        raise LockedError("another user's marker", str(path), _BY_HAND) from None
    try:
        if not try_lock(handle, path) or _content(path) != stale:
            raise LockedError(_IN_USE, "a run that begins just now", "let that run end first")
        path.unlink()
    finally:
        os.close(handle)


def _content(path: Path) -> bytes | None:
    """Return what a lock or marker holds: None if it is not there, empty if it is shut."""
    try:
        handle = os.open(path, os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if os.path.lexists(path):
            return b""
        raise ShareError(
            f"the archive cannot be read, {error.strerror}", str(path.parent), "check the share"
        ) from error
    try:
        return os.read(handle, _LONGEST)
    except OSError:
        return b""
    finally:
        os.close(handle)


def _machine() -> str:
    """Return which machine, and which container on it, this is; two hosts may share a name."""
    texts = [_text(Path("/etc/machine-id"))]
    with contextlib.suppress(OSError):
        texts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]


def _process(pid: int) -> str:
    """Return what no other process with this pid ever has, empty where that cannot be known."""
    booted = _text(Path("/proc/sys/kernel/random/boot_id"))
    # The command, in brackets, may hold anything; the start time is the 20th field after it.
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return f"{booted} {fields[19]}" if booted and len(fields) > 19 else ""  # noqa: PLR2004


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
