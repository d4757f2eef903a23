"""The EPD export of the demo hospital: rows, and the CSV file as a Dutch Windows system makes it.

Semicolons, CRLF, UTF-8 with a byte order mark, dates as dd-mm-yyyy; numbers of Ziekenhuis Oost
have lost their leading zeros, as they do in a spreadsheet (the job file's spelling rule mends it).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from datetime import date
from pathlib import Path

from remediation.app.demo.story import OOST

COLUMNS = {
    "local_number": "patientnr",
    "issuer": "uitgever",
    "bsn": "bsn",
    "status": "bsn_status",
    "validation": "wid_status",
    "birth_date": "geboortedatum",
    "sex": "geslacht",
    "family_name": "achternaam",
    "birth_name": "geboortenaam",
    "partner_name": "partnernaam",
    "initials": "voorletters",
    "exemption": "uitzondering",
    "replaced_by": "vervangen_door",
    "valid_from": "geldig_van",
    "valid_to": "geldig_tot",
}
VERIFIED, UNVERIFIED = "geverifieerd", "niet geverifieerd"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the export, its fields in the order of `COLUMNS`; text as it is written."""

    local_number: str
    issuer: str
    bsn: str
    status: str
    validation: str
    birth_date: str
    sex: str
    family_name: str
    birth_name: str
    partner_name: str
    initials: str
    exemption: str = ""
    replaced_by: str = ""
    valid_from: str = ""
    valid_to: str = ""


def dutch(day: date) -> str:
    """Return a date as the export writes it.

    >>> dutch(date(1961, 5, 3))
    '03-05-1961'
    """
    return f"{day:%d-%m-%Y}"


def write_export(path: Path, rows: Iterable[Row]) -> None:
    """Write the export, rows in the order of issuer and local number."""
    ordered = sorted(rows, key=lambda row: (row.issuer, row.local_number, row.bsn))
    with path.open("x", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        writer.writerow(COLUMNS.values())
        writer.writerows(astuple(_as_spreadsheet(row)) for row in ordered)


def _as_spreadsheet(row: Row) -> Row:
    if row.issuer != OOST.issuer:
        return row
    return replace(row, local_number=row.local_number.lstrip("0"))
