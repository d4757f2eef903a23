"""Revocations: who takes an approval back, and why; kept beside the approvals and in the ledger.

Signed as an approval is, over `manifest.json`, with a comment of its own: neither can pass for the
other. Where the approval is unsigned, so is its revocation. One that is not good stops the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from remediation.errors import ManifestError
from remediation.model import minisign
from remediation.model.approvals import Revocation
from remediation.store import consent, ledger
from remediation.store.consent import SIGNED, UNSIGNED
from remediation.store.manifests import Stored

FOLDER = "revocations"
_WHAT = "revocation"
_KEYS = ("revokes", "of", "of_key", "approved", "by", "at", "digest", "key", "why")
_NONE = "-"  # in place of a key, where nothing is signed


def write(
    stored: Stored, revocation: Revocation, secret_key_text: str | None, output: Path | None
) -> Path:
    """Write a revocation beside the approvals of a manifest; return its path.

    Args:
        stored: the manifest.
        revocation: what is taken back, by whom and why.
        secret_key_text: who signs; None where the approval is unsigned.
        output: the job's output folder, whose state remembers it.

    Raises:
        ShareError: it cannot be written.
    """
    digest = stored.manifest.digest
    values = (
        revocation.revokes,
        revocation.of,
        revocation.of_key or _NONE,
        consent.in_utc(revocation.approved),
        revocation.by,
        consent.in_utc(revocation.at),
        digest,
        revocation.public_key or _NONE,
        revocation.why,
    )
    if secret_key_text is None:
        text, suffix = consent.record_of(_KEYS, values), UNSIGNED
    else:
        comment = consent.comment_of(_KEYS, values)
        text, suffix = minisign.sign(secret_key_text, stored.raw, comment), SIGNED
    path = stored.folder / FOLDER / f"{revocation.revokes}-{consent.slug(revocation.by)}{suffix}"
    consent.write_text(path, text, _WHAT)
    if output is not None:
        ledger.keep(output, digest, path.name, text)
    return path


def read(
    folder: Path, raw: bytes, digest: str, approvers: Mapping[str, str] | None, output: Path | None
) -> list[Revocation]:
    """Return the revocations of a manifest, wherever they are kept.

    Without knowing the job (`approvers` is None) it is not asked whose they are.

    Raises:
        ManifestError: one is altered, of another manifest, or by somebody who cannot revoke.
        ShareError: they cannot be read.
    """
    kept = ledger.folder(output, digest) if output is not None else None
    found = consent.files(folder / FOLDER, _WHAT)
    found += consent.files(kept, _WHAT) if kept is not None else []
    revoked: dict[Revocation, None] = {}
    for path in found:
        one = _opened(path, raw, digest)
        if approvers is not None:
            one.check(approvers, str(path))
        revoked[one] = None
    return list(revoked)


def _opened(path: Path, raw: bytes, digest: str) -> Revocation:
    text = consent.read_text(path, _WHAT)
    said = consent.claims(path, text, _KEYS, _WHAT)
    wrong = ManifestError(
        "a revocation of another manifest, or altered since", str(path), "revoke again"
    )
    signed = path.suffix == SIGNED
    if signed:
        try:
            minisign.verify(said["key"], raw, text)
        except ManifestError:
            raise wrong from None
    if said["digest"] != digest or (said["key"] == _NONE) == signed:
        raise wrong
    try:
        approved = datetime.fromisoformat(said["approved"])
    except ValueError:
        raise wrong from None
    if approved.tzinfo is None:
        raise wrong
    return Revocation(
        said["revokes"],
        said["of"],
        None if said["of_key"] == _NONE else said["of_key"],
        approved,
        said["by"],
        datetime.fromisoformat(said["at"]),
        None if said["key"] == _NONE else said["key"],
        said["why"],
    )
