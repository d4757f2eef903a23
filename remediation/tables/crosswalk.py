"""The crosswalk in memory: lookups over columns, an `Entry` made for each row that is asked for.

Every lookup goes by a hash or a number in a sorted column, and what it finds is held against the
row's own text before it is given: two texts of one hash are never taken for each other.

>>> oud = Entry("ZKH-OOST", "12345", "999900006", birth_date="19500203", family_names=("JANSEN",))
>>> crosswalk = Crosswalk.of([oud], [SpellingRule("ZKH-OOST", width=7)])
>>> crosswalk.spelled(oud), crosswalk.by_local("ZKH-OOST", "0012345") == (oud,)
('0012345', True)
>>> crosswalk.by_local("ZKH-WEST", "0012345")  # another hospital's patient
()
>>> Crosswalk.of([oud, Entry("ZKH-OOST", "012345", "", place="epd.csv line 3")], crosswalk.rules)
Traceback (most recent call last):
...
remediation.errors.UsageError: two local numbers of one issuer are written alike ...
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from remediation.errors import UsageError
from remediation.model.crosswalk import Entry, Groups, Rows, SpellingRule, contradict
from remediation.model.secrets import Keys
from remediation.tables.crosswalk_build import Builder, Dropped, alike, local_hash
from remediation.tables.crosswalk_cells import NONE, Ints, Normaliser, cells_of, name_code
from remediation.tables.crosswalk_columns import Columns, Entries, Index, several
from remediation.tables.crosswalk_tokens import TokenIndex

_RECENT = 1 << 14  # entries that are kept: those of one patient are asked for several times


class Crosswalk:
    """All rows, each kept once, with the lookups that matching needs (`model.crosswalk.Crosswalk`).

    Attributes:
        columns: The rows, in the order of reading.
        rules: The spelling rules, at most one for each issuer.
        dropped: Rows that were collapsed, or that a later message took the place of.
        entry: A row as what it says, by its position.
    """

    def __init__(
        self, columns: Columns, rules: Iterable[SpellingRule], dropped: Dropped | None = None
    ) -> None:
        """Index the rows.

        Raises:
            UsageError: Two different local numbers of one issuer are written alike.
        """
        self.columns, self.rules, self.dropped = columns, tuple(rules), dropped or Dropped()
        self._rules = {rule.issuer: rule for rule in self.rules}
        self._indexes: dict[str, TokenIndex] = {}
        self.entry = lru_cache(_RECENT)(columns.entry)
        # A number without its issuer is nobody's, and padding would make one of an empty text.
        self.located = ~columns.empty("issuer") & ~columns.empty("local_number")
        rows = np.flatnonzero(self.located).astype(np.uint32)
        self._local = Index.of(columns.local_hash[rows], rows)
        self._refuse_alike()

    @classmethod
    def of(cls, entries: Iterable[Entry], rules: Iterable[SpellingRule] = ()) -> Crosswalk:
        """Return the crosswalk of entries at hand."""
        rules = tuple(rules)
        builder = Builder(rules)
        builder.add(cells_of(tuple(entries)))
        columns, dropped = builder.finish()
        return cls(columns, rules, dropped)

    @classmethod
    def read(cls, batches: Iterable[Rows], rules: Iterable[SpellingRule] = ()) -> Crosswalk:
        """Return the crosswalk of all batches, which are let go one by one.

        Raises:
            UsageError: What reading raises; or two local numbers are written alike.
        """
        rules = tuple(rules)
        builder, normaliser = Builder(rules), Normaliser()
        for batch in batches:
            builder.add(normaliser.cells(batch))
        columns, dropped = builder.finish()
        return cls(columns, rules, dropped)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<crosswalk of {len(self)} rows>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Crosswalk, (self.columns, self.rules, self.dropped)

    @property
    def entries(self) -> Entries:
        """All entries, each made when it is asked for: not for millions of rows."""
        return Entries(self.columns)

    @property
    def duplicates(self) -> int:
        """Rows that were collapsed."""
        return self.dropped.duplicates

    @cached_property
    def issuers(self) -> frozenset[str]:
        """The issuers that rows name, the empty one included."""
        return self.words("issuer")

    def words(self, column: str) -> frozenset[str]:
        """Return the different words of a column of words (`exemption`), the empty one included."""
        words, codes = self.columns.words[column], np.unique(self.columns.codes[column])
        return frozenset(words[code] for code in codes)

    # -- by local number ----------------------------------------------------------------------

    def spelled(self, entry: Entry) -> str:
        """Return an entry's local number as headers write it."""
        return self._spell(entry.issuer, entry.local_number)

    def _spell(self, issuer: str, local_number: str) -> str:
        rule = self._rules.get(issuer)
        return rule.spell(local_number) if rule else local_number

    def by_local(self, issuer: str, spelled: str) -> tuple[Entry, ...]:
        """Return the entries of a local number as a header writes it; several may disagree."""
        key = int(np.frombuffer(local_hash(issuer, spelled), np.uint64)[0])
        return tuple(
            entry
            for entry in map(self.entry, self._local.find(key))
            if entry.issuer == issuer and self.spelled(entry) == spelled
        )

    def by_plain(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the entries of a local number as the export writes it."""
        found = self.by_local(issuer, self._spell(issuer, local_number))
        return tuple(entry for entry in found if entry.local_number == local_number)

    def has_two_numbers(self, issuer: str, spelled: str) -> bool:
        """Tell whether rows of a local number name different numbers for one day."""
        return contradict(self.by_local(issuer, spelled))

    def _refuse_alike(self) -> None:
        local_numbers = self.columns.texts["local_number"]
        if not self.rules:
            return
        unlike = several(self._local, lambda one, other: ~alike(local_numbers, one, other))
        rows = sorted(row for key in unlike for row in self._local.find(key))
        known: dict[tuple[str, str], Entry] = {}
        for entry in map(self.entry, rows):
            first = known.setdefault((entry.issuer, self.spelled(entry)), entry)
            if first.local_number != entry.local_number:
                raise UsageError(
                    "two local numbers of one issuer are written alike",
                    f"{first.place} and {entry.place}",
                    "correct the export, or the issuer's [[crosswalk.spelling]]",
                )

    # -- replaced local numbers ---------------------------------------------------------------

    @cached_property
    def _replaced(self) -> dict[tuple[str, str], list[int]]:
        """Rows by the local number that took their place."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        there = self.located & ~self.columns.empty("replaced_by")
        for row in np.flatnonzero(there).tolist():
            local = self.columns.word("issuer", row), self.columns.text("replaced_by", row)
            found[local].append(row)
        return dict(found)

    @cached_property
    def _groups(self) -> Groups:
        groups = Groups()
        for local, rows in self._replaced.items():
            for row in rows:
                groups.join((local[0], self.columns.text("local_number", row)), local)
        return groups

    def former(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the entries that say they were replaced by this local number."""
        return tuple(map(self.entry, self._replaced.get((issuer, local_number), ())))

    # -- by number ----------------------------------------------------------------------------

    @cached_property
    def numbers(self) -> Index:
        """The rows by their number of nine digits."""
        rows = np.flatnonzero(self.columns.number != NONE).astype(np.uint32)
        return Index.of(self.columns.number[rows], rows)

    def by_bsn(self, number: str) -> tuple[Entry, ...]:
        """Return the entries that name a number of nine digits, of all issuers."""
        if len(number) != 9 or not (number.isascii() and number.isdigit()):  # noqa: PLR2004
            return ()
        return tuple(map(self.entry, self.numbers.find(int(number))))

    def is_shared(self, issuer: str, number: str) -> bool:
        """Tell whether a number stands with local numbers of this issuer that nothing links.

        `replaced_by` links them, directly or through others. A number that tells nobody apart is
        not shared.
        """
        rows = self.by_bsn(number) if Entry("", "", number).names_somebody() else ()
        return len({self._groups.of(_local(row)) for row in rows if _at(row, issuer)}) > 1

    def tokens(self, keys: Keys) -> TokenIndex:
        """Return the index by the tokens of a key; it is made at the first look."""
        return self._indexes.setdefault(keys.key_id, TokenIndex(self, keys))

    # -- by person ----------------------------------------------------------------------------

    @cached_property
    def _persons(self) -> Index:
        """The rows by birth date and part of the family name, once for each part."""
        columns = self.columns
        rows = columns.name_rows()
        born = ~columns.empty("birth_date")[rows]
        rows, names = rows[born], columns.name_codes[born]
        return Index.of(_person_keys(columns.codes["birth_date"][rows], names), rows)

    @cached_property
    def _births(self) -> dict[str, int]:
        return {text: code for code, text in enumerate(self.columns.words["birth_date"])}

    def homonyms(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the entries of other persons with the same birth date and a shared family name.

        Another person has another BSN; where one of the two has none, a local number that neither
        `replaced_by` nor a common BSN links to this one. Empty where `entry` lacks birth date or
        name.
        """
        every = (other for name in entry.family_names for other in self._namesakes(entry, name))
        near = [other for other in every if other != entry]
        if not near:
            return ()
        own = self._linked(entry)
        return tuple(dict.fromkeys(other for other in near if self._differs(entry, own, other)))

    def _namesakes(self, entry: Entry, name: str) -> Iterator[Entry]:
        born = self._births.get(entry.birth_date) if entry.birth_date else None
        if born is None:
            return
        for row in self._persons.find(born << 32 | name_code(name)):
            other = self.entry(row)
            if name in other.family_names:
                yield other

    def _differs(self, entry: Entry, own: frozenset[tuple[str, str]], other: Entry) -> bool:
        if entry.names_somebody() and other.names_somebody():
            return entry.bsn != other.bsn
        return own.isdisjoint(self._linked(other))

    def _linked(self, entry: Entry) -> frozenset[tuple[str, str]]:
        """Return the groups of local numbers of this entry's person: its own and its BSN's."""
        same = self.by_bsn(entry.bsn) if entry.names_somebody() else ()
        return frozenset(
            self._groups.of(_local(row))
            for row in (entry, *same)
            if row.issuer and row.local_number
        )

    # -- what is wrong in the whole -----------------------------------------------------------

    @cached_property
    def two_numbers(self) -> frozenset[tuple[str, str]]:
        """The (issuer, spelled local number) of which rows name different numbers for one day."""
        numbers, others = self.columns.number, ~self.columns.empty("other_number")
        # Numbers of other forms are unlike until their text has been looked at.
        said = numbers.astype(np.int64)
        said[others] = -2 - np.flatnonzero(others)
        keep = (said != NONE)[self._local.rows]
        index = Index(self._local.keys[keep], self._local.rows[keep])
        found = several(index, lambda one, other: said[one] != said[other])
        entries = (self.entry(row) for key in found for row in self._local.find(key))
        locals_ = {(entry.issuer, self.spelled(entry)) for entry in entries}
        return frozenset(local for local in locals_ if self.has_two_numbers(*local))

    @cached_property
    def shared_numbers(self) -> frozenset[tuple[str, str]]:
        """The (issuer, BSN) that stand with several local numbers that nothing links."""
        columns, rows = self.columns, self.numbers.rows
        rows = np.sort(rows[self.located[rows]])
        keys = columns.number[rows].astype(np.uint64) << np.uint64(32)
        index = Index.of(keys | columns.codes["issuer"][rows].astype(np.uint64), rows)
        hashes = columns.local_hash
        found = several(index, lambda one, other: hashes[one] != hashes[other])
        issuers = columns.words["issuer"]
        both = ((issuers[int(key) & 0xFFFFFFFF], f"{int(key) >> 32:09}") for key in found)
        return frozenset(one for one in both if self.is_shared(*one))


def _local(entry: Entry) -> tuple[str, str]:
    return entry.issuer, entry.local_number


def _at(entry: Entry, issuer: str) -> bool:
    return entry.issuer == issuer and bool(issuer and entry.local_number)


def _person_keys(births: Ints, names: Ints) -> Ints:
    return births.astype(np.uint64) << np.uint64(32) | names.astype(np.uint64)
