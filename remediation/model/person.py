"""What identifies a person beside a number, comparable: family names, birth date, sex, initials.

The same functions serve the header and the crosswalk, so that two spellings of one name agree.
They only ever drop what does not identify; what they cannot read is missing, never guessed.

>>> family_names("van den Berg-Jansen"), birth_date("3-2-1950"), sex("V"), initials("Anna Bea")
(('BERGJANSEN', 'BERG', 'JANSEN'), '19500203', 'F', 'AB')
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from rapidfuzz.distance import OSA

# Words before a family name: Dutch, and those of other languages that are common here.
_PREFIX_WORDS = """
AAN AF AIT AL AN AV BEN BIJ BIN DA DAS DE DEL DELLA DEM DEN DER DES DI DO DOS DU E EL EN ET IBN IM
IN LA LAS LE LES LO LOS NEL NIJ ON ONDER OP OVER S T TE TEN TER THOE TOT UIJT UIT VAN VER VOM VON
VOOR VOR Y ZU ZUM ZUR
"""
PREFIXES = frozenset(_PREFIX_WORDS.split())
# What systems write in the field of a family name though it is none: two strangers called "Baby"
# must not agree.
_STAND_INS = """
ANONIEM ANONYMOUS BABY DHR DOCHTER DR DRS EG ERVEN EV GEB GEBOREN GESCH HR IR ING JHR JR KIND MEJ
MEVR MEVROUW MR MW NN ONBEKEND PROF SR TWEELING UNKNOWN WED ZOON
"""
NOT_NAMES = frozenset(_STAND_INS.split())

_SHORTEST = 2  # letters of a comparable part
_CLOSE = 5  # in shorter names, one letter makes another family: Bos and Vos
_EARLIEST, _LATEST = 1850, 2150  # years of birth; beyond them stand the "unknown" of databases
_UNKNOWN_DAY = date(1900, 1, 1)
# Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
)

_GIVEN = re.compile(r"[\^=,]")  # what follows is no family name
_SLASHED = re.compile(r"\b(\w)/(\w)\b")  # "e/v" is one word
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-./])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})([-./])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)

_CAPITALS = 4  # this many capitals at most, written together, are initials
_CALLED = re.compile(r"\([^)]*\)")


def _plain(text: str) -> str:
    """Return text in capitals without diacritics; each mark and letter variant folded away."""
    if text.isascii():  # most names by far, and the crosswalk has millions
        return text.upper()
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in apart if not unicodedata.combining(char)).upper()


def _words(text: str) -> list[str]:
    """Return the runs of letters of a text, in capitals, without diacritics."""
    letters = "".join(char if char.isalpha() else " " for char in _plain(text))
    return letters.split()


def family_names(text: str) -> tuple[str, ...]:
    """Return the comparable parts of a family name: the whole, then each part of a double name.

    Diacritics, punctuation, prefixes and titles are dropped wherever they stand; only what comes
    before a caret or a comma counts, the rest is a given name. The whole is written together, so
    that "O'Brien" and "OBrien" agree. Parts under two letters are dropped. A name that consists of
    prefixes alone is its own name. Empty: there is no name to compare.

    >>> family_names("Jansen-de Vries"), family_names("DE VRIES E/V JANSEN")
    (('JANSENVRIES', 'JANSEN', 'VRIES'), ('VRIESJANSEN', 'VRIES', 'JANSEN'))
    >>> family_names("Özdemir"), family_names("O'Brien"), family_names("in 't Veld^Anna")
    (('OZDEMIR',), ('OBRIEN', 'BRIEN'), ('VELD',))
    >>> family_names("Le"), family_names("Baby"), family_names("N.N."), family_names("X")
    (('LE',), (), (), ())
    """
    if not text:
        return ()
    words = _words(_SLASHED.sub(r"\1\2", _GIVEN.split(text, maxsplit=1)[0]))
    candidates = [word for word in words if word not in NOT_NAMES]
    names = [word for word in candidates if word not in PREFIXES] or candidates
    whole = "".join(names)
    if whole in NOT_NAMES:
        return ()
    return tuple(dict.fromkeys(part for part in (whole, *names) if len(part) >= _SHORTEST))


def close(names: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether one of these names is one of the others but for a single typing error.

    A typing error is a letter too many, too few or wrong, or two neighbours that changed places
    (Damerau-Levenshtein distance 1). Names under five letters are never close, nor are two that
    differ in the first letter alone: these are other families, not slips.

    >>> close(["JANSEN"], ["JANSSEN"]), close(["BAKKER"], ["BAKEKR"]), close(["BOS"], ["VOS"])
    (True, True, False)
    >>> close(["BAKKER"], ["DAKKER"]), close(["HAKKER"], ["AKKER"]), close(["JANSEN"], ["JANSEN"])
    (False, False, False)
    """
    theirs = tuple(others)
    return any(_one_slip(one, other) for one in names for other in theirs)


def _one_slip(one: str, other: str) -> bool:
    if min(len(one), len(other)) < _CLOSE or OSA.distance(one, other, score_cutoff=1) != 1:
        return False
    return one[1:] not in {other, other[1:]} and one != other[1:]


def day(text: str) -> str:
    """Return a date as `YYYYMMDD`, or nothing where it is none or does not exist.

    Read are ISO (a time behind it is dropped), day-month-year and `YYYYMMDD`; with separators the
    year has four digits, so the order is never guessed.

    >>> day("2009-06-01 00:00:00"), day("1-6-2009"), day("20090601"), day("31-02-2009")
    ('20090601', '20090601', '20090601', '')
    """
    bare = text.strip(" \0\t")
    if match := _COMPACT.fullmatch(bare):
        year, month, of_month = match.groups()
    elif match := _YEAR_FIRST.fullmatch(bare):
        year, _, month, of_month = match.groups()
    elif match := _DAY_FIRST.fullmatch(bare):
        of_month, _, month, year = match.groups()
    else:
        return ""
    try:
        return f"{date(int(year), int(month), int(of_month)):%Y%m%d}".zfill(8)
    except ValueError:
        return ""


def birth_date(text: str) -> str:
    """Return a birth date as `YYYYMMDD`, or nothing where it is missing.

    Missing are impossible dates, day or month 00, 1 January 1900, and years in which nobody who
    was imaged can have been born: all of these are how systems write "unknown".

    >>> birth_date("1950-02-03"), birth_date("03-02-1950"), birth_date("19500203")
    ('19500203', '19500203', '19500203')
    >>> birth_date("19000101"), birth_date("1950-00-00"), birth_date("0001-01-01"), birth_date("")
    ('', '', '', '')
    """
    found = day(text)
    if not found or found == f"{_UNKNOWN_DAY:%Y%m%d}":
        return ""
    return found if _EARLIEST <= int(found[:4]) <= _LATEST else ""


def sex(text: str) -> str:
    """Return `M`, `F`, or nothing: other, unknown and empty contradict neither.

    >>> [sex(text) for text in ("m", "V", "F", "O", "X", "U", "")]
    ['M', 'F', 'F', '', '', '', '']
    """
    word = text.strip(" \0").upper()
    if word in {"M", "MAN", "MALE"}:
        return "M"
    return "F" if word in {"F", "V", "VROUW", "FEMALE"} else ""


def initials(text: str) -> str:
    """Return the initials of given names, in capitals without diacritics.

    Up to four capitals without a blank between them are initials already; otherwise the first
    letter of each word counts. A name in brackets (what someone is called) does not.

    >>> [initials(text) for text in ("A.B.", "A. B.", "Anna Bea", "AB", "Jan-Willem", "Anna^Bea")]
    ['AB', 'AB', 'AB', 'AB', 'JW', 'AB']
    >>> initials("A.B. (Anna)"), initials("..."), initials("")
    ('AB', '', '')
    """
    bare = _CALLED.sub(" ", text).strip()
    if bare.isalpha() and bare.isupper() and len(bare) <= _CAPITALS:
        return _plain(bare)
    return "".join(word[0] for word in _words(bare))
