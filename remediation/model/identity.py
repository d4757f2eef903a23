"""Identity: who a study's patient is by the crosswalk, or the reason why that is not settled.

A BSN is written only where the hospital's own registration vouches for it and the person agrees.
Every refusal has a reason from `REASONS`; the first that holds is given. Source: UAVG article 46,
IHE PIX (identifier domains).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from remediation.model.agreement import Agreement, Case, Refusal, first, holds_on
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.evidence import ArchiveIssuers, MatchRules, PatientGroup, StudyEvidence
from remediation.model.issuers import ASSERTING, NO_KIND
from remediation.model.lookups import Lookups
from remediation.model.reasons import HARD
from remediation.model.secrets import Keys

# Reasons that may be others once the header is read again.
_ASKING = frozenset({"name-clash", "unconfirmed-person"})


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome for one study; `entry` holds plain values and is never written.

    `asks` are the groups whose headers, read again, may give another outcome.
    """

    outcome: str  # resolved | conformant | refused | exempt
    reason: str = ""
    entry: Entry | None = field(default=None, repr=False)
    bsn_token: str | None = None
    local_token: str | None = None
    evidence: str = "absent"
    warnings: tuple[str, ...] = ()
    exemption: str | None = None
    asks: tuple[PatientGroup, ...] = ()


class Matcher:
    """Holds studies against one crosswalk."""

    def __init__(self, crosswalk: Crosswalk, keys: Keys, rules: MatchRules) -> None:
        self.keys, self.rules = keys, rules
        self.rows = Lookups(crosswalk, keys)
        self._agreement = Agreement(self.rows, keys, rules)
        issuers = set(self.rows.issuers)
        for archive in rules.archives.values():
            issuers |= {archive.local_issuer, *(p.local_issuer for p in archive.periods)}
        self._issuers = frozenset(issuers - {""})

    def resolve(self, study: StudyEvidence) -> Identity:
        """Return the identity of one study."""
        case = Case(study)
        try:
            entry = self._person(case)
        except Refusal as refusal:
            found = self._refused(study, refusal)
            asks = tuple(case.asks) if refusal.reason in _ASKING else ()
            return replace(found, asks=asks) if asks else found
        token = self.rows.token_of_bsn(entry.bsn)
        local = self.rows.token_of(self.rows.spelled(entry))
        evidence = "confirmed" if token in study.seen else self._header_says(study)
        outcome = "conformant" if study.status == "conformant" else "resolved"
        return Identity(outcome, "", entry, token, local, evidence, tuple(case.warnings))

    @staticmethod
    def _header_says(study: StudyEvidence) -> str:
        if study.strong:
            return "asserted"
        return "candidate" if study.seen else "absent"

    def _refused(self, study: StudyEvidence, refusal: Refusal) -> Identity:
        reason, entry = refusal.reason, refusal.entry
        exemption = entry.exemption if entry and entry.exemption else None
        says = self._header_says(study)
        if study.status == "conformant" and reason not in HARD:
            return Identity("conformant", "", entry, None, None, says, (reason,), exemption)
        outcome = "exempt" if reason == "exempt" else "refused"
        return Identity(outcome, reason, entry, None, None, says, (), exemption)

    def _person(self, case: Case) -> Entry:
        """Return the one entry that all instances lead to.

        Raises:
            Refusal: they do not, or it does not allow writing.
        """
        study = case.study
        if study.unreadable or not study.groups:
            raise Refusal("unreadable-instance")
        patients = {group.patient_token for group in study.groups}
        births = {g.person.birth_date for g in study.groups if g.person.birth_date}
        sexes = {group.sex for group in study.groups if group.sex}
        if len(patients) == 1 and (len(births) > 1 or len(sexes) > 1):
            raise Refusal("instances-disagree")
        refusals: list[Refusal] = []
        entries: list[Entry] = []
        for group in study.groups:
            try:
                entries.append(self._checked(case, group))
            except Refusal as refusal:
                refusals.append(refusal)
        named = {entry.bsn for entry in entries}
        named |= {refusal.entry.bsn if refusal.entry else "" for refusal in refusals}
        if len(named - {""}) > 1 or (len(patients) > 1 and "" in named):
            raise Refusal("instances-disagree")
        if refusals:
            raise first(refusals)
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
            for one in self.rows.bsn(bsn)
            if one.issuer == local_issuer
            and self.rows.token_of(self.rows.spelled(one)) == local_token
        )
        if not rows or group.patient_token is None:
            return "no-crosswalk-entry"
        if study.day and group.patient_token == local_token:
            rows = tuple(one for one in rows if holds_on(one, study))
            if not rows:
                return "outside-validity"
        if self._agreement.written(group, self._agreement.linked(rows), rows[0]) is None:
            return "instances-disagree"
        try:
            self._agreement.settled(Case(study), group, rows)
        except Refusal as refusal:
            return refusal.reason
        return None

    # -- finding the entry --------------------------------------------------------------------

    def _found(self, study: StudyEvidence, group: PatientGroup) -> tuple[Entry, ...]:
        if group.patient_token is None:
            raise Refusal("no-crosswalk-entry")
        if group.primary_bsn_token is not None and group.primary_is_strong:
            return self.rows.bsn(group.primary_bsn_token) or self._through_items(study, group)
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
        """Return the rows of a local number that held when the study was made."""
        candidates = self._candidates(study, issuer, kind)
        found = [rows for name in candidates if (rows := self.rows.local(name, token))]
        holding = [held for rows in found if (held := tuple(r for r in rows if holds_on(r, study)))]
        if len(holding) > 1:
            raise Refusal("ambiguous-issuer")
        if found and not holding:
            raise Refusal("outside-validity", found[0][0])
        return holding[0] if holding else ()

    def _candidates(self, study: StudyEvidence, issuer: str, kind: str) -> tuple[str, ...]:
        archive = self.rules.archives.get(study.archive, ArchiveIssuers())
        means = archive.alias.get(issuer, issuer)
        if kind in ASSERTING or kind == NO_KIND or means == "ignore":
            return archive.candidates(study)
        if means not in self._issuers:
            raise Refusal("foreign-issuer")
        return (means,)

    # -- checking it --------------------------------------------------------------------------

    def _checked(self, case: Case, group: PatientGroup) -> Entry:
        entries = self._found(case.study, group)
        if not entries:
            raise Refusal("no-crosswalk-entry")
        numbered = self._beside(group, self._numbered(entries))
        entry = self._agreement.settled(case, group, numbered)
        if group.primary_is_strong:
            self._items_agree(case.study, group, entry)
        return entry

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
                raise Refusal("no-crosswalk-entry", entry)
            if any(one.bsn and one.bsn != entry.bsn for one in beside):
                raise Refusal("header-disagrees", entry)

    def _numbered(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Return the rows with a number; where none has, the next that `replaced_by` leads to."""
        seen = dict.fromkeys(entries)
        now = entries
        while now:
            numbered = tuple(row for row in now if row.bsn)
            if numbered:
                return numbered
            later = (
                row
                for entry in now
                if entry.replaced_by
                for row in self.rows.by_plain(entry.issuer, entry.replaced_by)
            )
            now = tuple(row for row in dict.fromkeys(later) if row not in seen)
            seen |= dict.fromkeys(now)
        return entries

    def _beside(self, group: PatientGroup, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """Of the local numbers of one BSN, prefer those that the header has too."""
        if len(entries) == 1:
            return entries
        tokens = {group.patient_token, *(token for _, _, token in group.other_ids)}
        here = tuple(
            entry for entry in entries if self.rows.token_of(self.rows.spelled(entry)) in tokens
        )
        return here or entries
