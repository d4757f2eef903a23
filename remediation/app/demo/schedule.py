"""The schedule of the demo hospital: which scenario is planted in which study, on which day.

Studies spread evenly over the months. A month outside a break holds at most one study that is not
conformant, and none near an edge, so that the edges of the breaks are sharp. The single ones are
of a fixed number: coverage in good months rises with the size of the demo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from remediation.app.demo import story
from remediation.app.demo.scenarios import Scenario, scenario
from remediation.app.demo.story import OOST, PACS_MIGRATION, SITES, Site
from remediation.errors import UsageError

LEAST_STUDIES = 1200  # five a month and archive: fewer would leave OtherPatientIDs uncalibrated
MITRA_STUDIES = 75  # conformant ones that carry the number in the private element as well
MITRA_FROM = date(2012, 6, 1)

# Studies that are not conformant, one in a quiet month each: header case, EPD case, how many.
_SINGLE_BOTH = (
    ("unreadable", "verified", 2), ("conflict", "verified", 1), ("conflict-spellings", "verified", 1),
    ("other-spelling", "verified", 1), ("hd-issuer", "verified", 1), ("dotted", "verified", 1),
    ("exchange", "verified", 1), ("exchange-other-spelling", "verified", 1),
    ("exchange-alone", "verified", 1), ("invalid", "verified", 1), ("placeholder", "verified", 1),
    ("candidate-item", "verified", 1), ("candidate-primary", "verified", 1), ("foreign", "verified", 1),
    ("historic", "verified", 1), ("mixed", "verified", 1), ("mixed-two-people", "verified", 1),
    ("mixed-unreadable", "verified", 1), ("bare", "verified", 1), ("comment", "verified", 1),
)  # fmt: skip
_SINGLE = {
    "oost": (
        *_SINGLE_BOTH, ("mitra-only", "verified", 3), ("accession", "verified", 1),
        ("unknown-private", "verified", 1), ("unknown-private-un", "verified", 1),
        ("bare", "invalid", 1), ("bare", "placeholder", 1), ("bare", "newborn", 1),
        ("bare", "no-number", 1), ("dotted", "not-verified", 1), ("mixed", "no-row", 1),
    ),
    "west": (
        *_SINGLE_BOTH, ("retired-cx", "verified", 1), ("candidate-retired", "verified", 2),
        ("named-file", "verified", 1), ("nested-text", "verified", 1), ("two-issuers", "two-issuers", 1),
        ("bare", "foreigner", 1), ("bare", "shared", 1), ("mixed", "not-verified", 1),
    ),
}  # fmt: skip
# Conformant studies of special patients, anywhere outside the breaks, in both archives.
_CONFORMANT = (
    ("conformant", "not-verified", 3), ("conformant", "no-row", 2), ("conformant", "two-numbers", 1),
    ("conformant", "other-birth-date", 2), ("conformant", "newborn-under-mother", 1),
    ("conformant", "other-sex", 1), ("conformant", "other-name", 1), ("conformant", "other-number", 2),
    ("conformant", "shared", 1), ("conformant", "replaced", 1), ("conformant", "no-birth-date", 1),
    ("conformant", "no-name", 1), ("conformant", "namesake-told-apart", 1),
    ("conformant", "namesake-no-initials", 1), ("conformant-two-people", "verified", 1),
    ("conformant-comment", "verified", 2),
)  # fmt: skip
# Patients inside the breaks, by the break's header case; the rest of its studies are resolvable.
_IN_BREAK = {
    "retired": (
        ("no-row", 2), ("two-numbers", 1), ("other-birth-date", 1), ("newborn-under-mother", 1),
        ("other-sex", 1), ("other-name", 1), ("other-number", 2), ("not-verified", 3), ("shared", 1),
        ("replaced", 1), ("no-birth-date", 1), ("birth-date-1900", 1), ("no-name", 1),
        ("epd-day-00", 1), ("namesake-told-apart", 1), ("namesake-no-initials", 1),
        ("namesake-same-initials", 1), ("newborn-with-number", 1),
    ),
    "other-spelling": (
        ("no-row", 1), ("two-numbers", 1), ("other-birth-date", 1), ("other-number", 1),
        ("not-verified", 2), ("other-name", 1), ("namesake-epd-without", 1), ("replaced", 1),
    ),
    "bare": (
        ("no-row", 1), ("no-number", 1), ("invalid", 1), ("placeholder", 1), ("newborn", 1),
        ("foreigner", 1), ("newborn-with-number", 1), ("not-verified", 1), ("two-numbers", 1),
        ("other-birth-date", 1), ("other-sex", 1), ("shared", 1),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One study to come: its archive, its serial number there (from 1) and its day.

    `special` asks for a patient of its own.
    """

    site: Site
    serial: int
    day: date
    scenario: Scenario
    special: bool


def schedule(studies: int, seed: int) -> list[Slot]:
    """Return the studies of both archives, each archive in the order of days.

    Raises:
        UsageError: there are too few studies for everything that is planted.
    """
    if studies < LEAST_STUDIES:
        raise UsageError(
            f"{studies} studies are too few for the demo", "--studies", f"at least {LEAST_STUDIES}"
        )
    counts = _counts(studies)
    slots: list[Slot] = []
    for site in SITES:
        random = Random(f"{seed}:schedule:{site.archive}")
        days = [
            day for month in story.months() for day in _days(month, counts[site, month], random)
        ]
        special = _special(site, days, random)
        plain = scenario("conformant")
        for serial, day in enumerate(days, 1):
            broken = story.break_of(site, day)
            usual = scenario(broken.header) if broken else plain
            chosen = special.get(serial - 1, usual)
            slots.append(Slot(site, serial, day, chosen, serial - 1 in special))
    return slots


def _counts(studies: int) -> dict[tuple[Site, date], int]:
    """Spread the studies over archives and months; the PACS migration gets one a month more."""
    cells = [(site, month) for month in story.months() for site in SITES]
    extra = [cell for cell in cells if cell[0] is OOST and PACS_MIGRATION.covers(cell[1])]
    rest = studies - len(extra)
    counts = {
        cell: rest * (index + 1) // len(cells) - rest * index // len(cells)
        for index, cell in enumerate(cells)
    }
    for cell in extra:
        counts[cell] += 1
    return counts


def _days(month: date, count: int, random: Random) -> Iterator[date]:
    length = ((month + timedelta(days=31)).replace(day=1) - month).days
    for offset in sorted(random.randrange(length) for _ in range(count)):
        yield month + timedelta(days=offset)


def _special(site: Site, days: list[date], random: Random) -> dict[int, Scenario]:
    """Return the scenario of every special study, by its index in `days`."""
    chosen: dict[int, Scenario] = {}
    for broken in (b for b in story.BREAKS if b.site is site):
        inside = [index for index, day in enumerate(days) if broken.covers(day)]
        cases = [
            scenario(broken.header, epd)
            for epd, count in _IN_BREAK[broken.header]
            for _ in range(count)
        ]
        chosen.update(zip(random.sample(inside, len(cases)), cases, strict=True))
    chosen.update(_singles(site, days, random))
    healthy = [
        index
        for index, day in enumerate(days)
        if index not in chosen and not story.break_of(site, day)
    ]
    random.shuffle(healthy)
    if site is OOST:
        late = [index for index in healthy if days[index] >= MITRA_FROM][:MITRA_STUDIES]
        chosen.update(dict.fromkeys(late, scenario("conformant-mitra")))
        healthy = [index for index in healthy if index not in chosen]
    return chosen | dict(zip(healthy, _expand(_CONFORMANT), strict=False))


def _singles(site: Site, days: list[date], random: Random) -> dict[int, Scenario]:
    """Spread the single broken studies over quiet months, at most one a month."""
    by_month: dict[date, list[int]] = defaultdict(list)
    for index, day in enumerate(days):
        if story.quiet(site, day.replace(day=1)):
            by_month[day.replace(day=1)].append(index)
    cases = _expand(_SINGLE[site.archive])
    random.shuffle(cases)
    months = list(by_month)
    picked = [months[number * len(months) // len(cases)] for number in range(len(cases))]
    # Private elements are calibrated by their neighbours: those studies go to the late months.
    cases.sort(key=lambda case: case.header.name == "mitra-only")
    return {random.choice(by_month[month]): case for month, case in zip(picked, cases, strict=True)}


def _expand(table: Iterable[tuple[str, str, int]]) -> list[Scenario]:
    return [scenario(header, epd) for header, epd, count in table for _ in range(count)]
