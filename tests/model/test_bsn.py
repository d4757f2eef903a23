"""The BSN's form and check digit, held against python-stdnum; what is no number stays none."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.exceptions import ValidationError
from stdnum.nl import bsn as oracle

from remediation.model import bsn
from remediation.model.bsn import form, is_placeholder, is_test_number, normalise, passes, runs

NUMBER = bsn.test_number(0)
NUMBERS = st.integers(0, 9089).map(bsn.test_number)
NINE = st.from_regex(r"[0-9]{9}", fullmatch=True)


def oracle_passes(number):
    try:
        return oracle.validate(number) == number
    except ValidationError:
        return False


@given(NINE)
def test_nine_digits_pass_exactly_where_the_oracle_says_so(number):
    assert passes(number) == (oracle_passes(number) and number != "000000000")


def test_the_oracle_agrees_on_a_whole_stretch_of_numbers():
    stretch = [f"{number:09d}" for number in range(100_000_000, 100_003_000)]
    agreed = [number for number in stretch if passes(number)]
    assert agreed == [number for number in stretch if oracle_passes(number)]
    assert len(agreed) == pytest.approx(3000 / 11, abs=15)


@pytest.mark.parametrize(
    "text", ["", "99990000", "9999000060", "٩٩٩٩٠٠٠٠٦", "99990000x", "000000000"]
)
def test_what_is_not_nine_ascii_digits_or_zero_never_passes(text):
    assert not passes(text)


@given(NUMBERS, st.integers(0, 8), st.integers(1, 9))
def test_every_single_digit_error_fails(number, position, shift):
    digit = str((int(number[position]) + shift) % 10)
    assert not passes(number[:position] + digit + number[position + 1 :])


@given(NUMBERS, st.integers(0, 7))
def test_every_adjacent_transposition_fails_or_is_the_same_number(number, position):
    digits = list(number)
    digits[position], digits[position + 1] = digits[position + 1], digits[position]
    swapped = "".join(digits)
    assert swapped == number or not passes(swapped)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (NUMBER, "nine"),
        (f"  {NUMBER} ", "nine"),
        (f"{NUMBER}\0", "nine"),
        (f"\0\0{NUMBER}\0 ", "nine"),
        ("9999.00.006", "grouped"),
        ("9999 00 006", "grouped"),
        ("9999-00-006", "grouped"),
        ("999.900.006", "grouped"),
        ("999 900 006", "grouped"),
        (f"BSN:{NUMBER}", "prefixed"),
        (f"BSN: {NUMBER}", "prefixed"),
        (f"bsn {NUMBER}", "prefixed"),
        (f"NL{NUMBER}", "prefixed"),
        (f"NL {NUMBER}", "prefixed"),
        ("BSN 9999.00.006", "prefixed"),
        (f"{NUMBER}^^^NLMINBIZA^NNNLD", "cx"),
        (f"{NUMBER}^^^&2.16.840.1.113883.2.4.6.3&ISO^NNNLD ", "cx"),
    ],
)
def test_every_form_seen_gives_the_nine_digits_and_its_name(text, written):
    assert normalise(text) == NUMBER
    assert form(text) == written


@pytest.mark.parametrize(
    "text", ["12345678", "123.45.678", "BSN 12345678", "123-456-78", "12345678\0"]
)
def test_eight_digits_get_their_leading_zero_back(text):
    assert normalise(text) == "012345678"


def test_the_form_of_eight_bare_digits_is_named():
    assert form("12345678 ") == "eight"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1234567",
        "1234.567",
        "1234567890",
        f"{NUMBER}0",
        f"0{NUMBER}",
        f"A{NUMBER}",
        f"{NUMBER}A",
        f"{NUMBER}.5",
        f"-{NUMBER}",
        f"{NUMBER} {NUMBER}",
        f"{NUMBER}\\{NUMBER}",
        f"{NUMBER}^^^A\\B",
        f"BSN{NUMBER}BSN",
        "1.2.840.10008",
        "99.99.00.006",
        "2011-07-04",
        "04-07-2011",
        "999O00006",
        "٩٩٩٩٠٠٠٠٦",
        "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER),  # full width
        f"{NUMBER}\n",
    ],
)
def test_what_is_no_number_of_eight_or_nine_digits_is_none(text):
    assert normalise(text) is None


@given(st.text(max_size=30))
def test_digits_are_never_repaired(text):
    number = normalise(text)
    if number is not None:
        assert re.fullmatch(r"[0-9]{9}", number)
        digits = re.sub(r"[^0-9]", "", text.partition("^")[0])
        assert digits.zfill(9) == number
        assert len(digits) in (8, 9)


@given(NINE, st.sampled_from(["{}", " {} ", "{}\0", "BSN:{}", "NL{}", "{}^^^NLMINBIZA^NNNLD"]))
def test_any_nine_digits_survive_every_wrapping(number, wrapping):
    assert normalise(wrapping.format(number)) == number


def test_stdnum_is_too_lax_for_detection_and_normalise_is_not():
    assert oracle.compact("1.2.3") == "000000123"
    assert normalise("1.2.3") is None


@given(st.integers(1, 12), st.integers(0, 9089))
def test_a_number_inside_a_longer_number_is_no_run(extra, n):
    number = bsn.test_number(n)
    assert list(runs("7" * extra + number)) == []
    assert list(runs(number + "7" * extra)) == []


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=8))
def test_no_part_of_a_uid_is_a_run(parts):
    assert list(runs("2.999." + ".".join(map(str, parts)) + ".1")) == []


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10**12))
def test_a_decimal_string_holds_no_run(value):
    text = f"{value:f}"
    assert list(runs(text)) == []
    assert list(runs(f"dose {text} mGy")) == []


@pytest.mark.parametrize(
    "text",
    [
        "2011-07-04",
        "2011.07.04 12:30:15",
        "04-07-2011",
        "20110704123015.123456",
        "2011-12345678",
        "+31 20 123 45 67",
        "020 123 45 67",
        "12345678901234567890",
        ".12345678",
        "12:34:56.123456",
    ],
)
def test_dates_times_phones_and_longer_groups_are_no_runs(text):
    assert list(runs(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"BSN van patient is {NUMBER}.",
        f"({NUMBER})",
        f"SCHIJN^{NUMBER}",
        f"SCHIJN^A^^{NUMBER}^x",
        f"pat_{NUMBER}_1.dcm",
        f"oost-{NUMBER}",
        f"{NUMBER}-1.dcm",
        f"x{NUMBER}y",
        "nr 9999.00.006, balie",
        "nr 999 900 006",
        f"id={NUMBER};",
        f"{NUMBER}.dcm",
    ],
)
def test_a_number_in_longer_text_is_a_run(text):
    assert list(runs(text)) == [NUMBER]


def test_several_numbers_are_found_in_their_order():
    other = bsn.test_number(1)
    assert list(runs(f"{other}, {NUMBER};{other}")) == [other, NUMBER, other]


def test_a_run_of_eight_digits_gets_its_zero_back():
    assert list(runs("patient 12345678 ok")) == ["012345678"]


def test_placeholders_pass_the_elfproef_and_are_known_all_the_same():
    for number in bsn.PLACEHOLDERS - {"000000000"}:
        assert passes(number)
        assert is_placeholder(number)
    assert is_placeholder("000000000")
    repeated = {f"{str(digit) * 8}0" for digit in range(10)}
    assert repeated <= bsn.PLACEHOLDERS
    assert not is_placeholder(NUMBER)
    assert is_placeholder(NUMBER, extra=[NUMBER])


def test_test_numbers_are_every_passing_number_of_their_range_in_rising_order():
    numbers = [bsn.test_number(n) for n in range(9090)]
    whole = [f"9999{n:05d}" for n in range(100_000)]
    expected = [n for n in whole if oracle_passes(n) and n not in bsn.PLACEHOLDERS]
    assert numbers == expected
    assert all(a < b for a, b in pairwise(numbers))
    assert all(is_test_number(number) for number in numbers)
    assert not is_test_number("123456782")


@pytest.mark.parametrize("n", [-1, 9090])
def test_beyond_the_range_there_is_no_test_number(n):
    with pytest.raises(ValueError, match="0 to 9089"):
        bsn.test_number(n)
