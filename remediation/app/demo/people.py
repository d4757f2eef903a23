"""The people of the demo hospital: fictitious names, unique birth dates, numbers of the test range.

No two people share a birth date unless a case plants it, so nobody is a homonym by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from remediation.app.demo.epd import VERIFIED, Row, dutch
from remediation.app.demo.story import SITES, Site
from remediation.model import bsn

_STEM_WORDS = """
Proef Nep Fictie Verzin Schijn Mock Dummy Namaak Droom Papier Karton Pseudo Zogenaamd Bedenk Sprook
Fantasie
"""
_END_WORDS = """
konijn stra sma mans huizen veld berg broek wijk inga kamp horst dijk burg woud
"""
_STEMS, _ENDS = _STEM_WORDS.split(), _END_WORDS.split()
_ACCENTED = ("müller", "cöster", "björk", "françon", "andréa", "noëls")
_PREFIXES = ("van der", "de", "van", "van den", "ter")
_FIRST_NAMES = {
    "M": ("Aart", "Bram", "Cas", "Dirk", "Ewout", "Floris", "Gijs", "Hein"),
    "F": ("Anouk", "Berthe", "Carla", "Dieuwke", "Elsje", "Floor", "Gerda", "Hanna"),
}
_UNACCENT = str.maketrans("üöçéë", "uocee")
# How header and EPD write one name; the more usual ones more often.
_STYLE_WORDS = """
plain plain plain plain plain plain plain plain plain plain upper upper upper prefix prefix
prefix-dropped accented accented unaccented hyphen hyphen-split birth-name partner-name
"""
_STYLES = _STYLE_WORDS.split()
_OLDEST, _YOUNGEST = date(1925, 1, 2), date(2004, 12, 31)


@dataclass(frozen=True, slots=True)
class Names:
    """A family name as the header writes it and as the EPD does (own, birth, partner's)."""

    header: str
    own: str
    birth: str
    partner: str
    core: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """One patient: what headers say, and the rows that the EPD export has.

    `local` is the local number by archive, `number` the right BSN, `written` the number that the
    headers of this patient carry, `name` a DICOM PN, `birth` a DICOM DA or empty.
    """

    local: dict[str, str]
    number: str
    written: str
    name: str
    birth: str
    sex: str
    rows: tuple[Row, ...]
    names: Names


class Registry:
    """Draws people from a seed; nothing that it hands out comes twice."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"{seed}:people")
        days = (_YOUNGEST - _OLDEST).days
        self._births = iter(self.random.sample(range(days), days))
        self._numbers = iter(self.random.sample(range(9090), 9090))
        self._locals: dict[str, set[str]] = {site.archive: set() for site in SITES}
        self._styles = self._cycle()

    def _cycle(self) -> Iterator[str]:
        while True:
            yield from self.random.sample(_STYLES, len(_STYLES))

    def number(self) -> str:
        """Return the next number of the test range, in drawn order."""
        return bsn.test_number(next(self._numbers))

    def birth(self) -> date:
        """Return a birth date that nobody has."""
        return _OLDEST + timedelta(days=next(self._births))

    def local(self, site: Site, *, passing: bool | None = None, plain: bool = True) -> str:
        """Return a new local number; `plain` has no leading zero, `passing` settles the elfproef.

        Nine-digit numbers never lie in the test range and are never placeholders; chance alone
        lets one in eleven pass unless `passing` says otherwise.
        """
        low = 10 ** (site.digits - 1) if plain else 10 ** (site.digits - 3)
        while True:
            text = f"{self.random.randrange(low, 99 * 10 ** (site.digits - 2)):0{site.digits}d}"
            taken = self._locals[site.archive]
            unfit = text in taken or bsn.is_placeholder(text) or bsn.is_test_number(text)
            if not unfit and passing in (None, bsn.passes(text)):
                taken.add(text)
                return text

    def core(self, *, accented: bool = False) -> str:
        """Return a family name without prefix."""
        ends = _ACCENTED if accented else _ENDS
        return self.random.choice(_STEMS) + self.random.choice(ends)

    def names(self, style: str) -> Names:
        """Return one family name in a style: how header and EPD differ, and still agree."""
        core = self.core(accented="accented" in style)
        other = self.core()
        while other == core:
            other = self.core()
        prefixed = f"{self.random.choice(_PREFIXES)} {core}"
        both, pair = f"{other}-{core}", (core, other)
        plain = Names(core, core, core, "", (core,))
        ways = {
            "upper": Names(core.upper(), core, core, "", (core,)),
            "prefix": Names(prefixed, prefixed, prefixed, "", (core,)),
            "prefix-dropped": Names(core, prefixed, prefixed, "", (core,)),
            "unaccented": Names(core.translate(_UNACCENT), core, core, "", (core,)),
            "hyphen": Names(both, both, core, other, pair),
            "hyphen-split": Names(both, other, core, other, pair),
            "birth-name": Names(core, other, core, other, pair),
            "partner-name": Names(other, both, core, other, pair),
        }
        return ways.get(style, plain)

    def initials(self) -> str:
        """Return two or three initials with dots."""
        letters = self.random.sample("ABCDEFGHJKLMNPRSTVW", self.random.choice((2, 2, 3)))
        return "".join(f"{letter}." for letter in letters)

    def person(self, site: Site, *, passing: bool | None = None, plain: bool = True) -> Person:
        """Return a new, verified patient of one institution, with one row in the export."""
        names = self.names(next(self._styles))
        sex = self.random.choice("MF")
        initials = self.initials()
        given = initials
        if self.random.random() < 0.3:  # noqa: PLR2004 - about a third
            given = self.random.choice(_FIRST_NAMES[sex])
            initials = given[0] + initials[1:]
        number, birth = self.number(), self.birth()
        local = self.local(site, passing=passing, plain=plain)
        row = Row(
            local_number=local,
            issuer=site.issuer,
            bsn=number,
            status=VERIFIED,
            validation=self.random.choice(("gevalideerd", "gevalideerd", "")),
            birth_date=dutch(birth),
            sex="V" if sex == "F" else "M",
            family_name=names.own,
            birth_name=names.birth,
            partner_name=names.partner,
            initials=initials,
        )
        return Person(
            local={site.archive: local},
            number=number,
            written=number,
            name=f"{names.header}^{given}",
            birth=f"{birth:%Y%m%d}",
            sex=sex if self.random.random() < 0.96 else "",  # noqa: PLR2004 - now and then unknown
            rows=(row,),
            names=names,
        )
