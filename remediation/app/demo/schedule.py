"""The schedule of the demo hospital: which scenario is planted in which study, on which day.

Studies spread evenly over the months. A month outside a break holds at most one study that is not
conformant, and none near an edge, so that the edges of the breaks are sharp. The single ones are
of a fixed number: coverage in good months rises with the size of the demo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
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

# Each word is one study: the header case, and after a slash how the export treats its patient.
# Studies that are not conformant, one in a quiet month each.
_SINGLE_BOTH = """
unreadable unreadable conflict conflict-spellings other-spelling hd-issuer dotted exchange
exchange-other-spelling exchange-alone invalid placeholder candidate-item candidate-primary/no-row
foreign historic mixed mixed-two-people mixed-unreadable bare comment
"""
_SINGLE = {
    "oost": """
    mitra-only mitra-only mitra-only accession unknown-private unknown-private-un bare/invalid
    bare/placeholder bare/newborn bare/no-number dotted/not-verified mixed/no-row
    """,
    "west": """
    retired-cx candidate-retired candidate-retired named-file nested-text two-issuers/two-issuers
    bare/foreigner bare/shared mixed/not-verified
    """,
}
# Conformant studies of special patients, anywhere outside the breaks, in both archives.
_CONFORMANT = """
conformant/not-verified conformant/not-verified conformant/not-verified conformant/no-row
conformant/no-row conformant/two-numbers conformant/other-birth-date conformant/other-birth-date
conformant/newborn-under-mother conformant/other-sex conformant/other-name conformant/other-number
conformant/other-number conformant/shared conformant/replaced conformant/no-birth-date
conformant/no-name conformant/namesake-told-apart conformant/namesake-no-initials
conformant/typing-error conformant/ended
conformant-two-people conformant-comment conformant-comment
"""
# Patients inside the breaks, by the break's header case; the rest of its studies are resolvable.
_IN_BREAK = {
    "retired": """
    no-row no-row two-numbers other-birth-date newborn-under-mother other-sex other-name
    other-number other-number not-verified not-verified not-verified shared replaced no-birth-date
    birth-date-1900 no-name epd-day-00 namesake-told-apart namesake-no-initials
    namesake-same-initials newborn-with-number typing-error typing-error ended given-out-again
    """,
    "other-spelling": """
    no-row two-numbers other-birth-date other-number not-verified not-verified other-name
    namesake-epd-without replaced typing-error
    """,
    "bare": """
    no-row no-number invalid placeholder newborn foreigner newborn-with-number not-verified
    two-numbers other-birth-date other-sex shared
    """,
}


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
        cases = [scenario(f"{broken.header}/{epd}") for epd in _IN_BREAK[broken.header].split()]
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
    return chosen | dict(zip(healthy, map(scenario, _CONFORMANT.split()), strict=False))


def _singles(site: Site, days: list[date], random: Random) -> dict[int, Scenario]:
    """Spread the single broken studies over quiet months, at most one a month."""
    by_month: dict[date, list[int]] = defaultdict(list)
    for index, day in enumerate(days):
        if story.quiet(site, day.replace(day=1)):
            by_month[day.replace(day=1)].append(index)
    cases = [scenario(name) for name in (_SINGLE_BOTH + _SINGLE[site.archive]).split()]
    random.shuffle(cases)
    months = list(by_month)
    picked = [months[number * len(months) // len(cases)] for number in range(len(cases))]
    # Private elements are calibrated by their neighbours: those studies go to the late months.
    cases.sort(key=lambda case: case.header.name == "mitra-only")
    return {random.choice(by_month[month]): case for month, case in zip(picked, cases, strict=True)}
