"""What the EPD export can say of a patient: one case, one defect, and what must follow from it.

A case is planted on a fresh patient, so that it touches no other study. `reason` is the refusal
that a study which is not conformant gets; `strict` cases refuse a conformant study as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from remediation.app.demo.epd import UNVERIFIED, dutch
from remediation.app.demo.people import Person, Registry
from remediation.app.demo.story import OOST, WEST, Site

Plant = Callable[[Registry, Site, Person, date], Person]


@dataclass(frozen=True, slots=True)
class EpdCase:
    """A way in which the export treats a patient; no reason: the study can be resolved."""

    name: str
    plant: Plant
    reason: str = ""
    strict: bool = False


def failing(number: str) -> str:
    """Return a number that differs in its last digit, and so fails the elfproef.

    >>> failing("999900006"), failing("999900079")
    ('999900007', '999900070')
    """
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def _own(person: Person, **changes: str) -> Person:
    """Change the patient's own row."""
    return replace(person, rows=(replace(person.rows[0], **changes), *person.rows[1:]))


def _beside(person: Person, **changes: str) -> Person:
    """Add a row that is the patient's own with changes."""
    return replace(person, rows=(*person.rows, replace(person.rows[0], **changes)))


def _verified(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return person


def _changed(**changes: str) -> Plant:
    def plant(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
        return _own(person, **changes)

    return plant


def _header(**changes: str) -> Plant:
    def plant(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
        return replace(
            person,
            name=changes.get("name", person.name),
            birth=changes.get("birth", person.birth),
        )

    return plant


def _no_row(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return replace(person, rows=())


def _two_numbers(registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return _beside(person, bsn=registry.number())


def _other_birth(registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return _own(person, birth_date=dutch(registry.birth()))


def _newborn_under_mother(_registry: Registry, _site: Site, person: Person, day: date) -> Person:
    family = person.name.partition("^")[0]
    return replace(person, name=f"{family}^Baby", birth=f"{day:%Y%m%d}")


def _newborn(**changes: str) -> Plant:
    def plant(_registry: Registry, _site: Site, person: Person, day: date) -> Person:
        born = replace(person, birth=f"{day:%Y%m%d}")
        return _own(born, birth_date=dutch(day), exemption="pasgeborene", **changes)

    return plant


def _other_sex(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    person = replace(person, sex="F" if person.rows[0].sex == "V" else "M")
    return _own(person, sex="M" if person.sex == "F" else "V")


def _other_name(registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    names = registry.names("plain")
    while names.own in person.names.core:
        names = registry.names("plain")
    changed = _own(person, family_name=names.own, birth_name=names.own, partner_name="")
    return replace(changed, names=replace(person.names, core=person.names.core + names.core))


def _typing_error(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    """Let two letters of the name change places in the EPD."""
    core, given = person.names.core[0], person.name.partition("^")[2]
    at = next(n for n in range(2, len(core)) if core[n] != core[n - 1])
    typed = core[: at - 1] + core[at] + core[at - 1] + core[at + 1 :]
    person = replace(person, name=f"{core}^{given}")
    changed = _own(person, family_name=typed, birth_name=typed, partner_name="")
    return replace(changed, names=replace(person.names, core=(*person.names.core, typed)))


def _ended(_registry: Registry, _site: Site, person: Person, day: date) -> Person:
    return _own(person, valid_to=dutch(day - timedelta(days=1)))


def _given_out_again(registry: Registry, site: Site, person: Person, day: date) -> Person:
    """Give the number to a stranger from the next day on."""
    stranger = registry.person(site).rows[0]
    later = replace(
        stranger,
        local_number=person.rows[0].local_number,
        valid_from=dutch(day + timedelta(days=1)),
    )
    person = _own(person, valid_to=dutch(day))
    return replace(person, rows=(*person.rows, later))


def _header_disagrees(registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return replace(person, written=registry.number())


def _invalid(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return _own(person, bsn=failing(person.number))


def _shared(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    return _beside(person, local_number=registry.local(site, passing=False))


def _replaced(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    new = registry.local(site, passing=False)
    person = _beside(person, local_number=new)
    return _own(person, replaced_by=new)


def _namesake(registry: Registry, site: Site, person: Person, initials: str) -> Person:
    return _beside(
        person,
        local_number=registry.local(site, passing=False),
        bsn=registry.number(),
        initials=initials,
    )


def _told_apart(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    family = person.name.partition("^")[0]
    person = _own(replace(person, name=f"{family}^A.B."), initials="A.B.")
    return _namesake(registry, site, person, "C.D.")


def _no_initials(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    family = person.name.partition("^")[0]
    person = _own(replace(person, name=family), initials="A.B.")
    return _namesake(registry, site, person, "C.D.")


def _same_initials(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    family = person.name.partition("^")[0]
    person = _own(replace(person, name=f"{family}^J."), initials="J.")
    return _namesake(registry, site, person, "J.")


def _missing_initials(registry: Registry, site: Site, person: Person, _day: date) -> Person:
    return _namesake(registry, site, _own(person, initials=""), "")


def _two_issuers(registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    """Give one number to two people, one at each institution."""
    number = registry.local(OOST)
    stranger = registry.person(OOST).rows[0]
    person = replace(person, local={WEST.archive: number})
    person = _own(person, local_number=number)
    return replace(person, rows=(*person.rows, replace(stranger, local_number=number)))


def _unknown_day(_registry: Registry, _site: Site, person: Person, _day: date) -> Person:
    return _own(person, birth_date=f"00-00-{person.birth[:4]}")


_ALL = (
    EpdCase("verified", _verified),
    EpdCase("not-verified", _changed(status=UNVERIFIED), "not-verified"),
    EpdCase("no-number", _changed(bsn="", status=""), "no-number"),
    EpdCase("no-row", _no_row, "no-crosswalk-entry", strict=True),
    EpdCase("two-numbers", _two_numbers, "two-numbers", strict=True),
    EpdCase("other-birth-date", _other_birth, "birth-date-clash", strict=True),
    EpdCase("newborn-under-mother", _newborn_under_mother, "birth-date-clash", strict=True),
    EpdCase("other-sex", _other_sex, "sex-clash", strict=True),
    EpdCase("other-name", _other_name, "name-clash", strict=True),
    EpdCase("typing-error", _typing_error, "name-close"),
    EpdCase("ended", _ended, "outside-validity", strict=True),
    EpdCase("given-out-again", _given_out_again),
    EpdCase("other-number", _header_disagrees, "header-disagrees", strict=True),
    EpdCase("newborn", _newborn(bsn="", status=""), "exempt"),
    EpdCase("foreigner", _changed(bsn="", status="", exemption="buitenlander"), "exempt"),
    EpdCase("newborn-with-number", _newborn()),
    EpdCase("invalid", _invalid, "invalid-number"),
    EpdCase("placeholder", _changed(bsn="111222333"), "placeholder-number"),
    EpdCase("shared", _shared, "shared-number"),
    EpdCase("replaced", _replaced),
    EpdCase("no-birth-date", _header(birth=""), "unconfirmed-person"),
    EpdCase("birth-date-1900", _header(birth="19000101"), "unconfirmed-person"),
    EpdCase("no-name", _header(name=""), "unconfirmed-person"),
    EpdCase("epd-day-00", _unknown_day, "unconfirmed-person"),
    EpdCase("namesake-told-apart", _told_apart),
    EpdCase("namesake-no-initials", _no_initials, "homonym"),
    EpdCase("namesake-same-initials", _same_initials, "homonym"),
    EpdCase("namesake-epd-without", _missing_initials, "homonym"),
    EpdCase("two-issuers", _two_issuers),
)
CASES = {case.name: case for case in _ALL}
