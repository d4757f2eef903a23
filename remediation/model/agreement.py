"""Agreement: whether the rows of one patient allow writing, and the header is of that person.

Every refusal is a reason from `reasons`. What two named people accepted is a warning; a header of
which a name needs to be read again is asked for, and only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from remediation.model import bsn
from remediation.model.crosswalk import Entry
from remediation.model.evidence import MatchRules, PatientGroup, StudyEvidence
from remediation.model.lookups import Lookups
from remediation.model.person import close
from remediation.model.reasons import ACCEPTABLE, RANK
from remediation.model.secrets import Keys
from remediation.model.tokens import PersonTokens, bound_tokens


class Refusal(Exception):  # noqa: N818 - a verdict
    """A reason from the closed list; `entry` is the row that it is about."""

    def __init__(self, reason: str, entry: Entry | None = None) -> None:
        super().__init__(reason)
        self.reason, self.entry = reason, entry


@dataclass(slots=True)
class Case:
    """One study while it is looked at.

    Attributes:
        warnings: what two people accepted of it.
        asks: groups of which a header, read again, could give another verdict.
    """

    study: StudyEvidence
    warnings: dict[str, None] = field(default_factory=dict)
    asks: list[PatientGroup] = field(default_factory=list)


def first(refusals: Iterable[Refusal]) -> Refusal:
    """Return the refusal whose reason comes first."""
    return min(refusals, key=lambda refusal: RANK[refusal.reason])


class Agreement:
    """Holds groups of instances against rows of the crosswalk."""

    def __init__(self, rows: Lookups, keys: Keys, rules: MatchRules) -> None:
        self.rows, self.keys, self.rules = rows, keys, rules
        self._statuses = {word.casefold() for word in rules.writable_statuses}
        self._validations = {word.casefold() for word in rules.writable_validations}

    def settled(self, case: Case, group: PatientGroup, entries: tuple[Entry, ...]) -> Entry:
        """Return the first of the rows: all name one BSN, and every one of them allows writing.

        Raises:
            Refusal: they do not.
        """
        linked = self.linked(entries)
        if len({row.bsn for row in linked if row.bsn}) > 1:
            raise Refusal("two-numbers", entries[0])
        bound_to = self.written(group, linked, entries[0])
        refusals: list[Refusal] = []
        for entry in entries:
            try:
                self._consistent(case, group, entry, bound_to)
            except Refusal as refusal:
                refusals.append(refusal)
        if refusals:
            raise first(refusals)
        return entries[0]

    def linked(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Return these rows, those of the same local number, and all that `replaced_by` links.

        A row of the same number that held at another time is somebody else's.
        """
        if len(entries) == 1 and all(row == entries[0] for row in self._beside(entries[0])):
            return entries  # nearly always
        found = dict.fromkeys(entries)
        waiting = list(found)
        while waiting:
            for row in self._beside(waiting.pop()):
                if row not in found:
                    found[row] = None
                    waiting.append(row)
        return tuple(found)

    def _beside(self, row: Entry) -> Iterator[Entry]:
        if not (row.issuer and row.local_number):
            return
        for other in self.rows.by_plain(row.issuer, row.local_number):
            if _at_one_time(row, other):
                yield other
        yield from self.rows.former(row.issuer, row.local_number)
        if row.replaced_by:
            yield from self.rows.by_plain(row.issuer, row.replaced_by)

    def written(self, group: PatientGroup, linked: tuple[Entry, ...], entry: Entry) -> str | None:
        """Return PatientID as the header writes it, which its person tokens are bound to."""
        texts = self._texts(group, linked, entry.bsn if entry.well_formed else "")
        return next((t for t in texts if self.rows.token_of(t) == group.patient_token), None)

    def _texts(self, group: PatientGroup, linked: tuple[Entry, ...], number: str) -> Iterator[str]:
        """Yield what PatientID may be, the likeliest first."""
        yield from map(self.rows.spelled, linked)
        if number:
            yield from _spellings(number)
            yield from map(self.rows.spelled, self.rows.by_bsn(number))
        # Of another form, but of the number that was looked up.
        if number and group.plain and bsn.normalise(group.plain.patient_id) == number:
            yield group.plain.patient_id

    # -- one row ------------------------------------------------------------------------------

    def _consistent(
        self, case: Case, group: PatientGroup, entry: Entry, bound_to: str | None
    ) -> None:
        mine = self._tokens(entry, bound_to) if bound_to is not None else None
        warning = self._clash(case, group, entry, mine)
        self._header_agrees(case.study, entry)
        self._may_be_written(entry)
        self._one_person(entry)
        if mine is None or bound_to is None:
            case.asks.append(group)
            raise Refusal("unconfirmed-person", entry)  # nothing was compared: no one can accept it
        if warning:
            self._accepted(case, warning, entry)
        self._alone(group, entry, bound_to)

    def _tokens(self, entry: Entry, bound_to: str) -> PersonTokens:
        # Initials decide among namesakes only, and few have any.
        return bound_tokens(self.keys, bound_to, entry.birth_date, entry.family_names, "")

    def _initials(self, entry: Entry, bound_to: str) -> PersonTokens:
        return bound_tokens(self.keys, bound_to, "", (), entry.initials)

    def _clash(
        self, case: Case, group: PatientGroup, entry: Entry, mine: PersonTokens | None
    ) -> str:
        """Raise where the person contradicts; return a warning where less than all agrees."""
        theirs = group.person
        dated = bool(mine and mine.birth_date and theirs.birth_date)
        if mine and dated and mine.birth_date != theirs.birth_date:
            raise Refusal("birth-date-clash", entry)
        if group.sex and entry.sex and group.sex != entry.sex:
            raise Refusal("sex-clash", entry)
        if not (mine and mine.names and theirs.names):
            return "unconfirmed-person"
        if not mine.names.isdisjoint(theirs.names):
            return "" if dated else "unconfirmed-person"
        if not dated:  # neither date nor name: that is no typing error
            raise Refusal("name-clash", entry)
        self._nearly(case, group, entry)
        return "name-close"

    def _nearly(self, case: Case, group: PatientGroup, entry: Entry) -> None:
        """Raise unless the names differ by one typing error, and are nobody else's."""
        if group.plain is None:
            case.asks.append(group)
            raise Refusal("name-clash", entry)
        names = group.plain.names
        if not close(entry.family_names, names):
            raise Refusal("name-clash", entry)
        # Who has the header's name and this birth date is likelier than a typing error.
        if self.rows.homonyms(replace(entry, family_names=names)):
            raise Refusal("name-clash", entry)

    def _header_agrees(self, study: StudyEvidence, entry: Entry) -> None:
        strong = study.strong
        if not strong:
            return
        usable = entry.well_formed and bsn.passes(entry.bsn)
        usable &= not bsn.is_placeholder(entry.bsn, self.rules.placeholders)
        if len(strong) > 1 or (usable and strong - {self.rows.token_of_bsn(entry.bsn)}):
            raise Refusal("header-disagrees", entry)

    def _may_be_written(self, entry: Entry) -> None:
        number = entry.bsn
        usable = entry.well_formed and bsn.passes(number)
        verified = entry.status.casefold() in self._statuses
        if self._validations:
            verified = verified and entry.validation.casefold() in self._validations
        checks = (
            ("exempt", bool(entry.exemption) and not usable),
            ("no-number", not number),
            ("placeholder-number", bsn.is_placeholder(number, self.rules.placeholders)),
            ("invalid-number", not usable),
            ("not-verified", not verified),
            ("test-number", bsn.is_test_number(number) and not self.rules.allow_test_numbers),
        )
        for reason, holds in checks:
            if holds:
                raise Refusal(reason, entry)

    def _one_person(self, entry: Entry) -> None:
        """Rows of one BSN must be of one person, and those of one issuer linked."""
        rows = self.rows.by_bsn(entry.bsn)
        if len(rows) > 1 and (
            self.rows.is_shared(entry.issuer, entry.bsn)
            or any(_another(entry, other) for other in rows)
        ):
            raise Refusal("shared-number", entry)

    def _accepted(self, case: Case, reason: str, entry: Entry) -> None:
        accepted = reason in ACCEPTABLE and self.rules.accepted.holds(reason, case.study.facts())
        if not accepted:
            raise Refusal(reason, entry)
        case.warnings[reason] = None

    def _alone(self, group: PatientGroup, entry: Entry, bound_to: str) -> None:
        """Where others share birth date and family name, initials must tell them apart."""
        others = self.rows.homonyms(entry)
        if not others:
            return
        theirs = group.person
        if not theirs.initials_agree(self._initials(entry, bound_to)) or any(
            not other.initials or theirs.initials_agree(self._initials(other, bound_to))
            for other in others
        ):
            raise Refusal("homonym", entry)


def holds_on(entry: Entry, study: StudyEvidence) -> bool:
    """Tell whether a row held on a study's date; of one without a date that cannot be said.

    >>> from remediation.model.crosswalk import Entry
    >>> from datetime import date
    >>> row = Entry("ZKH-OOST", "12345", "", valid_from="20090601", valid_to="20111231")
    >>> study = StudyEvidence("oost", "1.2", date(2011, 12, 31), "", 0, (), frozenset(), frozenset())
    >>> holds_on(row, study), holds_on(row, replace(study, day=None))
    (True, False)
    """  # noqa: E501 - an example is one line
    if not (entry.valid_from or entry.valid_to):
        return True
    if study.day is None:
        return False
    day = f"{study.day:%Y%m%d}"
    return (entry.valid_from or day) <= day <= (entry.valid_to or day)


def _at_one_time(one: Entry, other: Entry) -> bool:
    last, first_ = "99999999", "00000000"
    return max(one.valid_from or first_, other.valid_from or first_) <= min(
        one.valid_to or last, other.valid_to or last
    )


def _another(one: Entry, other: Entry) -> bool:
    """Tell whether two rows contradict each other on who they are; what is missing does not."""
    length = min(len(one.initials), len(other.initials))
    names = one.family_names and other.family_names
    return (
        bool(one.birth_date and other.birth_date and one.birth_date != other.birth_date)
        or bool(one.sex and other.sex and one.sex != other.sex)
        or bool(names and set(one.family_names).isdisjoint(other.family_names))
        or one.initials[:length] != other.initials[:length]
    )


def _spellings(number: str) -> Iterator[str]:
    """Yield the ways in which PatientID writes a BSN, the usual ones first."""
    short = number.lstrip("0")
    grouped = f"{number[:4]}.{number[4:6]}.{number[6:]}"
    yield from (number, short, grouped)
    for text in (number, short):
        yield from (f"BSN{text}", f"BSN {text}", f"BSN:{text}", f"BSN: {text}", f"NL{text}")
        yield from (f"{text}^^^NLMINBIZA^NNNLD", f"{text}^^^NLMINBIZA", f"{text}^^^NLMINBIZA^NI")
