"""Approve: a manifest in, an approval bound to its bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.errors import UsageError
from remediation.model.approvals import Rules, same_person
from remediation.model.minisign import public_line_of
from remediation.store import approvals
from remediation.store.manifests import Stored


@dataclass(frozen=True, slots=True)
class ApproveOptions:
    """Who approves, with which key, and whom the job allows to."""

    by: str
    at: datetime
    key: Path | None = None
    approvers: Mapping[str, str] | None = None
    required: int = 1


@dataclass(frozen=True, slots=True)
class ApproveReport:
    """Where the approval lies, and whether it is signed."""

    path: Path
    signed: bool


def run(options: ApproveOptions, stored: Stored) -> ApproveReport:
    """Write an approval.

    Raises:
        ManifestError: the author approves their own manifest, or somebody whom the job does not
            name.
        UsageError: a key is required and not given.
        KeyFileError: the key is missing, readable by others, or no signing key.
    """
    approvers = options.approvers or {}
    author_key = author_key_of(stored.manifest.author, approvers)
    rules = Rules(stored.manifest.author, author_key, approvers, options.required)
    if options.key is None:
        if approvers or options.required > 1:
            raise UsageError(
                "this job asks for signed approvals", "--key", "give your key: `approve --key FILE`"
            )
        rules.check(options.by, None, "--by")
        path = approvals.write_unsigned(
            stored.folder, options.by, stored.manifest.digest, options.at
        )
        return ApproveReport(path, signed=False)
    secret = approvals.load_approver_key(options.key)
    rules.check(options.by, public_line_of(secret), "--key")
    return ApproveReport(
        approvals.write_signed(stored.folder, options.by, secret, options.at), signed=True
    )


def author_key_of(author: str, approvers: Mapping[str, str]) -> str | None:
    """Return the author's public key, where the job names the author as an approver of others."""
    return next((line for name, line in approvers.items() if same_person(name, author)), None)
