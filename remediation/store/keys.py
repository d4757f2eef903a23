"""The key file: 64 hexadecimal digits and a newline, for its owner's eyes only.

Loaded by every process for itself and never passed on. A file that others can read, or could have
put there, is refused rather than mended: whoever had it may have copied it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
from pathlib import Path

from remediation.errors import KeyFileError, ShareError, UsageError
from remediation.model.secrets import Keys
from remediation.store.files import IoError, close_written, fsync, sync_folder, write_all

_CONTENT = re.compile(rb"[0-9A-Fa-f]{64}\n")
_LONGEST = 4096
_MODES = (0o600, 0o400)


def load_key_file(path: Path) -> Keys:
    """Return the keys in `path`.

    Raises:
        KeyFileError: Missing, a link, not a regular file, another owner's, open to others, or not
            a key. The message never holds what the file holds.
    """
    content = read_secret(path)
    if not _CONTENT.fullmatch(content):
        raise KeyFileError(
            "not a key file: 64 hexadecimal digits and a newline are expected",
            str(path),
            "restore it, or make another with `remediation key new`",
        )
    return Keys.from_hex(content[:-1].decode("ascii"))


def read_secret(path: Path) -> bytes:
    """Return the first 4096 bytes of a file that only its owner, this user, can have touched.

    Raises:
        KeyFileError: Missing, a link, not a regular file, another owner's, or open to others.
    """
    # A pipe without a writer would make open() wait for ever; a link may be another user's.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise KeyFileError(
            "no key file", str(path), "make one with `remediation key new`, or restore it"
        ) from None
    except OSError as error:
        what = "the key file is a link" if path.is_symlink() else "the key file cannot be opened"
        raise KeyFileError(what, str(path), "name the file itself, readable by you") from error
    try:
        _check_guarded(os.fstat(handle), path)
        return os.read(handle, _LONGEST)
    except OSError as error:
        raise KeyFileError(
            "the key file cannot be read", str(path), "check the disk it lies on"
        ) from error
    finally:
        os.close(handle)


def _check_guarded(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyFileError("the key file is not a regular file", str(path), "name the file itself")
    if sys.platform == "win32":
        return  # no modes there: the folder's access list guards the file
    if found.st_uid != os.geteuid():
        raise KeyFileError(
            "the key file belongs to another user", str(path), "run as its owner, or chown it"
        )
    if stat.S_IMODE(found.st_mode) not in _MODES:
        raise KeyFileError(
            f"the key file's mode is {stat.S_IMODE(found.st_mode):04o}, not 0600 or 0400",
            str(path),
            "chmod 600 it; if others could read it, make another key",
        )


def new_key_file(path: Path) -> str:
    """Write a new key to `path`, which must not exist, and return its key id.

    Raises:
        UsageError: Something is there already.
        ShareError: The file cannot be written.
    """
    text = secrets.token_hex(32)
    write_secret(path, f"{text}\n")
    return Keys.from_hex(text).key_id


def write_secret(path: Path, text: str) -> None:
    """Write `text` durably to a new file with mode 0600; a half-written one is taken away.

    Raises:
        UsageError: Something is there already.
        ShareError: The file cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            "a key is never overwritten", str(path), "name a file that does not exist"
        ) from None
    except OSError as error:
        raise ShareError(
            f"the key file cannot be made, {error.strerror}", str(path), "check the folder"
        ) from error
    try:
        try:
            write_all(handle, text.encode("ascii"))
            fsync(handle)
        finally:
            close_written(handle)
        sync_folder(path.parent)
    except IoError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise ShareError(
            f"the key file cannot be written, {error.where}", str(path), "check the disk"
        ) from None
