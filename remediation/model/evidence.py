"""What matching weighs: the evidence of a study as tokens, the hospital's issuers, its rules.

Source: UAVG article 46 (when a BSN may be processed), IHE PIX (identifier domains).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from remediation.model.acceptances import Accepted, StudyFacts
from remediation.model.person import family_names
from remediation.model.reasons import HARD, REASONS
from remediation.model.secrets import Keys
from remediation.model.tokens import PersonTokens, bound_tokens, patient_token

__all__ = [
    "HARD",
    "REASONS",
    "ArchiveIssuers",
    "IssuerPeriod",
    "MatchRules",
    "PatientGroup",
    "PlainPerson",
    "StudyEvidence",
]


@dataclass(frozen=True, slots=True, repr=False)
class PlainPerson:
    """What a header that was read again says, in memory only: PatientID and family names.

    Names are normalised as `person` does it. It shows nothing of itself.
    """

    patient_id: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, patient_id: str, name: str) -> PlainPerson:
        """Return the person of a PatientID and a PatientName, decoded."""
        return cls(patient_id, family_names(name.partition("^")[0]))

    def __repr__(self) -> str:
        return "<a person, as the header says>"


@dataclass(frozen=True, slots=True)
class PatientGroup:
    """The instances of a study that say the same of their patient.

    `path` is that of one of them, as the inventory has it; `plain` what it says where it was read
    again. Neither makes another group.
    """

    patient_token: str | None
    issuer: str
    issuer_kind: str
    other_ids: tuple[tuple[str, str, str], ...]  # issuer, kind of issuer, token
    person: PersonTokens
    sex: str
    primary_bsn_token: str | None = None  # of a number in PatientID that passes the elfproef
    primary_is_strong: bool = False  # asserted or calibrated
    path: str = field(default="", compare=False)
    plain: PlainPerson | None = field(default=None, compare=False, repr=False)

    def says(self, plain: PlainPerson, keys: Keys) -> bool:
        """Tell whether a person has this group's PatientID and names."""
        said = bound_tokens(keys, plain.patient_id, "", plain.names, "")
        same = patient_token(keys, plain.patient_id) == self.patient_token
        return same and said.names == self.person.names


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
    source: str = ""
    station: str = ""
    modality: str = ""

    def facts(self) -> StudyFacts:
        """Return what rules of acceptances look at."""
        return StudyFacts(
            self.archive, self.study, self.source, self.day, self.station, self.modality
        )


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
    """What the job file says about writing, and which warnings two people accepted."""

    writable_statuses: frozenset[str]
    writable_validations: frozenset[str] = frozenset()
    placeholders: frozenset[str] = frozenset()
    allow_test_numbers: bool = False
    archives: dict[str, ArchiveIssuers] = field(default_factory=dict)
    accepted: Accepted = field(default_factory=Accepted)
    source_of: Callable[[Mapping[str, Any]], str] = lambda _row: ""  # of a row of instances
