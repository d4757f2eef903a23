"""People for the tests of identity: crosswalk rows, and headers that say the same of them.

Everything is as tokens, as in an inventory; nothing here asks the code under test who is who.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from remediation.model import bsn, person
from remediation.model.crosswalk import Entry
from remediation.model.evidence import (
    ArchiveIssuers,
    MatchRules,
    PatientGroup,
    PlainPerson,
    StudyEvidence,
)
from remediation.model.identity import Matcher
from remediation.model.secrets import Keys
from remediation.model.tokens import bound_tokens, bsn_token, patient_token
from remediation.tables.crosswalk import Crosswalk

KEYS = Keys.from_hex("5a" * 32)
ONE, TWO, THREE = (bsn.test_number(n) for n in (101, 202, 303))
OOST, WEST = "ZKH-OOST", "KL-WEST"
VERIFIED = "geverifieerd"
ARCHIVES = {"oost": ArchiveIssuers(OOST), "west": ArchiveIssuers(WEST)}
RULES = MatchRules(frozenset({VERIFIED}), allow_test_numbers=True, archives=ARCHIVES)


def entry(local="12345", number=ONE, issuer=OOST, *, names="Jansen", **more):
    """Return a crosswalk row that allows writing."""
    said = {"status": VERIFIED, "birth_date": "19500203", "sex": "F", "initials": "AB"} | more
    return Entry(issuer, local, number, family_names=person.family_names(names), **said)


def head(patient_id="12345", *, birth="19500203", names="Jansen", initials="AB", sex="F", **more):
    """Return what one header says of its patient."""
    said = {"issuer": OOST, "issuer_kind": "other", "other_ids": ()} | more
    return PatientGroup(
        patient_token=patient_token(KEYS, patient_id) if patient_id is not None else None,
        person=bound_tokens(KEYS, patient_id or "", birth, person.family_names(names), initials),
        sex=sex,
        **said,
    )


def read_again(patient_id="12345", *, names="Jansen", **more):
    """Return a header of which the name itself is at hand."""
    plain = PlainPerson(patient_id, person.family_names(names))
    return replace(head(patient_id, names=names, **more), plain=plain)


def bare(patient_id="12345", **more):
    """Return a header without an issuer."""
    return head(patient_id, issuer="", issuer_kind="none", **more)


def exchanged(number=ONE, *others, written=None, **more):
    """Return a header whose PatientID is a BSN that its issuer asserts; `others` are items."""
    said = {"issuer": "2.16.840.1.113883.2.4.6.3", "issuer_kind": "bsn-oid"} | more
    return head(
        written or number,
        other_ids=others,
        primary_bsn_token=bsn_token(KEYS, number),
        primary_is_strong=True,
        **said,
    )


def other_id(local, issuer=OOST, kind="other"):
    """Return an item of OtherPatientIDsSequence."""
    return issuer, kind, patient_token(KEYS, local)


def study(*heads, strong=(), seen=(), **more):
    """Return the evidence of one study; `strong` and `seen` are numbers that its headers hold."""
    said = {"archive": "oost", "study": "1.2.3", "day": date(2011, 7, 4), "status": "absent"}
    return StudyEvidence(
        groups=heads or (head(),),
        strong=frozenset(bsn_token(KEYS, number) for number in strong),
        seen=frozenset(bsn_token(KEYS, number) for number in (*strong, *seen)),
        **({"unreadable": 0} | said | more),
    )


def matcher(*entries, rules=RULES, spelling=(), **changes):
    """Return a matcher over these rows; `changes` go into its rules."""
    return Matcher(Crosswalk.of(entries, spelling), KEYS, replace(rules, **changes))


def verdict(study_, *entries, **changes):
    """Return outcome and reason of a study, held against these rows."""
    found = matcher(*entries, **changes).resolve(study_)
    return found.outcome, found.reason


def refusal(study_, *entries, **changes):
    """Return the reason for which a study is refused."""
    outcome, reason = verdict(study_, *entries, **changes)
    assert outcome in {"refused", "exempt"}, outcome
    return reason
