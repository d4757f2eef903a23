"""Washing: what people type into a record (a name, a reason) goes in without anybody's number.

So do words of a column of the EPD's export, which may be another column than was meant.

Names cannot be told from other words, so this is about digits: a BSN, a local number of its
length, a birth date. A whole date has eight digits as well, and is refused with them: the time of
a decision is recorded anyway.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from remediation.errors import UsageError
from remediation.model import bsn

LONGEST = 300  # signs: a reason, not a letter
_DIGITS = re.compile(r"[0-9](?:[ ./-]?[0-9])*", re.ASCII)
_YEARS = re.compile(r"(?:19|20)[0-9]{2}[ -](?:19|20)[0-9]{2}", re.ASCII)
_PART = r"[ ./-][0-9]{1,2}"
_DATE = re.compile(
    rf"(?<![0-9])(?:[0-9]{{1,2}}{_PART}[ ./-][0-9]{{4}}|[0-9]{{4}}{_PART}{_PART})(?![0-9])",
    re.ASCII,
)
_LENGTHS = (8, 9)
_MANY_DIGITS = 5  # a word with more of them is a date or a number in the wrong column
_MANY_WORDS = 30  # more different words than this are no kinds of anything


def washed(text: str, where: str) -> str:
    r"""Return free text as it may be recorded: one printable line without a number of a person.

    >>> washed(" Naam gecontroleerd\u00a0in het EPD, 2 studies ", "--why")
    'Naam gecontroleerd in het EPD, 2 studies'
    >>> washed("patient 9999.00.006", "--why")
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: a number or date of a person cannot stand here (--why): leave it out: what is decided on is recorded beside it
    >>> washed("\n", "--why")
    Traceback (most recent call last):
    ...
    remediation.errors.UsageError: a line of text is wanted (--why): at most 300 printable signs

    Raises:
        UsageError: it holds one, or it is empty, too long, or not printable.
    """  # noqa: E501 - the message is one line
    line = " ".join(unicodedata.normalize("NFKC", text).split())
    if not line or len(line) > LONGEST or not line.isprintable():
        raise UsageError("a line of text is wanted", where, f"at most {LONGEST} printable signs")
    if holds_number(line):
        raise UsageError(
            "a number or date of a person cannot stand here",
            where,
            "leave it out: what is decided on is recorded beside it",
        )
    return line


def holds_number(text: str) -> bool:
    """Tell whether a text has a date, or eight or nine digits together, however they are divided.

    >>> [holds_number(one) for one in ("1-1-2026, 2 studies", "tel. 12345678", "9 9 9 9 0 0 0 0 6")]
    [True, True, True]
    >>> [holds_number(one) for one in ("periode 2003-2011", "ZKH-OOST 4711", "1.2.840.5")]
    [False, False, False]
    """
    plain = "".join(str(unicodedata.digit(sign, sign)) for sign in text)
    together = (found[0] for found in _DIGITS.finditer(plain) if not _YEARS.fullmatch(found[0]))
    lengths = {sum(map(str.isdigit, found)) for found in together}
    lengths |= {len(found) for found in re.findall(r"[0-9]+", plain)}
    return bool(lengths & set(_LENGTHS) or _DATE.search(plain) or any(bsn.runs(plain)))


def shown_words(words: Iterable[str]) -> dict[str, str]:
    """Return of each word of a column what may be shown: a wrong column's persons are not.

    >>> shown_words(["pasgeborene", "9999.00.006"])
    {'pasgeborene': 'pasgeborene', '9999.00.006': '(digits)'}
    >>> set(shown_words(f"naam {n}" for n in range(31)).values())
    {'(too many different words)'}
    """
    shown = {word: "(digits)" if _many_digits(word) else word for word in words}
    if len(set(shown.values())) > _MANY_WORDS:  # a column of names, by mistake: not ours to print
        return dict.fromkeys(shown, "(too many different words)")
    return shown


def _many_digits(word: str) -> bool:
    return sum(map(str.isdigit, word)) > _MANY_DIGITS
