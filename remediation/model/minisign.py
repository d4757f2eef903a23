"""Keys and signatures as the minisign program makes them: Ed25519 in two to four lines of text.

Anybody can check an approval without this tool: `minisign -Vm manifest.json -x FILE -P RW...`.
Only prehashed signatures (BLAKE2b-512) and secret keys without a password are made or read.
Source: RFC 8032 (Ed25519), RFC 7693 (BLAKE2), the format description of minisign.

>>> secret, public = new_key_pair()
>>> signature = sign(secret, b"a manifest", "by:Somebody")
>>> verify(public, b"a manifest", signature)
'by:Somebody'
>>> verify(public, b"another manifest", signature)
Traceback (most recent call last):
...
remediation.errors.ManifestError: the signature is not by this key over these bytes
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remediation.errors import KeyFileError, ManifestError, UsageError

_ED25519 = b"Ed"
_PREHASHED = b"ED"
_NO_PASSWORD = b"\0\0"
_BLAKE2B = b"B2"
_UNTRUSTED = "untrusted comment: "
_TRUSTED = "trusted comment: "
# minisign's own readers stop at 1024 and 8192 bytes, prefix and end included.
_LONGEST_COMMENT = 4096

# Secret key: algorithm 2, password scheme 2, checksum scheme 2, salt 32, limits 8 + 8,
# key number 8, seed 32, public key 32, checksum 32; salt, limits and checksum go unused.
_SECRET_LENGTH = 158
_SECRET_NUMBER = slice(54, 62)
_SECRET_SEED = slice(62, 94)
_SECRET_PUBLIC = slice(94, 126)
# Public key: algorithm 2, key number 8, key 32. Signature: algorithm 2, key number 8, signature 64.
_PUBLIC_LENGTH = 42
_SIGNATURE_LENGTH = 74
_NUMBER = slice(2, 10)


@dataclass(frozen=True, slots=True)
class _Signature:
    number: bytes
    signature: bytes
    comment: str
    over_comment: bytes


def new_key_pair() -> tuple[str, str]:
    """Return a new secret key (the text of its file, no password on it) and its public line."""
    key = Ed25519PrivateKey.generate()
    number = os.urandom(8)
    public = key.public_key().public_bytes_raw()
    packed = (
        _ED25519
        + _NO_PASSWORD
        + _BLAKE2B
        + bytes(48)
        + number
        + key.private_bytes_raw()
        + public
        + bytes(32)
    )
    return f"{_UNTRUSTED}minisign encrypted secret key\n{_pack(packed)}\n", _line(number, public)


def public_line_of(secret_text: str) -> str:
    """Return the public line, `RW...`, that belongs to a secret key.

    Raises:
        KeyFileError: This is not a minisign secret key, or it has a password.
    """
    number, key = _open_secret(secret_text)
    return _line(number, key.public_key().public_bytes_raw())


def key_id_of(public_line: str) -> str:
    """Return the 16 digits by which minisign calls a public key. Anybody can choose them.

    >>> key_id_of("RWRTEMfPtmn8dSCSWcPKrhCq3FRJ9mzU1D2PtbIy30U8sqw3XXhnGSWe")
    '75FC69B6CFC71053'

    Raises:
        UsageError: This is not a minisign public key.
    """
    return _open_public(public_line)[0][::-1].hex().upper()


def key_bytes_of(public_line: str) -> bytes:
    """Return the 32 bytes of a public key: equal bytes are the same key, whatever its id says.

    Raises:
        UsageError: This is not a minisign public key.
    """
    return _open_public(public_line)[1]


def sign(secret_text: str, message: bytes, trusted_comment: str) -> str:
    r"""Return the text of a signature file over `message` and over `trusted_comment`.

    Raises:
        KeyFileError: This is not a minisign secret key, or it has a password.
        UsageError: The comment is not one printable line (tabs may be in it).

    >>> sign(new_key_pair()[0], b"", "two\nlines")
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: a signature's comment is one printable line of at most 4096 bytes
    """
    number, key = _open_secret(secret_text)
    if not _printable(trusted_comment):
        raise UsageError(
            f"a signature's comment is one printable line of at most {_LONGEST_COMMENT} bytes"
        )
    signature = key.sign(_prehash(message))
    over_comment = key.sign(signature + trusted_comment.encode())
    return (
        f"{_UNTRUSTED}signature from minisign secret key\n"
        f"{_pack(_PREHASHED + number + signature)}\n"
        f"{_TRUSTED}{trusted_comment}\n"
        f"{_pack(over_comment)}\n"
    )


def verify(public_line: str, message: bytes, signature_text: str) -> str:
    """Return the trusted comment of a signature by this key over exactly these bytes.

    Raises:
        ManifestError: Another key, other bytes, an altered comment, or no such signature.
    """
    parsed = _parse(signature_text)
    try:
        number, public = _open_public(public_line)
        key = Ed25519PublicKey.from_public_bytes(public)
    except (UsageError, ValueError):
        raise ManifestError("not a minisign public key") from None
    if parsed.number != number:
        raise ManifestError("the signature is by another key")
    try:
        key.verify(parsed.signature, _prehash(message))
    except InvalidSignature:
        raise ManifestError("the signature is not by this key over these bytes") from None
    try:
        key.verify(parsed.over_comment, parsed.signature + parsed.comment.encode())
    except InvalidSignature:
        raise ManifestError("the signature's comment was altered") from None
    return parsed.comment


def claimed_comment(signature_text: str) -> str:
    """Return what a signature's comment claims, unverified: to learn which key to verify with.

    Raises:
        ManifestError: This is not a minisign signature.
    """
    return _parse(signature_text).comment


def _parse(text: str) -> _Signature:
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    wrong = ManifestError("not a minisign signature")
    if len(lines) != 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):  # noqa: PLR2004
        raise wrong
    comment = lines[2].removeprefix(_TRUSTED)
    try:
        packed, over_comment = _unpack(lines[1]), _unpack(lines[3])
    except ValueError:
        raise wrong from None
    if packed[:2] == _ED25519:
        raise ManifestError("a signature of the old kind", mend="sign with minisign 0.10 or newer")
    if packed[:2] != _PREHASHED or len(packed) != _SIGNATURE_LENGTH or not _printable(comment):
        raise wrong
    return _Signature(packed[_NUMBER], packed[10:], comment, over_comment)


def _open_secret(text: str) -> tuple[bytes, Ed25519PrivateKey]:
    wrong = KeyFileError("not a minisign secret key", mend="name the file that `key new` made")
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) != 2 or not lines[0].startswith(_UNTRUSTED):  # noqa: PLR2004
        raise wrong
    try:
        packed = _unpack(lines[1])
    except ValueError:
        raise wrong from None
    if len(packed) != _SECRET_LENGTH or packed[:2] != _ED25519 or packed[4:6] != _BLAKE2B:
        raise wrong
    if packed[2:4] != _NO_PASSWORD:
        raise KeyFileError(
            "this secret key has a password", mend="use one made by `key new --approver`"
        )
    key = Ed25519PrivateKey.from_private_bytes(packed[_SECRET_SEED])
    if key.public_key().public_bytes_raw() != packed[_SECRET_PUBLIC]:
        raise wrong
    return packed[_SECRET_NUMBER], key


def _open_public(line: str) -> tuple[bytes, bytes]:
    try:
        packed = _unpack(line)
    except ValueError:
        packed = b""
    if len(packed) != _PUBLIC_LENGTH or packed[:2] != _ED25519:
        raise UsageError("not a minisign public key", mend="it is one word that begins with RW")
    return packed[_NUMBER], packed[10:]


def _prehash(message: bytes) -> bytes:
    return blake2b(message).digest()


def _line(number: bytes, public: bytes) -> str:
    return _pack(_ED25519 + number + public)


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unpack(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    # Stray bits at the end would let one signature or key be spelled in several ways.
    if _pack(data) != text:
        raise binascii.Error
    return data


def _printable(comment: str) -> bool:
    one_line = comment.replace("\t", " ").isprintable()
    return one_line and len(comment.encode()) <= _LONGEST_COMMENT
