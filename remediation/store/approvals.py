"""Approvals: who says that a manifest may be applied, kept beside it and bound to its bytes.

A signed approval is a minisign signature over `manifest.json`; its trusted comment says who, when,
which digest and which key. An unsigned one is a JSON record, good only where the job asks for one
approval and names no approvers. One approval in the folder that is not good stops the run, however
many good ones lie beside it: somebody meant something by it. One that was revoked counts no more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.errors import ManifestError, UsageError
from remediation.model import minisign
from remediation.model.approvals import Approval, Revocation, Rules, distinct, same_person
from remediation.store import consent, revocations
from remediation.store.consent import CLOCK_SKEW, SIGNED, UNSIGNED
from remediation.store.keys import read_secret, write_secret
from remediation.store.manifests import Stored

FOLDER = "approvals"
COUNTS, REVOKED, BEFORE, UNCHECKED = "counts", "revoked", "before", "unchecked"
_WHAT = "approval"
_RECORD = ("by", "at", "digest")
_COMMENT = (*_RECORD, "key")
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


@dataclass(frozen=True, slots=True)
class Held:
    """What an approval is held against, by those who apply and by those who only look.

    Attributes:
        rules: who may approve; None where the job is not known.
        since: when the manifest was last rolled back; what was given before counts no more.
    """

    rules: Rules | None
    revoked: Sequence[Revocation]
    since: datetime | None
    now: datetime

    def state(self, approval: Approval, where: str) -> tuple[str, str]:
        """Return how one approval stands (counts, revoked, before, unchecked), and why.

        Raises:
            ManifestError: it is not good, and nothing may be applied while it lies there.
            UsageError: a key of the job is not a minisign public key.
        """
        gone = next((one for one in self.revoked if one.voids(approval)), None)
        if gone is not None:
            return REVOKED, f"{gone.by}: {gone.why}"
        if self.rules is not None:
            self.rules.check(approval.by, approval.public_key, where)
        if approval.at > self.now + CLOCK_SKEW:
            raise ManifestError("an approval of the future", where, "set the clock")
        if self.since is not None and approval.at <= self.since:
            return BEFORE, "given before it was rolled back"
        return UNCHECKED if self.rules is None else COUNTS, ""


def write_signed(stored: Stored, name: str, secret_key_text: str, at: datetime) -> Path:
    """Sign a manifest, the bytes that were read, as `name`; return the path of the approval.

    Raises:
        KeyFileError: The key is not a signing key.
        UsageError: The name cannot be used, or the file there is another person's or key's.
        ShareError: The approval cannot be written.
    """
    name = consent.usable_name(name)
    public_line = minisign.public_line_of(secret_key_text)
    said = (name, consent.in_utc(at), stored.manifest.digest, public_line)
    comment = consent.comment_of(_COMMENT, said)
    path = stored.folder / FOLDER / f"{consent.slug(name)}{SIGNED}"
    if os.path.lexists(path):
        there = _claims(path, consent.read_text(path, _WHAT))
        if not same_person(there["by"], name) or there["key"] != public_line:
            raise UsageError(
                "this approval is another person's or key's", str(path), "use your full name"
            )
    consent.write_text(path, minisign.sign(secret_key_text, stored.raw, comment), _WHAT)
    return path


def write_unsigned(folder: Path, name: str, digest: str, at: datetime) -> Path:
    """Record, without a signature, that `name` approves the manifest with this digest.

    Raises:
        UsageError: The name cannot be used, or the file there is another person's.
        ShareError: The approval cannot be written.
    """
    name = consent.usable_name(name)
    path = folder / FOLDER / f"{consent.slug(name)}{UNSIGNED}"
    if os.path.lexists(path):
        there = _claims(path, consent.read_text(path, _WHAT))
        if not same_person(there["by"], name):
            raise UsageError("this approval is another person's", str(path), "use your full name")
    record = consent.record_of(_RECORD, (name, consent.in_utc(at), digest))
    consent.write_text(path, record, _WHAT)
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
    output: Path | None = None,
    since: datetime | None = None,
) -> list[Approval]:
    """Return the approvals of a manifest, one per person and key, at least `required` of them.

    `manifest_bytes` are the bytes of manifest.json as they were read, `digest` is what they say;
    `output` is the job's output folder, whose state remembers revocations; `since` is when the
    manifest was last rolled back: only approvals after that count.

    Raises:
        ManifestError: An approval is of another manifest, by the author, by somebody unknown,
            unsigned where it must be signed, or of the future; a revocation is not good; or too
            few are left that were not revoked and not given before the rollback.
        ShareError: The approvals cannot be read.
    """
    rules = Rules(author, author_key, approvers, required)
    revoked = revocations.read(folder, manifest_bytes, digest, approvers, output)
    held = Held(rules, revoked, since, now)
    found: dict[str, list[Approval]] = {COUNTS: [], BEFORE: [], REVOKED: []}
    for path in paths(folder):
        approval = opened(path, manifest_bytes, digest)
        found[held.state(approval, str(path))[0]].append(approval)
    # Of one person's two the first counts: those of before must be gone by then.
    counted = distinct(found[COUNTS])
    if len(counted) < required:
        if len(distinct(found[BEFORE] + found[COUNTS])) >= required:
            raise ManifestError(
                "the manifest was rolled back since it was approved",
                str(folder),
                "let it be approved anew",
            )
        gone = f", {len(found[REVOKED])} revoked" if found[REVOKED] else ""
        gone += f", {len(found[BEFORE])} before it was rolled back" if found[BEFORE] else ""
        raise ManifestError(
            f"{len(counted)} of {required} approvals{gone}",
            str(folder / FOLDER),
            "each must be by another person with another key: `remediation approve`",
        )
    return counted


def paths(folder: Path) -> list[Path]:
    """Return the files of a manifest's approvals.

    Raises:
        ShareError: they cannot be read.
    """
    return consent.files(folder / FOLDER, _WHAT)


def opened(path: Path, manifest_bytes: bytes, digest: str) -> Approval:
    """Return the approval in a file, once it proves to be of this manifest.

    Raises:
        ManifestError: it is not, or no approval at all.
        ShareError: it cannot be read.
    """
    text = consent.read_text(path, _WHAT)
    claims = _claims(path, text)
    if path.suffix == SIGNED:
        try:
            minisign.verify(claims["key"], manifest_bytes, text)
        except ManifestError as error:
            raise ManifestError(
                f"approval of another manifest, or altered since: {error.what}", str(path), _AGAIN
            ) from None
    if claims["digest"] != digest:
        raise ManifestError("approval of another manifest", str(path), _AGAIN)
    at = datetime.fromisoformat(claims["at"])
    return Approval(claims["by"], at, claims.get("key"), consent.digest_of(text))


def _claims(path: Path, text: str) -> dict[str, str]:
    return consent.claims(path, text, _COMMENT if path.suffix == SIGNED else _RECORD, _WHAT)
