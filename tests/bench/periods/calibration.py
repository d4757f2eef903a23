"""Fields of known kind: how `calibrate` judges them, by kind and number of values.

Numbers are integers of at most nine digits. BSNs are those of the test range, with repetition; a
typing error is one wrong digit or two neighbours swapped that differ, and never passes. Values
that are placeholders count as little as in the crawl.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.periods.histories import EPOCH
from remediation.model import bsn
from remediation.model.statistics import calibrate

SIZES = (5, 20, 50, 100, 200, 500, 1000, 5000)
TRIALS = 1000
PROVEN = 200  # values from which the goals hold
VERDICTS = ("bsn", "mixture", "not-bsn", "unproven")
_AT_ONCE = 2_000_000  # numbers
_NINE = 10**9

Numbers = NDArray[np.int64]
Shape = tuple[int, int]  # trials, values
Make = Callable[[np.random.Generator, Shape], Numbers]


def random_local(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Nine digits, the first not zero."""
    return rng.integers(10**8, _NINE, shape)


def sequential(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Numbers given out in turn, of which the field sees each one to each fifth."""
    return _rising(rng, shape, 10**8, _NINE - 10**6, 5)


def _rising(rng: np.random.Generator, shape: Shape, low: int, high: int, most: int) -> Numbers:
    steps = rng.integers(1, rng.integers(2, most + 2, (shape[0], 1)), shape)
    return rng.integers(low, high, (shape[0], 1)) + np.cumsum(steps, axis=1)


def _dates(rng: np.random.Generator, shape: Shape) -> NDArray[np.datetime64]:
    first, last = ((date(year, 1, 1) - EPOCH).days for year in (1925, 2025))
    return rng.integers(first, last, shape).astype("datetime64[D]")


def _parts(days: NDArray[np.datetime64]) -> tuple[Numbers, Numbers, Numbers]:
    year, month = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    return (
        year.astype(np.int64) + 1970,
        (month - year).astype(np.int64) + 1,
        (days - month).astype(np.int64) + 1,
    )


def birth_yyyymmdd(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Birth dates of a hundred years, year first."""
    year, month, day = _parts(_dates(rng, shape))
    return year * 10_000 + month * 100 + day


def birth_ddmmyyyy(rng: np.random.Generator, shape: Shape) -> Numbers:
    """The same, day first."""
    year, month, day = _parts(_dates(rng, shape))
    return day * 1_000_000 + month * 10_000 + year


def accession(digits: int) -> Make:
    """Two digits of the year, then a number that rises."""

    def make(rng: np.random.Generator, shape: Shape) -> Numbers:
        room = 10 ** (digits - 2)
        year = rng.integers(10, 25, (shape[0], 1))
        return year * room + _rising(rng, shape, 0, room // 2, room // 2 // max(shape[1], 50))

    return make


@cache
def _test_range() -> Numbers:
    return np.array([int(bsn.test_number(n)) for n in range(9090)])


def bsns(errors: float) -> Make:
    """BSNs, so many of them with a typing error."""

    def make(rng: np.random.Generator, shape: Shape) -> Numbers:
        numbers = rng.choice(_test_range(), shape)
        return np.where(rng.random(shape) < errors, mistyped(rng, numbers), numbers)

    return make


def mistyped(rng: np.random.Generator, numbers: Numbers) -> Numbers:
    """Make one error in each number: half of them a wrong digit, half a swap of neighbours."""
    at = 10 ** rng.integers(0, 9, numbers.shape)
    digit = numbers // at % 10
    wrong = numbers + ((digit + rng.integers(1, 10, numbers.shape)) % 10 - digit) * at
    low = 10 ** rng.integers(0, 8, numbers.shape)
    right, left = numbers // low % 10, numbers // (10 * low) % 10
    swapped = numbers + (right - left) * 9 * low
    return np.where((left == right) | (rng.random(numbers.shape) < 0.5), wrong, swapped)


def mixture(share: float) -> Make:
    """BSNs in so many values, random nine-digit local numbers in the others."""

    def make(rng: np.random.Generator, shape: Shape) -> Numbers:
        chosen = rng.random(shape) < share
        return np.where(chosen, bsns(0)(rng, shape), random_local(rng, shape))

    return make


def repeated(make: Make, studies: int) -> Make:
    """The same, with so many studies of each patient: fewer numbers than values."""

    def again(rng: np.random.Generator, shape: Shape) -> Numbers:
        patients = make(rng, (shape[0], -(-shape[1] // studies)))
        return np.repeat(patients, studies, axis=1)[:, : shape[1]]

    return again


@dataclass(frozen=True, slots=True)
class Field:
    """A kind of field, and the verdict that is right (None where the rule leaves it open)."""

    name: str
    make: Make
    right: str | None


FIELDS = (
    Field("local numbers, nine digits, random", random_local, "not-bsn"),
    Field("the same, five studies a patient", repeated(random_local, 5), "not-bsn"),
    Field("local numbers, nine digits, in turn", sequential, "not-bsn"),
    Field("birth dates, yyyymmdd", birth_yyyymmdd, "not-bsn"),
    Field("birth dates, ddmmyyyy", birth_ddmmyyyy, "not-bsn"),
    Field("accession numbers, eight digits", accession(8), "not-bsn"),
    Field("accession numbers, nine digits", accession(9), "not-bsn"),
    Field("BSN", bsns(0), "bsn"),
    Field("BSN, 1 % typing errors", bsns(0.01), "bsn"),
    Field("BSN, 5 % typing errors", bsns(0.05), "bsn"),
    Field("the same, five studies a patient", repeated(bsns(0.05), 5), "bsn"),
    Field("BSN, 10 % typing errors", bsns(0.10), None),
    Field("BSN, 15 % typing errors", bsns(0.15), None),
    Field("30 % BSN, else random local", mixture(0.30), "mixture"),
    Field("50 % BSN, else random local", mixture(0.50), "mixture"),
    Field("70 % BSN, else random local", mixture(0.70), "mixture"),
    Field("90 % BSN, else random local", mixture(0.90), "mixture"),
)


def passing(numbers: Numbers) -> NDArray[np.bool_]:
    """Tell which numbers pass the elfproef; as `bsn.passes`, on arrays."""
    total = np.zeros_like(numbers)
    for place, weight in enumerate(reversed(bsn.WEIGHTS)):
        total += numbers // 10**place % 10 * weight
    return (total % 11 == 0) & (numbers != 0)


def counts(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Return well-formed and passing values of each trial."""
    placeholders = np.array([int(number) for number in bsn.PLACEHOLDERS])
    formed = ~np.isin(numbers, placeholders)
    return formed.sum(axis=1), (formed & passing(numbers)).sum(axis=1)


@cache
def verdict(well_formed: int, passes: int) -> str:
    """Return what the product says of a field."""
    return calibrate(well_formed, passes).verdict


def judged(field: Field, size: int, trials: int, seed: int) -> Mapping[str, int]:
    """Return how often each verdict was given."""
    rng = np.random.default_rng((seed, FIELDS.index(field), size))
    told = dict.fromkeys(VERDICTS, 0)
    left = trials
    while left:
        some = min(left, max(1, _AT_ONCE // size))
        for formed, passes in zip(*counts(field.make(rng, (some, size))), strict=True):
            told[verdict(int(formed), int(passes))] += 1
        left -= some
    return told


def table(trials: int, seed: int, sizes: Sequence[int] = SIZES) -> list[str]:
    """Return the goals and the table in Markdown: per kind and size, percentages by verdict."""
    told = {(f, size): judged(f, size, trials, seed) for f in FIELDS for size in sizes}
    lines = [
        f"Each cell: % of {trials:,} fields judged {' / '.join(VERDICTS)}; bold where all rightly.",
        "",
        f"| values of the field | right | {' | '.join(f'{size:,}' for size in sizes)} |",
        f"|---|---|{'---|' * len(sizes)}",
    ]
    for one in FIELDS:
        cells = [_cell(told[one, size], trials, one.right) for size in sizes]
        lines.append(f"| {one.name} | {one.right or '-'} | {' | '.join(cells)} |")
    return [*_goals(told, trials), "", *lines]


def _goals(told: Mapping[tuple[Field, int], Mapping[str, int]], trials: int) -> list[str]:
    local, typing = FIELDS[0], next(one for one in FIELDS if "5 % typing" in one.name)
    sizes = sorted({size for _, size in told if size >= PROVEN})
    lines = [
        f"| goal, in {trials:,} fields each | {' | '.join(f'{s:,}' for s in sizes)} | met |",
        f"|---|{'---|' * len(sizes)}---|",
    ]
    taken = [told[local, size]["bsn"] for size in sizes]
    found = [told[typing, size]["bsn"] for size in sizes]
    for what, values, met in (
        (f"{local.name}: judged bsn", taken, not any(taken)),
        (f"{typing.name}: judged bsn", found, all(value == trials for value in found)),
    ):
        cells = " | ".join(f"{value:,}" for value in values)
        lines.append(f"| {what} | {cells} | {'yes' if met else '**no**'} |")
    return lines


def _cell(told: Mapping[str, int], trials: int, right: str | None) -> str:
    text = " / ".join(f"{100 * told[name] / trials:.3g}" for name in VERDICTS)
    return f"**{text}**" if right and told[right] == trials else text
