"""Who may approve a manifest: another person than its author, with another key.

Names are compared as people read them, keys by their bytes. A name is what somebody typed; where
that is not enough the job names its approvers, and their keys decide.

>>> rules = Rules(author="Eerste Persoon", author_key=None, approvers={}, required=1)
>>> rules.check("Tweede Persoon", None, "approvals/tweede-persoon.json")
>>> rules.check("eerste  PERSOON", None, "approvals/eerste-persoon.json")
Traceback (most recent call last):
...
remediation.errors.ManifestError: approved by the author (approvals/eerste-persoon.json): ask somebody else
"""  # noqa: E501 - the message is one line

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from remediation.errors import ManifestError
from remediation.model.minisign import key_bytes_of


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's consent. `at` has a time zone; `public_key` is None for an unsigned record.

    Attributes:
        approval_id: the first digits of the digest of its text.
    """

    by: str
    at: datetime
    public_key: str | None
    approval_id: str = ""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One person's word that an approval no longer counts.

    Attributes:
        revokes: id of the approval.
        of: who gave it.
        of_key: with which key; None for an unsigned record.
        approved: when it was given: whatever that person gave until then is void as well, so that
            an older approval, put back in its place, does not count either.
    """

    revokes: str
    of: str
    of_key: str | None
    approved: datetime
    by: str
    at: datetime
    public_key: str | None
    why: str

    def voids(self, approval: Approval) -> bool:
        """Tell whether an approval counts no more: this one, or an older one of this person.

        >>> from datetime import timedelta, UTC
        >>> at = datetime(2026, 11, 23, tzinfo=UTC)
        >>> said = Revocation("1a", "Tweede Persoon", None, at, "Tweede Persoon", at, None, "")
        >>> said.voids(Approval("TWEEDE PERSOON", at - timedelta(days=1), None, "2b"))
        True
        >>> said.voids(Approval("Tweede Persoon", at + timedelta(days=1), None, "2b"))
        False
        """
        if self.revokes == approval.approval_id:
            return True
        same = same_person(self.of, approval.by)
        if self.of_key is not None and approval.public_key is not None:
            same = same or key_bytes_of(self.of_key) == key_bytes_of(approval.public_key)
        return same and approval.at <= max(self.at, self.approved)

    def check(self, approvers: Mapping[str, str], where: str) -> None:
        """Refuse one by somebody who cannot take that approval back; `where` names it.

        Where the job names its approvers, each of them can, with their own key; else only who gave
        it, with the key that it was given with.

        Raises:
            ManifestError: it is by nobody of these.
            UsageError: a key of the job is not a minisign public key.
        """
        if approvers:
            Rules("", None, approvers, 1).check(self.by, self.public_key, where)
            return
        if self.of_key is None:
            own = same_person(self.by, self.of)
        else:
            mine = self.public_key and key_bytes_of(self.public_key)
            own = bool(mine) and mine == key_bytes_of(self.of_key)
        if not own:
            raise ManifestError(
                "a revocation by somebody else", where, "only who approved can take it back"
            )


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may approve: never the author; the approvers of the job only, where it names any.

    `approvers` maps names to minisign public lines; `required` is a number of people.
    """

    author: str
    author_key: str | None
    approvers: Mapping[str, str]
    required: int

    def check(self, by: str, public_key: str | None, where: str) -> None:
        """Refuse a person or key that cannot approve; `where` names the approval.

        Raises:
            ManifestError: The author or the author's key, not signed where that is asked for, not
                an approver of the job, or not that approver's key.
            UsageError: A key of the job is not a minisign public key.
        """
        if same_person(by, self.author):
            raise ManifestError("approved by the author", where, "ask somebody else")
        if public_key is None:
            if self.approvers or self.required > 1:
                raise ManifestError("the approval is not signed", where, "approve with --key")
            return
        key = key_bytes_of(public_key)
        if self.author_key is not None and key == key_bytes_of(self.author_key):
            raise ManifestError("approved with the author's key", where, "ask somebody else")
        if not self.approvers:
            return
        named = [line for name, line in self.approvers.items() if same_person(by, name)]
        if not named:
            raise ManifestError("not an approver of this job", where, "see [[approver]] in the job")
        if key not in map(key_bytes_of, named):
            raise ManifestError("not this approver's key", where, "see [[approver]] in the job")


def distinct(approvals: Iterable[Approval]) -> list[Approval]:
    """Return the approvals of different people with different keys, the first of each."""
    people: set[str] = set()
    keys: set[bytes] = set()
    kept = []
    for approval in approvals:
        person, line = fold_name(approval.by), approval.public_key
        key = set() if line is None else {key_bytes_of(line)}
        if person not in people and not key & keys:
            people.add(person)
            keys |= key
            kept.append(approval)
    return kept


def author_key_of(author: str, approvers: Mapping[str, str]) -> str | None:
    """Return the author's public key, where the job names the author as an approver of others.

    >>> author_key_of("eerste PERSOON", {"Eerste Persoon": "RWQ1"}), author_key_of("x", {})
    ('RWQ1', None)
    """
    return next((line for name, line in approvers.items() if same_person(name, author)), None)


def fold_name(name: str) -> str:
    r"""Return a name as it is compared: case, width, white space and what is unseen do not count.

    >>> fold_name(" Tweede\u00a0 PERSOON\u200b")
    'tweede persoon'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = (letter if letter.isprintable() else " " * letter.isspace() for letter in folded)
    return " ".join("".join(seen).split())


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one person's, as far as names can tell."""
    return fold_name(one) == fold_name(other)
