"""Phrases: days with their uncertainty, changes of a share, and odds, in one language."""

from __future__ import annotations

from datetime import date, timedelta

from remediation.app.report.words import NONE, Words

_RAREST = 10_000  # one in more histories is told as fewer than one in this many
_MINUS = "\u2212"
_HALF = 0.5


def between(low: date, high: date, words: Words) -> str:
    """Return two days between which something lies; both can be it.

    >>> between(date(2011, 7, 2), date(2011, 7, 6), Words.of("en"))
    'between 2 and 6 July 2011'
    >>> between(date(2011, 6, 28), date(2011, 7, 6), Words.of("nl"))
    'tussen 28 juni en 6 juli 2011'
    """
    return words("between_days", first=_short(low, high, words), last=words.day(high))


def days(start: date, end: date, words: Words) -> str:
    """Return a half-open range of days as its first and its last.

    >>> days(date(2011, 7, 4), date(2011, 7, 10), Words.of("en"))
    '4 to 9 July 2011'
    >>> days(date(2011, 7, 4), date(2011, 7, 5), Words.of("nl"))
    '4 juli 2011'
    """
    last = end - timedelta(days=1)
    if last <= start:
        return words.day(start)
    return words("from_to", first=_short(start, last, words), last=words.day(last))


def _short(low: date, high: date, words: Words) -> str:
    """Return the first of two days without what it shares with the second."""
    text = words.day(low)
    if low.year == high.year:
        text = text.removesuffix(f" {low.year}")
        if low.month == high.month:
            text = str(low.day)
    return text


def points(value: float | None, words: Words) -> str:
    """Return a change of a share in percentage points, with its sign.

    >>> points(0.951, Words.of("en")), points(0.0004, Words.of("nl"))
    ('+95.1', '0,0')
    >>> points(-0.02, Words.of("nl")).replace(chr(0x2212), "minus ")
    'minus 2,0'
    """
    if value is None:
        return NONE
    tenths = int(abs(value) * 1000 + _HALF)
    sign = "" if not tenths else _MINUS if value < 0 else "+"
    return f"{sign}{tenths // 10}{words.catalogue.decimal}{tenths % 10}"


def odds(chance: float, words: Words) -> str:
    """Return a chance as once in so many.

    >>> odds(0.00001, Words.of("en")), odds(0.024, Words.of("en"))
    ('less than once in 10,000', 'about once in 42')
    """
    if chance < 1 / _RAREST:
        return words("odds_less", times=words.number(_RAREST))
    return words("odds_about", times=words.number(round(1 / chance)))


def times(value: float, words: Words) -> str:
    """Return a factor with one decimal.

    >>> times(2.345, Words.of("nl"))
    '2,3'
    """
    return f"{value:.1f}".replace(".", words.catalogue.decimal)
