"""Identity: who a study's patient is by the crosswalk, or the reason why that is not settled.

A BSN is written only where the hospital's own registration vouches for it and the person agrees.
Every refusal has a reason from `REASONS`; the first that holds is given. Source: UAVG article 46,
IHE PIX (identifier domains).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from itertools import chain
from typing import Any

from remediation.model import bsn
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.evidence import (
    HARD,
    REASONS,
    ArchiveIssuers,
    MatchRules,
    PatientGroup,
    StudyEvidence,
)
from remediation.model.issuers import ASSERTING, NO_KIND
from remediation.model.secrets import Keys
from remediation.model.tokens import PersonTokens, bound_tokens, bsn_token, patient_token

_RANK = {reason: rank for rank, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome for one study; `entry` holds plain values and is never written."""

    outcome: str  # resolved | conformant | refused | exempt
    reason: str = ""
    entry: Entry | None = field(default=None, repr=False)
    bsn_token: str | None = None
    local_token: str | None = None
    evidence: str = "absent"
    warnings: tuple[str, ...] = ()
    exemption: str | None = None


class _Refusal(Exception):  # noqa: N818 - a verdict
    def __init__(self, reason: str, entry: Entry | None = None) -> None:
        super().__init__(reason)
        self.reason, self.entry = reason, entry


class Matcher:
    """Holds studies against one crosswalk."""

    def __init__(self, crosswalk: Crosswalk, keys: Keys, rules: MatchRules) -> None:
        self.crosswalk, self.keys, self.rules = crosswalk, keys, rules
        self._by_local: dict[tuple[str, str], list[Entry]] = {}
        self._by_bsn: dict[str, list[Entry]] = {}
        self._plain: dict[tuple[str, str], list[Entry]] = {}
        self._former: dict[tuple[str, str], list[Entry]] = {}
        for entry in crosswalk.entries:
            self._add(entry)
        # Rows that say different things of one number must not count by the order of the export.
        for rows in chain(self._by_local.values(), self._by_bsn.values(), self._plain.values()):
            if len(rows) > 1:
                rows.sort(key=_content)
        self._issuers = {entry.issuer for entry in crosswalk.entries}
        for archive in rules.archives.values():
            self._issuers |= {archive.local_issuer, *(p.local_issuer for p in archive.periods)}
        self._issuers.discard("")

    def _add(self, entry: Entry) -> None:
        if entry.issuer and entry.local_number:  # padding would make a number of an empty one
            token = patient_token(self.keys, self.crosswalk.spelled(entry))
            self._by_local.setdefault((entry.issuer, token), []).append(entry)
            self._plain.setdefault((entry.issuer, entry.local_number), []).append(entry)
            if entry.replaced_by:
                self._former.setdefault((entry.issuer, entry.replaced_by), []).append(entry)
        if entry.well_formed and entry.bsn:
            self._by_bsn.setdefault(bsn_token(self.keys, entry.bsn), []).append(entry)

    def resolve(self, study: StudyEvidence) -> Identity:
        """Return the identity of one study."""
        try:
            entry = self._person(study)
        except _Refusal as refusal:
            return self._refused(study, refusal)
        token = bsn_token(self.keys, entry.bsn)
        local = patient_token(self.keys, self.crosswalk.spelled(entry))
        evidence = "confirmed" if token in study.seen else self._header_says(study)
        outcome = "conformant" if study.status == "conformant" else "resolved"
        return Identity(outcome, "", entry, token, local, evidence)

    @staticmethod
    def _header_says(study: StudyEvidence) -> str:
        if study.strong:
            return "asserted"
        return "candidate" if study.seen else "absent"

    def _refused(self, study: StudyEvidence, refusal: _Refusal) -> Identity:
        reason, entry = refusal.reason, refusal.entry
        exemption = entry.exemption if entry and entry.exemption else None
        says = self._header_says(study)
        if study.status == "conformant" and reason not in HARD:
            return Identity("conformant", "", entry, None, None, says, (reason,), exemption)
        outcome = "exempt" if reason == "exempt" else "refused"
        return Identity(outcome, reason, entry, None, None, says, (), exemption)

    def _person(self, study: StudyEvidence) -> Entry:
        """Return the one entry that all instances lead to.

        Raises:
            _Refusal: they do not, or it does not allow writing.
        """
        if study.unreadable or not study.groups:
            raise _Refusal("unreadable-instance")
        patients = {group.patient_token for group in study.groups}
        births = {g.person.birth_date for g in study.groups if g.person.birth_date}
        sexes = {group.sex for group in study.groups if group.sex}
        if len(patients) == 1 and (len(births) > 1 or len(sexes) > 1):
            raise _Refusal("instances-disagree")
        refusals: list[_Refusal] = []
        entries: list[Entry] = []
        for group in study.groups:
            try:
                entries.append(self._checked(study, group))
            except _Refusal as refusal:
                refusals.append(refusal)
        named = {entry.bsn for entry in entries}
        named |= {refusal.entry.bsn if refusal.entry else "" for refusal in refusals}
        if len(named - {""}) > 1 or (len(patients) > 1 and "" in named):
            raise _Refusal("instances-disagree")
        if refusals:
            raise _first(refusals)
        return entries[0]

    def confirm(
        self, study: StudyEvidence, bsn: str, local_issuer: str, local_token: str
    ) -> str | None:
        """Hold one head, just before it is written, against the crosswalk as it is now.

        Returns:
            The reason why it may not be written any more; None where it may.
        """
        group = study.groups[0]
        rows = tuple(
            one
            for one in self._by_bsn.get(bsn, ())
            if one.issuer == local_issuer
            and patient_token(self.keys, self.crosswalk.spelled(one)) == local_token
        )
        if not rows or group.patient_token is None:
            return "no-crosswalk-entry"
        if self._written(group, rows[0]) is None:
            return "instances-disagree"
        try:
            self._agreed(study, group, rows)
        except _Refusal as refusal:
            return refusal.reason
        return None

    # -- finding the entry --------------------------------------------------------------------

    def _found(self, study: StudyEvidence, group: PatientGroup) -> tuple[Entry, ...]:
        if group.patient_token is None:
            raise _Refusal("no-crosswalk-entry")
        if group.primary_bsn_token is not None and group.primary_is_strong:
            named = self._by_bsn.get(group.primary_bsn_token, [])
            return tuple(named) or self._through_items(study, group)
        return self._by_number(study, group.issuer, group.issuer_kind, group.patient_token)

    def _through_items(self, study: StudyEvidence, group: PatientGroup) -> tuple[Entry, ...]:
        """PatientID holds a BSN that the export does not know: try the local number beside it."""
        for issuer, kind, token in group.other_ids:
            if kind not in ASSERTING and issuer:
                entries = self._by_number(study, issuer, kind, token)
                if entries:
                    return entries
        return ()

    def _by_number(
        self, study: StudyEvidence, issuer: str, kind: str, token: str
    ) -> tuple[Entry, ...]:
        found = {
            name: tuple(self._by_local.get((name, token), ()))
            for name in self._candidates(study, issuer, kind)
        }
        hits = [entries for entries in found.values() if entries]
        if len(hits) > 1:
            raise _Refusal("ambiguous-issuer")
        return hits[0] if hits else ()

    def _candidates(self, study: StudyEvidence, issuer: str, kind: str) -> tuple[str, ...]:
        archive = self.rules.archives.get(study.archive, ArchiveIssuers())
        means = archive.alias.get(issuer, issuer)
        if kind in ASSERTING or kind == NO_KIND or means == "ignore":
            return archive.candidates(study)
        if means not in self._issuers:
            raise _Refusal("foreign-issuer")
        return (means,)

    # -- checking it --------------------------------------------------------------------------

    def _checked(self, study: StudyEvidence, group: PatientGroup) -> Entry:
        entries = self._found(study, group)
        if not entries:
            raise _Refusal("no-crosswalk-entry")
        entry = self._agreed(study, group, self._beside(group, self._numbered(entries)))
        if group.primary_is_strong:
            self._items_agree(study, group, entry)
        return entry

    def _agreed(
        self, study: StudyEvidence, group: PatientGroup, entries: tuple[Entry, ...]
    ) -> Entry:
        """Return the first of the rows: all name one BSN, and every one of them allows writing."""
        locals_ = {(entry.issuer, self.crosswalk.spelled(entry)) for entry in entries}
        if len({entry.bsn for entry in entries}) > 1 or locals_ & self.crosswalk.two_numbers:
            raise _Refusal("two-numbers", entries[0])
        refusals: list[_Refusal] = []
        for entry in entries:
            try:
                self._consistent(study, group, entry, self._written(group, entry))
            except _Refusal as refusal:
                refusals.append(refusal)
        if refusals:
            raise _first(refusals)
        return entries[0]

    def _items_agree(self, study: StudyEvidence, group: PatientGroup, entry: Entry) -> None:
        """Where PatientID is the BSN, a local number beside it must be this person's too.

        It is the one that the at-rest placement would make primary.
        """
        for issuer, kind, token in group.other_ids:
            archive = self.rules.archives.get(study.archive, ArchiveIssuers())
            if kind in ASSERTING or archive.alias.get(issuer, issuer) not in self._issuers:
                continue
            beside = self._by_number(study, issuer, kind, token)
            if not beside:
                raise _Refusal("no-crosswalk-entry", entry)
            if any(one.bsn and one.bsn != entry.bsn for one in beside):
                raise _Refusal("header-disagrees", entry)

    def _consistent(
        self, study: StudyEvidence, group: PatientGroup, entry: Entry, bound_to: str | None
    ) -> None:
        missing = self._clash(group, entry, bound_to)
        self._header_agrees(study, entry)
        self._may_be_written(entry)
        if missing:
            raise _Refusal("unconfirmed-person", entry)
        self._alone(group, entry, bound_to)

    def _numbered(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Return the rows with a number; where none has, those that `replaced_by` leads to."""
        later = (
            row
            for entry in entries
            if entry.replaced_by
            for row in self._plain.get((entry.issuer, entry.replaced_by), ())
        )
        return (
            tuple(entry for entry in entries if entry.bsn)
            or tuple(dict.fromkeys(row for row in later if row.bsn))
            or entries
        )

    def _beside(self, group: PatientGroup, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Of the local numbers of one BSN, prefer those that the header has too."""
        tokens = {group.patient_token, *(token for _, _, token in group.other_ids)}
        here = tuple(
            entry
            for entry in entries
            if patient_token(self.keys, self.crosswalk.spelled(entry)) in tokens
        )
        return here or entries

    def _written(self, group: PatientGroup, entry: Entry) -> str | None:
        """Return PatientID as the header writes it, which its person tokens are bound to."""
        number = entry.bsn if entry.well_formed else ""
        short = number.lstrip("0")
        texts = chain(
            (self.crosswalk.spelled(e) for e in (*self._same(entry), entry)),
            (number, short, f"{number[:4]}.{number[4:6]}.{number[6:]}") if number else (),
        )
        return next((t for t in texts if patient_token(self.keys, t) == group.patient_token), None)

    def _same(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the rows of this person: of the same BSN, and those that it replaced."""
        same = self.crosswalk.by_bsn(entry.bsn) if entry.bsn and entry.well_formed else ()
        return (*same, *self._former.get((entry.issuer, entry.local_number), ()))

    def _tokens(self, entry: Entry, bound_to: str) -> PersonTokens:
        return bound_tokens(
            self.keys, bound_to, entry.birth_date, entry.family_names, entry.initials
        )

    def _clash(self, group: PatientGroup, entry: Entry, bound_to: str | None) -> bool:
        """Raise where the person contradicts; return whether something needed is missing."""
        mine = self._tokens(entry, bound_to) if bound_to is not None else None
        theirs = group.person
        if mine and mine.birth_date and theirs.birth_date and mine.birth_date != theirs.birth_date:
            raise _Refusal("birth-date-clash", entry)
        if group.sex and entry.sex and group.sex != entry.sex:
            raise _Refusal("sex-clash", entry)
        if mine and mine.names and theirs.names and not mine.names & theirs.names:
            raise _Refusal("name-clash", entry)
        return not (mine and mine.birth_date and theirs.birth_date and mine.names and theirs.names)

    def _header_agrees(self, study: StudyEvidence, entry: Entry) -> None:
        usable = entry.well_formed and bsn.passes(entry.bsn)
        usable &= not bsn.is_placeholder(entry.bsn, self.rules.placeholders)
        if len(study.strong) > 1 or (usable and study.strong - {bsn_token(self.keys, entry.bsn)}):
            raise _Refusal("header-disagrees", entry)

    def _may_be_written(self, entry: Entry) -> None:
        rules, number = self.rules, entry.bsn
        usable = entry.well_formed and bsn.passes(number)
        status = entry.status.casefold()
        allowed = {word.casefold() for word in rules.writable_statuses}
        validations = {word.casefold() for word in rules.writable_validations}
        checks = {
            "exempt": bool(entry.exemption) and not usable,
            "no-number": not number,
            "placeholder-number": bsn.is_placeholder(number, rules.placeholders),
            "invalid-number": not usable,
            "not-verified": status not in allowed
            or bool(validations and entry.validation.casefold() not in validations),
            "test-number": bsn.is_test_number(number) and not rules.allow_test_numbers,
            "shared-number": (entry.issuer, number) in self.crosswalk.shared_numbers,
        }
        for reason, holds in checks.items():
            if holds:
                raise _Refusal(reason, entry)

    def _alone(self, group: PatientGroup, entry: Entry, bound_to: str | None) -> None:
        """Where others share birth date and family name, initials must tell them apart."""
        others = self.crosswalk.homonyms(entry)
        if not others or bound_to is None:
            return
        theirs = group.person
        if not theirs.initials_agree(self._tokens(entry, bound_to)) or any(
            not other.initials or theirs.initials_agree(self._tokens(other, bound_to))
            for other in others
        ):
            raise _Refusal("homonym", entry)


def _first(refusals: Iterable[_Refusal]) -> _Refusal:
    """Return the refusal whose reason comes first."""
    return min(refusals, key=lambda refusal: _RANK[refusal.reason])


def _content(entry: Entry) -> tuple[Any, ...]:
    """Return what a row says, without its place: an order that reading does not change."""
    return astuple(replace(entry, place=""))
