"""Scenarios for the counts that tell how good an export is."""

import pytest

from remediation.model import bsn
from remediation.model.crosswalk import Entry, Rows
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.crosswalk_quality import quality

ONE, TWO, THREE = (bsn.test_number(n) for n in (101, 102, 103))
FAILING, STAND_IN = "123456789", "111111110"


def person(local, number, **more):
    said = {"issuer": "OOST", "status": "geverifieerd", "birth_date": "19500203"} | more
    return Entry(local_number=local, bsn=number, family_names=("JANSEN",), **said)


def counted(entries, *names, **more):
    """Return some of the counts over these entries."""
    found = quality(Crosswalk.of(entries), **more).counts()
    return tuple(found[name] for name in names)


def test_rows_duplicates_and_conflicts_are_counted():
    rows = [
        person("1", ONE),
        person("1", ONE),
        person("1", TWO),
        person("2", TWO),
        person("3", ""),
        person("4", FAILING),
        person("", "zie dossier", well_formed=False),
        person("6", "", issuer=""),
    ]
    assert counted(rows, "rows", "duplicates") == (8, 1)
    assert counted(rows, "two_numbers", "shared_numbers") == (1, 1)
    missing = ("without_local_number", "without_issuer", "without_number")
    assert counted(rows, *missing, "invalid_numbers") == (1, 1, 2, 2)


def test_a_placeholder_is_not_counted_as_invalid_as_well():
    rows = [person("1", STAND_IN), person("2", "000000000"), person("3", THREE)]
    assert counted(rows, "placeholders", "invalid_numbers") == (2, 0)
    assert counted(rows, "placeholders", placeholders=[THREE]) == (3,)


def test_usable_numbers_that_may_not_be_written_are_unverified():
    rows = [person("1", ONE), person("2", TWO, status="?"), person("3", "", status="?")]
    assert counted(rows, "unverified", writable=["Geverifieerd"]) == (1,)
    assert counted(rows, "unverified", "test_numbers") == (2, 2)


def test_what_stops_the_check_of_the_person_is_counted():
    bare = Entry("OOST", "1", ONE)
    rows = [bare, person("2", TWO, sex="F", initials="A")]
    names = ("without_birth_date", "without_family_name", "without_sex", "without_initials")
    assert counted(rows, *names) == (1, 1, 1, 1)


def test_replaced_numbers_are_counted_and_where_they_lead():
    rows = [
        person("1", "", replaced_by="2"),
        person("2", ONE),
        person("3", "", replaced_by="9"),
        person("4", TWO, replaced_by="4"),
    ]
    names = ("replaced", "replaced_by_nobody", "replaced_by_itself", "shared_numbers")
    assert counted(rows, *names) == (3, 1, 1, 0)


def test_rows_that_hold_within_some_days_and_exemptions_are_counted():
    rows = [person("1", ONE, valid_to="20101231"), person("2", "", exemption="pasgeborene")]
    assert counted(rows, "bounded", "without_number", "exempt") == (1, 1, 1)


def test_one_number_after_the_other_is_no_conflict():
    rows = [person("1", ONE, valid_to="20101231"), person("1", TWO, valid_from="20110101")]
    assert counted(rows, "two_numbers") == (0,)
    rows[0] = person("1", ONE, valid_to="20110101")
    assert counted(rows, "two_numbers") == (1,)


def test_rows_are_counted_by_status_issuer_and_kind_of_file():
    batches = [
        Rows({"local_number": ["1"], "issuer": ["OOST"], "status": ["ja"]}, [2], "a line", "csv"),
        Rows({"local_number": ["2"], "issuer": ["WEST"], "status": [""]}, [1], "b row", "parquet"),
    ]
    found = quality(Crosswalk.read(batches))
    assert found.by_status == {"": 1, "ja": 1}
    assert found.by_issuer == {"OOST": 1, "WEST": 1}
    assert found.by_kind == {"csv": 1, "parquet": 1}


@pytest.mark.parametrize("column", ["status", "issuer"])
def test_a_column_of_numbers_or_names_is_not_printed(column):
    numbers = [person(str(n), "", **{column: bsn.test_number(n)}) for n in range(3)]
    assert counted(numbers, f"by_{column}") == ({"(digits)": 3},)
    names = [person(str(n), "", **{column: f"name {n}"}) for n in range(40)]
    assert counted(names, f"by_{column}") == ({"(too many different words)": 40},)


def test_an_empty_crosswalk_has_no_faults():
    found = quality(Crosswalk.of([])).counts()
    assert not any(found.values())
