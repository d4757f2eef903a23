"""Approvals: who says that a manifest may be applied, kept beside it and bound to its bytes.

A signed approval is a minisign signature over `manifest.json`; its trusted comment says who, when,
which digest and which key. An unsigned one is a JSON record, good only where the job asks for one
approval and names no approvers. One approval in the folder that is not good stops the run, however
many good ones lie beside it: somebody meant something by it.
"""

from __future__ import annotations

import contextlib
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from remediation.errors import ManifestError, ShareError, UsageError
from remediation.model import minisign
from remediation.store.keys import read_secret, sync_folder, write_secret

FOLDER = "approvals"
MANIFEST = "manifest.json"
SIGNED, UNSIGNED = ".minisig", ".json"
_FIELDS = ("by", "at", "digest", "key")
_LONGEST = 64 * 1024
_CLOCK_SKEW = timedelta(minutes=10)
_APPROVE = "look at the manifest and approve it again"


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's consent. `at` has a time zone; `public_key` is None for an unsigned record."""

    by: str
    at: datetime
    public_key: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may approve: never the author; the approvers of the job where it names any.

    `approvers` maps names to minisign public lines; `required` counts people.
    """

    author: str
    author_key: str | None
    approvers: Mapping[str, str]
    required: int

    def check(self, by: str, public_key: str | None, where: str) -> None:
        """Raise ManifestError, naming `where`, if this person or key cannot approve."""
        if same_person(by, self.author):
            raise ManifestError("approved by the author", where, "ask somebody else")
        if public_key is None:
            if self.approvers or self.required > 1:
                raise ManifestError("the approval is not signed", where, "approve with --key")
            return
        key = minisign.key_bytes_of(public_key)
        if self.author_key is not None and key == minisign.key_bytes_of(self.author_key):
            raise ManifestError("approved with the author's key", where, "ask somebody else")
        if not self.approvers:
            return
        known = [line for name, line in self.approvers.items() if same_person(by, name)]
        if not known:
            raise ManifestError("not an approver of this job", where, "see [[approver]] in the job")
        if key not in map(minisign.key_bytes_of, known):
            raise ManifestError("not this approver's key", where, "see [[approver]] in the job")


def fold_name(name: str) -> str:
    """Return a name as it is compared: case, width, white space and what is unseen do not count."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = (letter if letter.isprintable() else " " * letter.isspace() for letter in folded)
    return " ".join("".join(seen).split())


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are the same person's, as far as names can tell."""
    return fold_name(one) == fold_name(other)


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
        ManifestError: There is no manifest, or it is not readable.
        KeyFileError: The key is not a signing key.
        UsageError: The name cannot be used, or the file there is another person's or key's.
        ShareError: The approval cannot be written.
    """
    name = _usable_name(name)
    public_line = minisign.public_line_of(secret_key_text)
    message, digest = _read_manifest(folder)
    fields = (name, _in_utc(at), digest, public_line)
    comment = "\t".join(f"{key}:{value}" for key, value in zip(_FIELDS, fields, strict=True))
    path = folder / FOLDER / f"{_slug(name)}{SIGNED}"
    if os.path.lexists(path):
        claims = _claims(_read(path), path)
        if not same_person(claims["by"], name) or claims["key"] != public_line:
            raise UsageError(
                "this approval is another person's or key's", str(path), "use your full name"
            )
    _write_whole(path, minisign.sign(secret_key_text, message, comment))
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
    record = {"by": name, "at": _in_utc(at), "digest": digest}
    _write_whole(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return path


def valid_approvals(
    folder: Path,
    manifest_bytes: bytes,
    digest: str,
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
    """
    rules = Rules(author, author_key, approvers, required)
    people: set[str] = set()
    keys: set[bytes] = set()
    counted = []
    for path in _files(folder / FOLDER):
        approval = _check_one(path, manifest_bytes, digest, now)
        rules.check(approval.by, approval.public_key, str(path))
        person = fold_name(approval.by)
        line = approval.public_key
        key = minisign.key_bytes_of(line) if line is not None else None
        if person in people or key in keys:
            continue
        people.add(person)
        keys.update([key] if key is not None else [])
        counted.append(approval)
    if len(counted) < required:
        raise ManifestError(
            f"{len(counted)} of {required} approvals",
            str(folder / FOLDER),
            "each must be by another person with another key: `remediation approve`",
        )
    return counted


def _check_one(path: Path, manifest_bytes: bytes, digest: str, now: datetime) -> Approval:
    text = _read(path)
    if path.suffix == SIGNED:
        claims = _claims(text, path)
        line: str | None = claims["key"]
        try:
            minisign.verify(claims["key"], manifest_bytes, text)
        except ManifestError as error:
            raise ManifestError(
                f"approval of another manifest, or altered since: {error.what}", str(path), _APPROVE
            ) from None
    else:
        line, claims = None, _record(text, path)
    if claims["digest"] != digest:
        raise ManifestError("approval of another manifest", str(path), _APPROVE)
    at = _time(claims["at"], path)
    if at > now + _CLOCK_SKEW:
        raise ManifestError("an approval of the future", str(path), "set the clock")
    return Approval(claims["by"], at, line)


def _files(folder: Path) -> list[Path]:
    # Signed before unsigned: of one person's two, the signed one counts.
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ShareError("approvals cannot be read", str(folder), "check the folder") from error
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
    """Return the fields of a signed approval's comment, as they stand there."""
    try:
        parts = [part.partition(":") for part in minisign.claimed_comment(text).split("\t")]
    except ManifestError:
        raise _not_an_approval(path) from None
    if tuple(key for key, _, _ in parts) != _FIELDS:
        raise _not_an_approval(path)
    return _checked({key: value for key, _, value in parts}, path)


def _record(text: str, path: Path) -> dict[str, str]:
    """Return the fields of an unsigned approval."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise _not_an_approval(path) from None
    unsigned = set(_FIELDS) - {"key"}
    if not isinstance(record, dict) or set(record) != unsigned:
        raise _not_an_approval(path)
    if not all(isinstance(value, str) for value in record.values()):
        raise _not_an_approval(path)
    return _checked(record, path)


def _checked(claims: dict[str, str], path: Path) -> dict[str, str]:
    try:
        usable = _usable_name(claims["by"])
    except UsageError:
        usable = None
    if usable != claims["by"]:
        raise _not_an_approval(path)
    return claims


def _not_an_approval(path: Path) -> ManifestError:
    return ManifestError("not an approval of this tool", str(path), "take it away, approve again")


def _time(text: str, path: Path) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _not_an_approval(path) from None
    if at.tzinfo is None:
        raise _not_an_approval(path)
    return at


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
    except FileNotFoundError:
        raise ManifestError("no manifest", str(path), "name a folder that `plan` made") from None
    except OSError as error:
        raise ShareError("the manifest cannot be read", str(path), "check the folder") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        digest = None
    if not isinstance(digest, str) or not digest.isalnum():
        raise ManifestError("not a manifest", str(path), "plan again")
    return content, digest


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, also after a power cut."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise ShareError(
            f"the approval cannot be written, {error.strerror}", str(path), "check the disk"
        ) from error
