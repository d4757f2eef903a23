"""Consent on disk: what approvals, revocations and acceptances share.

Each is a small text in a folder of its own: signed (minisign) or a JSON record. Each names a
person, and is refused where it could be read in two ways.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from remediation.errors import ManifestError, ShareError, UsageError
from remediation.model import minisign
from remediation.model.approvals import fold_name
from remediation.store.files import durable_write

SIGNED, UNSIGNED = ".minisig", ".json"
CLOCK_SKEW = timedelta(minutes=10)
ID_LENGTH = 16
_LONGEST = 64 * 1024


def files(folder: Path, what: str) -> list[Path]:
    """Return the records in a folder, the signed ones first: of one person's two these count.

    Raises:
        ShareError: the folder cannot be read.
    """
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ShareError(f"{what}s cannot be read", str(folder), "check the folder") from error
    return [path for suffix in (SIGNED, UNSIGNED) for path in found if path.suffix == suffix]


def read_text(path: Path, what: str) -> str:
    """Return a small text of our own.

    Raises:
        ManifestError: no regular file, or not text.
        ShareError: it cannot be read.
    """
    if path.is_symlink() or not path.is_file():
        raise ManifestError(f"{_one(what)} is a regular file", str(path), "take it away")
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode()
    except OSError as error:
        raise ShareError(f"the {what} cannot be read", str(path), "check the folder") from error
    except UnicodeDecodeError:
        raise strange(path, what) from None


def write_text(path: Path, text: str, what: str, mode: int = 0o644) -> None:
    """Write one, durable, and its folder where only that is missing.

    Raises:
        ShareError: it cannot be written.
    """
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise ShareError(
            f"{what}s cannot be kept here, {error.strerror}", str(path.parent), "check the folder"
        ) from error
    # Readable to others, by default: who approves and who applies are different people.
    durable_write(path, text.encode(), mode)


def claims(path: Path, text: str, keys: Sequence[str], what: str) -> dict[str, str]:
    """Return the fields of a record, unverified: of a signature's comment, or of a JSON record.

    Raises:
        ManifestError: other fields than `keys`, in another order where signed, or not all text;
            no usable name, or a time without a zone.
    """
    said = _comment(path, text, what) if path.suffix == SIGNED else _record(path, text, what)
    if tuple(said) != tuple(keys) if path.suffix == SIGNED else set(said) != set(keys):
        raise strange(path, what)
    if not all(isinstance(value, str) for value in said.values()):
        raise strange(path, what)
    try:
        usable = usable_name(said["by"])
        zone = datetime.fromisoformat(said["at"]).tzinfo
    except (UsageError, ValueError):
        raise strange(path, what) from None
    if usable != said["by"] or zone is None:
        raise strange(path, what)
    return said


def _comment(path: Path, text: str, what: str) -> dict[str, Any]:
    try:
        parts = [part.partition(":") for part in minisign.claimed_comment(text).split("\t")]
    except ManifestError:
        raise strange(path, what) from None
    said = {key: value for key, _, value in parts}
    if len(said) != len(parts):
        raise strange(path, what)
    return said


def _record(path: Path, text: str, what: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise strange(path, what) from None
    if not isinstance(record, dict):
        raise strange(path, what)
    return record


def comment_of(keys: Sequence[str], values: Sequence[str]) -> str:
    """Return fields as a signature's comment."""
    return "\t".join(f"{key}:{value}" for key, value in zip(keys, values, strict=True))


def record_of(keys: Sequence[str], values: Sequence[str]) -> str:
    """Return fields as a JSON record."""
    record = dict(zip(keys, values, strict=True))
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def digest_of(text: str) -> str:
    """Return the id of a record: the first digits of its SHA-256."""
    return sha256(text.encode()).hexdigest()[:ID_LENGTH]


def strange(path: Path, what: str) -> ManifestError:
    """Return the error for what is not a record of ours."""
    return ManifestError(f"not {_one(what)} of this tool", str(path), "take it away, do it again")


def _one(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def in_utc(at: datetime) -> str:
    """Return a time as it is recorded."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def usable_name(name: str) -> str:
    """Return a person's name as it is recorded.

    Raises:
        UsageError: it is empty, or has signs that cannot be seen.
    """
    usable = " ".join(name.split())
    if not usable or not usable.isprintable():
        raise UsageError("a person's name is printable text", "--by", "give the full name")
    return usable


def slug(name: str) -> str:
    """Return a name as a file name."""
    folded = fold_name(name)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    # Names in other scripts leave nothing to make a file name of.
    return "-".join(words)[:80] or sha256(folded.encode()).hexdigest()[:ID_LENGTH]
