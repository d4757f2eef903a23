"""Standing: each approval of a manifest as it stands now, for people to read; nothing is raised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.errors import RemediationError
from remediation.model.approvals import Approval, Rules, distinct
from remediation.store import approvals, reviews, revocations
from remediation.store.approvals import BEFORE, COUNTS, UNCHECKED, Held
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions, rolled_back_at

_GOOD = frozenset({COUNTS, UNCHECKED})
_REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Consent:
    """An approval as it stands now.

    Attributes:
        state: counts | revoked | refused | unchecked (what the job asks for is not known).
        why: why it does not count; who revoked it.
        stops: it is not good, so that nothing is applied while it lies there.
    """

    by: str
    at: str
    signed: bool
    approval_id: str
    state: str
    why: str = ""
    stops: bool = False


def counted(found: Iterable[Consent]) -> int:
    """Return how many approvals count: none while one of them stops whoever applies.

    >>> good, bad = (Consent("", "", True, "", "counts", stops=one) for one in (False, True))
    >>> counted([good, good]), counted([good, good, bad])
    (2, 0)
    """
    known = list(found)
    return 0 if any(one.stops for one in known) else sum(one.state in _GOOD for one in known)


def consents(
    stored: Stored, output: Path, conditions: Conditions | None, now: datetime
) -> tuple[Consent, ...]:
    """Return every approval of a manifest, and whether it counts; what is wrong is told."""
    approvers = conditions.approvers if conditions else None
    digest = stored.manifest.digest
    try:
        reviews.reviewed(stored, approvers or {})
        revoked = revocations.read(stored.folder, stored.raw, digest, approvers, output)
        held = Held(_rules(stored, conditions), revoked, rolled_back_at(output, digest), now)
        paths = approvals.paths(stored.folder)
    except RemediationError as error:
        return (_bad("", error),)
    found: list[Consent] = []
    kept: list[Approval] = []
    for path in paths:
        try:
            one = approvals.opened(path, stored.raw, digest)
        except RemediationError as error:
            found.append(_bad(path.stem, error))
            continue
        try:
            state, why = held.state(one, "")
        except RemediationError as error:
            found.append(_told(one, _REFUSED, error.what, stops=True))
            continue
        if state in _GOOD and len(distinct([*kept, one])) == len(kept):
            state, why = _REFUSED, "the same person or key once more"
        elif state in _GOOD:
            kept.append(one)
        found.append(_told(one, _REFUSED if state == BEFORE else state, why))
    return tuple(found)


def _rules(stored: Stored, conditions: Conditions | None) -> Rules | None:
    if conditions is None:
        return None
    author, key = stored.manifest.author, conditions.author_key
    return Rules(author, key, conditions.approvers, conditions.required)


def _bad(by: str, error: RemediationError) -> Consent:
    return Consent(by, "", False, "", _REFUSED, error.what, stops=True)


def _told(one: Approval, state: str, why: str, *, stops: bool = False) -> Consent:
    signed = one.public_key is not None
    return Consent(one.by, one.at.isoformat(), signed, one.approval_id, state, why, stops)
