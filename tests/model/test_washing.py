"""Free text goes into a record without a number or a birth date of anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.washing import LONGEST, holds_number, washed

NUMBER = bsn.test_number(7)


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        f"dit is {NUMBER}, zeker",
        f"P{NUMBER}x",
        f"{NUMBER[:4]}.{NUMBER[4:6]}.{NUMBER[6:]}",
        f"{NUMBER[:3]} {NUMBER[3:6]} {NUMBER[6:]}",
        " ".join(NUMBER),
        f"12 {NUMBER}",
        f"{NUMBER}^^^NLMINBIZA",
        "lokaal nummer 12345678",
        "lokaal nummer 123456789",
        "geboren 3-2-1950",
        "geboren 03-02-1950",
        "geboren 1950/02/03",
        "geboren 19500203",
        "".join(chr(0xFF10 + int(digit)) for digit in NUMBER),  # full width
        "".join(chr(0x0660 + int(digit)) for digit in NUMBER),  # Arabic-Indic
    ],
)
def test_a_number_or_date_is_refused_however_it_is_written(text):
    with pytest.raises(UsageError) as caught:
        washed(text, "--why")
    assert caught.value.exit_code == 2
    assert NUMBER not in str(caught.value)
    assert "1950" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Periode 2003-2011 van CT 1 is door de leverancier bevestigd",
        "2 studies, 347 bestanden",
        "zie melding 4711-22",
        "UID 1.2.840.10008.1.2",
        "naam “De Vries” met één letter verschil",
    ],
)
def test_what_people_write_of_a_decision_stays_as_it_is(text):
    assert washed(text, "--why") == text


@pytest.mark.parametrize("text", ["", " \n\t", "a\x1b[2Jb", "a\u202eb", "x" * (LONGEST + 1)])
def test_what_is_no_line_of_text_is_refused(text):
    with pytest.raises(UsageError, match="a line of text"):
        washed(text, "--why")


@given(
    st.integers(0, 9000),
    st.sampled_from(["", " ", ".", "-"]),
    st.text("abc ,:;()", max_size=8),
    st.text("abc ,:;()", max_size=8),
)
def test_no_test_number_gets_through(n, divider, before, after):
    digits = bsn.test_number(n)
    shown = divider.join([digits[:4], digits[4:6], digits[6:]])
    assert holds_number(before + shown + after)
