"""Handed over: from a manifest's row and the heads that it is about, to what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from remediation.dicom.header import scan
from remediation.dicom.plain import identity
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.handover import (
    ISSUER,
    PATIENT_ID,
    CannotSayError,
    HandedFile,
    HandedStudy,
    shown,
)

Row = Mapping[str, Any]


def file_of(row: Row, path: str, entry: Entry, old: bytes, new: bytes | None) -> HandedFile:
    """Return one file; `new` is the head to come, None where `old` is the corrected one already."""
    before = identity(scan(old, len(old)))
    after = before if new is None else identity(scan(new, len(new)))
    former = None
    if any(edit["attribute"] == "PatientID" for edit in row["edits"]):
        # At rest, PatientID only changes where it was the BSN; the corrected file shows no more.
        stood = (shown(before, PATIENT_ID), shown(before, ISSUER))
        former = (entry.bsn, "") if new is None else stood
    return HandedFile(
        path,
        row["SOPInstanceUID"] or "",
        row["size"],
        row["rule"],
        before,
        after,
        new is None,
        former,
    )


def study_of(
    row: Row, crosswalk: Crosswalk, entry: Entry, files: Sequence[HandedFile]
) -> HandedStudy:
    """Return a study with its patient's numbers.

    Raises:
        CannotSayError: as `survivor_of` does.
    """
    survivor, known = survivor_of(crosswalk, entry)
    return HandedStudy(
        row["archive"],
        row["StudyInstanceUID"],
        entry.bsn,
        crosswalk.spelled(entry),
        entry.issuer,
        tuple(files),
        survivor,
        known,
    )


def survivor_of(crosswalk: Crosswalk, entry: Entry) -> tuple[str, bool]:
    """Return the local number that took this one's place, at the end of the chain, or nothing.

    Returns:
        The number as headers write it, and whether the export has a row of its own for it.

    Raises:
        CannotSayError: it is of somebody with another BSN (`replaced-by-another-person`), or the
            chain has no end (`replaced-in-a-ring`).
    """
    last, known, seen = entry, False, {entry.local_number}
    while last.replaced_by and last.replaced_by not in seen:
        seen.add(last.replaced_by)
        bare = replace(last, local_number=last.replaced_by, replaced_by="")
        found = crosswalk.by_plain(entry.issuer, bare.local_number)
        if any(one.bsn and one.bsn != entry.bsn for one in found):
            raise CannotSayError("replaced-by-another-person")
        last, known = (found[0], True) if found else (bare, False)
    if last.replaced_by:
        raise CannotSayError("replaced-in-a-ring")
    return ("", False) if last is entry else (crosswalk.spelled(last), known)
