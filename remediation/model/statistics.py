"""The statistics of counts: intervals, what the elfproef's pass rate proves, and association.

One random number in eleven passes the elfproef, so a value that passes proves little. A whole
field proves much: the share of its values that pass (`pass_rate`) tells how many of them are BSNs.
Counts must be of independent values: one per study, not one per file, since the files of a study
repeat one number.
Sources: E.B. Wilson, JASA 22 (1927) for the interval; W. Bergsma, Journal of the Korean
Statistical Society 42 (2013) for the association; one in eleven follows from the modulus.

>>> calibrate(200, 199).verdict, calibrate(200, 18).verdict, calibrate(10, 10).verdict
('bsn', 'not-bsn', 'unproven')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

Verdict = Literal["bsn", "mixture", "not-bsn", "unproven"]

Z95 = 1.959964  # two-sided 95 %
# Demoting a field takes its owner's word away, and is tried on every segment of every place:
# two-sided 99.9 %, so that one typing error among a handful of values does not do it.
Z999 = 3.290527
ENOUGH = 0.99  # P(BSN | passes) from which a field vouches for its values
CHANCE = 1 / 11  # pass rate of numbers that are no BSNs
FEWEST = 30  # well-formed values from which a field may vouch: fewer may be of a patient or two
MOSTLY_CHANCE = 0.5  # P(BSN | passes) under which most that pass do so by chance
FALSE_DISCOVERIES = 0.05  # expected share of chance among what is told of many sources


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the pass rate of a field says about the values in it that pass.

    `pass_rate` is None where nothing was well-formed; `low` and `high` are its 95 % interval;
    `probability` is P(BSN | passes), averaged over what the rate may be: its uncertainty included.
    """

    pass_rate: float | None
    low: float
    high: float
    probability: float
    verdict: Verdict


def wilson(successes: float, trials: float, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson interval of a share: (low, high), both in [0, 1]; no trials: (0, 1).

    Raises:
        ValueError: successes are negative or more than the trials.

    >>> low, high = wilson(95, 100)
    >>> round(low, 4), round(high, 4), wilson(0, 0)
    (0.8882, 0.9785, (0.0, 1.0))
    >>> wilson(3, 2)
    Traceback (most recent call last):
    ...
    ValueError: successes must lie between 0 and the number of trials
    """
    if not 0 <= successes <= trials:
        raise ValueError("successes must lie between 0 and the number of trials")
    if trials == 0:
        return 0.0, 1.0
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / shrink
    # Rounding must not keep a bound from being exactly 0 or 1 where the formula says so.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def difference(
    one: tuple[float, float], other: tuple[float, float], z: float = Z95
) -> tuple[float, float]:
    """Return the interval of the second share minus the first, by Newcombe's hybrid score.

    Takes successes and trials of each; trials must be over 0. Source: R.G. Newcombe, Statistics in
    Medicine 17 (1998), method 10.

    >>> [round(bound, 4) for bound in difference((48, 80), (56, 70))]
    [0.0524, 0.3339]
    >>> difference((0, 0), (1, 2))
    Traceback (most recent call last):
    ...
    ValueError: a share needs trials
    """
    if not (one[1] > 0 and other[1] > 0):
        raise ValueError("a share needs trials")
    first, second = one[0] / one[1], other[0] / other[1]
    change = second - first
    (low_one, high_one), (low_other, high_other) = wilson(*one, z), wilson(*other, z)
    below = sqrt((second - low_other) ** 2 + (high_one - first) ** 2)
    above = sqrt((high_other - second) ** 2 + (first - low_one) ** 2)
    return change - below, change + above


def bsn_probability(pass_rate: float) -> float:
    """Return P(BSN | passes) in a field with this pass rate: 1 - (1 - r) / (10 r), at least 0.

    The values that fail are one kind: not a BSN. Of that kind one in eleven passes all the same,
    so a tenth as many as fail; the rest of those that pass are BSNs.

    Raises:
        ValueError: the rate is not in [0, 1].

    >>> [round(bsn_probability(r), 4) for r in (0.0, 1 / 11, 0.5, 0.91, 1.0)]
    [0.0, 0.0, 0.9, 0.9901, 1.0]
    >>> bsn_probability(1.2)
    Traceback (most recent call last):
    ...
    ValueError: a rate must lie between 0 and 1
    """
    if not 0 <= pass_rate <= 1:
        raise ValueError("a rate must lie between 0 and 1")
    if pass_rate == 0:
        return 0.0
    return max(0.0, 1 - (1 - pass_rate) / (10 * pass_rate))


def calibrate(well_formed: int, passing: int) -> Calibration:
    """Judge a field by its well-formed values (eight or nine digits) and how many of them pass.

    `bsn`: P(BSN | passes) is at least 0.99, and there are 30 values. `not-bsn`: the rate is surely
    (99.9 %) too low for that, and may be one at which most that pass do so by chance, as with local
    numbers near 1/11; this also takes away what an issuer asserted. `mixture`: surely too low, and
    surely (95 %) more than that. `unproven`: none of these, as with few values.

    Raises:
        ValueError: passing is negative or more than well_formed.

    >>> calibrate(30, 30).verdict, calibrate(29, 29).verdict, calibrate(200, 110).verdict
    ('bsn', 'unproven', 'mixture')
    >>> calibrate(0, 0)
    Calibration(pass_rate=None, low=0.0, high=1.0, probability=0.0, verdict='unproven')
    >>> calibrate(1, 2)
    Traceback (most recent call last):
    ...
    ValueError: successes must lie between 0 and the number of trials
    """
    low, high = wilson(passing, well_formed)
    probability = expected_probability(well_formed, passing)
    verdict: Verdict = "unproven"
    if probability >= ENOUGH and well_formed >= FEWEST:
        verdict = "bsn"
    elif bsn_probability(wilson(passing, well_formed, Z999)[1]) < ENOUGH:
        verdict = "not-bsn" if bsn_probability(low) <= MOSTLY_CHANCE else "mixture"
    rate = passing / well_formed if well_formed else None
    return Calibration(rate, low, high, probability, verdict)


def expected_probability(well_formed: int, passing: int) -> float:
    """Return P(BSN | passes), averaged over what the pass rate may be; 0 where nothing passes.

    Before any value was seen, each share of BSNs in the field is as likely as another: pass rates
    from 1/11 to 1. The average is that of beta distributions cut off at 1/11.

    >>> [round(expected_probability(*field), 4) for field in ((200, 190), (200, 18), (5, 5))]
    [0.9942, 0.1691, 0.98]
    """
    from scipy.special import betaincc

    if not passing:
        return 0.0
    failing = well_formed - passing
    above = betaincc(passing, failing + 2, CHANCE), betaincc(passing + 1, failing + 1, CHANCE)
    if above[1] <= 0:  # all the weight lies at the bound
        return 0.0
    return max(0.0, 1 - (failing + 1) / (10 * passing) * float(above[0] / above[1]))


def q_values(chances: Sequence[float | None], more: int = 0) -> list[float | None]:
    """Return each chance as held against all of them (false discovery rate); None stays None.

    `more` are tests beside these that showed nothing. Source: Y. Benjamini and Y. Hochberg,
    J. R. Statist. Soc. B 57 (1995).

    >>> q_values([0.01, None, 0.5], more=2)
    [0.04, None, 1.0]
    """
    from scipy.stats import false_discovery_control

    told = [chance for chance in chances if chance is not None]
    if not told:
        return [None] * len(chances)
    held = iter(false_discovery_control([*told, *[1.0] * more]).tolist())
    return [None if chance is None else next(held) for chance in chances]


def cramers_v(one: Mapping[str | None, int], other: Mapping[str | None, int]) -> float:
    """Return how strongly a value tells two groups apart: Cramer's V, 0 not at all, 1 wholly.

    Takes the number of studies by value in either group. Corrected for bias: plain V is large by
    chance where many values are rare. An empty group tells nothing: 0.

    >>> cramers_v({"OLDPACS_3": 90}, {"NEWPACS_1": 40})
    1.0
    >>> cramers_v({"CT1": 50, "CT2": 50}, {"CT1": 9, "CT2": 9}), cramers_v({}, {"CT1": 3})
    (0.0, 0.0)
    """
    sizes = sum(one.values()), sum(other.values())
    values = {v for group in (one, other) for v, count in group.items() if count}
    rows, columns = 2, len(values)
    if not all(sizes) or columns < rows:
        return 0.0
    square = sum(
        group.get(value, 0) ** 2 / (size * (one.get(value, 0) + other.get(value, 0)))
        for value in values
        for group, size in zip((one, other), sizes, strict=True)
    )
    freedom = sum(sizes) - 1
    spread = max(0.0, square - 1 - (columns - 1) / freedom)  # chi-square per study
    narrowest = min(k - (k - 1) ** 2 / freedom for k in (rows, columns)) - 1
    return min(1.0, sqrt(spread / narrowest)) if narrowest > 0 else 0.0
