"""The story of the demo hospital: two institutions, ten years, and what went wrong when.

Dates are half-open. A break is a stretch of months in which every study of one archive is not
conformant in the same way; `event` is what the job file lists for it, or None.

>>> months()[0], months()[-1], len(months())
(datetime.date(2007, 1, 1), datetime.date(2016, 12, 1), 120)
>>> PACS_MIGRATION.covers(date(2012, 2, 29)), PACS_MIGRATION.covers(date(2012, 3, 1))
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from remediation.model.issuers import BSN_OID
from remediation.model.places import OTHER, RETIRED

FIRST, END = date(2007, 1, 1), date(2017, 1, 1)
GUARD_MONTHS = 3  # months beside a break, and at both ends, without any single broken study


@dataclass(frozen=True, slots=True)
class Site:
    """One institution with its archive and its own local numbers of `digits` digits.

    `spellings` are what its headers say in IssuerOfPatientID, one of them drawn per study; an
    empty one leaves the attribute out. `renamed` is an older spelling of the institution.
    """

    archive: str
    institution: str
    issuer: str
    digits: int
    spellings: tuple[str, ...]
    renamed: str = ""


OOST = Site(
    archive="oost",
    institution="Ziekenhuis Oost",
    issuer="ZKH-OOST",
    digits=7,
    spellings=("ZKH-OOST",) * 14 + ("OOST_HIS",) * 2 + ("",) * 3 + ("IMPORT",),
    renamed="Zkh. Oost",
)
WEST = Site(
    archive="west",
    institution="Kliniek West",
    issuer="KL-WEST",
    digits=9,
    spellings=("KL-WEST",) * 12 + ("",) * 8,
)
SITES = (OOST, WEST)
RENAMED_UNTIL = date(2009, 1, 1)
MERGED_FROM = date(2015, 1, 1)


@dataclass(frozen=True, slots=True)
class Break:
    """A stretch [start, end) of one archive in which every study has the header case `header`.

    `causes` are the signals that change with it: signal, value before, value inside.
    """

    site: Site
    start: date
    end: date
    header: str
    status: str
    event: str | None
    causes: tuple[tuple[str, str, str], ...]

    def covers(self, day: date) -> bool:
        """Tell whether a day lies in the break."""
        return self.start <= day < self.end


PACS_MIGRATION = Break(
    OOST,
    date(2011, 7, 1),
    date(2012, 3, 1),
    "retired",
    "misplaced",
    "PACS-migratie",
    (
        ("ImplementationVersionName", "OLDPACS_3", "NEWPACS_1"),
        ("bsn_issuer", BSN_OID, ""),
        ("place", OTHER, RETIRED),
    ),
)
EPD_UPGRADE = Break(
    WEST,
    date(2013, 10, 1),
    date(2014, 3, 1),
    "other-spelling",
    "wrong-issuer",
    None,
    (("bsn_issuer", BSN_OID, "NLMINBIZA"),),
)
MERGER = Break(
    WEST,
    MERGED_FROM,
    date(2015, 6, 1),
    "bare",
    "absent",
    "Fusie Oost en West",
    (("place", OTHER, ""),),
)
BREAKS = (PACS_MIGRATION, EPD_UPGRADE, MERGER)


def months() -> list[date]:
    """Return the first days of the months of the story, in order."""
    return [date(year, month, 1) for year in range(FIRST.year, END.year) for month in range(1, 13)]


def break_of(site: Site, day: date) -> Break | None:
    """Return the break that a day of an archive lies in."""
    return next((b for b in BREAKS if b.site is site and b.covers(day)), None)


def quiet(site: Site, month: date) -> bool:
    """Tell whether a month is far enough from every edge to hold a single broken study.

    >>> quiet(OOST, date(2011, 4, 1)), quiet(OOST, date(2011, 3, 1)), quiet(OOST, date(2012, 5, 1))
    (False, True, False)
    """
    number = _number(month)
    edges = [(_number(FIRST), _number(FIRST)), (_number(END), _number(END))]
    edges += [(_number(b.start), _number(b.end)) for b in BREAKS if b.site is site]
    return all(number < a - GUARD_MONTHS or number >= b + GUARD_MONTHS for a, b in edges)


def _number(day: date) -> int:
    return day.year * 12 + day.month


def software(site: Site, day: date) -> str:
    """Return the ImplementationVersionName of what was stored on a day."""
    if site is OOST:
        return "OLDPACS_3" if day < PACS_MIGRATION.start else "NEWPACS_1"
    return "KWPACS_2"


def stored_ns(day: date) -> int:
    """Return the modification time of a file of that StudyDate: two days later, noon UTC."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return int((noon + timedelta(days=2)).timestamp()) * 1_000_000_000
