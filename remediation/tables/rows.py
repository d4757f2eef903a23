"""Rows: one head in, its row of instances and its rows of findings out; numbers become tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from remediation.dicom.elements import Head
from remediation.dicom.locate import (
    BsnRules,
    Finding,
    Identifier,
    Person,
    decoded,
    findings,
    identifiers,
    in_text,
    person,
    shape,
)
from remediation.model import bsn
from remediation.model import person as people
from remediation.model.files import FileRef, Layout, stored
from remediation.model.places import PATH, PRIMARY, stable
from remediation.model.secrets import Keys
from remediation.model.tokens import bound_tokens, bsn_token, patient_token

Row = dict[str, Any]
UNKNOWN_MONTH = "unknown"

_TEXTS = {
    "Modality": 0x00080060,
    "Manufacturer": 0x00080070,
    "ManufacturerModelName": 0x00081090,
    "InstitutionName": 0x00080080,
    "StationName": 0x00081010,
    "SpecificCharacterSet": 0x00080005,
    "IssuerOfPatientID": 0x00100021,
    "PatientSex": 0x00100040,
}
_UIDS = {
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
}
_META = {
    "ImplementationClassUID": 0x00020012,
    "ImplementationVersionName": 0x00020013,
    "SourceApplicationEntityTitle": 0x00020016,
}
_DATES = {
    "StudyDate": 0x00080020,
    "SeriesDate": 0x00080021,
    "AcquisitionDate": 0x00080022,
    "ContentDate": 0x00080023,
}
_OTHER_DATES = {"SeriesDate": _DATES["SeriesDate"], "InstanceCreationDate": 0x00080012}
_DATE = re.compile(r"(\d{4})[.:-]?(\d{2})[.:-]?(\d{2})", re.ASCII)
_SHAPE = ((re.compile(r"[0-9]"), "9"), (re.compile(r"[^\W\d_]"), "A"))


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Turns what was read into rows, for one archive and one run."""

    keys: Keys
    archive: str
    layout: Layout
    rules: BsnRules
    seal_paths: bool
    run_id: str
    crawled_at: datetime

    def rows(
        self,
        ref: FileRef,
        state: str,
        error: str,
        head: Head | None,
        head_bytes: bytes,
        *,
        inside: str = "",
    ) -> tuple[Row, list[Row]]:
        """Return the row of instances and the rows of findings of one file.

        `inside` is the path of the container that holds it, empty for none.
        """
        path = stored(ref.path, self.keys, seal=self.seal_paths)
        day, source = self.study_date(ref, head)
        row: Row = {
            "archive": self.archive,
            "path": path,
            "container": stored(inside, self.keys, seal=self.seal_paths) if inside else None,
            "size": ref.size,
            "mtime_ns": ref.mtime_ns,
            "state": state,
            "error": error,
            "StudyDate": day,
            "study_date_source": source,
            "study_month": f"{day:%Y-%m}" if day else UNKNOWN_MONTH,
            "run_id": self.run_id,
            "crawled_at": self.crawled_at,
            "StudyInstanceUID": None,
        }
        found: list[Finding] = []
        if head is not None:
            known = identifiers(head, self.rules)
            row |= self._facts(head, known)
            found = findings(head, known, self.rules)
            if head_bytes:
                row |= {
                    "head_length": len(head_bytes),
                    "head_digest": self.keys.digest(head_bytes),
                }
        if state in {"read", "unreadable"} and not row["StudyInstanceUID"]:
            row["StudyInstanceUID"] = "unreadable-" + self.keys.token("path", ref.path)[:16]
        for part in ref.path.split("/"):
            found += in_text(PATH, "", part, self.rules)
        return row, [self._finding(row, one) for one in found]

    def study_date(self, ref: FileRef, head: Head | None) -> tuple[date | None, str]:
        """Return the day of a study and the attribute that gave it, the path being the last."""
        for keyword in _DATES if head else ():
            assert head is not None
            day = self.date_of(head, keyword)
            if day:
                return day, keyword
        span = self.layout.span(ref.path.split("/")[:-1])
        return (span[0], PATH) if span and span[0] == span[1] else (None, "")

    @staticmethod
    def date_of(head: Head, keyword: str) -> date | None:
        """Return the day that one of the date attributes of a study says; None for none."""
        return parse_date(head.text_of(_DATES[keyword]))

    def _facts(self, head: Head, known: list[Identifier]) -> Row:
        row: Row = {"TransferSyntaxUID": head.syntax}
        row |= {name: head.text_of(tag) for name, tag in _UIDS.items()}
        row |= {name: parse_date(head.text_of(tag)) for name, tag in _OTHER_DATES.items()}
        row |= {
            name: self._clean(decoded(head, head.bytes_of(tag)).strip(" \0"))
            for name, tag in _TEXTS.items()
        }
        meta = {element.tag: element for element in head.meta}
        for name, tag in _META.items():
            element = meta.get(tag)
            # Group 0002 of a deflated file lies outside the inflated bytes.
            usable = element is not None and not head.deflated
            row[name] = self._clean(head.text(element)) if usable else None
        if row["StudyInstanceUID"] == "":
            row["StudyInstanceUID"] = None
        who = person(head)
        primary = next((one for one in known if one.place == PRIMARY), None)
        row |= {
            "issuer_kind": primary.issuer_kind if primary else "none",
            "patient_token": patient_token(self.keys, who.patient_id) if primary else None,
            "patient_id_shape": id_shape(who.patient_id),
            "other_ids": [
                {
                    "issuer": self._clean(one.issuer),
                    "issuer_kind": one.issuer_kind,
                    "token": patient_token(self.keys, one.text),
                }
                for one in known
                if one.place_kind == "other"
            ],
            "identifiers": [
                {
                    "place": stable(one.place),
                    "private_creator": one.creator,
                    "issuer_kind": one.issuer_kind,
                    "shape": shape(one, self.rules),
                }
                for one in known
                if one.place_kind != "historic"
            ],
        }
        return row | person_tokens(self.keys, who)

    def _clean(self, text: str) -> str:
        """Return free text, sealed where a number in it passes the elfproef."""
        if not bsn.may_hold(text):
            return text
        whole = bsn.normalise(text)
        numbers = [whole] if whole else bsn.runs(text)
        return self.keys.seal(text) if any(bsn.passes(number) for number in numbers) else text

    def _finding(self, row: Row, one: Finding) -> Row:
        return {
            "archive": self.archive,
            "study_month": row["study_month"],
            "path": row["path"],
            "StudyInstanceUID": row["StudyInstanceUID"],
            "place": one.place,
            "private_creator": self._clean(one.creator),
            "place_kind": one.place_kind,
            "issuer": self._clean(one.issuer),
            "issuer_kind": one.issuer_kind,
            "form": one.form,
            "evidence": one.evidence,
            "bsn_token": bsn_token(self.keys, one.number) if one.number else None,
        }


def person_tokens(keys: Keys, who: Person) -> Row:
    """Return the tokens of birth date, family names and initials, bound to the PatientID."""
    family, _, given = who.name.partition("^")
    given = " ".join(given.split("^")[:2])
    return bound_tokens(
        keys,
        who.patient_id,
        people.birth_date(who.birth_date),
        people.family_names(family),
        people.initials(given),
    ).row()


def parse_date(text: str) -> date | None:
    """Return a DICOM date (DA, or DT's first eight digits); None for an impossible one.

    >>> parse_date("20110704"), parse_date("2011.07.04"), parse_date("20110231")
    (datetime.date(2011, 7, 4), datetime.date(2011, 7, 4), None)
    """
    match = _DATE.match(text)
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
    return day if day and 1900 <= day.year <= 2100 else None  # noqa: PLR2004 - before X-rays, after us


def id_shape(text: str) -> str:
    """Return the shape of a local number: digits as 9, letters as A, the rest as it stands.

    >>> id_shape("A0012345"), id_shape("12-345")
    ('A9999999', '99-999')
    """
    for pattern, sign in _SHAPE:
        text = pattern.sub(sign, text)
    return text
