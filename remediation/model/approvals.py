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
    """One person's consent. `at` has a time zone; `public_key` is None for an unsigned record."""

    by: str
    at: datetime
    public_key: str | None


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
