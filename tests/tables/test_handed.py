"""What is told of a study: whose it is, which number took its place, what stood as PatientID."""

import pytest
from handing_over import NUMBER, OTHER_NUMBER
from tables.heads_of import bsn_item, local
from tables.heads_of import file_of as bytes_of

from remediation.model.crosswalk import Entry, SpellingRule
from remediation.model.handover import OTHERS, PATIENT_ID, CannotSayError, others, shown
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.handed import file_of, study_of, survivor_of

ISSUER = "ZKH-NOORD"


def entry(local_number, bsn=NUMBER, replaced_by=""):
    return Entry(ISSUER, local_number, bsn, replaced_by=replaced_by)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], ("", False)),
        ([entry("2")], ("0002", True)),
        ([entry("2", replaced_by="3"), entry("3")], ("0003", True)),
        ([entry("2", replaced_by="3")], ("0003", False)),
        ([entry("2", bsn="")], ("0002", True)),
    ],
)
def test_the_end_of_the_chain_is_the_number_that_holds(rows, found):
    first = entry("1", replaced_by="2" if rows else "")
    crosswalk = Crosswalk.of([first, *rows], [SpellingRule(ISSUER, width=4)])
    assert survivor_of(crosswalk, first) == found


def test_a_number_that_the_export_does_not_list_may_still_have_taken_the_place():
    first = entry("1", replaced_by="2")
    assert survivor_of(Crosswalk.of([first]), first) == ("2", False)


def test_another_persons_number_never_took_the_place():
    first = entry("1", replaced_by="2")
    crosswalk = Crosswalk.of([first, entry("2", OTHER_NUMBER)])
    with pytest.raises(CannotSayError, match="replaced-by-another-person"):
        survivor_of(crosswalk, first)


def test_a_ring_of_replacements_names_nobody():
    first = entry("1", replaced_by="2")
    with pytest.raises(CannotSayError, match="replaced-in-a-ring"):
        survivor_of(Crosswalk.of([first, entry("2", replaced_by="1")]), first)


ROW = {
    "archive": "noord",
    "StudyInstanceUID": "1.2.3",
    "SOPInstanceUID": None,
    "size": 1,
    "rule": "absent to at-rest",
    "edits": [],
}


def heads():
    return [bytes_of(*own) for own in (local(), [*local(), bsn_item(NUMBER)])]


def test_a_file_is_told_with_what_stands_and_what_is_to_come():
    old, new = heads()
    made = file_of(ROW, "S1/I1", entry("70123"), old, new)
    assert not made.corrected
    assert OTHERS not in made.before
    assert [number for number, _ in others(made.after)] == [NUMBER]
    assert shown(made.before, PATIENT_ID) == shown(made.after, PATIENT_ID) != ""
    assert made.former is None


@pytest.mark.parametrize("corrected", [False, True])
def test_where_patient_id_changes_what_it_was_is_told(corrected):
    old, new = heads()
    row = ROW | {"edits": [{"attribute": "PatientID", "action": "move"}]}
    made = file_of(row, "S1/I1", entry("70123"), old, None if corrected else new)
    stood = (NUMBER, "") if corrected else (shown(made.before, PATIENT_ID), "")
    assert made.former is not None
    assert made.former[0] == stood[0]
    assert made.corrected is corrected


def test_nothing_of_it_shows_a_number():
    old, new = heads()
    crosswalk = Crosswalk.of([entry("70123")])
    made = study_of(ROW, crosswalk, entry("70123"), [file_of(ROW, "S1", entry("70123"), old, new)])
    for shown_as in (repr(made), repr(made.files[0]), repr(made.files[0].after[OTHERS])):
        assert NUMBER not in shown_as
        assert "70123" not in shown_as
