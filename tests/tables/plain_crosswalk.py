"""The crosswalk as dictionaries of entries: slow, large and plain, to hold the columns against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.crosswalk import Entry, Groups, SpellingRule, contradict


class PlainCrosswalk:
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
        self._groups = Groups()
        for entry in self.entries:
            self._add(entry)
        self.two_numbers = frozenset(
            key for key, found in self._by_local.items() if contradict(found)
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
