"""Which spellings of an issuer say BSN, wherever a place states them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.issuers import (
    ASSERTING,
    BSN_KIND,
    BSN_OID,
    NO_KIND,
    OID_KIND,
    OTHER_KIND,
    combined,
    kind,
)


@pytest.mark.parametrize("text", [BSN_OID, f" {BSN_OID}", f"{BSN_OID}\0", f"{BSN_OID} "])
def test_the_oid_is_the_form_to_write(text):
    assert kind(text) == OID_KIND


@pytest.mark.parametrize(
    "text",
    [
        "NLMINBIZA",
        "nlminbiza",
        "NNNLD",
        "BSN",
        f"&{BSN_OID}&ISO",
        f"NLMINBIZA&{BSN_OID}&ISO",
        f"123456782^^^&{BSN_OID}&ISO",
        "x^^^NLMINBIZA^NNNLD",
        "^^^NLMINBIZA",
    ],
)
def test_other_spellings_of_the_bsn_issuer_are_recognised(text):
    assert kind(text) == BSN_KIND


@pytest.mark.parametrize(
    "text",
    [
        "ZKH-OOST",
        "BSN-BUREAU",
        f"{BSN_OID}.1",
        f"1.{BSN_OID}",
        "NLMINBIZA2",
        "ISO",
        "^^^ZKH&1.2&ISO",
    ],
)
def test_anything_else_is_another_issuer(text):
    assert kind(text) == OTHER_KIND


@pytest.mark.parametrize("text", ["", " ", "\0", " \0 "])
def test_padding_is_no_issuer(text):
    assert kind(text) == NO_KIND


@pytest.mark.parametrize("extra", ["Landelijk Nr", " landelijk nr "])
def test_the_hospital_adds_spellings_of_its_own(extra):
    assert kind("LANDELIJK NR") == OTHER_KIND
    assert kind("LANDELIJK NR", [extra]) == BSN_KIND
    assert kind("x^^^Landelijk Nr", [extra]) == BSN_KIND


def test_an_empty_extra_spelling_makes_no_bsn_of_empty_components():
    assert kind("x^^^ZKH", ["", " "]) == OTHER_KIND
    assert kind("", [""]) == NO_KIND


@pytest.mark.parametrize(
    ("issuer", "qualifiers", "value", "expected"),
    [
        (BSN_OID, ["1.2.3"], "1", OID_KIND),
        ("", [BSN_OID, "ISO"], "1", BSN_KIND),
        ("", ["NNNLD"], "1", BSN_KIND),
        ("ZKH", ["NLMINBIZA"], "1", BSN_KIND),
        ("ZKH", [], "1^^^NLMINBIZA^NNNLD", BSN_KIND),
        ("", [], f"1^^^&{BSN_OID}&ISO", BSN_KIND),
        ("ZKH", ["1.2.3", "PI"], "1^^^ZKH", OTHER_KIND),
        ("", ["1.2.3"], "1", NO_KIND),
        ("", [], "BSN", NO_KIND),
        ("", [], "NLMINBIZA", NO_KIND),
    ],
)
def test_a_place_says_bsn_by_issuer_by_qualifiers_or_behind_the_number(
    issuer, qualifiers, value, expected
):
    assert combined(issuer, qualifiers, value) == expected


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=20))
def test_any_text_has_one_of_the_four_kinds(issuer, qualifiers, value):
    says = combined(issuer, qualifiers, value)
    assert says in ASSERTING | {NO_KIND, OTHER_KIND}
    if says not in ASSERTING:
        assert says == kind(issuer)
