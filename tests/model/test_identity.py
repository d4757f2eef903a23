"""Who a study's patient is: every reason for which that stays open, and what settles it."""

from __future__ import annotations

import re

import pytest
from model.people import (
    KEYS,
    ONE,
    OOST,
    TWO,
    WEST,
    bare,
    entry,
    head,
    matcher,
    read_again,
    refusal,
    study,
    verdict,
)

from remediation.model.crosswalk import SpellingRule
from remediation.model.evidence import (
    HARD,
    REASONS,
    ArchiveIssuers,
    IssuerPeriod,
    MatchRules,
)
from remediation.model.tokens import bsn_token, patient_token

CONFORMANT = {"status": "conformant", "strong": [ONE]}


def archives(**issuers):
    return {"archives": {"oost": ArchiveIssuers(**issuers)}}


# --- resolved -------------------------------------------------------------------------------------


def test_a_local_number_that_the_epd_knows_and_a_person_who_agrees_resolve():
    found = matcher(entry()).resolve(study())
    assert (found.outcome, found.reason, found.warnings) == ("resolved", "", ())
    assert found.bsn_token == bsn_token(KEYS, ONE)
    assert found.local_token == patient_token(KEYS, "12345")
    assert found.evidence == "absent"


def test_the_evidence_says_how_much_the_header_knew():
    def evidence(**more):
        return matcher(entry()).resolve(study(**more)).evidence

    assert evidence(seen=[ONE]) == "confirmed"
    assert evidence(strong=[ONE]) == "confirmed"
    assert evidence(seen=[TWO]) == "candidate"


def test_an_identity_does_not_show_the_row_that_it_came_from():
    assert not re.search(r"\d{9}|Jansen", repr(matcher(entry()).resolve(study())), re.IGNORECASE)


def test_a_local_number_is_compared_as_headers_spell_it():
    rule = [SpellingRule(OOST, width=7)]
    assert verdict(study(head("0012345")), entry(), spelling=rule) == ("resolved", "")
    assert refusal(study(head("12345")), entry(), spelling=rule) == "no-crosswalk-entry"


def test_one_family_name_that_agrees_is_enough():
    both = entry(names="Berg-Jansen")
    assert verdict(study(head(names="Jansen")), both) == ("resolved", "")
    assert verdict(study(head(names="van den Berg")), both) == ("resolved", "")


@pytest.mark.parametrize("theirs", ["M", "F", ""])
def test_a_sex_that_is_other_or_unknown_contradicts_neither(theirs):
    assert verdict(study(head(sex="")), entry(sex=theirs)) == ("resolved", "")
    assert verdict(study(head(sex=theirs)), entry(sex="")) == ("resolved", "")


def test_a_number_with_a_leading_zero_is_compared_with_its_zero():
    number = "012345672"
    assert verdict(study(), entry(number=number)) == ("resolved", "")


# --- every reason ---------------------------------------------------------------------------------

REFUSED = {
    "unreadable-instance": (study(unreadable=1), [entry()]),
    "instances-disagree": (
        study(head(), head("67")),
        [entry(), entry("67", TWO, birth_date="19600101")],
    ),
    "foreign-issuer": (study(head(issuer="ZKH-ELDERS")), [entry()]),
    "no-crosswalk-entry": (study(head("54321")), [entry()]),
    "outside-validity": (study(), [entry(valid_to="20091231")]),
    "two-numbers": (study(), [entry(), entry(number=TWO)]),
    "birth-date-clash": (study(), [entry(birth_date="19500302")]),
    "sex-clash": (study(), [entry(sex="M")]),
    "name-clash": (study(), [entry(names="Pietersen")]),
    "header-disagrees": (study(strong=[TWO]), [entry()]),
    "exempt": (study(), [entry(number="", exemption="pasgeborene")]),
    "no-number": (study(), [entry(number="")]),
    "placeholder-number": (study(), [entry(number="999999990")]),
    "invalid-number": (study(), [entry(number="999900007")]),
    "not-verified": (study(), [entry(status="niet geverifieerd")]),
    "shared-number": (study(), [entry(), entry("67", names="Anders")]),
    "unconfirmed-person": (study(head(birth="")), [entry()]),
    "name-close": (study(read_again(names="Janssen")), [entry()]),
    "homonym": (study(), [entry(), entry("67", TWO)]),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_study_is_refused_for_the_reason_that_holds(reason):
    evidence, rows = REFUSED[reason]
    assert refusal(evidence, *rows) == reason
    assert matcher(*rows).resolve(evidence).bsn_token is None


def test_a_test_number_is_refused_unless_the_job_allows_it():
    assert refusal(study(), entry(), allow_test_numbers=False) == "test-number"


def test_test_numbers_are_not_allowed_unless_somebody_says_so():
    assert not MatchRules(frozenset({"geverifieerd"})).allow_test_numbers


def test_two_issuers_that_both_know_the_number_are_ambiguous():
    both = {"periods": (IssuerPeriod(OOST), IssuerPeriod(WEST))}
    rows = [entry(), entry(number=TWO, issuer=WEST, birth_date="19610506", names="Anders")]
    assert refusal(study(bare()), *rows, **archives(**both)) == "ambiguous-issuer"
    assert verdict(study(bare()), rows[0], **archives(**both)) == ("resolved", "")


def test_every_reason_has_its_case():
    assert REASONS.keys() == REFUSED.keys() | {"test-number", "ambiguous-issuer"}


def test_an_exempt_patient_is_exempt_and_the_epds_word_for_it_is_kept():
    found = matcher(entry(number="", exemption="buitenlander")).resolve(study())
    assert (found.outcome, found.exemption) == ("exempt", "buitenlander")


def test_an_exemption_with_a_good_number_does_not_stop_writing():
    assert verdict(study(), entry(exemption="pasgeborene")) == ("resolved", "")
    stands_for_none = entry(number="999900007", exemption="pasgeborene")
    assert verdict(study(), stands_for_none) == ("exempt", "exempt")


# --- which reason comes first ---------------------------------------------------------------------

# Each change makes one more reason hold; the reasons after it held already.
MOUNTING = (
    ("unconfirmed-person", {}, {"names": ""}),
    ("shared-number", {}, {}),
    ("not-verified", {"status": "onbekend"}, {}),
    ("invalid-number", {"number": "999900007"}, {}),
    ("placeholder-number", {"number": "000000000"}, {}),
    ("no-number", {"number": ""}, {}),
    ("exempt", {"exemption": "buitenlander"}, {}),
    ("sex-clash", {"sex": "M"}, {}),
    ("birth-date-clash", {"birth_date": "19500302"}, {}),
)


@pytest.mark.parametrize("depth", range(1, len(MOUNTING) + 1))
def test_the_first_reason_in_the_list_is_the_one_that_is_given(depth):
    row, header = {}, {}
    for _, of_row, of_header in MOUNTING[:depth]:
        row |= of_row
        header |= of_header
    rows = [entry(**row)]
    if depth > 1:
        rows.append(entry("67", names="Anders"))
    assert refusal(study(head(**header)), *rows) == MOUNTING[depth - 1][0]
    order = list(REASONS)
    assert order.index(MOUNTING[depth - 1][0]) < order.index(MOUNTING[depth - 2][0]) or depth == 1


def test_a_disagreeing_header_comes_before_what_the_epd_says_of_the_number():
    assert refusal(study(strong=[TWO]), entry(status="?")) == "header-disagrees"
    assert refusal(study(strong=[ONE, TWO]), entry(number="")) == "header-disagrees"
    assert refusal(study(strong=[TWO]), entry(number="")) == "no-number"


def test_a_clash_comes_before_a_disagreeing_header():
    assert refusal(study(head(names="Anders"), strong=[TWO]), entry()) == "name-clash"


def test_two_numbers_come_before_a_clash():
    rows = [entry(sex="M"), entry(number=TWO, sex="M")]
    assert refusal(study(), *rows) == "two-numbers"


def test_an_unreadable_instance_comes_before_everything():
    evidence = study(head(), head("67", issuer="ZKH-ELDERS"), unreadable=1, strong=[ONE, TWO])
    assert refusal(evidence) == "unreadable-instance"
    assert refusal(study(), allow_test_numbers=False) == "no-crosswalk-entry"


# --- studies that are conformant already ----------------------------------------------------------


def conformant(header=None, **more):
    return study(header or head(), **(CONFORMANT | more))


def test_a_conformant_study_that_the_epd_confirms_stays_conformant():
    found = matcher(entry()).resolve(conformant())
    assert (found.outcome, found.evidence, found.warnings) == ("conformant", "confirmed", ())


@pytest.mark.parametrize("reason", [reason for reason in REFUSED if reason not in HARD])
def test_a_soft_reason_is_a_warning_for_a_conformant_study(reason):
    evidence, rows = REFUSED[reason]
    found = matcher(*rows).resolve(conformant(evidence.groups[0]))
    assert (found.outcome, found.reason, found.warnings) == ("conformant", "", (reason,))
    assert found.bsn_token is None


@pytest.mark.parametrize("reason", HARD & REFUSED.keys() - {"unreadable-instance"})
def test_a_hard_reason_refuses_a_conformant_study_too(reason):
    evidence, rows = REFUSED[reason]
    strong = evidence.strong or frozenset({bsn_token(KEYS, ONE)})
    both = study(*evidence.groups, status="conformant", strong=())
    both = type(both)(
        both.archive, both.study, both.day, both.status, 0, both.groups, strong, strong
    )
    assert refusal(both, *rows) == reason


def test_a_conformant_study_without_a_row_is_refused():
    assert refusal(conformant()) == "no-crosswalk-entry"


def test_a_conformant_study_with_another_number_than_the_epd_is_refused():
    assert refusal(conformant(strong=[TWO]), entry()) == "header-disagrees"


# --- hospitals that merged, numbers that were replaced --------------------------------------------


def test_one_bsn_with_a_local_number_at_each_hospital_is_normal():
    rows = [entry("12345"), entry("W-9", issuer=WEST)]
    assert verdict(study(), *rows) == ("resolved", "")
    found = matcher(*rows).resolve(study(head("W-9", issuer=WEST)))
    assert (found.outcome, found.local_token) == ("resolved", patient_token(KEYS, "W-9"))


def test_two_local_numbers_of_one_issuer_need_to_be_linked():
    rows = [entry("12345"), entry("67")]
    assert refusal(study(), *rows) == "shared-number"
    linked = [entry("12345", replaced_by="67"), entry("67")]
    assert verdict(study(), *linked) == ("resolved", "")
    assert verdict(study(head("67")), *linked) == ("resolved", "")


def test_an_old_row_without_a_number_leads_to_the_one_that_replaced_it():
    rows = [entry("12345", "", replaced_by="67", status=""), entry("67")]
    found = matcher(*rows).resolve(study())
    assert (found.outcome, found.local_token) == ("resolved", patient_token(KEYS, "67"))


def test_a_person_who_replaced_another_number_is_still_checked():
    rows = [entry("12345", "", replaced_by="67"), entry("67", birth_date="19610506")]
    assert refusal(study(), *rows) == "birth-date-clash"


def test_a_successor_with_two_numbers_is_no_successor():
    rows = [entry("12345", "", replaced_by="67"), entry("67"), entry("67", TWO)]
    assert refusal(study(), *rows) == "two-numbers"
    assert refusal(study(), *reversed(rows)) == "two-numbers"


def test_a_successor_that_is_not_in_the_export_gives_no_number():
    assert refusal(study(), entry("12345", "", replaced_by="67")) == "no-number"


def test_a_study_under_both_of_a_patients_local_numbers_is_of_one_patient():
    rows = [entry("12345"), entry("W-9", issuer=WEST)]
    evidence = study(head(), head("W-9", issuer=WEST))
    assert verdict(evidence, *rows) == ("resolved", "")


def test_a_reason_that_holds_for_all_instances_is_not_a_disagreement():
    rows = [entry("12345", status="?"), entry("W-9", issuer=WEST, status="?")]
    assert refusal(study(head(), head("W-9", issuer=WEST)), *rows) == "not-verified"


def test_one_number_at_two_hospitals_that_is_two_people_is_a_disagreement():
    """Both say 12345, born the same day, of one name: the issuer tells them apart."""
    rows = [entry(initials="AB"), entry(number=TWO, issuer=WEST, initials="CD")]
    evidence = study(head(initials="AB"), head(issuer=WEST, initials="CD"))
    assert refusal(evidence, *rows) == "instances-disagree"


def test_instances_that_give_one_patient_two_birth_dates_or_sexes_disagree():
    assert refusal(study(head(), head(birth="19500204")), entry()) == "instances-disagree"
    assert refusal(study(head(), head(sex="M")), entry()) == "instances-disagree"
    assert verdict(study(head(), head(birth="", sex="")), entry())[1] == "unconfirmed-person"


def test_an_instance_that_names_nobody_is_not_taken_along():
    assert refusal(study(head(), head(None)), entry()) == "instances-disagree"
    assert refusal(study(head(None)), entry()) == "no-crosswalk-entry"
