"""The crosswalk: the EPD's own list from (issuer, local number) to the BSN, and its faults.

Pure lookups over entries that `store` reads. An entry never shows its values: in errors, logs and
tracebacks it is the place it was read from. Source: IHE PIX (patient identifier domains).

>>> oud = Entry("ZKH-OOST", "12345", "999900006", birth_date="19500203", family_names=("JANSEN",))
>>> crosswalk = Crosswalk([oud], [SpellingRule("ZKH-OOST", width=7)])
>>> crosswalk.spelled(oud), crosswalk.by_local("ZKH-OOST", "0012345") == (oud,)
('0012345', True)
>>> crosswalk.by_local("ZKH-WEST", "0012345")  # another hospital's patient
()
>>> Crosswalk([oud, Entry("ZKH-OOST", "012345", "", place="epd.csv line 3")], crosswalk.rules)
Traceback (most recent call last):
...
remediation.errors.UsageError: two local numbers of one issuer are written alike ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from remediation.errors import UsageError
from remediation.model import bsn


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One row of the crosswalk, normalised; entries are equal whatever place they come from.

    Attributes:
        issuer: Issuer of the local number; empty where the export does not say.
        local_number: As the export writes it, without outer blanks.
        bsn: Nine digits where `well_formed`, else the text as it stands, or empty.
        well_formed: The text in the number's column has the form of a BSN; says nothing about the
            elfproef.
        status: The EPD's word for the verification; `validation` the one for the document check.
        birth_date: `YYYYMMDD`, or empty for missing.
        sex: `M`, `F` or empty.
        family_names: Comparable parts of own, birth and partner's name (see `person`).
        initials: Capitals, or empty.
        exemption: Why there is no number, in the EPD's words, or empty.
        replaced_by: Local number of the same issuer that took this one's place, or empty.
        valid_from: First day `YYYYMMDD`, or empty; `valid_to` the last.
        place: File and line, for messages.
    """

    issuer: str
    local_number: str
    bsn: str
    well_formed: bool = True
    status: str = ""
    validation: str = ""
    birth_date: str = ""
    sex: str = ""
    family_names: tuple[str, ...] = ()
    initials: str = ""
    exemption: str = ""
    replaced_by: str = ""
    valid_from: str = ""
    valid_to: str = ""
    place: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"<crosswalk entry {self.place or 'without a place'}>"


@dataclass(frozen=True, slots=True)
class SpellingRule:
    """How headers write the local numbers of an issuer: zero-padded to `width`, after `prefix`.

    >>> SpellingRule("ZKH-OOST", width=7, prefix="A").spell("12345")
    'A0012345'
    """

    issuer: str
    width: int = 0
    prefix: str = ""

    def spell(self, local_number: str) -> str:
        """Return a local number of the export as headers write it; a longer one is not cut."""
        return self.prefix + local_number.rjust(self.width, "0")


class Crosswalk:
    """All entries, each kept once, with the lookups that matching needs.

    Attributes:
        entries: In the order of reading, rows that are the same in every respect collapsed.
        rules: The spelling rules, at most one for each issuer.
        duplicates: Rows that were collapsed.
        two_numbers: (issuer, spelled local number) of which rows name different numbers.
        shared_numbers: (issuer, BSN) that stand with several local numbers of that issuer which
            no `replaced_by` links.
    """

    __slots__ = (
        "_by_bsn",
        "_by_local",
        "_by_person",
        "_groups",
        "_rules",
        "duplicates",
        "entries",
        "rules",
        "shared_numbers",
        "two_numbers",
    )

    def __init__(self, entries: Iterable[Entry], rules: Iterable[SpellingRule] = ()) -> None:
        """Index the entries.

        Raises:
            UsageError: Two different local numbers of one issuer are written alike.
        """
        rows = tuple(entries)
        self.entries = tuple(dict.fromkeys(rows))
        self.duplicates = len(rows) - len(self.entries)
        self.rules = tuple(rules)
        self._rules = {rule.issuer: rule for rule in self.rules}
        self._by_local: dict[tuple[str, str], list[Entry]] = {}
        self._by_bsn: dict[str, list[Entry]] = {}
        self._by_person: dict[tuple[str, str], list[Entry]] = {}
        self._groups = _Groups()
        for entry in self.entries:
            self._add(entry)
        self.two_numbers = frozenset(
            key
            for key, found in self._by_local.items()
            if len({entry.bsn for entry in found if entry.bsn}) > 1
        )
        self.shared_numbers = frozenset(self._shared())

    def _add(self, entry: Entry) -> None:
        # A number without its issuer is nobody's, and padding would make one of an empty text.
        if entry.issuer and entry.local_number:
            self._add_local(entry)
        if entry.well_formed and entry.bsn:
            self._by_bsn.setdefault(entry.bsn, []).append(entry)
        for name in entry.family_names if entry.birth_date else ():
            self._by_person.setdefault((entry.birth_date, name), []).append(entry)

    def _add_local(self, entry: Entry) -> None:
        alike = self._by_local.setdefault((entry.issuer, self.spelled(entry)), [])
        if alike and alike[0].local_number != entry.local_number:
            raise UsageError(
                "two local numbers of one issuer are written alike",
                f"{alike[0].place} and {entry.place}",
                "correct the export, or the issuer's [[crosswalk.spelling]]",
            )
        alike.append(entry)
        if entry.replaced_by:
            self._groups.join(_local(entry), (entry.issuer, entry.replaced_by))

    def spelled(self, entry: Entry) -> str:
        """Return an entry's local number as headers write it."""
        rule = self._rules.get(entry.issuer)
        return rule.spell(entry.local_number) if rule else entry.local_number

    def by_local(self, issuer: str, spelled: str) -> tuple[Entry, ...]:
        """Return the entries of a local number as a header writes it; several may disagree."""
        return tuple(self._by_local.get((issuer, spelled), ()))

    def by_bsn(self, number: str) -> tuple[Entry, ...]:
        """Return the entries that name a number of nine digits, of all issuers."""
        return tuple(self._by_bsn.get(number, ()))

    def homonyms(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the entries of other persons with the same birth date and a shared family name.

        Another person has another BSN; where one of the two has none, a local number that neither
        `replaced_by` nor a common BSN links to this one. Empty where `entry` lacks birth date or
        name.
        """
        near = (
            other
            for name in (entry.family_names if entry.birth_date else ())
            for other in self._by_person.get((entry.birth_date, name), ())
        )
        own = self._linked(entry)
        return tuple(dict.fromkeys(other for other in near if self._differs(entry, own, other)))

    def _differs(self, entry: Entry, own: frozenset[tuple[str, str]], other: Entry) -> bool:
        if other == entry:
            return False
        if _names_somebody(entry) and _names_somebody(other):
            return entry.bsn != other.bsn
        return own.isdisjoint(self._linked(other))

    def _linked(self, entry: Entry) -> frozenset[tuple[str, str]]:
        """Return the groups of local numbers of this entry's person: its own and its BSN's."""
        same = self.by_bsn(entry.bsn) if _names_somebody(entry) else ()
        return frozenset(
            self._groups.of(_local(row))
            for row in (entry, *same)
            if row.issuer and row.local_number
        )

    def _shared(self) -> Iterator[tuple[str, str]]:
        for number, found in self._by_bsn.items():
            if len(found) == 1:
                continue
            own = [row for row in found if row.issuer and row.local_number and _names_somebody(row)]
            for issuer in {row.issuer for row in own}:
                groups = {self._groups.of(_local(row)) for row in own if row.issuer == issuer}
                if len(groups) > 1:
                    yield issuer, number


def _local(entry: Entry) -> tuple[str, str]:
    return entry.issuer, entry.local_number


def _names_somebody(entry: Entry) -> bool:
    """Tell whether the number can tell persons apart; thousands may share a placeholder."""
    return entry.well_formed and bsn.passes(entry.bsn) and not bsn.is_placeholder(entry.bsn)


class _Groups:
    """Local numbers that `replaced_by` links, directly or through others, as disjoint groups."""

    __slots__ = ("_above",)

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}

    def of(self, local: tuple[str, str]) -> tuple[str, str]:
        """Return the local number that stands for the whole group."""
        top = local
        while (above := self._above.get(top, top)) != top:
            top = above
        while (above := self._above.get(local, top)) != top:
            self._above[local], local = top, above
        return top

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        """Make one group of two."""
        self._above[self.of(one)] = self.of(other)
