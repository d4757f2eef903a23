"""Acceptances: which count, for which study, and what can never be accepted."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.acceptances import ACCEPTABLE, Acceptance, Accepted, StudyFacts, rule_of
from remediation.model.evidence import REASONS
from remediation.model.minisign import new_key_pair

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
MISSING = "unconfirmed-person"
STUDY = "1.2.826.0.1.7"
ONE = Acceptance("Tweede Persoon", AT, "naam ontbreekt op CT1", MISSING, study=STUDY)
OTHER = replace(ONE, by="Derde Persoon")
RULE = rule_of(["archive=oost", "StationName=CT1", "to=2003-12-31"], MISSING)
BY_RULE = [replace(one, study="", rule=RULE) for one in (ONE, OTHER)]
FACTS = StudyFacts("oost", STUDY, "Ziekenhuis Oost", date(2003, 5, 1), "CT1", "CT")


def holds(acceptances, facts=FACTS, reason=MISSING, required=2):
    return Accepted.of(acceptances, required).holds(reason, facts)


def test_two_people_are_enough_for_a_study_and_one_is_not():
    assert holds([ONE, OTHER])
    assert not holds([ONE])
    assert not holds([])


def test_it_is_that_study_and_no_other():
    assert not holds([ONE, OTHER], replace(FACTS, study=STUDY + "0"))


@pytest.mark.parametrize("name", ["tweede  PERSOON", "Tweede\u00a0Persoon", "Twee\u00adde Persoon"])
def test_one_person_twice_is_one_however_the_name_is_spelled(name):
    assert not holds([ONE, replace(ONE, by=name, why="nog eens")])


def test_one_key_under_two_names_is_one():
    key, another = new_key_pair()[1], new_key_pair()[1]
    assert not holds([replace(ONE, key=key), replace(OTHER, key=key)])
    assert holds([replace(ONE, key=key), replace(OTHER, key=another)])


def test_one_who_speaks_of_the_study_and_one_of_a_rule_say_not_the_same():
    assert not holds([ONE, BY_RULE[1]])
    wider = replace(BY_RULE[1], rule=rule_of(["archive=oost"], MISSING))
    assert not holds([BY_RULE[0], wider])
    assert holds(BY_RULE)


def test_two_who_accept_two_reasons_accept_neither():
    assert not holds([ONE, replace(OTHER, reason="name-close")])


def test_it_is_never_fewer_than_two_and_may_be_more():
    assert not holds([ONE], required=1)
    assert not holds([ONE, OTHER], required=3)
    assert holds([ONE, OTHER, replace(ONE, by="Vierde Persoon")], required=3)


@pytest.mark.parametrize(
    ("change", "inside"),
    [
        ({}, True),
        ({"study": "1.9"}, True),
        ({"day": date(2003, 12, 31)}, True),
        ({"day": date(2004, 1, 1)}, False),
        ({"day": None}, False),
        ({"archive": "west"}, False),
        ({"station": "CT2"}, False),
        ({"station": ""}, False),
        ({"modality": "MR"}, True),
    ],
)
def test_a_rule_holds_where_all_of_it_does(change, inside):
    assert holds(BY_RULE, replace(FACTS, **change)) is inside


def test_a_rule_from_a_day_holds_on_that_day():
    rule = rule_of(["Modality=CT", "from=2003-05-01", "source=Ziekenhuis Oost"], MISSING)
    both = [replace(one, rule=rule) for one in BY_RULE]
    assert holds(both)
    assert not holds(both, replace(FACTS, day=date(2003, 4, 30)))
    assert not holds(both, replace(FACTS, source="Kliniek West"))


@pytest.mark.parametrize("reason", sorted(set(REASONS) - ACCEPTABLE))
def test_nothing_else_can_be_accepted_by_anyone(reason):
    both = [replace(one, reason=reason) for one in (ONE, OTHER)]
    with pytest.raises(UsageError, match="cannot be accepted"):
        both[0].check()
    with pytest.raises(UsageError, match="cannot be accepted"):
        Accepted.of(both)
    # Nor by an object that was made past the check.
    forged = Accepted(frozenset({(reason, STUDY)}), ((reason, RULE),))
    assert not forged.holds(reason, FACTS)


def test_a_clash_is_not_among_what_can_be_accepted():
    assert {"unconfirmed-person", "name-close"} == ACCEPTABLE
    assert not ACCEPTABLE & {"birth-date-clash", "sex-clash", "header-disagrees", "name-clash"}


@pytest.mark.parametrize(
    "pairs",
    [
        ["archive"],
        ["archive="],
        ["PatientID=7"],
        ["archive=oost", "archive=west"],
        ["from=2003-01-01"],
        [f"reason={MISSING}"],
        ["archive=oost", "reason=name-close"],
        ["archive=oost", "to=31-12-2003"],
        ["archive=oost", "to=20031231"],
        ["archive=oost", "from=2004-01-01", "to=2003-01-01"],
        [f"StationName={bsn.test_number(3)}"],
        ["StationName=a\x00b"],
        [],
    ],
)
def test_what_is_no_rule_is_refused_and_not_echoed(pairs):
    with pytest.raises(UsageError) as caught:
        rule_of(pairs, MISSING)
    assert bsn.test_number(3) not in str(caught.value)


def test_the_order_in_which_a_rule_is_typed_does_not_matter():
    assert rule_of(["to=2003-12-31", "StationName=CT1", "archive=oost"], MISSING) == RULE
    assert rule_of(["archive=oost", f"reason={MISSING}"], MISSING) == (("archive", "oost"),)


def test_a_study_or_a_rule_never_both_or_none():
    for wrong in (replace(ONE, rule=RULE), replace(ONE, study=""), replace(ONE, study="x")):
        with pytest.raises(UsageError):
            wrong.check()


def test_its_id_changes_with_everything_it_says():
    others = [
        OTHER,
        replace(ONE, at=AT.replace(hour=11)),
        replace(ONE, why="anders"),
        replace(ONE, reason="name-close"),
        replace(ONE, study=STUDY + "1"),
        BY_RULE[0],
        replace(ONE, key="RW"),
    ]
    assert len({one.acceptance_id for one in [ONE, *others]}) == len(others) + 1


@given(st.lists(st.sampled_from([ONE, OTHER, *BY_RULE]), max_size=6), st.randoms())
def test_the_order_of_acceptances_does_not_matter(found, random):
    turned = found[:]
    random.shuffle(turned)
    assert Accepted.of(found) == Accepted.of(turned)
