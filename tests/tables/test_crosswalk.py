"""Scenarios for looking up in the crosswalk, and for what is wrong in it."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.crosswalk import Entry, SpellingRule
from remediation.tables.crosswalk import Crosswalk

ONE, TWO, THREE = (bsn.test_number(n) for n in (1, 2, 3))


def entry(local="1", number=ONE, issuer="OOST", **more):
    return Entry(issuer, local, number, **more)


def jansen(local, number, **more):
    return entry(local, number, birth_date="19500203", family_names=("JANSEN",), **more)


def test_a_local_number_is_found_under_its_own_issuer_only():
    east, west = entry("123", ONE), entry("123", TWO, issuer="WEST")
    crosswalk = Crosswalk.of([east, west])
    assert crosswalk.by_local("OOST", "123") == (east,)
    assert crosswalk.by_local("WEST", "123") == (west,)
    assert crosswalk.by_local("NOORD", "123") == ()
    assert crosswalk.by_local("OOST", "0123") == ()
    assert crosswalk.by_bsn(TWO) == (west,)
    assert crosswalk.by_bsn(THREE) == ()


def test_spelling_rules_count_for_their_issuer():
    east, west = entry("123"), entry("123", TWO, issuer="WEST")
    crosswalk = Crosswalk.of([east, west], [SpellingRule("OOST", 7), SpellingRule("WEST", 5, "A")])
    assert (crosswalk.spelled(east), crosswalk.spelled(west)) == ("0000123", "A00123")
    assert crosswalk.by_local("OOST", "0000123") == (east,)
    assert crosswalk.by_local("OOST", "123") == ()
    assert crosswalk.by_local("WEST", "A00123") == (west,)


def test_a_number_longer_than_the_width_is_not_cut():
    assert SpellingRule("OOST", 3).spell("12345") == "12345"


@given(st.text("0123456789A", min_size=1, max_size=9), st.integers(0, 12), st.sampled_from("AB"))
def test_a_spelled_number_ends_with_the_number(local, width, prefix):
    spelled = SpellingRule("OOST", width, prefix).spell(local)
    assert spelled.startswith(prefix)
    assert spelled.endswith(local)
    assert len(spelled) == 1 + max(width, len(local))


def test_numbers_that_are_written_alike_stop_the_load_and_are_not_named():
    rows = [entry("123", ONE, place="epd.csv line 2"), entry("0123", TWO, place="epd.csv line 9")]
    assert len(Crosswalk.of(rows).entries) == 2
    with pytest.raises(UsageError) as caught:
        Crosswalk.of(rows, [SpellingRule("OOST", 4)])
    message = str(caught.value)
    assert "epd.csv line 2 and epd.csv line 9" in message
    assert "123" not in message
    assert "\n" not in message


def test_numbers_that_are_written_alike_at_two_hospitals_are_two_persons():
    rows = [entry("123", ONE), entry("0123", TWO, issuer="WEST")]
    rules = [SpellingRule("OOST", 4), SpellingRule("WEST", 4)]
    assert len(Crosswalk.of(rows, rules).by_local("OOST", "0123")) == 1


def test_rows_that_are_the_same_count_once():
    first, again = entry(place="a.csv line 2"), entry(place="b.csv line 7")
    other = entry(status="geverifieerd", place="b.csv line 8")
    crosswalk = Crosswalk.of([first, again, other])
    assert crosswalk.entries == (first, other)
    assert crosswalk.entries[0].place == "a.csv line 2"
    assert crosswalk.duplicates == 1
    assert crosswalk.by_local("OOST", "1") == (first, other)
    assert not crosswalk.two_numbers


def test_one_local_number_with_two_numbers_is_known():
    crosswalk = Crosswalk.of([entry("1", ONE), entry("1", TWO), entry("2", THREE), entry("2", "")])
    assert crosswalk.two_numbers == {("OOST", "1")}


def test_two_numbers_are_known_by_the_spelling_of_headers():
    crosswalk = Crosswalk.of([entry("1", ONE), entry("1", TWO)], [SpellingRule("OOST", 3)])
    assert crosswalk.two_numbers == {("OOST", "001")}


def test_a_number_that_is_no_number_disagrees_as_well():
    crosswalk = Crosswalk.of([entry("1", ONE), entry("1", "see file", well_formed=False)])
    assert crosswalk.two_numbers == {("OOST", "1")}
    assert crosswalk.by_bsn("see file") == ()


def test_one_number_at_two_hospitals_is_normal():
    assert not Crosswalk.of([entry("1"), entry("7", issuer="WEST")]).shared_numbers


def test_one_number_with_two_local_numbers_is_shared():
    crosswalk = Crosswalk.of([entry("1"), entry("2"), entry("3", TWO)])
    assert crosswalk.shared_numbers == {("OOST", ONE)}


def test_a_replaced_local_number_does_not_share():
    assert not Crosswalk.of([entry("1", replaced_by="2"), entry("2")]).shared_numbers


def test_replacement_holds_through_numbers_in_between_and_loops():
    rows = [entry("1", replaced_by="2"), entry("2", "", replaced_by="3"), entry("3")]
    assert not Crosswalk.of(rows).shared_numbers
    assert not Crosswalk.of(reversed(rows)).shared_numbers
    assert not Crosswalk.of(
        [entry("1", replaced_by="2"), entry("2", replaced_by="1")]
    ).shared_numbers


def test_a_replacement_at_another_hospital_links_nothing():
    rows = [entry("1", TWO, issuer="WEST", replaced_by="2"), entry("1"), entry("2")]
    assert Crosswalk.of(rows).shared_numbers == {("OOST", ONE)}


def test_a_third_local_number_beside_a_replaced_one_still_shares():
    rows = [entry("1", replaced_by="2"), entry("2"), entry("3")]
    assert Crosswalk.of(rows).shared_numbers == {("OOST", ONE)}


@pytest.mark.parametrize("number", ["999999990", "000000000", "123456789"])
def test_placeholders_and_numbers_that_fail_are_not_shared(number):
    assert not Crosswalk.of([entry("1", number), entry("2", number)]).shared_numbers


def test_rows_without_issuer_or_local_number_are_found_by_no_local_number():
    rows = [entry("", ONE), entry("", TWO), entry("5", THREE, issuer="")]
    crosswalk = Crosswalk.of(rows, [SpellingRule("OOST", 7)])
    assert crosswalk.by_local("OOST", "0000000") == ()
    assert crosswalk.by_local("OOST", "") == ()
    assert crosswalk.by_local("", "5") == ()
    assert crosswalk.by_bsn(THREE) == (rows[2],)


def test_a_homonym_is_another_person_with_the_same_birth_date_and_name():
    anna, bea = jansen("1", ONE, initials="A"), jansen("2", TWO, initials="B")
    later = entry("3", THREE, birth_date="19510203", family_names=("JANSEN",))
    other = entry("4", bsn.test_number(4), birth_date="19500203", family_names=("VRIES",))
    crosswalk = Crosswalk.of([anna, bea, later, other])
    assert crosswalk.homonyms(anna) == (bea,)
    assert crosswalk.homonyms(bea) == (anna,)
    assert crosswalk.homonyms(later) == ()


def test_one_shared_part_of_a_double_name_is_enough():
    anna = jansen("1", ONE)
    bea = entry("2", TWO, birth_date="19500203", family_names=("JANSENVRIES", "JANSEN", "VRIES"))
    assert Crosswalk.of([anna, bea]).homonyms(bea) == (anna,)


def test_the_same_person_at_two_hospitals_is_no_homonym():
    anna, again = jansen("1", ONE), jansen("9", ONE, issuer="WEST")
    assert Crosswalk.of([anna, again]).homonyms(anna) == ()


def test_a_row_without_a_number_is_another_person_unless_linked():
    anna, nameless = jansen("1", ONE), jansen("2", "")
    assert Crosswalk.of([anna, nameless]).homonyms(anna) == (nameless,)
    assert Crosswalk.of([anna, nameless]).homonyms(nameless) == (anna,)
    replaced = jansen("2", "", replaced_by="1")
    assert Crosswalk.of([anna, replaced]).homonyms(anna) == ()
    assert Crosswalk.of([anna, replaced]).homonyms(replaced) == ()


def test_a_row_without_a_number_is_linked_by_another_row_of_its_local_number():
    old, numbered, new = jansen("1", "", status="oud"), jansen("1", ONE), jansen("2", ONE)
    crosswalk = Crosswalk.of([old, numbered, new])
    assert crosswalk.homonyms(old) == ()
    assert crosswalk.homonyms(new) == ()


def test_a_placeholder_links_nobody():
    one, other = jansen("1", "999999990"), jansen("2", "999999990")
    assert Crosswalk.of([one, other]).homonyms(one) == (other,)


def test_rows_without_local_numbers_are_each_other_s_homonyms():
    one, other = jansen("", "", status="a"), jansen("", "", status="b")
    assert Crosswalk.of([one, other]).homonyms(one) == (other,)


def test_without_birth_date_or_name_there_are_no_homonyms():
    nobody = entry("1", ONE)
    assert Crosswalk.of([nobody, jansen("2", TWO)]).homonyms(nobody) == ()


people = st.builds(
    Entry,
    st.sampled_from(["OOST", "WEST"]),
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["", ONE, TWO, "999999990"]),
    birth_date=st.sampled_from(["", "19500203"]),
    family_names=st.sampled_from([(), ("JANSEN",), ("JANSENVRIES", "JANSEN", "VRIES")]),
    replaced_by=st.sampled_from(["", "1", "2"]),
)


@given(st.lists(people, max_size=8), st.randoms())
def test_the_order_of_rows_changes_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    one, other = Crosswalk.of(rows), Crosswalk.of(shuffled)
    assert one.two_numbers == other.two_numbers
    assert one.shared_numbers == other.shared_numbers
    for row in rows:
        assert set(one.homonyms(row)) == set(other.homonyms(row))


@given(st.lists(people, max_size=8))
def test_homonyms_are_mutual_and_never_have_the_same_number(rows):
    crosswalk = Crosswalk.of(rows)
    for row in crosswalk.entries:
        for other in crosswalk.homonyms(row):
            assert row in crosswalk.homonyms(other)
            assert other != row
            assert not (row.bsn in {ONE, TWO} and row.bsn == other.bsn)


def test_an_entry_shows_its_place_and_no_value():
    shown = repr(jansen("4711", ONE, place="epd.csv line 12"))
    assert shown == "<crosswalk entry epd.csv line 12>"
    assert repr(jansen("4711", ONE)) == "<crosswalk entry without a place>"


def test_a_crosswalk_survives_the_way_to_another_process():
    crosswalk = Crosswalk.of([jansen("1", ONE), jansen("2", TWO)], [SpellingRule("OOST", 3)])
    again = pickle.loads(pickle.dumps(crosswalk))
    assert again.by_local("OOST", "001") == crosswalk.by_local("OOST", "001")
    assert again.homonyms(again.entries[0]) == (again.entries[1],)


def test_a_long_chain_of_replacements_is_followed():
    rows = [entry(str(n), ONE, replaced_by=str(n + 1)) for n in range(5000)]
    assert not Crosswalk.of(rows).shared_numbers
    assert not Crosswalk.of(reversed(rows)).shared_numbers
