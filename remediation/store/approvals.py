"""Approvals: who says that a manifest may be applied, kept beside it and bound to its bytes.

A signed approval is a minisign signature over `manifest.json`; its trusted comment says who, when,
which digest and which key. An unsigned one is a JSON record, good only where the job asks for one
approval and names no approvers. One approval in the folder that is not good stops the run, however
many good ones lie beside it: somebody meant something by it.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from remediation.errors import ManifestError, ShareError, UsageError
from remediation.model import minisign
from remediation.model.approvals import Approval, Rules, distinct, fold_name, same_person
from remediation.store.files import durable_write
from remediation.store.keys import read_secret, write_secret

FOLDER = "approvals"
MANIFEST = "manifest.json"
SIGNED, UNSIGNED = ".minisig", ".json"
_RECORD = ("by", "at", "digest")
_COMMENT = (*_RECORD, "key")
_LONGEST = 64 * 1024
_CLOCK_SKEW = timedelta(minutes=10)
_AGAIN = "look at the manifest and approve it again"


def new_approver_key(path: Path) -> str:
    """Write a new secret signing key to `path` (mode 0600) and return its public line.

    Raises:
        UsageError: Something is there already.
        ShareError: The file cannot be written.
    """
    secret_text, public_line = minisign.new_key_pair()
    write_secret(path, secret_text)
    return public_line


def load_approver_key(path: Path) -> str:
    """Return the text of a secret signing key.

    Raises:
        KeyFileError: Missing, open to others, another owner's, or not a signing key.
    """
    text = read_secret(path).decode("ascii", "replace")
    minisign.public_line_of(text)
    return text


def write_signed(folder: Path, name: str, secret_key_text: str, at: datetime) -> Path:
    """Sign the manifest in `folder` as `name` and return the path of the approval.

    Raises:
        ManifestError: There is no manifest, or it is not one.
        KeyFileError: The key is not a signing key.
        UsageError: The name cannot be used, or the file there is another person's or key's.
        ShareError: The approval cannot be written.
    """
    name = _usable_name(name)
    public_line = minisign.public_line_of(secret_key_text)
    message, digest = _read_manifest(folder)
    fields = (name, _in_utc(at), digest, public_line)
    comment = "\t".join(f"{key}:{value}" for key, value in zip(_COMMENT, fields, strict=True))
    path = folder / FOLDER / f"{_slug(name)}{SIGNED}"
    if os.path.lexists(path):
        claims = _claims(_read(path), path)
        if not same_person(claims["by"], name) or claims["key"] != public_line:
            raise UsageError(
                "this approval is another person's or key's", str(path), "use your full name"
            )
    _write(path, minisign.sign(secret_key_text, message, comment))
    return path


def write_unsigned(folder: Path, name: str, digest: str, at: datetime) -> Path:
    """Record, without a signature, that `name` approves the manifest with this digest.

    Raises:
        UsageError: The name cannot be used, or the file there is another person's.
        ShareError: The approval cannot be written.
    """
    name = _usable_name(name)
    path = folder / FOLDER / f"{_slug(name)}{UNSIGNED}"
    if os.path.lexists(path) and not same_person(_record(_read(path), path)["by"], name):
        raise UsageError("this approval is another person's", str(path), "use your full name")
    record = dict(zip(_RECORD, (name, _in_utc(at), digest), strict=True))
    _write(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return path


def valid_approvals(
    folder: Path,
    manifest_bytes: bytes,
    digest: str,
    *,
    author: str,
    author_key: str | None,
    approvers: Mapping[str, str],
    required: int,
    now: datetime,
) -> list[Approval]:
    """Return the approvals of a manifest, one per person and key, at least `required` of them.

    `manifest_bytes` are the bytes of manifest.json as they were read, `digest` is what they say.

    Raises:
        ManifestError: An approval is of another manifest, by the author, by somebody unknown,
            unsigned where it must be signed, or of the future; or there are too few.
        ShareError: The approvals cannot be read.
    """
    rules = Rules(author, author_key, approvers, required)
    found = []
    for path in _files(folder / FOLDER):
        approval = _open(path, manifest_bytes, digest)
        rules.check(approval.by, approval.public_key, str(path))
        if approval.at > now + _CLOCK_SKEW:
            raise ManifestError("an approval of the future", str(path), "set the clock")
        found.append(approval)
    counted = distinct(found)
    if len(counted) < required:
        raise ManifestError(
            f"{len(counted)} of {required} approvals",
            str(folder / FOLDER),
            "each must be by another person with another key: `remediation approve`",
        )
    return counted


def _open(path: Path, manifest_bytes: bytes, digest: str) -> Approval:
    """Return the approval in a file, once it proves to be of this manifest."""
    text = _read(path)
    signed = path.suffix == SIGNED
    claims = _claims(text, path) if signed else _record(text, path)
    if signed:
        try:
            minisign.verify(claims["key"], manifest_bytes, text)
        except ManifestError as error:
            raise ManifestError(
                f"approval of another manifest, or altered since: {error.what}", str(path), _AGAIN
            ) from None
    if claims["digest"] != digest:
        raise ManifestError("approval of another manifest", str(path), _AGAIN)
    return Approval(claims["by"], datetime.fromisoformat(claims["at"]), claims.get("key"))


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ShareError("approvals cannot be read", str(folder), "check the folder") from error
    # Signed before unsigned: of one person's two, the signed one counts.
    return [path for suffix in (SIGNED, UNSIGNED) for path in found if path.suffix == suffix]


def _read(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        raise ManifestError("an approval is a regular file", str(path), "take it away")
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode()
    except OSError as error:
        raise ShareError("the approval cannot be read", str(path), "check the folder") from error
    except UnicodeDecodeError:
        raise _not_an_approval(path) from None


def _claims(text: str, path: Path) -> dict[str, str]:
    """Return the fields of a signed approval's comment, unverified."""
    try:
        parts = [part.partition(":") for part in minisign.claimed_comment(text).split("\t")]
    except ManifestError:
        raise _not_an_approval(path) from None
    if tuple(key for key, _, _ in parts) != _COMMENT:
        raise _not_an_approval(path)
    return _checked({key: value for key, _, value in parts}, path)


def _record(text: str, path: Path) -> dict[str, str]:
    """Return the fields of an unsigned approval."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_an_approval(path) from None
    if not isinstance(record, dict) or set(record) != set(_RECORD):
        raise _not_an_approval(path)
    if not all(isinstance(value, str) for value in record.values()):
        raise _not_an_approval(path)
    return _checked(record, path)


def _checked(claims: dict[str, str], path: Path) -> dict[str, str]:
    try:
        usable = _usable_name(claims["by"])
        zone = datetime.fromisoformat(claims["at"]).tzinfo
    except (UsageError, ValueError):
        raise _not_an_approval(path) from None
    if usable != claims["by"] or zone is None:
        raise _not_an_approval(path)
    return claims


def _not_an_approval(path: Path) -> ManifestError:
    return ManifestError("not an approval of this tool", str(path), "take it away, approve again")


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _usable_name(name: str) -> str:
    usable = " ".join(name.split())
    if not usable or not usable.isprintable():
        raise UsageError("an approver's name is printable text", "--by", "give the full name")
    return usable


def _slug(name: str) -> str:
    folded = fold_name(name)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    # Names in other scripts leave nothing to make a file name of.
    return "-".join(words)[:80] or sha256(folded.encode()).hexdigest()[:16]


def _read_manifest(folder: Path) -> tuple[bytes, str]:
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        digest = json.loads(content)["digest"]
    except (FileNotFoundError, NotADirectoryError):
        raise ManifestError("no manifest", str(path), "name a folder that `plan` made") from None
    except OSError as error:
        raise ShareError("the manifest cannot be read", str(path), "check the folder") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        digest = None
    if not isinstance(digest, str) or not digest.isalnum():
        raise ManifestError("not a manifest", str(path), "plan again")
    return content, digest


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise ShareError(
            f"approvals cannot be kept here, {error.strerror}", str(path.parent), "check the folder"
        ) from error
    # Readable to others: who approves and who applies are different people.
    durable_write(path, text.encode(), 0o644)
