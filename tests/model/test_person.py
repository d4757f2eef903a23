"""Scenarios for what identifies a person beside a number."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.person import (
    NOT_NAMES,
    PREFIXES,
    birth_date,
    day,
    family_names,
    initials,
    sex,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Jansen", ("JANSEN",)),
        ("jansen ", ("JANSEN",)),
        ("van den Berg", ("BERG",)),
        ("BERG, van den", ("BERG",)),
        ("in 't Veld", ("VELD",)),
        ("'s-Gravenmoer", ("GRAVENMOER",)),
        ("El Voorbeeld", ("VOORBEELD",)),
        ("von der Höhe", ("HOHE",)),
        ("Jansen-de Vries", ("JANSENVRIES", "JANSEN", "VRIES")),
        ("Jansen de Vries", ("JANSENVRIES", "JANSEN", "VRIES")),
        ("Jansen e/v de Vries", ("JANSENVRIES", "JANSEN", "VRIES")),
        ("Jansen geb. Vries", ("JANSENVRIES", "JANSEN", "VRIES")),
        ("Citroën", ("CITROEN",)),
        ("Straße", ("STRASSE",)),
        ("Sørensen", ("SORENSEN",)),
        ("O'Brien", ("OBRIEN", "BRIEN")),
        ("OBrien", ("OBRIEN",)),
        ("Jansen^Anna^^Mevr.", ("JANSEN",)),
        ("Jansen^Anna=漢字", ("JANSEN",)),
        ("Jansen-Jansen", ("JANSENJANSEN", "JANSEN")),
        ("Le", ("LE",)),
        ("漢字", ("漢字",)),
        ("", ()),
        ("-", ()),
        ("X", ()),
        ("N.N.", ()),
        ("Onbekend", ()),
        ("Baby", ()),
        ("1234", ()),
    ],
)
def test_a_family_name_becomes_its_comparable_parts(text, parts):
    assert family_names(text) == parts


def test_strangers_do_not_agree_on_what_is_no_name():
    assert not {*family_names("Baby van Jansen")} & {*family_names("Baby de Vries")}
    assert not {*family_names("van der Berg")} & {*family_names("van der Meer")}
    assert not {*family_names("Jansen, Anna")} & {*family_names("Vries^Anna")}


def test_spellings_of_one_name_agree():
    for one, other in [
        ("Mu\u0308ller", "M\u00fcller"),
        ("MULLER", "M\u00fcller"),
        ("D'Angelo", "DANGELO"),
        ("Ver Hoeven-Meer", "MEER"),
        ("Vries-Jansen", "Jansen"),
    ]:
        assert {*family_names(one)} & {*family_names(other)}, (one, other)


def test_the_word_lists_are_in_the_form_that_words_have():
    for word in PREFIXES | NOT_NAMES:
        assert word.isascii()
        assert word.isalpha()
        assert word.isupper()
    assert not PREFIXES & NOT_NAMES


@given(st.text())
def test_any_text_gives_comparable_parts_once_each(text):
    parts = family_names(text)
    assert len(parts) == len(set(parts))
    for part in parts:
        assert len(part) >= 2
        assert part.isalpha()
        assert not any(unicodedata.combining(char) for char in part)


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8), max_size=4))
def test_parts_are_found_again_in_themselves(words):
    for part in family_names(" ".join(words)):
        if part not in NOT_NAMES:
            assert part in family_names(part)


@given(st.text("abcdefgëéüø-' ", min_size=1), st.sampled_from(["upper", "title", "nfd"]))
def test_case_and_normal_form_do_not_matter(text, how):
    other = unicodedata.normalize("NFD", text) if how == "nfd" else getattr(text, how)()
    assert family_names(other) == family_names(text)


@given(st.dates(date(1850, 1, 1), date(2100, 12, 31)))
def test_a_birth_date_reads_alike_from_every_form(born):
    if born == date(1900, 1, 1):
        return
    forms = [
        f"{born:%Y-%m-%d}",
        f"{born:%d-%m-%Y}",
        f"{born.day}-{born.month}-{born.year}",
        f"{born:%Y%m%d}",
        f"{born:%Y.%m.%d}",
        f"{born:%d/%m/%Y}",
        f" {born:%Y-%m-%d 00:00:00.000} ",
        f"{born:%Y-%m-%dT00:00:00Z}",
    ]
    assert {birth_date(form) for form in forms} == {f"{born:%Y%m%d}"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "19000101",
        "01-01-1900",
        "1-1-1900",
        "00000000",
        "19500000",
        "19501300",
        "00-00-1950",
        "00-05-1950",
        "1950-02-30",
        "1950",
        "195002",
        "3-2-50",
        "1950-2.3",
        "0001-01-01",
        "9999-12-31",
        "19500203x",
        "1950020300",
        "onbekend",
        "\u0661\u0669\u0665\u0660\u0660\u0662\u0660\u0663",
    ],
)
def test_what_is_no_birth_date_is_missing(text):
    assert birth_date(text) == ""


@given(st.one_of(st.text(), st.text("0123456789-./: T", max_size=12)))
def test_any_text_gives_a_date_or_none(text):
    found = day(text)
    assert found == "" or (len(found) == 8 and found == day(found))
    assert birth_date(text) in {"", found}


def test_days_far_away_are_days_but_not_of_birth():
    assert day("9999-12-31") == "99991231"
    assert day("01-01-0001") == "00010101"


def test_sex_is_told_only_where_it_is_stated():
    assert [sex(text) for text in ("M", "m ", "Man", "male")] == ["M"] * 4
    assert [sex(text) for text in ("F", "V", "v", "vrouw", "Female\0")] == ["F"] * 5
    assert {sex(text) for text in ("", "O", "X", "U", "onbekend", "MF", "1")} == {""}


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("A.B.", "AB"),
        ("A. B.", "AB"),
        ("a.b.", "AB"),
        ("Anna Bea", "AB"),
        ("ANNA BEA", "AB"),
        ("AB", "AB"),
        ("ABCD", "ABCD"),
        ("ABCDE", "A"),
        ("Anna", "A"),
        ("anna", "A"),
        ("Jan-Willem", "JW"),
        ("Anna^Bea", "AB"),
        ("É.", "E"),
        ("ÉA", "EA"),
        ("A.B. (Anna)", "AB"),
        ("", ""),
        ("...", ""),
        ("12", ""),
    ],
)
def test_initials(text, letters):
    assert initials(text) == letters


@given(st.text())
def test_any_text_gives_letters_as_initials(text):
    assert initials(text) == "" or initials(text).isalpha()
