r"""Handing over as HL7 v2.5 messages, for a PACS that corrects by database: one for each patient.

ADT^A08 tells that a patient has a BSN as well; A47 that the identifier which stood as PatientID is
none any more; A40 that the EPD replaced the local number by another. Identifiers only: no name, no
birth date, no sex. An empty field says nothing in HL7, it takes nothing away; so PID-5 is empty.
Source: HL7 v2.5 sections 2.7 (escapes), 2.10.3 (batches), 3.3.8, 3.3.40, 3.3.47, 2.A.14 (CX).

>>> escaped("A^B|C\r")
'A\\S\\B\\F\\C\\X0D\\'
>>> cx("70123", "ZKH-OOST", "PI"), cx("70123", "1.2.3", "PI"), cx("70123", "", "")
('70123^^^ZKH-OOST^PI', '70123^^^&1.2.3&ISO^PI', '70123')
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediation.model.handover import About, CannotSayError, HandedStudy
from remediation.model.issuers import ASSERTING, IDENTIFIER_TYPE, kind

AUTHORITY = "NLMINBIZA"  # HL7 table 0363, as used in the Netherlands
STRUCTURES = {"A08": "ADT_A01", "A40": "ADT_A39", "A47": "ADT_A30"}
END = "\r"

_ENCODING = "^~\\&"
_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"}
_OID = re.compile(r"[0-2](?:\.\d+)+", re.ASCII)


def escaped(text: str) -> str:
    """Return text in which no character is taken for a delimiter or the end of a segment."""
    return "".join(
        _ESCAPES.get(one) or (f"\\X{ord(one):02X}\\" if ord(one) < ord(" ") else one)
        for one in text
    )


def cx(number: str, issuer: str, sort: str) -> str:
    """Return an identifier (CX): its number, the authority that assigned it, the kind."""
    text = escaped(issuer)
    authority = f"&{text}&ISO" if _OID.fullmatch(issuer) else text
    return "^".join((escaped(number), "", "", authority, sort)).rstrip("^")


class AdtBatch:
    """A batch of messages; segments end with a carriage return."""

    by_patient = True

    def __init__(self, about: About) -> None:
        self.about, self.count = about, 0
        self.time = f"{about.at:%Y%m%d%H%M%S}+0000"

    def begin(self) -> str:
        """Return the batch's header."""
        about = self.about
        comment = f"manifest {about.digest}"
        return _segment(
            "BHS",
            _ENCODING,
            *("REMEDIATION", escaped(about.job), "PACS", "", self.time, "", "ADT"),
            *(comment, about.manifest_id),
        )

    def some(self, studies: Sequence[HandedStudy]) -> str:
        """Return the message of one patient.

        Raises:
            CannotSayError: the studies are not of one patient (`two-numbers`).
        """
        first = studies[0]
        if len({(one.bsn, one.local_issuer, one.local_number) for one in studies}) > 1:
            raise CannotSayError("two-numbers")
        event, local = _event(studies)
        self.count += 1
        numbers = (cx(local, first.local_issuer, "PI"), cx(first.bsn, AUTHORITY, IDENTIFIER_TYPE))
        segments = [
            _segment(
                "MSH",
                _ENCODING,
                *("REMEDIATION", escaped(self.about.job), "PACS", "", self.time, ""),
                f"ADT^{event}^{STRUCTURES[event]}",
                f"{self.about.at:%y%m%d%H%M%S}-{self.count:07d}",
                *("T" if self.about.test else "P", "2.5", *[""] * 4, "NLD", "UNICODE UTF-8"),
            ),
            _segment("EVN", event, self.time),
            _segment("PID", "1", "", "~".join(numbers), "", ""),
        ]
        former = _former(studies)
        if event == "A08":
            segments.append(_segment("PV1", "1", "N"))
        else:
            segments.append(_segment("MRG", "~".join(former)))
        return "".join(segments)

    def end(self) -> str:
        """Return the batch's trailer, with the number of messages."""
        return _segment("BTS", str(self.count))


def _segment(*fields: str) -> str:
    return "|".join(fields).rstrip("|") + END


def _event(studies: Sequence[HandedStudy]) -> tuple[str, str]:
    """Return the event, and the local number that holds after it."""
    first = studies[0]
    if first.survivor:
        return ("A40" if first.survivor_known else "A47"), first.survivor
    return ("A47" if _former(studies) else "A08"), first.local_number


def _former(studies: Sequence[HandedStudy]) -> list[str]:
    """Return the identifiers that no longer hold, each once."""
    first = studies[0]
    found = [cx(first.local_number, first.local_issuer, "PI")] if first.survivor else []
    for study in studies:
        for one in study.files:
            if one.former:
                number, issuer = one.former
                says_bsn = kind(issuer) in ASSERTING
                found.append(
                    cx(number, AUTHORITY, IDENTIFIER_TYPE) if says_bsn else cx(number, issuer, "")
                )
    return list(dict.fromkeys(found))
