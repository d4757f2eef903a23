"""What matching weighs: the evidence of a study as tokens, the hospital's issuers, its rules.

Source: UAVG article 46 (when a BSN may be processed), IHE PIX (identifier domains).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from remediation.model.tokens import PersonTokens

REASONS = {
    "unreadable-instance": "an instance of the study could not be read",
    "instances-disagree": "instances of the study name different patients",
    "foreign-issuer": "PatientID is of an issuer that is not ours",
    "ambiguous-issuer": "two issuers have this local number, and both are possible here",
    "no-crosswalk-entry": "the EPD export has no such local number",
    "two-numbers": "the EPD export gives this local number two BSNs",
    "birth-date-clash": "header and EPD disagree on the birth date: a possible mix-up of patients",
    "sex-clash": "header and EPD disagree on the sex: a possible mix-up of patients",
    "name-clash": "header and EPD disagree on the family name: a possible mix-up of patients",
    "header-disagrees": "header and EPD name different BSNs: a possible mix-up of patients",
    "exempt": "the EPD gives a reason why there is no BSN",
    "no-number": "the EPD has no BSN for this patient",
    "placeholder-number": "the EPD's number stands for none",
    "invalid-number": "the EPD's number fails the elfproef",
    "not-verified": "the EPD's status does not allow writing",
    "test-number": "a number of the test range, and the job does not allow these",
    "shared-number": "the EPD gives one BSN two local numbers of one issuer",
    "unconfirmed-person": "birth date or family name is missing, so the person is not confirmed",
    "homonym": "another person has this birth date and family name, and initials do not decide",
}
# Of a study that is conformant already, these still stop everything; the others only warn.
HARD = frozenset(list(REASONS)[: list(REASONS).index("exempt")])


@dataclass(frozen=True, slots=True)
class PatientGroup:
    """The instances of a study that say the same of their patient."""

    patient_token: str | None
    issuer: str
    issuer_kind: str
    other_ids: tuple[tuple[str, str, str], ...]  # issuer, kind of issuer, token
    person: PersonTokens
    sex: str
    primary_bsn_token: str | None = None  # of a number in PatientID that passes the elfproef
    primary_is_strong: bool = False  # asserted or calibrated


@dataclass(frozen=True, slots=True)
class StudyEvidence:
    """What the headers of one study say, as tokens."""

    archive: str
    study: str
    day: date | None
    status: str
    unreadable: int
    groups: tuple[PatientGroup, ...]
    strong: frozenset[str]  # tokens of asserted and calibrated numbers in identifier places
    seen: frozenset[str]  # tokens of all numbers in identifier places
    institution: str = ""
    writing_software: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class IssuerPeriod:
    """Another number space of an archive, within what its filled fields say (days inclusive)."""

    local_issuer: str
    start: date | None = None
    end: date | None = None
    institution: str = ""
    writing_software: str = ""
    number_shape: str = ""

    def holds(self, study: StudyEvidence) -> bool:
        """Tell whether a study lies in it; one without a date lies in no dated period."""
        if (self.start or self.end) and study.day is None:
            return False
        day = study.day or date.min
        return (
            not (self.start and day < self.start)
            and not (self.end and day > self.end)
            and self.institution in {"", study.institution}
            and self.writing_software in {"", study.writing_software}
            and self.number_shape in {"", study.shape}
        )


@dataclass(frozen=True, slots=True)
class ArchiveIssuers:
    """The local issuer of an archive, its other number spaces, and what spellings mean."""

    local_issuer: str = ""
    periods: tuple[IssuerPeriod, ...] = ()
    alias: dict[str, str] = field(default_factory=dict)  # to one of ours, `foreign`, or `ignore`

    def candidates(self, study: StudyEvidence) -> tuple[str, ...]:
        """Return the issuers that a bare number of this study may have."""
        within = tuple(dict.fromkeys(p.local_issuer for p in self.periods if p.holds(study)))
        return within or ((self.local_issuer,) if self.local_issuer else ())

    def spellings(self, issuer: str) -> frozenset[str]:
        """Return how IssuerOfPatientID may spell one of our issuers."""
        return frozenset({issuer, *(text for text, means in self.alias.items() if means == issuer)})


@dataclass(frozen=True, slots=True)
class MatchRules:
    """What the job file says about writing."""

    writable_statuses: frozenset[str]
    writable_validations: frozenset[str] = frozenset()
    placeholders: frozenset[str] = frozenset()
    allow_test_numbers: bool = False
    archives: dict[str, ArchiveIssuers] = field(default_factory=dict)
