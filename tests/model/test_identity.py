"""Who a study's patient is: every reason for which that stays open, and what settles it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from model.people import (
    KEYS,
    ONE,
    OOST,
    RULES,
    THREE,
    TWO,
    WEST,
    bare,
    entry,
    exchanged,
    head,
    matcher,
    other_id,
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


# --- PatientID is the BSN -------------------------------------------------------------------------


def test_a_primary_bsn_is_looked_up_as_a_bsn_with_or_without_a_local_item():
    found = matcher(entry()).resolve(study(exchanged(ONE), strong=[ONE]))
    assert (found.outcome, found.evidence) == ("resolved", "confirmed")
    rows = [entry("12345"), entry("W-9", issuer=WEST)]
    found = matcher(*rows).resolve(study(exchanged(ONE, other_id("W-9", WEST)), strong=[ONE]))
    assert found.local_token == patient_token(KEYS, "W-9"), "the local number that the header has"


def test_a_primary_bsn_in_another_spelling_is_the_same_person():
    short = "12345672"
    for written in (short, "0" + short, "0123.45.672"):
        evidence = study(exchanged("0" + short, written=written), strong=["0" + short])
        assert verdict(evidence, entry(number="0" + short)) == ("resolved", "")


def test_a_primary_bsn_of_somebody_else_is_stopped_by_the_person():
    evidence = study(exchanged(TWO), strong=[TWO])
    assert refusal(evidence, entry(number=TWO, birth_date="19610506")) == "birth-date-clash"


def test_a_primary_bsn_that_the_epd_does_not_know_is_tried_by_the_local_number_beside_it():
    evidence = study(exchanged(TWO, other_id("12345")), strong=[TWO])
    assert refusal(evidence, entry()) == "header-disagrees"
    assert refusal(study(exchanged(TWO), strong=[TWO]), entry()) == "no-crosswalk-entry"


def test_a_primary_bsn_whose_local_number_has_two_numbers_is_refused():
    rows = [entry(), entry(number=TWO)]
    assert refusal(study(exchanged(ONE), strong=[ONE]), *rows) == "two-numbers"


# --- which issuer a number is of ------------------------------------------------------------------


def test_a_bsn_issuer_on_a_local_number_says_nothing_of_its_hospital():
    labelled = head(issuer="2.16.840.1.113883.2.4.6.3", issuer_kind="bsn-oid")
    assert verdict(study(labelled), entry()) == ("resolved", "")
    assert refusal(study(labelled, archive="west"), entry()) == "no-crosswalk-entry"


def test_an_alias_says_what_a_spelling_means():
    def under(means):
        rules = archives(local_issuer=OOST, alias={"OUD-HIS": means})
        return verdict(study(head(issuer="OUD-HIS")), entry(), **rules)

    assert under(OOST) == ("resolved", "")
    assert under("ignore") == ("resolved", "")
    assert under("foreign") == ("refused", "foreign-issuer")
    assert under(WEST) == ("refused", "foreign-issuer"), "an issuer that nobody here has"


def test_an_issuer_is_spelled_by_its_own_name_and_by_its_aliases():
    alias = {"OUD-HIS": OOST, "TROEP": "ignore", "W": WEST}
    assert ArchiveIssuers(OOST, alias=alias).spellings(OOST) == {OOST, "OUD-HIS"}


def test_an_ignored_spelling_leaves_the_archives_own_issuer():
    rules = archives(local_issuer=WEST, alias={"TROEP": "ignore"})
    assert refusal(study(head(issuer="TROEP")), entry(), **rules) == "no-crosswalk-entry"


def test_an_archive_without_a_local_issuer_resolves_no_bare_number():
    assert refusal(study(bare()), entry(), **archives()) == "no-crosswalk-entry"


PERIODS = {
    "dates": ({"start": date(2011, 1, 1), "end": date(2011, 7, 4)}, {}, {"day": date(2011, 7, 5)}),
    "start": ({"start": date(2011, 7, 4)}, {}, {"day": date(2011, 7, 3)}),
    "no date": ({"end": date(2020, 1, 1)}, {}, {"day": None}),
    "institution": (
        {"institution": "Kliniek West"},
        {"institution": "Kliniek West"},
        {"institution": "Ziekenhuis Oost"},
    ),
    "software": (
        {"writing_software": "IMPORT_1"},
        {"writing_software": "IMPORT_1"},
        {"writing_software": "IMPORT_2"},
    ),
    "shape": ({"number_shape": "99999"}, {"shape": "99999"}, {"shape": "999999"}),
}


@pytest.mark.parametrize("named", PERIODS)
def test_a_period_of_another_issuer_holds_within_what_it_names(named):
    limits, inside, outside = PERIODS[named]
    rules = archives(local_issuer=WEST, periods=(IssuerPeriod(OOST, **limits),))
    assert verdict(study(bare(), **inside), entry(), **rules) == ("resolved", "")
    assert refusal(study(bare(), **outside), entry(), **rules) == "no-crosswalk-entry"


def test_a_reused_local_number_belongs_to_the_hospital_of_its_issuer():
    """After a merger both hospitals have a 12345; the person decides nothing, the issuer does."""
    rows = [entry(), entry(number=TWO, issuer=WEST, names="Anders", birth_date="19610506")]
    assert matcher(*rows).resolve(study()).bsn_token == bsn_token(KEYS, ONE)
    assert refusal(study(head(issuer=WEST)), *rows) == "birth-date-clash"


def test_a_row_without_a_local_number_or_issuer_is_nobodys():
    rule = [SpellingRule(OOST, width=7)]
    rows = [entry(""), entry("12345", TWO, "")]
    assert refusal(study(head("0000000")), *rows, spelling=rule) == "no-crosswalk-entry"
    nobody = study(head("12345", issuer="", issuer_kind="none"))
    assert refusal(nobody, *rows, **archives()) == "no-crosswalk-entry"


# --- people who look alike ------------------------------------------------------------------------


def namesakes(first, second, header):
    rows = [entry(initials=first), entry("67", TWO, initials=second)]
    return verdict(study(head(initials=header)), *rows)[1]


def test_initials_tell_namesakes_apart():
    assert namesakes("AB", "CD", "AB") == ""
    assert namesakes("AB", "CD", "A") == ""
    assert namesakes("AB", "AC", "AB") == ""


def test_initials_that_do_not_tell_namesakes_apart_stop_writing():
    assert namesakes("AB", "CD", "") == "homonym"
    assert namesakes("AB", "", "AB") == "homonym"
    assert namesakes("", "CD", "AB") == "homonym"
    assert namesakes("AB", "CD", "CD") == "homonym"


def test_twins_with_the_same_first_initial_need_more_of_them():
    assert namesakes("JA", "JB", "J") == "homonym"
    assert namesakes("JA", "JB", "JA") == ""
    assert namesakes("J", "J", "J") == "homonym"


def test_a_namesake_without_a_number_is_a_namesake():
    rows = [entry(initials="JA"), entry("67", "", initials="J")]
    assert refusal(study(head(initials="JA")), *rows) == "homonym"


def test_a_patients_own_other_rows_are_no_namesakes():
    rows = [entry(), entry("W-9", issuer=WEST), entry("1", "", replaced_by="12345")]
    assert verdict(study(head(initials="")), *rows) == ("resolved", "")


def test_a_mothers_number_on_her_newborns_study_is_stopped_by_the_birth_date():
    mother = entry(birth_date="19800101", names="Jansen")
    newborn = head(birth="20110703", names="Jansen", initials="")
    assert refusal(study(newborn), mother) == "birth-date-clash"


def test_a_person_of_whom_something_is_missing_is_not_confirmed():
    for header, row in (
        (head(birth=""), entry()),
        (head(names=""), entry()),
        (head(), entry(birth_date="")),
        (head(), entry(names="")),
    ):
        assert refusal(study(header), row) == "unconfirmed-person"


# --- rows that say different things of one number -------------------------------------------------

DOUBLE = {
    "not-verified": {"status": "niet geverifieerd"},
    "birth-date-clash": {"birth_date": "19610506"},
    "sex-clash": {"sex": "M"},
    "name-clash": {"names": "Anders"},
    "unconfirmed-person": {"birth_date": ""},
}


@pytest.mark.parametrize("reason", DOUBLE)
def test_of_two_rows_of_one_number_the_one_that_stops_writing_counts(reason):
    rows = [entry(), entry(**DOUBLE[reason])]
    assert refusal(study(), *rows) == refusal(study(), *reversed(rows)) == reason


def test_a_row_without_a_number_beside_one_with_a_number_does_not_matter():
    rows = [entry(), entry(number="", status="")]
    assert verdict(study(), *rows) == verdict(study(), *reversed(rows)) == ("resolved", "")


# --- once more, just before writing ---------------------------------------------------------------


def confirmed(evidence, *rows, number=ONE, issuer=OOST, local="12345", **changes):
    tokens = bsn_token(KEYS, number), issuer, patient_token(KEYS, local)
    return matcher(*rows, **changes).confirm(evidence, *tokens)


def test_a_head_that_still_agrees_may_be_written():
    assert confirmed(study(), entry()) is None
    assert confirmed(study(exchanged(ONE), strong=[ONE]), entry()) is None
    merged = [entry(), entry("W-9", issuer=WEST)]
    assert confirmed(study(head("W-9", issuer=WEST)), *merged) is None


def test_a_head_of_a_number_that_was_replaced_may_be_written():
    rows = [entry("12345", "", replaced_by="67"), entry("67")]
    assert confirmed(study(), *rows, local="67") is None


CHANGED = {
    "not-verified": [entry(status="ingetrokken")],
    "no-crosswalk-entry": [entry(number=TWO)],
    "two-numbers": [entry(), entry(number=TWO)],
    "birth-date-clash": [entry(birth_date="19610506")],
    "sex-clash": [entry(sex="M")],
    "name-clash": [entry(names="Anders")],
    "unconfirmed-person": [entry(names="")],
    "shared-number": [entry(), entry("67", names="Anders")],
    "homonym": [entry(), entry("67", TWO)],
}


@pytest.mark.parametrize("reason", CHANGED)
def test_what_changed_in_the_export_since_the_plan_stops_the_write(reason):
    assert confirmed(study(), *CHANGED[reason]) == reason
    assert confirmed(study(), *reversed(CHANGED[reason])) == reason


def test_a_head_that_is_not_of_the_planned_patient_is_not_written():
    assert confirmed(study(head("54321")), entry()) == "instances-disagree"
    assert confirmed(study(head(None)), entry()) == "no-crosswalk-entry"
    assert confirmed(study(strong=[TWO]), entry()) == "header-disagrees"
    assert confirmed(study(), entry(), issuer=WEST) == "no-crosswalk-entry"


def test_a_job_that_no_longer_allows_test_numbers_stops_the_write():
    assert confirmed(study(), entry(), allow_test_numbers=False) == "test-number"
    assert confirmed(study(), entry(), writable_validations=frozenset({"wid"})) == "not-verified"
    assert confirmed(study(), entry(), placeholders=frozenset({ONE})) == "placeholder-number"


def test_validation_counts_where_the_job_asks_for_it():
    asks = {"writable_validations": frozenset({"Gevalideerd"})}
    assert refusal(study(), entry(), **asks) == "not-verified"
    assert verdict(study(), entry(validation="gevalideerd"), **asks) == ("resolved", "")


def test_status_words_are_compared_whatever_their_capitals():
    assert verdict(study(), entry(status="GEVERIFIEERD")) == ("resolved", "")
    assert RULES.writable_statuses == {"geverifieerd"}
    assert refusal(study(strong=[THREE]), entry()) == "header-disagrees"
