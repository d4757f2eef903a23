"""Rewrites: broken studies whose files were all written within weeks, long after the studies.

A migration that rewrites an archive and loses the number shows as years that went wrong, by
StudyDate. By the date of the files it is one stretch of days. It is called so only where studies
that are right were not written on those days too: an archive that was copied has one date for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LATE = 90  # days after StudyDate from which a file was not written for the study itself
LONGEST = 62  # days that a rewrite lasts
MOST = 0.8  # share of the broken studies that it must explain
RIGHT = 0.5  # share of the studies that are right that may lie in files of those days
FEWEST = 10  # studies
AXES = ("file_date", "InstanceCreationDate", "SeriesDate")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Days [start, end) of files, since 1970, and the share of the broken studies in them."""

    start: int
    end: int
    share: float


def written_late() -> pc.Expression:
    """Tell of rows of STUDIES whether the file was written long after the study."""
    made, written = (pc.field(name).cast(pa.int32()) for name in ("StudyDate", "file_date"))
    return (written - made) > LATE


def rewrite(inside: pa.Table, around: pa.Table) -> Rewrite | None:
    """Return the rewrite that explains the broken studies of a period; None where none does.

    Args:
        inside: studies of the period: status, StudyDate, and the axes that are there.
        around: all studies of its source, or those near it, the period's included.
    """
    for axis in AXES:
        found = _on(axis, inside, around)
        if found:
            return found
    return None


def _on(axis: str, inside: pa.Table, around: pa.Table) -> Rewrite | None:
    broken = inside.filter(pc.not_equal(inside["status"], "conformant"))
    days, late = _written(broken, axis)
    written = np.sort(days[late])
    if len(written) < max(FEWEST, MOST * broken.num_rows):
        return None
    start, end = _window(written, round(MOST * broken.num_rows))
    if end - start > LONGEST:
        return None
    within = int(((days >= start) & (days < end)).sum())
    right, _ = _written(around.filter(pc.equal(around["status"], "conformant")), axis)
    all_, _ = _written(around, axis)
    if len(right) >= FEWEST:
        alone = ((right >= start) & (right < end)).mean() <= RIGHT
    else:  # nothing is right: then at least something must have been written otherwise
        alone = int(((all_ < start) | (all_ >= end)).sum()) >= FEWEST
    return Rewrite(start, end, within / broken.num_rows) if alone else None


def _written(studies: pa.Table, axis: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the days that files were written on, and whether that was late."""
    known = studies.filter(pc.and_(pc.is_valid(studies[axis]), pc.is_valid(studies["StudyDate"])))
    written, made = (
        known[name].cast(pa.int32()).to_numpy().astype(np.int64) for name in (axis, "StudyDate")
    )
    return written, written - made > LATE


def _window(days: NDArray[np.int64], count: int) -> tuple[int, int]:
    """Return the shortest stretch that holds so many of some ascending days; half-open.

    It takes in the days beside it as long as no week is empty.
    """
    lengths = days[count - 1 :] - days[: len(days) - count + 1]
    first = int(lengths.argmin())
    last = first + count - 1
    while first and days[first] - days[first - 1] <= 7:  # noqa: PLR2004 - a week
        first -= 1
    while last + 1 < len(days) and days[last + 1] - days[last] <= 7:  # noqa: PLR2004 - a week
        last += 1
    return int(days[first]), int(days[last]) + 1
