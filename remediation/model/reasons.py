"""Reasons: why a study's patient is not settled; a closed list, and who can do what about each.

The order counts: of several reasons that hold, the first is given. Source: UAVG article 46.

>>> ALL["homonym"].means
'another person has this birth date and family name, and initials do not decide'
>>> sorted(HARD & ACCEPTABLE)
[]
"""

from __future__ import annotations

from dataclasses import dataclass

DESK = "registration desk"
PACS = "PACS administrator"
PRIVACY = "privacy officer"
TWO_PEOPLE = "two named people"


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason means, who can settle it, and how."""

    means: str
    settled_by: str
    mend: str


ALL = {
    "unreadable-instance": Reason(
        "an instance of the study could not be read",
        PACS,
        "see `error` in the inventory; bring the file back from a copy, or leave the study out",
    ),
    "instances-disagree": Reason(
        "instances of the study name different patients",
        PACS,
        "find out whose the images are; split or correct the study in the PACS, crawl again",
    ),
    "foreign-issuer": Reason(
        "PatientID is of an issuer that is not ours",
        PACS,
        "leave it: another hospital's number is not overwritten; if it is ours under another "
        "spelling, say so in [[archive.issuer_alias]]",
    ),
    "ambiguous-issuer": Reason(
        "two issuers have this local number, and both are possible here",
        PACS,
        "tell the number spaces apart in [[archive.local_issuer_period]]",
    ),
    "no-crosswalk-entry": Reason(
        "the EPD export has no such local number",
        DESK,
        "look the patient up, and export again; or correct [[crosswalk.spelling]]",
    ),
    "outside-validity": Reason(
        "the EPD's row for this local number does not hold on the study's date",
        DESK,
        "find out whose the number was on that day; correct the row's dates, or the StudyDate",
    ),
    "two-numbers": Reason(
        "the EPD export gives this local number, or one merged with it, two BSNs",
        DESK,
        "find out which BSN is the patient's; correct the row or undo the merge",
    ),
    "birth-date-clash": Reason(
        "header and EPD disagree on the birth date: a possible mix-up of patients",
        f"{DESK} and {PACS}",
        "find out whose the images are; correct the EPD or the PACS. Nobody can accept this here",
    ),
    "sex-clash": Reason(
        "header and EPD disagree on the sex: a possible mix-up of patients",
        f"{DESK} and {PACS}",
        "find out whose the images are; correct the EPD or the PACS",
    ),
    "name-clash": Reason(
        "header and EPD disagree on the family name: a possible mix-up of patients",
        f"{DESK} and {PACS}",
        "find out whose the images are; add a former or partner's name to the EPD, or correct "
        "the PACS",
    ),
    "header-disagrees": Reason(
        "header and EPD name different BSNs: a possible mix-up of patients",
        f"{DESK} and {PRIVACY}",
        "find out whose the images are before anything is sent; correct the EPD or the PACS",
    ),
    "exempt": Reason(
        "the EPD gives a reason why there is no BSN",
        "nobody",
        "nothing: a newborn, a foreigner, an emergency. Export again when there is a number",
    ),
    "no-number": Reason("the EPD has no BSN for this patient", DESK, "ask for it and verify it"),
    "placeholder-number": Reason(
        "the EPD's number stands for none", DESK, "ask for the BSN and verify it"
    ),
    "invalid-number": Reason(
        "the EPD's number fails the elfproef", DESK, "correct the number, from a document"
    ),
    "not-verified": Reason(
        "the EPD's status does not allow writing",
        DESK,
        "verify the BSN; or name the status in [crosswalk] writable_statuses",
    ),
    "test-number": Reason(
        "a number of the test range, and the job does not allow these",
        DESK,
        "take the test patient out of the archive, or the number out of the EPD",
    ),
    "shared-number": Reason(
        "the EPD gives one BSN to two persons, or to two local numbers of one issuer",
        DESK,
        "merge the two registrations, or give each person their own BSN",
    ),
    "unconfirmed-person": Reason(
        "birth date or family name is missing, so the person is not confirmed",
        TWO_PEOPLE,
        "look at the images and the request; accept the study, or a rule, both of you",
    ),
    "name-close": Reason(
        "header and EPD agree on the family name but for one typing error",
        TWO_PEOPLE,
        "compare the two names; accept the study, or a rule, both of you, or correct one of them",
    ),
    "homonym": Reason(
        "another person has this birth date and family name, and initials do not decide",
        DESK,
        "add the missing initials to the EPD; else it is for the PACS to say whose it is",
    ),
}
REASONS = {name: one.means for name, one in ALL.items()}
# Of a study that is conformant already, these still stop everything; the others only warn.
HARD = frozenset(list(REASONS)[: list(REASONS).index("exempt")])
ACCEPTABLE = frozenset(name for name, one in ALL.items() if one.settled_by == TWO_PEOPLE)
RANK = {name: rank for rank, name in enumerate(REASONS)}
