"""Who a study's patient is: PatientIDs that are BSNs, issuers, people who look alike."""

from __future__ import annotations

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
    ArchiveIssuers,
    IssuerPeriod,
)
from remediation.model.tokens import bsn_token, patient_token

CONFORMANT = {"status": "conformant", "strong": [ONE]}


def archives(**issuers):
    return {"archives": {"oost": ArchiveIssuers(**issuers)}}


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
