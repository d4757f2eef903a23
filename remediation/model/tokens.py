"""Tokens of a person, bound to a PatientID: the inventory's side and the crosswalk's make the same.

Bound to the number, so that equal names or birth dates of two patients have different tokens and
cannot be counted across patients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from remediation.model.secrets import Keys


@dataclass(frozen=True, slots=True)
class PersonTokens:
    """Birth date (None where missing), family names, and the first 1..n initials."""

    birth_date: str | None
    names: frozenset[str]
    initials: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """Return the columns that an inventory row holds."""
        return {
            "birth_date_token": self.birth_date,
            "name_tokens": sorted(self.names),
            "initials_tokens": list(self.initials),
        }

    def initials_agree(self, other: PersonTokens) -> bool:
        """Tell whether the shorter initials begin the longer ones; none agree with nothing."""
        length = min(len(self.initials), len(other.initials))
        return length > 0 and self.initials[length - 1] == other.initials[length - 1]


def patient_token(keys: Keys, patient_id: str) -> str:
    """Return the token of a PatientID alone, of whatever issuer."""
    return keys.token("patient", patient_id)


def bsn_token(keys: Keys, number: str) -> str:
    """Return the token of nine digits."""
    return keys.token("bsn", number)


def bound_tokens(
    keys: Keys, patient_id: str, birth_date: str, names: Iterable[str], initials: str
) -> PersonTokens:
    """Return a person's tokens for one PatientID, from normalised text (see `person`)."""
    token = keys.token
    return PersonTokens(
        token("birth-date", patient_id, birth_date) if birth_date else None,
        frozenset(token("name", patient_id, name) for name in names),
        tuple(token("initials", patient_id, initials[: n + 1]) for n in range(len(initials))),
    )
