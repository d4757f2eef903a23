"""What allows writing: rows that hold together, names that nearly agree, what was accepted."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from model.people import (
    KEYS,
    ONE,
    OOST,
    TWO,
    WEST,
    bare,
    entry,
    exchanged,
    head,
    matcher,
    other_id,
    read_again,
    refusal,
    study,
    verdict,
)

from remediation.model.acceptances import Acceptance, Accepted, rule_of
from remediation.model.evidence import ArchiveIssuers, IssuerPeriod, PlainPerson
from remediation.model.reasons import ACCEPTABLE, HARD, REASONS
from remediation.model.tokens import bsn_token, patient_token

AT = datetime(2026, 11, 23, tzinfo=UTC)


def accepted(reason, *, people=("Een", "Twee"), **about):
    said = [Acceptance(f"{name} Persoon", AT, "gezien", reason, **about) for name in people]
    return Accepted.of(said)


def asks(evidence, *rows, **changes):
    return matcher(*rows, **changes).resolve(evidence).asks


# --- rows hold for a time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"valid_from": "20110704", "valid_to": "20110704"}, ""),
        ({"valid_from": "20110705"}, "outside-validity"),
        ({"valid_to": "20110703"}, "outside-validity"),
        ({"valid_from": "20000101"}, ""),
    ],
)
def test_a_row_counts_for_studies_of_the_days_on_which_it_holds(limits, reason):
    assert verdict(study(), entry(**limits))[1] == reason


def test_a_number_that_was_given_out_again_is_of_the_person_who_had_it_then():
    rows = [
        entry(number=ONE, valid_to="20101231"),
        entry(number=TWO, birth_date="19610506", names="Anders", valid_from="20110101"),
    ]
    then = study(day=date(2010, 5, 1))
    assert matcher(*rows).resolve(then).bsn_token == bsn_token(KEYS, ONE)
    assert refusal(study(), *rows) == "birth-date-clash"
    later = study(head(birth="19610506", names="Anders"))
    assert matcher(*rows).resolve(later).bsn_token == bsn_token(KEYS, TWO)


def test_two_rows_that_hold_on_one_day_are_two_numbers():
    rows = [entry(number=ONE, valid_to="20110704"), entry(number=TWO, valid_from="20110704")]
    assert refusal(study(), *rows) == "two-numbers"
    assert refusal(study(day=date(2010, 1, 1)), *rows) == "two-numbers", "one of them is wrong"


def test_of_a_study_without_a_date_it_cannot_be_said_whose_number_it_was():
    assert refusal(study(day=None), entry(valid_from="20000101")) == "outside-validity"
    assert verdict(study(day=None), entry()) == ("resolved", "")


def test_of_two_hospitals_with_one_number_the_one_counts_whose_row_holds():
    archives = {"oost": ArchiveIssuers(periods=(IssuerPeriod(OOST), IssuerPeriod(WEST)))}
    rows = [entry(), entry("12345", TWO, WEST, names="Anders", valid_to="20091231")]
    assert verdict(study(bare()), *rows, archives=archives) == ("resolved", "")


def test_a_newborn_is_exempt_while_the_row_says_so():
    row = {"number": "", "exemption": "pasgeborene", "valid_to": "20110731"}
    assert verdict(study(), entry(**row)) == ("exempt", "exempt")
    assert refusal(study(day=date(2011, 8, 1)), entry(**row)) == "outside-validity"


def test_a_row_that_ended_since_the_plan_stops_the_write():
    where = bsn_token(KEYS, ONE), OOST, patient_token(KEYS, "12345")
    assert matcher(entry(valid_to="20100101")).confirm(study(), *where) == "outside-validity"
    assert matcher(entry(valid_from="20100101")).confirm(study(), *where) is None


# --- merged patients ------------------------------------------------------------------------------


def test_merges_are_followed_to_the_end():
    rows = [
        entry("1", "", replaced_by="2", status=""),
        entry("2", "", replaced_by="3", status=""),
        entry("3"),
    ]
    found = matcher(*rows).resolve(study(head("1")))
    assert (found.outcome, found.local_token) == ("resolved", patient_token(KEYS, "3"))


def test_merges_that_go_round_give_no_number():
    rows = [entry("1", "", replaced_by="2"), entry("2", "", replaced_by="1")]
    assert refusal(study(head("1")), *rows) == "no-number"


@pytest.mark.parametrize("local", ["1", "2", "3"])
def test_two_numbers_anywhere_in_a_merge_are_two_numbers_for_one_person(local):
    rows = [
        entry("1", ONE, replaced_by="2"),
        entry("2", "", replaced_by="3"),
        entry("3", TWO),
    ]
    assert refusal(study(head(local)), *rows) == "two-numbers"


def test_a_merge_with_somebody_elses_registration_is_stopped():
    rows = [entry("1", ONE, replaced_by="2", birth_date="19610506"), entry("2", ONE)]
    assert refusal(study(head("2")), *rows) == "shared-number"


# --- one number, two persons ----------------------------------------------------------------------

STRANGERS = {
    "birth date": {"birth_date": "19610506"},
    "sex": {"sex": "M"},
    "name": {"names": "Anders"},
    "initials": {"initials": "CD"},
}


@pytest.mark.parametrize("how", STRANGERS)
def test_one_number_for_two_persons_at_two_hospitals_is_nobodys(how):
    """A twin's row, or a neighbour's, that got the other's number: the person agrees with it."""
    rows = [entry(), entry("7", issuer=WEST, **STRANGERS[how])]
    assert refusal(study(), *rows) == "shared-number"
    said = {"birth": "19610506"} if how == "birth date" else {}
    said |= {"names": "Anders"} if how == "name" else {}
    said |= {"sex": "M"} if how == "sex" else {}
    said |= {"initials": "CD"} if how == "initials" else {}
    assert refusal(study(head("7", issuer=WEST, **said)), *rows) == "shared-number"


def test_one_person_may_be_known_by_less_at_the_other_hospital():
    rows = [entry(), entry("7", issuer=WEST, initials="A", sex="", birth_date="", names="")]
    assert verdict(study(), *rows) == ("resolved", "")
    rows = [entry(names="Jansen"), entry("7", issuer=WEST, names="de Vries-Jansen")]
    assert verdict(study(), *rows) == ("resolved", "")


# --- a PatientID in a form of its own -------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["BSN {}", "NL{}", "BSN:{}", "{}^^^NLMINBIZA^NNNLD", "BSN: {}", "{}^^^NLMINBIZA"]
)
def test_usual_forms_of_a_bsn_need_no_second_look(form):
    evidence = study(exchanged(ONE, written=form.format(ONE)), strong=[ONE])
    assert verdict(evidence, entry()) == ("resolved", "")


def test_another_form_of_a_bsn_is_read_again():
    written = f"{ONE}^^^XYZ^NNNLD"
    group = exchanged(ONE, written=written)
    evidence = study(group, strong=[ONE])
    assert refusal(evidence, entry()) == "unconfirmed-person"
    assert asks(evidence, entry()) == (group,)
    everything = {"accepted": accepted("unconfirmed-person", study="1.2.3")}
    assert refusal(evidence, entry(), **everything) == "unconfirmed-person", "nothing was compared"


# --- names that nearly agree ----------------------------------------------------------------------


def nearly(names, *rows, **changes):
    return verdict(study(read_again(names=names)), *(rows or [entry()]), **changes)[1]


@pytest.mark.parametrize("names", ["Janssen", "Jasnen", "Janse", "Jansem", "van Janssen-Puk"])
def test_one_typing_error_in_a_name_is_close(names):
    assert nearly(names) == "name-close"


@pytest.mark.parametrize("names", ["Hansen", "Ansen", "Pansen", "Jannssen", "Jaspers", "Jan"])
def test_more_than_that_is_another_name(names):
    assert nearly(names) == "name-clash"


@pytest.mark.parametrize(("one", "other"), [("Bos", "Vos"), ("Smit", "Smid"), ("Vries", "Pries")])
def test_short_names_and_first_letters_make_another_family(one, other):
    assert nearly(other, entry(names=one)) == "name-clash"


def test_a_header_is_asked_for_only_where_its_name_could_give_another_verdict():
    group = head(names="Janssen")
    assert asks(study(group), entry()) == (group,)
    assert asks(study(), entry()) == ()
    for row in ({"birth_date": "19610506"}, {"sex": "M"}):
        assert asks(study(group), entry(**row)) == (), "it is a clash, whatever the name"
    assert asks(study(head(names="Janssen", birth="")), entry()) == ()
    assert asks(study(group), entry(), entry(number=TWO)) == ()
    assert asks(study(read_again(names="Janssen")), entry()) == (), "it is at hand"


def test_a_name_that_somebody_else_of_that_birth_date_has_is_theirs():
    other = entry("67", TWO, names="Janssen")
    assert nearly("Janssen", entry(), other) == "name-clash"
    assert nearly("Janssen", entry(), entry("67", TWO, names="Janssen", birth_date="19610506")) == (
        "name-close"
    )


def test_two_groups_of_one_patient_may_both_be_close():
    groups = read_again(names="Janssen"), read_again(names="Jasnen", initials="A")
    assert verdict(study(*groups), entry())[1] == "name-close"
    groups = read_again(names="Janssen"), read_again(names="Pietersen")
    assert verdict(study(*groups), entry())[1] == "name-clash"


def test_a_person_who_was_read_again_is_not_shown():
    group = read_again(names="Janssen")
    assert "JANSSEN" not in repr(group)
    assert "12345" not in repr(PlainPerson("12345", ("JANSSEN",)))
    assert group == head(names="Janssen"), "what was read again makes no other group"


# --- what two people accepted ---------------------------------------------------------------------


def test_a_close_name_that_two_people_accepted_resolves_with_a_warning():
    found = matcher(entry(), accepted=accepted("name-close", study="1.2.3")).resolve(
        study(read_again(names="Janssen"))
    )
    assert (found.outcome, found.reason, found.warnings) == ("resolved", "", ("name-close",))
    assert found.bsn_token == bsn_token(KEYS, ONE)


def test_one_person_or_another_study_or_reason_is_not_enough():
    group = study(read_again(names="Janssen"))
    for said in (
        accepted("name-close", people=("Een",), study="1.2.3"),
        accepted("name-close", people=("Een", "Een"), study="1.2.3"),
        accepted("name-close", study="1.2.4"),
        accepted("unconfirmed-person", study="1.2.3"),
    ):
        assert refusal(group, entry(), accepted=said) == "name-close"


def test_a_missing_birth_date_or_name_can_be_accepted_by_a_rule():
    rule = rule_of(["StationName=CT1", "to=2011-12-31"], "unconfirmed-person")
    said = {"accepted": accepted("unconfirmed-person", rule=rule)}
    for header in (head(birth=""), head(names="")):
        at_ct1 = study(header, station="CT1")
        assert verdict(at_ct1, entry(), **said) == ("resolved", "")
        assert refusal(study(header, station="CT2"), entry(), **said) == "unconfirmed-person"
        assert refusal(study(header, station="CT1", day=date(2012, 1, 1)), entry(), **said)


def test_what_is_accepted_still_has_to_agree_in_everything_else():
    said = {"accepted": accepted("unconfirmed-person", study="1.2.3")}
    assert refusal(study(head(names="", birth="19500302")), entry(), **said) == "birth-date-clash"
    assert refusal(study(head(birth="", names="Anders")), entry(), **said) == "name-clash"
    assert refusal(study(head(birth="", sex="M")), entry(), **said) == "sex-clash"
    assert refusal(study(head(birth=""), strong=[TWO]), entry(), **said) == "header-disagrees"
    assert refusal(study(head(birth="")), entry(status="?"), **said) == "not-verified"
    namesake = entry("67", TWO)
    assert refusal(study(head(birth="", initials="")), entry(), namesake, **said) == "homonym"


@pytest.mark.parametrize("reason", REASONS.keys() - ACCEPTABLE)
def test_nothing_else_can_be_accepted(reason):
    said = Accepted(frozenset({(reason, "1.2.3")}))
    assert not said.holds(reason, study().facts())


def test_no_reason_that_refuses_a_right_study_can_be_accepted():
    assert {"unconfirmed-person", "name-close"} == ACCEPTABLE
    assert not HARD & ACCEPTABLE


def test_what_was_accepted_is_written_and_what_was_not_is_not():
    where = bsn_token(KEYS, ONE), OOST, patient_token(KEYS, "12345")
    close, missing = study(read_again(names="Janssen")), study(head(birth=""))
    assert matcher(entry()).confirm(close, *where) == "name-close"
    assert matcher(entry()).confirm(missing, *where) == "unconfirmed-person"
    for evidence, reason in ((close, "name-close"), (missing, "unconfirmed-person")):
        said = accepted(reason, study="1.2.3")
        assert matcher(entry(), accepted=said).confirm(evidence, *where) is None


def test_a_right_study_with_a_close_name_stays_right_with_a_warning():
    right = study(read_again(names="Janssen"), status="conformant", strong=[ONE])
    found = matcher(entry()).resolve(right)
    assert (found.outcome, found.warnings) == ("conformant", ("name-close",))
    unread = study(head(names="Janssen"), status="conformant", strong=[ONE])
    assert matcher(entry()).resolve(unread).reason == "name-clash"


def test_a_local_number_beside_a_bsn_counts_on_the_studys_date_too():
    evidence = study(exchanged(ONE, other_id("12345")), strong=[ONE])
    assert refusal(evidence, entry(valid_to="20091231")) == "outside-validity"
