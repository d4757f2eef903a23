"""The BSN (Burgerservicenummer): its form, its check digit, placeholders, and numbers for tests.

Nine digits; the sum of digit x weight (9 8 7 6 5 4 3 2 -1) is divisible by eleven (the elfproef)
and the number is not zero. One number in eleven passes, so passing proves nothing alone.
Sources: Wet algemene bepalingen burgerservicenummer; Logisch Ontwerp GBA (check digit).

>>> normalise("9999.00.006"), normalise("BSN: 99990006"), normalise("1234567")
('999900006', '099990006', None)
>>> passes("999900006"), passes("999900007")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from operator import mul

WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
TEST_RANGE = "9999"
_ZEROS = ord("0") * sum(WEIGHTS)  # what nine zeros add as characters

# Numbers that pass the elfproef and stand for "we have none": typed to get past a form.
PLACEHOLDERS = frozenset(
    {
        "000000000",
        "111111110",
        "123456782",
        "111222333",
        "222222220",
        "333333330",
        "444444440",
        "555555550",
        "666666660",
        "777777770",
        "888888880",
        "999999990",
    }
)

_PREFIX = r"(?:(?:BSN|NL)[ :#-]{0,3})?"
_PLAIN = r"\d{8,9}"
_GROUPED = r"\d{3,4}[. -]\d{2}[. -]\d{3}|\d{3}[. -]\d{3}[. -]\d{2,3}"
_WHOLE = re.compile(
    rf"[ \0]*{_PREFIX}({_PLAIN}|{_GROUPED})(?:\^[^\\]*)?[ \0]*", re.ASCII | re.IGNORECASE
)
# Not inside a longer number, a UID or a decimal string: no digit before, nor a digit's hyphen, nor
# any dot; no digit behind, nor a dot with a digit. Grouped digits are not part of a longer group.
_RUN = re.compile(rf"(?<![\d.])(?<!\d-)(?:(?:{_GROUPED})(?![. ]?\d)|{_PLAIN}(?!\d|\.\d))", re.ASCII)
# A run stands within one of these, and nothing outside it matters to it.
_SEGMENT = re.compile(r"[\d. -]{8,}", re.ASCII)
_MANY_DIGITS = re.compile(r"(?:\d[. -]?){8}", re.ASCII)
_SEPARATORS = str.maketrans("", "", ". -")


def normalise(text: str) -> str | None:
    """Return the nine digits of a value that is a number of eight or nine digits, else None.

    Dots, blanks and hyphens in the usual groups, padding, a `BSN` or `NL` prefix and HL7 CX
    components are taken off; an eighth digit gets its leading zero back. Digits are never repaired.

    >>> normalise("123456782^^^NLMINBIZA^NNNLD")
    '123456782'
    >>> normalise("12345678201") is None
    True
    """
    match = _WHOLE.fullmatch(text)
    return match[1].translate(_SEPARATORS).zfill(9) if match else None


def form(text: str) -> str:
    """Name the written form of a well-formed value: `nine`, `eight`, `cx`, `prefixed`, `grouped`.

    >>> [form(t) for t in ("999900006", "99990006 ", "999900006^^^X", "BSN 999900006")]
    ['nine', 'eight', 'cx', 'prefixed']
    """
    bare = text.strip(" \0")
    if "^" in bare:
        return "cx"
    if not bare[:1].isdigit():
        return "prefixed"
    if bare.isdigit():
        return "nine" if len(bare) == 9 else "eight"  # noqa: PLR2004 - the names say it
    return "grouped"


def may_hold(text: str) -> bool:
    """Tell, quickly, whether a text has digits enough for a number; most texts have not.

    >>> may_hold("SIEMENS Avanto 1.5T"), may_hold("see 9999.00.006")
    (False, True)
    """
    return _MANY_DIGITS.search(text) is not None


def runs(text: str) -> Iterator[str]:
    """Yield the numbers of eight or nine digits inside longer text, as nine digits.

    >>> list(runs("see 999900006, order 1234567890, UID 1.2.999900006.4, 12345678.5 mm"))
    ['999900006']
    >>> [*runs("DOE^999900006"), *runs("oost-9999.00.006-1.dcm"), *runs("2011-12345678")]
    ['999900006', '999900006']
    """
    for segment in _SEGMENT.finditer(text):
        for match in _RUN.finditer(segment[0]):
            yield match[0].translate(_SEPARATORS).zfill(9)


def passes(number: str) -> bool:
    """Tell whether nine digits pass the elfproef (zero does not).

    >>> passes("111222333"), passes("000000000"), passes("12345678")
    (True, False, False)
    """
    if len(number) != len(WEIGHTS) or not (number.isascii() and number.isdigit()):
        return False
    total = sum(map(mul, WEIGHTS, number.encode())) - _ZEROS
    return total % 11 == 0 and number != "000000000"


def is_placeholder(number: str, extra: Collection[str] = ()) -> bool:
    """Tell whether nine digits are a stand-in for "none"; `extra` comes from the job file."""
    return number in PLACEHOLDERS or number in extra


def is_test_number(number: str) -> bool:
    """Tell whether nine digits lie in the range that demos and tests use."""
    return number.startswith(TEST_RANGE)


@cache
def _test_numbers() -> tuple[str, ...]:
    every = (f"{TEST_RANGE}{count:05d}" for count in range(100_000))
    return tuple(number for number in every if passes(number) and number not in PLACEHOLDERS)


def test_number(n: int) -> str:
    """Return the n-th number of the 9999 range that passes the elfproef (n from 0 to 9089).

    The whole range in rising order, placeholders left out: the one generator of numbers for the
    demo and the tests. None of them is known to be anybody's, yet real jobs refuse them.

    >>> test_number(0), passes(test_number(4321)), test_number(1) > test_number(0)
    ('999900006', True, True)
    >>> test_number(-1)
    Traceback (most recent call last):
    ...
    ValueError: the test range has numbers 0 to 9089
    """
    numbers = _test_numbers()
    if not 0 <= n < len(numbers):
        raise ValueError(f"the test range has numbers 0 to {len(numbers) - 1}")
    return numbers[n]


test_number.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks
