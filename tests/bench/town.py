"""A made town: a million people, their registration at two hospitals, and pairs that go wrong.

Everybody is drawn from a seed and a number, nobody is kept. BSNs pass the elfproef and begin with
90 or 91: there are not enough in the test range. They stand in the export that a benchmark writes
and removes, and nowhere else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

NOORD, ZUID = "ZKH-NOORD", "ZKH-ZUID"
VERIFIED = "geverifieerd"
WIDTH = 8  # digits of a local number, as headers write it; the export has lost the zeros
_STEM_WORDS = """
Proef Nep Fictie Verzin Schijn Mock Dummy Namaak Droom Papier Karton Pseudo
"""
_END_WORDS = """
konijn stra sma mans huizen veld berg broek wijk inga kamp horst dijk burg woud
"""
_STEMS, _ENDS = _STEM_WORDS.split(), _END_WORDS.split()
_MIDDLES = ("", "en", "er", "el", "ing", "o", "a", "i", "u", "es", "ar", "un")
_PREFIXES = ("", "", "", "", "van der ", "de ", "van ", "ter ", "van den ", "in 't ")
_LETTERS = "ABCDEFGHJKLMNPRSTVW"
_DAYS = np.arange("1925-01-02", "2019-12-31", dtype="datetime64[D]")
_WEIGHTS = np.arange(9, 1, -1)


@dataclass(frozen=True, slots=True)
class Someone:
    """One person: what is true of them."""

    local: str
    number: str
    birth: str
    name: str
    initials: str
    sex: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the EPD export, in the order of its columns."""

    patientnr: str
    uitgever: str
    bsn: str
    bsn_status: str
    geboortedatum: str
    geslacht: str
    achternaam: str
    voorletters: str
    uitzondering: str = ""
    vervangen_door: str = ""
    geldig_van: str = ""
    geldig_tot: str = ""


COLUMNS = {
    "local_number": "patientnr",
    "issuer": "uitgever",
    "bsn": "bsn",
    "status": "bsn_status",
    "birth_date": "geboortedatum",
    "sex": "geslacht",
    "family_name": "achternaam",
    "initials": "voorletters",
    "exemption": "uitzondering",
    "replaced_by": "vervangen_door",
    "valid_from": "geldig_van",
    "valid_to": "geldig_tot",
}


class Town:
    """So many people; both hospitals count from the same number, so local numbers come twice."""

    def __init__(self, people: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.size = people
        self._numbers = rng.permutation(_bsns(people))
        self._birth = np.datetime_as_string(rng.choice(_DAYS, people))
        parts = (_STEMS, _MIDDLES, _ENDS, _PREFIXES)
        self._name = np.stack([rng.integers(0, len(part), people) for part in parts])
        self._initials = rng.integers(0, len(_LETTERS), (people, 3))
        self._many = rng.integers(1, 4, people)
        self._sex = rng.integers(0, 2, people)

    def person(self, n: int) -> Someone:
        """Return one of them."""
        stem, middle, end, prefix = self._name[:, n]
        letters = "".join(_LETTERS[one] for one in self._initials[n, : self._many[n]])
        return Someone(
            local=f"{10_000 + n // 2:0{WIDTH}d}",
            number=f"{self._numbers[n]:09d}",
            birth=str(self._birth[n]).replace("-", ""),
            name=f"{_PREFIXES[prefix]}{_STEMS[stem]}{_MIDDLES[middle]}{_ENDS[end]}",
            initials=letters,
            sex="MF"[self._sex[n]],
            issuer=(NOORD, ZUID)[n % 2],
        )


def line(one: Someone, **changes: str) -> Line:
    """Return the row of a person: verified, all zeros in front lost, as a spreadsheet leaves it."""
    plain = Line(
        one.local,
        one.issuer,
        one.number,
        VERIFIED,
        f"{one.birth[6:]}-{one.birth[4:6]}-{one.birth[:4]}",
        "V" if one.sex == "F" else one.sex,
        one.name,
        ".".join(one.initials) + "." if one.initials else "",
    )
    said = replace(plain, **changes)
    numbers = (said.patientnr, said.bsn, said.vervangen_door)
    local, bsn, later = (number.lstrip("0") for number in numbers)
    return replace(said, patientnr=local, bsn=bsn, vervangen_door=later)


def write_export(path: Path, lines: Iterable[Line]) -> int:
    """Write an export; return its rows."""
    names = [field.name for field in fields(Line)]
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(names)
        for rows, one in enumerate(lines, 1):  # noqa: B007 - the last one is the count
            writer.writerow([getattr(one, name) for name in names])
    return rows


def swapped(text: str, at: int) -> str:
    """Return a text with two neighbours that changed places, other ones where these are alike."""
    for n in [*range(at, len(text) - 1), *range(at)]:
        if text[n] != text[n + 1]:
            return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
    return text


def _bsns(count: int) -> np.ndarray:
    first = np.arange(90_000_000, 90_000_000 + count * 5 // 4 + 1000)
    digits = first[:, None] // 10 ** np.arange(7, -1, -1) % 10
    check = digits @ _WEIGHTS % 11
    return (first * 10 + check)[check < 10][:count]


def pairs(town: Town) -> Iterator[tuple[Someone, Someone]]:
    """Yield the people two by two; both of a pair are of one hospital."""
    for n in range(0, town.size - 3, 4):
        for one in (n, n + 1):
            yield town.person(one), town.person(one + 2)
