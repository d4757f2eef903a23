"""Standing: each approval of a manifest as it stands now, for people to read; nothing is raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.errors import RemediationError
from remediation.model.approvals import Approval, Revocation, Rules, distinct
from remediation.store import approvals, reviews, revocations
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions, rolled_back_at

GOOD = frozenset({"counts", "unchecked"})


@dataclass(frozen=True, slots=True)
class Consent:
    """An approval as it stands now.

    Attributes:
        state: counts | revoked | refused | unchecked (what the job asks for is not known).
        why: why it does not count; who revoked it.
    """

    by: str
    at: str
    signed: bool
    approval_id: str
    state: str
    why: str = ""


def consents(stored: Stored, output: Path, conditions: Conditions | None) -> tuple[Consent, ...]:
    """Return every approval of a manifest, and whether it counts; what is wrong is told."""
    approvers = conditions.approvers if conditions else None
    digest = stored.manifest.digest
    try:
        reviews.reviewed(stored, approvers or {})
        revoked = revocations.read(stored.folder, stored.raw, digest, approvers, output)
        since = rolled_back_at(output, digest)
        paths = approvals.paths(stored.folder)
    except RemediationError as error:
        return (Consent("", "", signed=False, approval_id="", state="refused", why=error.what),)
    found: list[Consent] = []
    counted: list[Approval] = []
    for path in paths:
        try:
            one = approvals.opened(path, stored.raw, digest)
        except RemediationError as error:
            found.append(Consent(path.stem, "", False, "", "refused", error.what))
            continue
        state, why = _state(one, stored, conditions, revoked, since)
        if state in GOOD and len(distinct([*counted, one])) == len(counted):
            state, why = "refused", "the same person or key once more"
        elif state in GOOD:
            counted.append(one)
        signed = one.public_key is not None
        found.append(Consent(one.by, one.at.isoformat(), signed, one.approval_id, state, why))
    return tuple(found)


def _state(
    one: Approval,
    stored: Stored,
    conditions: Conditions | None,
    revoked: list[Revocation],
    since: datetime | None,
) -> tuple[str, str]:
    """Return how one approval stands, and why."""
    gone = next((each for each in revoked if each.voids(one)), None)
    if gone is not None:
        return "revoked", f"{gone.by}: {gone.why}"
    if since is not None and one.at <= since:
        return "refused", "given before it was rolled back"
    if conditions is None:
        return "unchecked", ""
    author = stored.manifest.author
    rules = Rules(author, conditions.author_key, conditions.approvers, conditions.required)
    try:
        rules.check(one.by, one.public_key, "")
    except RemediationError as error:
        return "refused", error.what
    return "counts", ""
