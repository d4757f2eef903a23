"""Tokens of a person: alike for one patient, unlike for two, and what initials say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.secrets import Keys
from remediation.model.tokens import bound_tokens, bsn_token, patient_token

KEYS = Keys.from_hex("5a" * 32)


def tokens(patient="12345", birth="19500203", names=("JANSEN",), initials="AB", keys=KEYS):
    return bound_tokens(keys, patient, birth, names, initials)


def everything(person):
    row = person.row()
    return {row["birth_date_token"], *row["name_tokens"], *row["initials_tokens"]}


def test_namesakes_cannot_be_counted_across_patients():
    assert everything(tokens("12345")).isdisjoint(everything(tokens("12346")))


def test_one_patient_has_the_same_tokens_each_time_and_others_with_another_key():
    assert tokens() == tokens()
    assert everything(tokens()).isdisjoint(everything(tokens(keys=Keys.from_hex("5b" * 32))))


def test_a_number_has_unlike_tokens_as_patient_and_as_bsn():
    assert patient_token(KEYS, "999900006") != bsn_token(KEYS, "999900006")


def test_what_is_missing_has_no_token():
    empty = tokens(birth="", names=(), initials="")
    assert empty.row() == {"birth_date_token": None, "name_tokens": [], "initials_tokens": []}


def test_a_row_keeps_names_in_an_order_that_says_nothing():
    assert tokens(names=("B", "A")).row() == tokens(names=("A", "B")).row()


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("A", "AB", True),
        ("AB", "AB", True),
        ("AB", "AC", False),
        ("ABC", "AB", True),
        ("B", "AB", False),
        ("", "AB", False),
        ("", "", False),
    ],
)
def test_initials_agree_where_the_shorter_begin_the_longer(one, other, agree):
    assert tokens(initials=one).initials_agree(tokens(initials=other)) is agree
    assert tokens(initials=other).initials_agree(tokens(initials=one)) is agree


@given(st.text("AB", max_size=4), st.text("AB", max_size=4))
def test_initials_agree_in_tokens_as_they_do_in_letters(one, other):
    plain = bool(one and other) and (one.startswith(other) or other.startswith(one))
    assert tokens(initials=one).initials_agree(tokens(initials=other)) is plain
