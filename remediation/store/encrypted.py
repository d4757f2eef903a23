"""Encrypted files: pieces of plain bytes in, an age file out. The plain bytes never reach a disk.

The pieces go to the encryptor one by one, so memory stays bounded whatever their number. The file
gets its name only when it is whole and durable; after an error nothing is left of it.
Source: age-encryption.org/v1 (the format; a file that was cut off does not decrypt).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from remediation.errors import RemediationError, UsageError
from remediation.store import primitives
from remediation.store.files import (
    OURS,
    IoError,
    close_written,
    fsync,
    guarded,
    parent_of,
    write_all,
)

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_WHO = "give the public line that the vendor sent: age1..., ssh-ed25519 ... or ssh-rsa ..."


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who can open it: `text` is the public key as it is recorded, without a comment."""

    text: str
    key: Any

    @classmethod
    def parse(cls, text: str) -> Recipient:
        """Read a public key in age's form, or OpenSSH's (Ed25519 and RSA).

        Raises:
            UsageError: it is neither; the message does not repeat it, as it may be a secret.
        """
        words = text.split()
        if text.strip().upper().startswith("AGE-SECRET-KEY-") or "PRIVATE KEY" in text:
            raise UsageError("a secret key is no recipient", "--recipient", _WHO)
        try:
            if len(words) >= 2 and words[0].startswith("ssh-"):  # noqa: PLR2004 - kind and key
                return cls(" ".join(words[:2]), pyrage.ssh.Recipient.from_str(" ".join(words[:2])))
            key = pyrage.x25519.Recipient.from_str(text.strip())
        except pyrage.RecipientError:
            raise UsageError("not a recipient of age", "--recipient", _WHO) from None
        return cls(str(key), key)


@dataclass(frozen=True, slots=True)
class Written:
    """The encrypted file: its size in bytes, and its SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


def write_encrypted(
    path: Path,
    recipient: Recipient,
    pieces: Iterable[bytes],
    before: Callable[[Written], None],
) -> Written:
    """Write `pieces`, encrypted to one recipient, to a new file of mode 0600.

    Args:
        path: the file; it must not exist.
        recipient: who can open it.
        pieces: the plain bytes, asked for one by one.
        before: called when everything is durable, and nothing has its name yet.

    Raises:
        UsageError: there is a file already.
        IoError: it could not be written; nothing is left of it.
    """
    with parent_of(path.parent, path.name) as (folder, name):
        beside = OURS + b"export-" + secrets.token_hex(4).encode() + b".tmp"
        descriptor = primitives.create(folder, beside)
        placed = False
        try:
            try:
                written = _encrypted(pieces, recipient, descriptor)
                with guarded("a file's mode cannot be set", path.name):
                    os.fchmod(descriptor, 0o600)
                fsync(descriptor)
            finally:
                close_written(descriptor)
            before(written)
            _place(folder, beside, name)
            placed = True
            fsync(folder)
        except BaseException:
            for left in (beside, name) if placed else (beside,):
                with contextlib.suppress(IoError):
                    primitives.unlink(folder, left)
            raise
    return written


def _place(folder: int, beside: bytes, name: bytes) -> None:
    """Give the file its name, unless something stands there."""
    try:
        primitives.link(folder, beside, name)
    except IoError as error:
        if error.errno == errno.EEXIST:
            raise UsageError("a file stands there already", "--to", "give a new name") from None
        if error.errno not in _NO_LINKS:
            raise
        # A share without hard links: look, and then rename, which would replace.
        if primitives.identity(folder, name) is not None:
            raise UsageError("a file stands there already", "--to", "give a new name") from None
        primitives.rename(folder, beside, name)
    else:
        primitives.unlink(folder, beside)


def _encrypted(pieces: Iterable[bytes], recipient: Recipient, descriptor: int) -> Written:
    source, sink = _Source(pieces), _Sink(descriptor)
    try:
        pyrage.encrypt_io(source, sink, [recipient.key])
    except (pyrage.EncryptError, OSError):
        # Its text is that of whatever went wrong inside, and may hold a value.
        if source.error is None and sink.error is None:
            raise RemediationError("the file could not be encrypted", "", "try again") from None
    # The library is silent about a write that failed while it cleared its buffer: so we look.
    for error in (source.error, sink.error):
        if error is not None:
            raise error
    return Written(sink.size, sink.digest.hexdigest())


class _Source:
    """The pieces as a file to read from; keeps what went wrong while they were made."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces, self.rest = iter(pieces), memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; empty at the end."""
        try:
            while not self.rest:
                piece = next(self.pieces, None)
                if piece is None:
                    return b""
                self.rest = memoryview(piece)
        except BaseException as error:
            self.error = error
            raise
        found, self.rest = self.rest[:size], self.rest[size:]
        return bytes(found)


class _Sink:
    """The encrypted file as a file to write to; keeps what went wrong."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.size, self.digest = descriptor, 0, hashlib.sha256()
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Write all of `data`; after an error nothing more."""
        if self.error is not None:
            return len(data)
        try:
            write_all(self.descriptor, data)
        except BaseException as error:
            self.error = error
            raise
        self.size += len(data)
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is durable is decided by `write_encrypted`."""
