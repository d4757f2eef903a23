"""Judging `match` by what is known: an export full of mistakes, and whose each study is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.adversary import COLLATERAL, KINDS, RIGHT, WRONG, Header, told
from bench.town import Town, write_export
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import MatchRules, PatientGroup, PlainPerson, StudyEvidence
from remediation.model.identity import Identity, Matcher
from remediation.model.person import family_names
from remediation.model.secrets import Keys
from remediation.model.tokens import bound_tokens, bsn_token, patient_token

KEYS = Keys.from_hex("5a" * 32)
OID = "2.16.840.1.113883.2.4.6.3"


@dataclass(slots=True)
class Judged:
    """What came out: of each kind the outcomes, and what should not have come out.

    Attributes:
        wrong: studies that were given a number which is not their patient's.
        unexpected: studies with an outcome that its kind does not list, by kind and outcome.
    """

    rows: int = 0
    studies: int = 0
    wrong: int = 0
    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    unexpected: dict[str, int] = field(default_factory=dict)


def judged(
    town: Town, folder: Path, read: Callable[[Path], Crosswalk], rules: MatchRules
) -> Judged:
    """Write the export of a town, match a study or two of everybody, and hold it all up."""
    export = folder / "adversary.csv"
    rows = write_export(export, (one for _, pair in told(town) for one in pair.lines))
    try:
        matcher = Matcher(read(export), KEYS, rules)
    finally:
        export.unlink()
    found = Judged(rows=rows)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    unexpected: Counter[str] = Counter()
    for kind, happened in told(town):
        for one in happened.headers:
            identity = resolved(matcher, one)
            came = identity.reason or RIGHT
            if identity.bsn_token not in {None, bsn_token(KEYS, one.of.number)}:
                found.wrong += 1
                came = WRONG
            outcomes[kind.name][came] += 1
            if came not in kind.expected | COLLATERAL:
                unexpected[f"{kind.name}: {came}"] += 1
            found.studies += 1
    found.outcomes = {name: dict(own.most_common()) for name, own in outcomes.items()}
    found.unexpected = dict(unexpected.most_common())
    return found


def resolved(matcher: Matcher, one: Header) -> Identity:
    """Return the identity of a study, its header read again where that is asked for."""
    study = evidence(one)
    identity = matcher.resolve(study)
    if not identity.asks:
        return identity
    plain = PlainPerson(one.primary or one.local, family_names(one.name))
    groups = tuple(replace(group, plain=plain) for group in study.groups)
    return matcher.resolve(replace(study, groups=groups))


def evidence(one: Header) -> StudyEvidence:
    """Return a header as the inventory holds it."""
    written = one.primary or one.local
    strong = frozenset(bsn_token(KEYS, number) for number in one.strong)
    group = PatientGroup(
        patient_token=patient_token(KEYS, written),
        issuer=OID if one.primary else one.issuer,
        issuer_kind="bsn-oid" if one.primary else ("other" if one.issuer else "none"),
        other_ids=tuple(
            (issuer, "other", patient_token(KEYS, number)) for issuer, number in one.items
        ),
        person=bound_tokens(KEYS, written, one.birth, family_names(one.name), one.initials),
        sex=one.sex,
        primary_bsn_token=bsn_token(KEYS, one.primary) if one.primary else None,
        primary_is_strong=bool(one.primary),
    )
    return StudyEvidence(one.archive, "2.999", one.day, "absent", 0, (group,), strong, strong)


def markdown(found: Judged) -> str:
    """Return what came out as a table."""
    lines = [
        f"{found.rows:,} rows, {found.studies:,} studies, {found.wrong} wrong numbers.",
        "",
        "| what happened | studies | outcomes | expected |",
        "|---|---|---|---|",
    ]
    expected = {one.name: one.expected for one in KINDS}
    for name, own in found.outcomes.items():
        came = ", ".join(f"{outcome} {count:,}" for outcome, count in own.items())
        lines.append(
            f"| {name} | {sum(own.values()):,} | {came} | {', '.join(sorted(expected[name]))} |"
        )
    strange = ", ".join(f"{what} ({count})" for what, count in found.unexpected.items())
    return "\n".join([*lines, "", f"Outcomes that were not expected: {strange or 'none'}.", ""])
