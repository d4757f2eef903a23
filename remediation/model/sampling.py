"""The statistics of a sample whose members had unequal chances, known at each draw.

A draw goes from folder to folder and takes one way out of those that there are, so its chance is
the product of 1 / ways. What was drawn is weighted by the inverse of its chance to be drawn at
least once (Horvitz and Thompson, JASA 47 (1952)), and a share is the ratio of two such sums
(Hajek). Its interval is Wilson's with the number of equal draws that would tell as much: Kish's
(Survey Sampling, 1965, section 11.7), or what the linearised variance of the ratio gives where
that is less, so that weights which go together with the answer widen the interval as well.

>>> even = estimate([(True, 2.0)] * 90 + [(False, 2.0)] * 10)
>>> round(even.share, 3), round(even.low, 3), round(even.high, 3), round(even.design_effect, 3)
(0.9, 0.826, 0.945, 1.0)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import expm1, log1p

from remediation.model.statistics import wilson

_PLENTY = 4  # draws for each study that is wanted of a cell, or that was found in a stratum
_SURE = 10  # draws from a stratum before it is said to hold no more


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share (None where nothing was drawn) with its 95 % interval, and what it rests on.

    Attributes:
        drawn: studies in the sample.
        effective: the number of equal draws that would tell as much.
        design_effect: drawn / effective; 1 where all had the same chance.
        stands_for: the sum of the weights: about how many studies there are.
    """

    drawn: int
    share: float | None
    low: float
    high: float
    effective: float
    design_effect: float | None
    stands_for: float


def weight(chances: Mapping[str, float], draws: Mapping[str, int]) -> float:
    """Return 1 / the chance that a study is drawn at least once, each draw with replacement.

    Args:
        chances: its chance per draw, by cell: it can lie in several, which are drawn from apart.
        draws: the number of draws made, by cell.

    Raises:
        ValueError: a chance that is not above 0.

    >>> weight({"2011-07": 0.5}, {"2011-07": 2, "2011-08": 9})
    1.3333333333333333
    >>> weight({"a": 0.5, "b": 0.5}, {"a": 1, "b": 1}), weight({"a": 1.0}, {"a": 1})
    (1.3333333333333333, 1.0)
    >>> weight({"a": 0.0}, {"a": 1})
    Traceback (most recent call last):
    ...
    ValueError: what was drawn had a chance above 0
    """
    if min(chances.values()) <= 0:
        raise ValueError("what was drawn had a chance above 0")
    if max(chances.values()) >= 1:
        return 1.0
    # In logarithms, so that chances far below 1e-16 keep their digits.
    return -1 / expm1(sum(draws[cell] * log1p(-chance) for cell, chance in chances.items()))


def estimate(drawn: Iterable[tuple[bool, float]]) -> Estimate:
    """Estimate a share from (has it, weight) of what was drawn.

    >>> one_sided = estimate([(True, 1.0)] * 30)
    >>> one_sided.share, round(one_sided.low, 3), one_sided.high, one_sided.design_effect
    (1.0, 0.886, 1.0, 1.0)
    >>> estimate([(True, 9.0), (False, 1.0)]).share
    0.9
    >>> estimate([]).share is None
    True
    """
    pairs = list(drawn)
    total = sum(part for _, part in pairs)
    if not pairs:
        return Estimate(0, None, 0.0, 1.0, 0.0, None, 0.0)
    share = min(1.0, sum(part for has, part in pairs if has) / total)
    effective = min(_kish(pairs, total), _linearised(pairs, total, share))
    low, high = wilson(share * effective, effective)
    return Estimate(len(pairs), share, low, high, effective, len(pairs) / effective, total)


def _kish(pairs: Collection[tuple[bool, float]], total: float) -> float:
    """Return (sum of weights)^2 / sum of squares: what is left of n if weights are all noise."""
    return min(len(pairs), total * total / sum(part * part for _, part in pairs))


def _linearised(pairs: Collection[tuple[bool, float]], total: float, share: float) -> float:
    """Return p (1 - p) / variance of the ratio; n where all answers are the same: no variance."""
    if not 0 < share < 1:
        return len(pairs)
    square = sum((part * (has - share)) ** 2 for has, part in pairs)
    return share * (1 - share) * total * total / square


def is_full(sample: int, met: Collection[int]) -> bool:
    """Tell whether a stratum has the studies wanted, or hardly has one that was not drawn.

    That is so where each was met more than once, and all together often enough.

    Args:
        sample: studies wanted.
        met: how often each study was met.

    >>> is_full(3, [1, 1, 1]), is_full(25, [6, 4]), is_full(25, [9, 1]), is_full(25, [2, 3])
    (True, True, False, False)
    >>> is_full(25, [])
    False
    """
    if len(met) >= sample:
        return True
    return bool(met) and min(met) > 1 and sum(met) >= max(_SURE, _PLENTY * len(met))


def goes_on(sample: int, draws: int, strata: Collection[Collection[int]]) -> bool:
    """Tell whether a cell is drawn from again, until its strata are full.

    A cell of k strata gets at most 4 x sample x k draws. A stratum that has less than a quarter of
    the average would not be filled by so many, so it is not waited for.

    Args:
        sample: studies wanted of each stratum.
        draws: draws made in this cell.
        strata: of each stratum, how often each of its studies was met in this cell.

    >>> goes_on(25, 32, [[1] * 25]), goes_on(25, 32, [[1] * 24])
    (False, True)
    >>> goes_on(25, 199, [[1] * 95, [1] * 15]), goes_on(25, 200, [[1] * 95, [1] * 15])
    (True, False)
    >>> goes_on(25, 60, [[1] * 50, [1]]), goes_on(25, 99, []), goes_on(25, 100, [])
    (False, True, False)
    """
    count, total = max(1, len(strata)), sum(map(len, strata))
    if draws >= _PLENTY * sample * count:
        return False
    often = [met for met in strata if _PLENTY * count * len(met) >= total]
    return not often or not all(is_full(sample, met) for met in often)
