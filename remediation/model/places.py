"""Places: where in a header a number can stand, and what a number there would mean.

Source: PS3.3 C.7.1.1 and C.12.1.1 (patient identifiers, original attributes); the private
patient-number elements are those that the vendors' conformance statements name.
"""

from __future__ import annotations

import re
from functools import lru_cache

PRIMARY = "PatientID"
RETIRED = "OtherPatientIDs"
OTHERS = "OtherPatientIDsSequence"
OTHER = "OtherPatientIDsSequence.PatientID"
HISTORY = "OriginalAttributesSequence"
PATH = "path"

PRIVATE_PATIENT_NUMBERS = frozenset(
    {
        ("MITRA LINKED ATTRIBUTES 1.0", "(0031,xx20)"),
        ("BRIT Systems, Inc.", "(0021,xx11)"),
        ("BRIT Systems", "(0021,xx11)"),
        ("SIEMENS RIS", "(0011,xx11)"),
        ("SIEMENS ISI", "(0011,xx04)"),
        ("SIEMENS CM VA0 CMS", "(0013,xx22)"),
        ("GEIIS", "(0905,xx30)"),
        ("TOSHIBA_MEC_OT3", "(7019,xx85)"),
        ("Mortara_Inc", "(1455,xx03)"),
    }
)

_NOT_PATIENT = re.compile(
    r"Physician|Operator|Mother|Responsible|Insurance|Insured|Observer|Technologist"
    r"|PersonName|Verifying|Requesting|ReviewerName|Performer"
)
_INDEX = re.compile(r"\[\d+\]")

IDENTIFIER_KINDS = frozenset({"primary", "retired", "other", "private"})


def stable(place: str) -> str:
    """Return a place without item numbers: the name that places are grouped by.

    >>> stable("OtherPatientIDsSequence[1].PatientID")
    'OtherPatientIDsSequence.PatientID'
    """
    return _INDEX.sub("", place)


@lru_cache(1 << 12)
def kind(place: str, creator: str = "") -> str:
    """Return what a number at a place would be.

    `primary`, `retired`, `other` and `private` are identifier places; `historic` is a former
    value; `not-patient` is somebody else's; the rest, `leak` and `path`, should hold no number.

    >>> kind("PatientID"), kind("OtherPatientIDsSequence[0].PatientID"), kind("PatientComments")
    ('primary', 'other', 'leak')
    >>> kind("(0031,xx20)", "MITRA LINKED ATTRIBUTES 1.0"), kind("(0031,xx20)", "SOMEBODY ELSE")
    ('private', 'leak')
    >>> kind("OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientID")
    'historic'
    >>> kind("ReferringPhysicianIdentificationSequence[0].InstitutionName")
    'not-patient'
    """
    name = stable(place)
    known = {PRIMARY: "primary", RETIRED: "retired", OTHER: "other", PATH: "path"}.get(name)
    if known:
        return known
    if name.startswith(HISTORY + "."):
        return "historic"
    if (creator, name.rpartition(".")[2]) in PRIVATE_PATIENT_NUMBERS:
        return "private"
    return "not-patient" if _NOT_PATIENT.search(name) else "leak"
