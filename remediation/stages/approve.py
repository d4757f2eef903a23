"""Approve: a manifest in, an approval bound to its bytes out; and an approval taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.errors import UsageError
from remediation.model.approvals import Approval, Revocation, Rules, author_key_of, same_person
from remediation.model.minisign import public_line_of
from remediation.model.washing import washed
from remediation.store import approvals, manifests, revocations
from remediation.store.consent import usable_name
from remediation.store.manifests import Stored
from remediation.store.reviews import reviewed


@dataclass(frozen=True, slots=True)
class ApproveOptions:
    """Who approves, with which key, and whom the job allows to.

    Attributes:
        output: the job's output folder, whose state remembers what was taken back.
    """

    by: str
    at: datetime
    key: Path | None = None
    approvers: Mapping[str, str] | None = None
    required: int = 1
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class ApproveReport:
    """Where the approval or revocation lies, and whether it is signed."""

    path: Path
    signed: bool


def run(options: ApproveOptions, stored: Stored) -> ApproveReport:
    """Write an approval.

    Raises:
        ManifestError: the manifest has expired or was superseded; the author approves their own,
            or somebody whom the job does not name.
        UsageError: a key is required and not given.
        KeyFileError: the key is missing, readable by others, or no signing key.
    """
    approvers = options.approvers or {}
    manifest = stored.manifest
    manifests.in_force(stored, options.at, options.output)
    reviewed(stored, approvers)
    author_key = author_key_of(manifest.author, approvers)
    rules = Rules(manifest.author, author_key, approvers, options.required)
    if options.key is None:
        if approvers or options.required > 1:
            raise UsageError(
                "this job asks for signed approvals", "--key", "give your key: `approve --key FILE`"
            )
        rules.check(options.by, None, "--by")
        path = approvals.write_unsigned(stored.folder, options.by, manifest.digest, options.at)
        return ApproveReport(path, signed=False)
    secret = approvals.load_approver_key(options.key)
    rules.check(options.by, public_line_of(secret), "--key")
    return ApproveReport(
        approvals.write_signed(stored, options.by, secret, options.at), signed=True
    )


def revoke(options: ApproveOptions, stored: Stored, which: str, why: str) -> ApproveReport:
    """Take an approval back: `which` is its id, or the name of who gave it.

    Raises:
        ManifestError: it is not theirs to take back.
        UsageError: there is no such approval, or a key is required and not given.
        KeyFileError: the key is missing, readable by others, or no signing key.
    """
    approvers = options.approvers or {}
    approval = _given(stored, which)
    secret = approvals.load_approver_key(options.key) if options.key else None
    if secret is None and (approvers or approval.public_key is not None):
        raise UsageError(
            "this approval is taken back with a signature", "--key", "give your key: `--key FILE`"
        )
    revocation = Revocation(
        revokes=approval.approval_id,
        of=approval.by,
        of_key=approval.public_key,
        approved=approval.at,
        by=usable_name(options.by),
        at=options.at,
        public_key=public_line_of(secret) if secret else None,
        why=washed(why, "--why"),
    )
    revocation.check(approvers, "--by, --key")
    return ApproveReport(
        revocations.write(stored, revocation, secret, options.output), signed=secret is not None
    )


def _given(stored: Stored, which: str) -> Approval:
    """Return the approval that is meant; of several of one person, the last."""
    found = [
        approvals.opened(path, stored.raw, stored.manifest.digest)
        for path in approvals.paths(stored.folder)
    ]
    meant = [one for one in found if one.approval_id == which or same_person(one.by, which)]
    if not meant:
        raise UsageError("there is no such approval", "--revoke", "see `remediation show`")
    return max(meant, key=lambda one: one.at)
