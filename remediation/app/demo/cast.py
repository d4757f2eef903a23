"""The cast of the demo hospital: which person, spelling and template each study gets.

Ordinary studies are of regular patients, who come back over the years; a special study has a
patient of its own, so that its defect touches nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from remediation.app.demo.people import Person, Registry
from remediation.app.demo.scenarios import Subject
from remediation.app.demo.schedule import Slot
from remediation.app.demo.story import MERGED_FROM, OOST, RENAMED_UNTIL, WEST, break_of, software
from remediation.app.demo.templates import Template

_PEOPLE_PER_STUDY, _MOST_PEOPLE = 0.24, 6000
_RETURNING = 6  # one in so many patients of Oost has a local number at West as well
_INSTANCES = (1, 1, 1, 2, 2, 2, 2, 3, 3)
_OLD_NAME = 0.3  # share of early studies with the institution's older spelling


@dataclass(frozen=True, slots=True)
class Role:
    """One study, cast: `stranger` is the last instance's patient where that is another one.

    `issuer` is how the headers spell it; `spare` a second number, or empty.
    """

    slot: Slot
    person: Person
    stranger: Person | None
    issuer: str
    spare: str
    institution: str
    software: str
    template: Template
    instances: int

    def patient(self, instance: int) -> Person:
        """Return whose the instance (from 0) is."""
        last = instance == self.instances - 1
        return self.stranger if self.stranger and last else self.person

    def subject(self, instance: int) -> Subject:
        """Return the numbers for the identity of the instance (from 0)."""
        person, site = self.patient(instance), self.slot.site
        local = person.local[site.archive]
        return Subject(person.written, local, self.issuer, site.issuer, self.spare)


def cast(
    slots: Sequence[Slot], templates: Sequence[tuple[Template, int]], seed: int
) -> tuple[list[Role], list[Person]]:
    """Return the studies with everything that is drawn for them, and all people."""
    registry, random = Registry(seed), Random(f"{seed}:cast")
    regulars = _regulars(registry, len(slots))
    oost = [person for person in regulars if OOST.archive in person.local]
    west = [person for person in regulars if WEST.archive in person.local]
    own_west = [person for person in west if OOST.archive not in person.local]
    roles, special = [], []
    for slot in slots:
        known = oost if slot.site is OOST else west if slot.day >= MERGED_FROM else own_west
        person = random.choice(known)
        if slot.special:
            person = _newcomer(registry, slot)
            special.append(person)
        stranger = random.choice(known) if slot.scenario.header.people > 1 else None
        spare = registry.number() if slot.scenario.header.status == "conflict" else ""
        role = Role(
            slot=slot,
            person=person,
            stranger=stranger,
            spare=spare,
            issuer=random.choice(slot.site.spellings),
            institution=_institution(slot, random),
            software=slot.scenario.header.software or software(slot.site, slot.day),
            template=_template(slot, templates, random),
            instances=_instances(slot, random),
        )
        roles.append(role)
    return roles, [*regulars, *special]


def _regulars(registry: Registry, studies: int) -> list[Person]:
    count = min(_MOST_PEOPLE, round(studies * _PEOPLE_PER_STUDY)) // 2
    people = []
    for number in range(count):
        person = registry.person(OOST, plain=False)
        if number % _RETURNING == 0:
            local = registry.local(WEST)
            row = replace(person.rows[0], issuer=WEST.issuer, local_number=local)
            both = person.local | {WEST.archive: local}
            person = replace(person, local=both, rows=(*person.rows, row))
        people += [person, registry.person(WEST, plain=False)]
    return people


def _newcomer(registry: Registry, slot: Slot) -> Person:
    """Return a patient for a special study; outside the breaks no local number may pass."""
    passing = None if break_of(slot.site, slot.day) else False
    person = registry.person(slot.site, passing=passing)
    return slot.scenario.epd.plant(registry, slot.site, person, slot.day)


def _institution(slot: Slot, random: Random) -> str:
    old = slot.site.renamed and slot.day < RENAMED_UNTIL and random.random() < _OLD_NAME
    return slot.site.renamed if old else slot.site.institution


def _template(slot: Slot, templates: Sequence[tuple[Template, int]], random: Random) -> Template:
    """Draw a template; one with other numbers of its own would make a swapped number doubtful."""
    swapped = slot.scenario.header.name.startswith("exchange")
    fit = [(t, weight) for t, weight in templates if not (swapped and t.others)]
    return random.choices([t for t, _ in fit], [weight for _, weight in fit])[0]


def _instances(slot: Slot, random: Random) -> int:
    header = slot.scenario.header
    return max(header.least, min(header.most, random.choice(_INSTANCES)))
