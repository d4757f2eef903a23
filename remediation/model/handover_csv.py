"""Handing over as CSV: a row for each study, and behind it one for each of its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediation.model.cells import BYTE_ORDER_MARK, line
from remediation.model.handover import (
    ISSUER,
    PATIENT_ID,
    RETIRED,
    About,
    HandedFile,
    HandedStudy,
    others,
    shown,
)

COLUMNS = (
    "level",  # study | instance
    "archive",
    "StudyInstanceUID",
    "SOPInstanceUID",
    "local_number",
    "local_issuer",
    "bsn",
    "bsn_issuer",
    "target",
    "PatientID_now",
    "IssuerOfPatientID_now",
    "OtherPatientIDs_now",
    "OtherPatientIDsSequence_now",
    "corrected",
    "rule",
    "instances",
)
BETWEEN = " | "  # values of one cell


class CsvTable:
    """The table, `;`-separated, UTF-8 with a byte order mark."""

    by_patient = False

    def __init__(self, about: About) -> None:
        self.about = about

    def begin(self) -> str:
        """Return the column names."""
        return BYTE_ORDER_MARK + line(COLUMNS)

    def some(self, studies: Sequence[HandedStudy]) -> str:
        """Return the rows of these studies."""
        return "".join(line(row) for study in studies for row in self._rows(study))

    def end(self) -> str:
        """Return nothing: a table just ends."""
        return ""

    def _rows(self, study: HandedStudy) -> Iterable[list[object]]:
        about = self.about
        names = (study.local_number, study.local_issuer, study.bsn, about.issuer, about.target)
        files = study.files
        yield [
            *("study", study.archive, study.study, "", *names),
            *(_joined(column) for column in zip(*map(_now, files), strict=True)),
            _joined("yes" if one.corrected else "no" for one in files),
            _joined(one.rule for one in files),
            len(files),
        ]
        for one in files:
            corrected = "yes" if one.corrected else "no"
            yield [
                *("instance", study.archive, study.study, one.sop_instance, *names),
                *(*_now(one), corrected, one.rule, 1),
            ]


def _now(file: HandedFile) -> tuple[str, ...]:
    """Return what stands in a file: PatientID, its issuer, other numbers, items with issuers.

    >>> _now(HandedFile("a", "1.2", 1, "", {}, {}))
    ('', '', '', '')
    """
    nodes = file.before
    items = (f"{number} ({issuer})" if issuer else number for number, issuer in others(nodes))
    return (
        *(shown(nodes, tag) for tag in (PATIENT_ID, ISSUER, RETIRED)),
        BETWEEN.join(items),
    )


def _joined(values: Iterable[str]) -> str:
    """Return different values in one cell, in the order in which they come first.

    >>> _joined(["a", "b", "a"]), _joined(["", "b"])
    ('a | b', '(empty) | b')
    """
    found = list(dict.fromkeys(values))
    return found[0] if len(found) == 1 else BETWEEN.join(one or "(empty)" for one in found)
