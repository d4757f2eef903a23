"""Broken stretches of one source: parts of its history clearly below target and its own best.

Neighbouring parts that are broken are one stretch. Each has the chance that a flat history would
show as much somewhere (quasi-F test, all possible stretches counted), for `periods` to hold against
all sources. Days are numbers since 1970-01-01, stretches half-open.
Source: P. McCullagh and J.A. Nelder, Generalized Linear Models (1989), section 4.5, for the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from remediation.model.statistics import Z95, wilson
from remediation.tables.changepoints import cost_of
from remediation.tables.division import Division, Edge, Part

DROP = 0.06  # coverage below the source's best from which a stretch counts as broken
# A source in which not even half the studies were ever right has nothing to hold a stretch against.
WORKS = 0.5
_MONTH = 30.4  # days
UNSURE = 0.01  # chance from which a part that looks worse may be as good as the rest


@dataclass(frozen=True, slots=True)
class Stretch:
    """Broken parts that adjoin; `before` and `after` are the parts beside them, None at the ends.

    `p_value` is None where the source was never right, so that nothing can be compared.
    """

    parts: tuple[Part, ...]
    before: Part | None
    after: Part | None
    start_edge: Edge | None
    end_edge: Edge | None
    p_value: float | None

    @property
    def start(self) -> int:
        """First day."""
        return self.parts[0].start

    @property
    def end(self) -> int:
        """Day after the last."""
        return self.parts[-1].end

    @property
    def successes(self) -> int:
        """Conformant studies inside."""
        return sum(part.successes for part in self.parts)

    @property
    def trials(self) -> int:
        """Studies inside."""
        return sum(part.trials for part in self.parts)


def stretches(division: Division, target: float, best_known: float = 0.0) -> Iterator[Stretch]:
    """Yield the broken stretches of a division, in order.

    `best_known` is a coverage that the source has shown elsewhere: a part is held against the
    better of that and the best part here.

    >>> good, bad = Part(0, 90, 89, 90), Part(90, 150, 6, 60)
    >>> found = list(stretches(Division((good, bad), (Edge(89, 91),), 1.0, 57, 60), 0.95))
    >>> [(one.start, one.end, one.p_value < 1e-6) for one in found]
    [(90, 150, True)]
    """
    parts = division.parts
    broken = _broken(division, target, best_known)
    rest = [part for part, bad in zip(parts, broken, strict=True) if not (bad or part.drift)]
    at = 0
    for bad, run in groupby(broken):
        begin, at = at, at + len(list(run))
        if not bad:
            continue
        edges = (begin > 0) + (at < len(parts))
        yield Stretch(
            parts[begin:at],
            parts[begin - 1] if begin else None,
            parts[at] if at < len(parts) else None,
            division.edges[begin - 1] if begin else None,
            division.edges[at - 1] if at < len(parts) else None,
            _chance(parts[begin:at], rest, division, edges) if rest else None,
        )


def level(division: Division) -> float:
    """Return the coverage that a source has shown: that of its best parts together."""
    return _rate(_sound(division))


def _broken(division: Division, target: float, best_known: float) -> list[bool]:
    parts, phi = division.parts, division.dispersion
    sound = _sound(division)
    best = max(best_known, _rate(sound))
    if _rate(sound) <= best_known - DROP:
        sound = []
    broken = [
        not part.drift
        and wilson(part.successes / phi, part.trials / phi)[1] < target
        and (best < WORKS or (part not in sound and part.rate <= best - DROP))
        for part in parts
    ]
    # A slide belongs to the broken stretch that it leads into, or out of.
    return [
        bad or (part.drift and any(broken[max(0, at - 1) : at + 2]))
        for at, (part, bad) in enumerate(zip(parts, broken, strict=True))
    ]


def _sound(division: Division) -> list[Part]:
    """Return the parts that are as good as the best: not clearly and surely below these together.

    The best is the one of which most can be promised: a short part may be good by chance.
    """
    phi = division.dispersion
    parts = [part for part in division.parts if not part.drift]
    if not parts:
        return []
    first = max(parts, key=lambda part: _promised(part, phi))
    sound, rest = [first], [part for part in parts if part is not first]
    while True:
        near = [part for part in rest if not _below(part, sound, division)]
        if not near:
            return sound
        sound, rest = sound + near, [part for part in rest if part not in near]


def _promised(part: Part, phi: float) -> float:
    """Return what coverage a part surely has; few months promise little of what is to come."""
    from scipy.stats import t

    low, _ = wilson(part.successes / phi, part.trials / phi)
    months = (part.end - part.start) / _MONTH
    return part.rate - (part.rate - low) * float(t.ppf(0.975, max(1.0, months - 1))) / Z95


def _below(part: Part, sound: Sequence[Part], division: Division) -> bool:
    if part.rate > _rate(sound) - DROP:
        return False
    return _test([part], sound, division) < UNSURE


def _rate(parts: Sequence[Part]) -> float:
    trials = sum(part.trials for part in parts)
    return sum(part.successes for part in parts) / trials if trials else 0.0


def _chance(inside: Sequence[Part], sound: Sequence[Part], division: Division, edges: int) -> float:
    """Return the chance that a flat history of as many months shows such a stretch anywhere."""
    months = division.months
    places = months if edges == 1 else months * (months - 1) / 2
    return min(1.0, places * _test(inside, sound, division))


def _test(one: Sequence[Part], other: Sequence[Part], division: Division) -> float:
    """Return the chance that parts of one rate differ as much (quasi-F)."""
    from scipy.stats import f

    (k, n), (k_other, n_other) = (
        (sum(part.successes for part in some), sum(part.trials for part in some))
        for some in (one, other)
    )
    both = cost_of(k + k_other, n + n_other)
    gain = float(both - cost_of(k, n) - cost_of(k_other, n_other)) / division.dispersion
    return float(f.sf(max(0.0, gain), 1, max(1, division.freedom)))
