"""Acceptances: two people say, of one study or by one rule, that a warning need not stop it.

Only what `ACCEPTABLE` names can be accepted: where something is missing or nearly agrees. Where
header and EPD contradict each other, nobody can say here that it is all right. Both must say the
same thing: of the same study, or in the same rule.

>>> from dataclasses import replace
>>> at = datetime(2026, 11, 23, tzinfo=UTC)
>>> rule = rule_of(["StationName=CT1", "to=2003-12-31"], "unconfirmed-person")
>>> one = Acceptance("Tweede Persoon", at, "geen namen op CT1", "unconfirmed-person", rule=rule)
>>> other = replace(one, by="Derde Persoon")
>>> facts = StudyFacts("oost", "1.2.3", day=date(2003, 5, 1), station="CT1")
>>> Accepted.of([one, other]).holds("unconfirmed-person", facts)
True
>>> Accepted.of([one]).holds("unconfirmed-person", facts)
False
>>> Accepted.of([one, other]).holds("name-close", facts)
False
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from remediation.errors import UsageError
from remediation.model.approvals import Approval, distinct
from remediation.model.manifest import canonical
from remediation.model.washing import holds_number

ACCEPTABLE = frozenset({"unconfirmed-person", "name-close"})
PEOPLE = 2  # who must say the same, whatever the job asks for approvals
RULE_KEYS = ("archive", "source", "StationName", "Modality", "from", "to", "reason")
_TEXTS = frozenset({"archive", "source", "StationName", "Modality"})
ID_LENGTH = 16

Rule = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What rules look at, of one study; `day` is its StudyDate, None where it has none."""

    archive: str
    study: str
    source: str = ""
    day: date | None = None
    station: str = ""
    modality: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One person's word: of a study (its StudyInstanceUID), or by a rule; never both.

    Attributes:
        key: minisign public line of who said so; empty where it is not signed.
    """

    by: str
    at: datetime
    why: str
    reason: str
    study: str = ""
    rule: Rule = ()
    key: str = ""

    @property
    def subject(self) -> tuple[str, str, Rule]:
        """What it is about: two acceptances count together where this is the same."""
        return self.reason, self.study, self.rule

    @property
    def acceptance_id(self) -> str:
        """The first digits of a digest of all that it says."""
        at = self.at.astimezone(UTC).isoformat(timespec="seconds")
        said = [self.by, at, self.why, *self.subject, self.key]
        return sha256(canonical(said)).hexdigest()[:ID_LENGTH]

    def check(self) -> None:
        """Raise unless this is something that can be accepted.

        Raises:
                UsageError: a reason that nobody can accept here, or not one study or one rule.
        """
        if self.reason not in ACCEPTABLE:
            raise UsageError(
                "this reason cannot be accepted",
                "--reason",
                f"only {', '.join(sorted(ACCEPTABLE))}",
            )
        if bool(self.study) == bool(self.rule):
            raise UsageError("accept one study, or one rule", "", "give --study UID or --rule")
        if self.study and not _is_uid(self.study):
            raise UsageError("not a StudyInstanceUID", "--study", "digits and dots, at most 64")
        if self.rule and rule_of((f"{key}={said}" for key, said in self.rule), "") != self.rule:
            raise UsageError("not a rule of this tool", "--rule", "give its keys one by one")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which warnings are accepted: studies by (reason, study), and rules by reason."""

    studies: frozenset[tuple[str, str]] = frozenset()
    rules: tuple[tuple[str, Rule], ...] = ()

    @classmethod
    def of(cls, acceptances: Iterable[Acceptance], required: int = PEOPLE) -> Accepted:
        """Return what enough different people, with different keys, accepted alike."""
        by_subject: dict[tuple[str, str, Rule], list[Approval]] = defaultdict(list)
        for one in acceptances:
            one.check()
            by_subject[one.subject].append(Approval(one.by, one.at, one.key or None))
        enough = max(PEOPLE, required)
        holding = [about for about, said in by_subject.items() if len(distinct(said)) >= enough]
        return cls(
            frozenset((reason, study) for reason, study, _ in holding if study),
            tuple(sorted((reason, rule) for reason, _, rule in holding if rule)),
        )

    def holds(self, reason: str, facts: StudyFacts) -> bool:
        """Tell whether a study's warning is accepted; never one that nobody can accept."""
        if reason not in ACCEPTABLE:
            return False
        if (reason, facts.study) in self.studies:
            return True
        return any(word == reason and _within(rule, facts) for word, rule in self.rules)


def rule_of(pairs: Iterable[str], reason: str) -> Rule:
    """Return a rule, in one order, from texts of the form KEY=VALUE.

    >>> rule_of(["Modality=CT", "archive=oost"], "name-close")
    (('Modality', 'CT'), ('archive', 'oost'))
    >>> rule_of(["reason=name-close"], "name-close")
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: a rule must narrow (--rule): name an archive, source, station or modality

    Raises:
        UsageError: an unknown or doubled key, an empty value, a date that is none, or a rule that
            would hold everywhere.
    """  # noqa: E501 - the message is one line
    found: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        value = value.strip()
        if not sign or key not in RULE_KEYS or key in found:
            raise UsageError(
                "a rule is KEY=VALUE, each key once", "--rule", f"keys: {', '.join(RULE_KEYS)}"
            )
        if not value or not value.isprintable() or (key in _TEXTS and holds_number(value)):
            raise UsageError("a rule's value cannot be used", f"--rule {key}", "name it plainly")
        found[key] = value
    if found.pop("reason", reason) != reason:
        raise UsageError("two different reasons", "--rule reason, --reason", "give one")
    if not found.keys() & _TEXTS:
        raise UsageError(
            "a rule must narrow", "--rule", "name an archive, source, station or modality"
        )
    days = [_day(found[key], key) for key in ("from", "to") if key in found]
    if days != sorted(days):
        raise UsageError("a rule's days are in the wrong order", "--rule from, to", "turn them")
    return tuple(sorted(found.items()))


def _within(rule: Rule, facts: StudyFacts) -> bool:
    said = {
        "archive": facts.archive,
        "source": facts.source,
        "StationName": facts.station,
        "Modality": facts.modality,
    }
    return all(
        said[key] == value if key in said else _held(key, facts.day, value) for key, value in rule
    )


def _held(key: str, day: date | None, value: str) -> bool:
    """Tell whether a day lies within a limit, itself included; a study without a day does not."""
    if day is None:
        return False
    limit = date.fromisoformat(value)
    return day >= limit if key == "from" else day <= limit


def _day(text: str, key: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise UsageError("not a day", f"--rule {key}", "write it as 2003-12-31")
    return day


def _is_uid(text: str) -> bool:
    parts = text.split(".")
    return len(text) <= 64 and all(part.isascii() and part.isdigit() for part in parts)  # noqa: PLR2004 - PS3.5
