"""What the hospital's key does: tokens, sealed text, keyed digests, encrypted undo bytes.

Nine digits under a bare hash are found again within a minute, so everything derived from a number,
a name, a path or a head is keyed. One key of 32 bytes; HKDF-SHA256 derives a sub-key per purpose,
so that what one purpose gives away never helps with another.
Source: RFC 5869 (HKDF), RFC 2104 (HMAC), RFC 5297 (AES-SIV), NIST SP 800-38D (AES-GCM).

>>> keys = Keys.from_hex("00" * 32)
>>> keys.token("bsn", "12", "3") == keys.token("bsn", "1", "23"), len(keys.token("bsn", "12"))
(False, 32)
>>> keys.unseal(keys.seal("2007/03/DOE^J.dcm"))
'2007/03/DOE^J.dcm'
>>> Keys.from_hex("not a key")
Traceback (most recent call last):
...
remediation.errors.KeyFileError: a key is 64 hexadecimal digits: ask for the file itself, or make one with `remediation key new`
"""  # noqa: E501 - the message is one line

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remediation.errors import DatasetError, KeyFileError

SEALED = "sealed:"
TOKEN_BYTES = 16
KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_BYTES = b"bytes"  # sealed bytes are never taken for sealed text
_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_OTHER_KEY = "use the key file whose key id was recorded with the data"


def _derive(master: bytes, purpose: str, length: int = 32) -> bytes:
    info = f"remediation v1 {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(master)


def _utf8(text: str) -> bytes:
    # Names of files that are not UTF-8 arrive with lone surrogates; surrogatepass keeps different
    # texts different, where surrogateescape maps two of them to the same bytes.
    return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Keys:
    """The sub-keys of one key file. Shows its key id only, and refuses to be pickled or copied."""

    key_id: str
    _tokens: bytes = field(repr=False)
    _digests: bytes = field(repr=False)
    _sealer: AESSIV = field(repr=False)
    _undo: AESGCM = field(repr=False)
    _runs: bytes = field(repr=False)
    _opener: Callable[[Mapping[str, Any]], bytes] | None = field(default=None, repr=False)

    @classmethod
    def from_hex(cls, text: str) -> Keys:
        """Derive the sub-keys from 64 hexadecimal digits, upper or lower case.

        Raises:
            KeyFileError: Anything else was given; the message does not repeat it.
        """
        if not _HEX.fullmatch(text):
            raise KeyFileError(
                "a key is 64 hexadecimal digits",
                mend="ask for the file itself, or make one with `remediation key new`",
            )
        return cls._of(bytes.fromhex(text))

    @classmethod
    def _of(cls, master: bytes) -> Keys:
        return cls(
            key_id=_derive(master, "key id", KEY_ID_BYTES).hex(),
            _tokens=_derive(master, "tokens"),
            _digests=_derive(master, "digests"),
            _sealer=AESSIV(_derive(master, "sealing", 64)),
            _undo=AESGCM(_derive(master, "undo")),
            _runs=_derive(master, "runs"),
        )

    # --- the keys of one run --------------------------------------------------------------------

    def run_secret(self, run: str) -> bytes:
        """Return the 32 bytes that all of one run's journal is sealed and encrypted with."""
        return _derive(self._runs, f"run {run}")

    def own_run(self, run: str) -> Keys:
        """Return the keys of a run of ours: those that its `run_secret` gives."""
        return Keys._of(self.run_secret(run))

    def of_run(self, begin: Mapping[str, Any]) -> Keys:
        """Return the keys of the run whose BEGIN record says `begin`.

        Raises:
            KeyFileError: the run has no escrow, or not for this key.
        """
        run = begin.get("run_key")
        if not isinstance(run, str):
            return self  # a journal of before there were keys of a run
        return Keys._of(self._opener(begin)) if self._opener else self.own_run(run)

    def opened_by(self, opener: Callable[[Mapping[str, Any]], bytes]) -> Keys:
        """Return keys that take each run's secret from its BEGIN record: the key file is lost."""
        return replace(self, _opener=opener)

    @property
    def escrowed(self) -> bool:
        """Whether these know the secrets of runs only: no token or keyed digest can be held."""
        return self._opener is not None

    # --- tokens, sealed text, digests, encrypted bytes ------------------------------------------

    def token(self, kind: str, *parts: str) -> str:
        """Return the token of `parts`, 32 hexadecimal digits, apart for each `kind`.

        The same kind and parts under the same key give the same token; every part is prefixed with
        its length, so that no two lists of parts can be read as one.
        """
        message = bytearray()
        for part in (kind, *parts):
            encoded = _utf8(part)
            message += b"%d:%b" % (len(encoded), encoded)
        return hmac.digest(self._tokens, message, "sha256")[:TOKEN_BYTES].hex()

    def seal(self, text: str) -> str:
        """Return `sealed:` and base64: equal texts give equal results, nothing else shows.

        The length of the text can be read from it, its content cannot.
        """
        return SEALED + base64.b64encode(self._sealer.encrypt(_utf8(text), None)).decode("ascii")

    def unseal(self, text: str) -> str:
        """Return the text that `seal` was given.

        Raises:
            DatasetError: This is not sealed text.
            KeyFileError: It was sealed with another key, or altered since.
        """
        damaged = DatasetError("sealed text is damaged", mend="make the dataset again")
        if not text.startswith(SEALED):
            raise damaged
        try:
            opened = self._sealer.decrypt(
                base64.b64decode(text.removeprefix(SEALED).encode("ascii"), validate=True), None
            )
        except (binascii.Error, UnicodeEncodeError):
            raise damaged from None
        except InvalidTag:
            raise KeyFileError(
                "sealed text cannot be opened with this key", f"key id {self.key_id}", _OTHER_KEY
            ) from None
        return opened.decode("utf-8", "surrogatepass")

    def seal_bytes(self, data: bytes) -> bytes:
        """Return bytes sealed as `seal` does it: equal bytes give equal results."""
        return self._sealer.encrypt(data, [_BYTES])

    def unseal_bytes(self, data: bytes) -> bytes:
        """Return the bytes that `seal_bytes` was given.

        Raises:
            KeyFileError: They were sealed with another key, or altered since.
        """
        try:
            return self._sealer.decrypt(data, [_BYTES])
        except (InvalidTag, ValueError):
            raise KeyFileError(
                "sealed bytes cannot be opened with this key", f"key id {self.key_id}", _OTHER_KEY
            ) from None

    def digest(self, data: bytes | bytearray | memoryview) -> str:
        """Return the keyed digest of `data`, 64 hexadecimal digits."""
        return hmac.digest(self._digests, data, "sha256").hex()

    def digester(self) -> hmac.HMAC:
        """Return a running digest: `update` it piece by piece, `hexdigest` equals `digest`."""
        return hmac.new(self._digests, digestmod="sha256")

    def encrypt(self, data: bytes, context: bytes) -> bytes:
        """Return `data` encrypted, to be opened with this key and the same `context` only.

        28 bytes longer than `data`. The nonce is random: the same bytes look different each time.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._undo.encrypt(nonce, data, context)

    def decrypt(self, data: bytes, context: bytes) -> bytes:
        """Return the bytes that `encrypt` was given.

        Raises:
            KeyFileError: Another key or context was used, or the bytes were altered or cut.
        """
        try:
            return self._undo.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise KeyFileError(
                "encrypted bytes are damaged, or of another key",
                f"key id {self.key_id}",
                _OTHER_KEY,
            ) from None

    def __repr__(self) -> str:
        return f"Keys({self.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled or copied: each process loads the key file itself")
