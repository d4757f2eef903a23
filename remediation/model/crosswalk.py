"""The crosswalk: the EPD's own list from (issuer, local number) to the BSN, row by row.

Pure values: what a row says once it is read (`Entry`), a batch of rows as the export writes them
(`Rows`), and what matching asks of all rows together (`Crosswalk`), which `tables.crosswalk`
answers from columns. None of them ever shows its values: in errors, logs and tracebacks an entry
is the place it was read from. Source: IHE PIX (patient identifier domains).

>>> old = Entry("ZKH-OOST", "12345", "999900006", place="epd.csv line 3")
>>> old, old.names_somebody()
(<crosswalk entry epd.csv line 3>, True)
>>> SpellingRule("ZKH-OOST", width=7, prefix="A").spell("12345")
'A0012345'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from remediation.model import bsn
from remediation.model.secrets import Keys

# Our names of the export's columns, in the contract's order.
COLUMNS = (
    "local_number",
    "issuer",
    "bsn",
    "status",
    "validation",
    "birth_date",
    "sex",
    "family_name",
    "birth_name",
    "partner_name",
    "initials",
    "exemption",
    "replaced_by",
    "valid_from",
    "valid_to",
)
_EVER = "99999999"  # later than any day


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

    def names_somebody(self) -> bool:
        """Tell whether the number can tell persons apart; thousands may share a placeholder."""
        return self.well_formed and bsn.passes(self.bsn) and not bsn.is_placeholder(self.bsn)


@dataclass(frozen=True, slots=True)
class SpellingRule:
    """How headers write the local numbers of an issuer: zero-padded to `width`, after `prefix`."""

    issuer: str
    width: int = 0
    prefix: str = ""

    def spell(self, local_number: str) -> str:
        """Return a local number of the export as headers write it; a longer one is not cut."""
        return self.prefix + local_number.rjust(self.width, "0")


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """A batch of rows of one file as the export writes them: text, without outer blanks.

    Attributes:
        cells: A list of texts for each of `COLUMNS` that the file has, all of one length.
        numbers: The line, row or message of each row, from 1.
        source: What stands before that number in a message: `epd.csv line`.
        kind: `csv`, `xlsx`, `parquet` or `hl7`.
        times: Where the rows are messages, of which a later one takes an earlier one's place:
            when each was made, microseconds since 1970 (UTC); else empty.
    """

    cells: Mapping[str, Sequence[str]]
    numbers: Sequence[int]
    source: str
    kind: str
    times: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"<{len(self)} rows, {self.source} ...>"


class Tokens(Protocol):
    """The rows of a crosswalk by the tokens of one key: what an inventory knows of a patient."""

    def local(self, issuer: str, token: str) -> tuple[Entry, ...]:
        """Return the entries of an issuer whose spelled local number has this token."""

    def bsn(self, token: str) -> tuple[Entry, ...]:
        """Return the entries whose well-formed number has this token, of all issuers."""


class Crosswalk(Protocol):
    """What matching asks of a crosswalk; rows come in the order of reading."""

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, each made when it is asked for: not for millions of rows."""

    @property
    def issuers(self) -> frozenset[str]:
        """The issuers that rows name, the empty one included."""

    def words(self, column: str) -> frozenset[str]:
        """Return the different words of a column of words (`exemption`), the empty one included."""

    def spelled(self, entry: Entry) -> str:
        """Return an entry's local number as headers write it."""

    def by_local(self, issuer: str, spelled: str) -> tuple[Entry, ...]:
        """Return the entries of a local number as a header writes it; several may disagree."""

    def by_plain(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the entries of a local number as the export writes it."""

    def former(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the entries that say they were replaced by this local number."""

    def by_bsn(self, number: str) -> tuple[Entry, ...]:
        """Return the entries that name a number of nine digits, of all issuers."""

    def homonyms(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the entries of other persons with the same birth date and a family name."""

    def has_two_numbers(self, issuer: str, spelled: str) -> bool:
        """Tell whether rows of a local number name different numbers for one day."""

    def is_shared(self, issuer: str, number: str) -> bool:
        """Tell whether a number stands with local numbers of this issuer that nothing links."""

    def tokens(self, keys: Keys) -> Tokens:
        """Return the index by the tokens of a key."""


def contradict(entries: Iterable[Entry]) -> bool:
    """Tell whether rows of one local number name different numbers for the same day.

    A local number that was given to another person after the first one's validity is no
    contradiction: each row holds in its own time.

    >>> first = Entry("OOST", "1", "999900006", valid_to="20101231")
    >>> second = Entry("OOST", "1", "999900018", valid_from="20110101")
    >>> contradict([first, second]), contradict([first, Entry("OOST", "1", "999900018")])
    (False, True)
    """
    spans = sorted(
        (one.valid_from, one.valid_to or _EVER, one.bsn)
        for one in entries
        if one.bsn and one.valid_from <= (one.valid_to or _EVER)
    )
    latest: dict[str, str] = {}  # the two numbers that hold longest among the rows so far
    for start, end, number in spans:
        if any(start <= until for other, until in latest.items() if other != number):
            return True
        latest[number] = max(end, latest.get(number, ""))
        latest = dict(sorted(latest.items(), key=lambda one: one[1])[-2:])
    return False


class Groups:
    """Local numbers that `replaced_by` links, directly or through others, as disjoint groups.

    >>> groups = Groups()
    >>> groups.join(("OOST", "1"), ("OOST", "2"))
    >>> groups.of(("OOST", "1")) == groups.of(("OOST", "2")), groups.of(("OOST", "3"))
    (True, ('OOST', '3'))
    """

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
