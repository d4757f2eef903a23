"""Generated histories of one source: daily counts with a known truth, the same for the same seed.

Volume: studies a month log-uniform from 20 to 5,000 (mean of the history), growth, summer dips,
few at weekends, Poisson by day; a third have months without studies (never beside an edge), a
quarter a rename at which the volume jumps. Studies resemble each other more than chance allows in
two thirds: each month (cut at edges) draws its share from a beta around the planted one, with
correlation up to 0.01, and each day around that of its month, with up to 0.02.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.periods.layout import MONTH, Piece, Plan, Stretch, drift, flat, steps
from remediation.model.events import Event
from remediation.tables.daily import DAILY
from remediation.tables.schemas import STATUSES

# Settings are tuned on one set of seeds, and what is told of them comes from the other.
SEEDS = {"tune": 1, "report": 2}
ARCHIVE, SOURCE = "oost", "RADIOLOGIE OOST"
VOLUMES = (20.0, 5000.0)
YEARS = (5.0, 15.0)
DRIFTS = 0.15  # of those that are not flat
MONTH_RHO, DAY_RHO = 0.01, 0.02  # at most
EPOCH = date(1970, 1, 1)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class History:
    """Daily counts of one source (days with studies only), and what was planted in them."""

    name: str
    plan: Plan
    days: Ints
    studies: Ints
    conformant: Ints
    volume: float  # studies a month, mean
    month_rho: float
    day_rho: float
    renamed: int | None
    events: tuple[Event, ...]

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Return what was planted."""
        return self.plan.stretches

    def daily(self) -> pa.Table:
        """Return the counts as the product takes them: DAILY; what is not conformant is absent."""
        nothing = np.zeros(len(self.days), dtype=np.int64)
        columns: dict[str, object] = {
            "archive": pa.array([ARCHIVE] * len(self.days)),
            "source": pa.array([SOURCE] * len(self.days)),
            "day": pa.array(self.days.astype("datetime64[D]")),
            "studies": self.studies,
        }
        columns |= dict.fromkeys(STATUSES, nothing)
        columns |= {"conformant": self.conformant, "absent": self.studies - self.conformant}
        return pa.table({name: columns[name] for name in DAILY.names}, schema=DAILY)

    def months(self) -> tuple[Ints, Ints, Ints]:
        """Return the first days of the months from first to last, conformant and all studies."""
        return self.binned(first_days(int(self.days[0]), int(self.days[-1])))

    def binned(self, starts: Ints) -> tuple[Ints, Ints, Ints]:
        """Return starts of bins, conformant and all studies in each."""
        at = np.searchsorted(starts, self.days, side="right") - 1
        sums = [
            np.bincount(at, weights=counts, minlength=len(starts)).astype(np.int64)
            for counts in (self.conformant, self.studies)
        ]
        return starts, sums[0], sums[1]


def first_days(first: int, last: int) -> Ints:
    """Return the first days of the months of two days and of all between."""
    months = np.arange(
        np.datetime64(first, "D").astype("datetime64[M]"),
        np.datetime64(last, "D").astype("datetime64[M]") + 1,
    )
    return months.astype("datetime64[D]").astype(np.int64)


def histories(seeds: int, count: int, flats: int) -> list[History]:
    """Return histories with something planted and, after these, flat ones."""
    broken = [history(seeds, number, is_flat=False) for number in range(count)]
    return broken + [history(seeds, number, is_flat=True) for number in range(flats)]


def history(seeds: int, number: int, *, is_flat: bool) -> History:
    """Make one history."""
    rng = np.random.default_rng((seeds, int(is_flat), number))
    start = (date(1998, 1, 1) - EPOCH).days + int(rng.integers(0, 4000))
    end = start + round(12 * MONTH * rng.uniform(*YEARS))
    make = flat if is_flat else drift if rng.random() < DRIFTS else steps
    plan = make(rng, start, end)
    volume = float(np.exp(rng.uniform(*np.log(VOLUMES))))
    renamed = int(rng.integers(start + 90, end - 90)) if rng.random() < 0.25 else None
    expected = _volume(rng, start, end, volume, renamed)
    _empty_months(rng, plan, start, expected)
    studies = rng.poisson(expected)
    month_rho, day_rho = (
        (rng.uniform(0, MONTH_RHO), rng.uniform(0, DAY_RHO)) if rng.random() < 2 / 3 else (0.0, 0.0)
    )
    shares = np.concatenate([_shares(rng, piece, month_rho) for piece in plan.pieces])
    conformant = rng.binomial(studies, _spread(rng, shares, day_rho))
    seen = np.flatnonzero(studies)
    return History(
        f"{'flat' if is_flat else 'history'} {seeds}/{number}",
        plan,
        start + seen,
        studies[seen].astype(np.int64),
        conformant[seen].astype(np.int64),
        volume,
        month_rho,
        day_rho,
        renamed,
        tuple(_events(rng, plan, start, end)),
    )


def _volume(
    rng: np.random.Generator, start: int, end: int, volume: float, renamed: int | None
) -> Floats:
    """Return the studies that are expected of each day."""
    days = np.arange(start, end)
    of_year = ((days - start) % 365.25) / 365.25
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    expected = np.exp(rng.uniform(-0.5, 0.5) * np.linspace(0, 1, len(days)))
    expected *= 1 - rng.uniform(0, 0.4) * np.exp(-(((of_year - rng.uniform()) / 0.07) ** 2))
    expected *= 1 - rng.uniform(0, 0.2) * np.cos(2 * np.pi * (of_year - rng.uniform()))
    expected *= np.where(weekday >= 5, rng.uniform(0, 0.3), rng.uniform(0.9, 1.1))
    if renamed is not None:
        expected[renamed - start :] *= np.exp(rng.uniform(-np.log(3), np.log(3)))
    result: Floats = expected / expected.mean() * volume / MONTH
    return result


def _empty_months(rng: np.random.Generator, plan: Plan, start: int, expected: Floats) -> None:
    """Take all studies of some months away; not of those beside an edge, and few in a stretch."""
    if rng.random() >= 1 / 3:
        return
    end = start + len(expected)
    edges = np.array([start, end, *(piece.end for piece in plan.pieces)])
    months = first_days(start, end)
    for _ in range(int(rng.integers(1, 5))):
        one = int(rng.integers(1, len(months) - 2))
        other = min(one + int(rng.integers(1, 4)), len(months) - 1)
        first, last = int(months[one]), int(months[other])
        # Whatever is taken, three months are left of the piece it lies in.
        far = (edges <= first - 1.5 * MONTH) | (edges >= last + 1.5 * MONTH)
        if far.all():
            expected[first - start : last - start] = 0


def _shares(rng: np.random.Generator, piece: Piece, rho: float) -> Floats:
    """Return the share of each day of a piece, with what its month adds."""
    days = np.arange(piece.start, piece.end)
    planted = piece.rate + (piece.last - piece.rate) * (days - piece.start) / len(days)
    if rho == 0:
        return planted
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month -= month[0]
    mean = np.bincount(month, weights=planted) / np.bincount(month)
    drawn = _spread(rng, mean, rho)
    return np.clip(planted + (drawn - mean)[month], 0.0, 1.0)


def _spread(rng: np.random.Generator, shares: Floats, rho: float) -> Floats:
    """Draw each share anew, from a beta with this mean and this correlation of its studies."""
    if rho == 0:
        return shares
    more = (1 - rho) / rho
    inner = np.clip(shares, 1e-4, 1 - 1e-4)
    drawn: Floats = rng.beta(inner * more, (1 - inner) * more)
    return drawn


def _events(rng: np.random.Generator, plan: Plan, start: int, end: int) -> list[Event]:
    """List the events of six in ten stretches, and up to three at which nothing happened."""
    days = [s.start for s in plan.stretches if s.start_kind == "jump" and rng.random() < 0.6]
    begins = [(f"gebeurtenis {n}", day) for n, day in enumerate(days, 1)]
    decoys = [int(rng.integers(start + 60, end - 60)) for _ in range(int(rng.integers(0, 4)))]
    begins += [(f"schijn {n}", day) for n, day in enumerate(decoys, 1)]
    return [
        Event(
            name,
            "pacs-migration",
            EPOCH + timedelta(day),
            EPOCH + timedelta(day + int(rng.integers(1, 15))),
            ARCHIVE,
        )
        for name, day in begins
    ]
