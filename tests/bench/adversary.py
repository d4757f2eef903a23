"""An export full of mistakes, and headers of which it is known whose they are.

The people of a town come in pairs. Something happens to each pair: the export says something wrong
of them, or a header does. Every number that `match` gives to a study is held against that of the
person who lay in the scanner; what else may come out of a kind is listed with it.

What nobody can see is left out: an export that gives a person, once and in every respect rightly,
somebody else's verified number. There the registration itself is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from bench.town import NOORD, ZUID, Line, Someone, Town, line, pairs, swapped

DAY = date(2014, 6, 1)
RIGHT, WRONG = "right number", "WRONG NUMBER"
CLASHES = ("birth-date-clash", "sex-clash", "name-clash")
# May come of any kind: a neighbour's digits changed places and gave his local number; namesakes.
COLLATERAL = frozenset({"two-numbers", "homonym"})


@dataclass(frozen=True, slots=True)
class Header:
    """One study: who lay in the scanner, and what its headers say."""

    of: Someone
    local: str
    birth: str
    name: str
    initials: str
    sex: str
    issuer: str
    archive: str = "noord"
    day: date | None = DAY
    strong: tuple[str, ...] = ()
    primary: str = ""  # a BSN in PatientID, with its issuer
    items: tuple[tuple[str, str], ...] = ()  # issuer and number


@dataclass(frozen=True, slots=True)
class Happened:
    """What the export says of a pair, and the studies of the two."""

    lines: tuple[Line, ...]
    headers: tuple[Header, ...]


Happens = Callable[[Someone, Someone, Random], Happened]


@dataclass(frozen=True, slots=True)
class Kind:
    """What may happen to a pair, how often, and what may come out of it."""

    name: str
    weight: int
    happens: Happens
    expected: frozenset[str]


KINDS: list[Kind] = []


def kind(weight: int, *expected: str) -> Callable[[Happens], Happens]:
    """Register what happens to a pair."""

    def register(happens: Happens) -> Happens:
        name = happens.__name__.replace("_", " ")
        KINDS.append(Kind(name, weight, happens, frozenset(expected)))
        return happens

    return register


def header(one: Someone, **changes: object) -> Header:
    """Return a header that says what is true."""
    plain = Header(one, one.local, one.birth, one.name, one.initials, one.sex, one.issuer)
    return replace(plain, **changes)  # type: ignore[arg-type]


def both(a: Someone, b: Someone, *lines: Line) -> Happened:
    """Return what the export says, with right headers of the two."""
    return Happened(lines, (header(a), header(b)))


def _twin(a: Someone, b: Someone, **changes: str) -> Someone:
    return replace(a, local=b.local, number=b.number, **changes)


def _other(issuer: str) -> str:
    return ZUID if issuer == NOORD else NOORD


# --- the export is right --------------------------------------------------------------------------


@kind(200, RIGHT)
def nothing_happened(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a), line(b))


@kind(20, RIGHT)
def said_twice(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a), line(a), line(b), line(b))


@kind(20, RIGHT)
def written_otherwise(a: Someone, b: Someone, random: Random) -> Happened:
    """Prefixes, capitals, hyphens, a partner's name."""
    names = (a.name.upper(), f"{b.name}-{a.name}")
    lines = (line(a), line(b, achternaam=f"{b.name} e/v {a.name}"))
    return Happened(lines, (header(a, name=names[0]), header(b, name=names[1])))


@kind(20, RIGHT)
def known_at_both_hospitals(a: Someone, b: Someone, random: Random) -> Happened:
    there = {"uitgever": _other(a.issuer), "patientnr": f"7{a.local[1:]}"}
    shown = header(a, local=there["patientnr"], issuer=there["uitgever"])
    return Happened((line(a), line(a, **there), line(b)), (header(a), shown, header(b)))


@kind(20, RIGHT)
def merged(a: Someone, b: Someone, random: Random) -> Happened:
    old, older = f"8{a.local[1:]}", f"9{a.local[1:]}"
    lines = (
        line(a, patientnr=older, bsn="", bsn_status="", vervangen_door=old),
        line(a, patientnr=old, bsn="", bsn_status="", vervangen_door=a.local),
        line(a),
        line(b),
    )
    return Happened(lines, (header(a, local=older), header(a, local=old), header(a)))


@kind(20, RIGHT, "outside-validity", "birth-date-clash")
def number_given_out_again(a: Someone, b: Someone, random: Random) -> Happened:
    """Until 2010 it was the first one's, then the second one's."""
    lines = (
        line(a, geldig_tot="31-12-2010"),
        line(b, patientnr=a.local, geldig_van="01-01-2011"),
    )
    then = header(a, day=date(2009, 3, 2))
    return Happened(
        lines,
        (then, header(b, local=a.local), header(a, day=None), header(a, day=date(2011, 1, 1))),
    )


@kind(20, RIGHT)
def in_exchange_form(a: Someone, b: Someone, random: Random) -> Happened:
    a_, b_ = (
        header(one, primary=one.number, strong=(one.number,), items=((one.issuer, one.local),))
        for one in (a, b)
    )
    return Happened((line(a), line(b)), (a_, b_))


@kind(20, RIGHT)
def number_is_in_the_header(a: Someone, b: Someone, random: Random) -> Happened:
    shown = header(a, strong=(a.number,)), header(b, strong=(b.number,))
    return Happened((line(a), line(b)), shown)


# --- people who look alike ------------------------------------------------------------------------


@kind(20, RIGHT)
def twins_with_other_initials(a: Someone, b: Someone, random: Random) -> Happened:
    a, b = replace(a, initials="AB"), _twin(a, b, initials="BC")
    return both(a, b, line(a), line(b))


@kind(20, "homonym")
def twins_with_the_same_initials(a: Someone, b: Someone, random: Random) -> Happened:
    a, b = replace(a, initials="A"), _twin(a, b, initials="A")
    return both(a, b, line(a), line(b))


@kind(20, "homonym")
def namesakes_without_initials(a: Someone, b: Someone, random: Random) -> Happened:
    twin = _twin(a, b, initials="XY", sex=b.sex)
    return Happened((line(a), line(twin)), (header(a, initials=""), header(twin, initials="")))


@kind(20, "homonym")
def twins_whose_rows_were_swapped(a: Someone, b: Someone, random: Random) -> Happened:
    a, b = replace(a, initials="AB"), _twin(a, b, initials="BC")
    return both(a, b, line(a, patientnr=b.local), line(b, patientnr=a.local))


@kind(10, "shared-number")
def one_number_for_twins_at_two_hospitals(a: Someone, b: Someone, random: Random) -> Happened:
    a = replace(a, initials="AB")
    b = _twin(a, b, initials="BC", issuer=_other(a.issuer))
    b = replace(b, local=f"6{b.local[1:]}")
    wrong = line(b, bsn=a.number)
    return Happened((line(a), wrong), (header(a), header(b)))


@kind(20, "birth-date-clash")
def newborn_under_the_mothers_number(a: Someone, b: Someone, random: Random) -> Happened:
    mother = replace(a, sex="F")
    child = replace(b, name=a.name, birth="20140531", initials="", sex="")
    row = line(child, bsn="", bsn_status="", uitzondering="pasgeborene")
    return Happened((line(mother), row), (header(child, local=mother.local),))


@kind(20, "exempt", *CLASHES)
def newborn_of_its_own(a: Someone, b: Someone, random: Random) -> Happened:
    child = replace(b, name=a.name, birth="20140531")
    row = line(child, bsn="", bsn_status="", uitzondering="pasgeborene")
    return Happened((line(a), row), (header(child),))


# --- the export is wrong --------------------------------------------------------------------------


@kind(30, *CLASHES)
def rows_swapped(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, patientnr=b.local), line(b, patientnr=a.local))


@kind(20, "invalid-number", RIGHT)
def digits_of_the_number_swapped(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, bsn=swapped(a.number, random.randrange(8))), line(b))


@kind(
    20, "no-crosswalk-entry", "two-numbers", *CLASHES,
    "shared-number", RIGHT,
)  # fmt: skip
def digits_of_the_local_number_swapped(a: Someone, b: Someone, random: Random) -> Happened:
    local = swapped(a.local, random.randrange(3, 7))
    return both(a, b, line(a, patientnr=local), line(b))


@kind(20, "two-numbers", RIGHT)
def two_numbers_for_one_person(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a), line(a, bsn=f"97{a.number[2:]}"), line(b))


@kind(20, "two-numbers")
def merged_with_another_number(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, vervangen_door=b.local), line(b))


@kind(20, "shared-number")
def one_number_for_two_persons(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a), line(b, bsn=a.number))


@kind(20, "shared-number")
def one_number_for_two_persons_at_two_hospitals(a: Someone, b: Someone, random: Random) -> Happened:
    b = replace(b, issuer=_other(a.issuer), local=f"6{b.local[1:]}", birth="19310203")
    a = replace(a, birth="19340506")
    return both(a, b, line(a), line(b, bsn=a.number))


@kind(20, "placeholder-number", RIGHT)
def a_number_that_stands_for_none(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, bsn=random.choice(("999999990", "111222333", "555555550"))), line(b))


@kind(20, "not-verified", "no-number", *CLASHES)
def not_verified(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, bsn_status="opgegeven"), line(b, bsn="", bsn_status=""))


@kind(20, "outside-validity", RIGHT)
def row_has_ended(a: Someone, b: Someone, random: Random) -> Happened:
    return both(a, b, line(a, geldig_tot="31-05-2014"), line(b, geldig_tot="01-06-2014"))


@kind(10, "birth-date-clash", "unconfirmed-person")
def epd_has_another_birth_date(a: Someone, b: Someone, random: Random) -> Happened:
    turned = line(a, geboortedatum=line(b).geboortedatum)
    return both(replace(a, birth=a.birth), b, turned, line(b, geboortedatum="01-01-1900"))


# --- the header is wrong --------------------------------------------------------------------------


@kind(20, *CLASHES, "header-disagrees")
def scanned_under_the_wrong_number(a: Someone, b: Someone, random: Random) -> Happened:
    shown = header(a, local=b.local), header(b, local=a.local, strong=(b.number,))
    return Happened((line(a), line(b)), shown)


@kind(20, "header-disagrees")
def anothers_number_in_the_header(a: Someone, b: Someone, random: Random) -> Happened:
    shown = header(a, strong=(b.number,)), header(b, strong=(a.number, b.number))
    return Happened((line(a), line(b)), shown)


@kind(
    20, *CLASHES, "header-disagrees",
    "no-crosswalk-entry",
)  # fmt: skip
def anothers_number_is_the_primary_one(a: Someone, b: Someone, random: Random) -> Happened:
    wrong = header(a, primary=b.number, strong=(b.number,), items=((a.issuer, a.local),))
    unknown = header(b, primary="989999905", strong=("989999905",))
    return Happened((line(a), line(b)), (wrong, unknown))


@kind(30, "name-close", "name-clash")
def typing_error_in_the_name(a: Someone, b: Someone, random: Random) -> Happened:
    at = random.randrange(len(a.name) - 6, len(a.name) - 1)
    typed = swapped(a.name, at), b.name[:-2] + b.name[-1]
    return Happened((line(a), line(b)), (header(a, name=typed[0]), header(b, name=typed[1])))


@kind(20, "name-clash")
def typing_error_that_makes_the_neighbours_name(a: Someone, b: Someone, random: Random) -> Happened:
    """The rows of two people born on one day are swapped; their names differ by one letter."""
    a = replace(a, name="Schijnhuizen", initials="AB")
    b = replace(b, name="Schijnhuisen", initials="AB", birth=a.birth, sex=a.sex)
    return both(a, b, line(a, patientnr=b.local), line(b, patientnr=a.local))


@kind(20, "unconfirmed-person")
def something_missing_in_the_header(a: Someone, b: Someone, random: Random) -> Happened:
    return Happened((line(a), line(b)), (header(a, birth=""), header(b, name="")))


@kind(20, "foreign-issuer")
def of_another_hospital(a: Someone, b: Someone, random: Random) -> Happened:
    shown = header(a, issuer="ZKH-ELDERS"), header(b, issuer="OUDE-IMPORT")
    return Happened((line(a), line(b)), shown)


@kind(20, *CLASHES, "no-crosswalk-entry", "outside-validity")
def under_the_other_hospitals_issuer(a: Someone, b: Someone, random: Random) -> Happened:
    """Both hospitals have that number: it is somebody else's there."""
    return Happened(
        (line(a), line(b)), (header(a, issuer=_other(a.issuer)), header(b, issuer=_other(b.issuer)))
    )


@kind(20, RIGHT, *CLASHES, "no-crosswalk-entry", "outside-validity")
def without_an_issuer(a: Someone, b: Someone, random: Random) -> Happened:
    """In the archive of one hospital, where also the other's patients lie."""
    return Happened((line(a), line(b)), (header(a, issuer=""), header(b, issuer="")))


@kind(20, "ambiguous-issuer", RIGHT)
def without_an_issuer_after_the_merger(a: Someone, b: Someone, random: Random) -> Happened:
    """In an archive of both hospitals; the other one has nearly all of these numbers too."""
    bare = {"issuer": "", "archive": "samen"}
    return Happened((line(a), line(b)), (header(a, **bare), header(b, **bare)))


@kind(20, "no-crosswalk-entry")
def zeros_lost_in_the_header(a: Someone, b: Someone, random: Random) -> Happened:
    return Happened((line(a), line(b)), (header(a, local=a.local.lstrip("0")),))


def told(town: Town) -> Iterator[tuple[Kind, Happened]]:
    """Yield what happens to each pair; twice the same."""
    random = Random(11)
    weights = [one.weight for one in KINDS]
    for a, b in pairs(town):
        (chosen,) = random.choices(KINDS, weights)
        yield chosen, chosen.happens(a, b, random)
