"""Flag: inventory in; statuses, calibrated places, coverage, broken periods and events out.

The inventory is gone over in batches. What is kept of one is its studies, on disk, and how many of
them each day has: all that is said of time is counted from these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.events import Event
from remediation.model.placement import Placement
from remediation.store import datasets
from remediation.store.batches import BATCH_ROWS, Batches
from remediation.store.inventory import Inventory
from remediation.tables.calibration import demoted, doubted, places_table
from remediation.tables.causes import SIGNALS, Between
from remediation.tables.coverage import coverage_table
from remediation.tables.daily import daily, probable, together
from remediation.tables.event_verdicts import events_table
from remediation.tables.judge import FINDING_COLUMNS, INSTANCE_COLUMNS, Sources, judged, within
from remediation.tables.periods import Held, periods_table
from remediation.tables.rewrites import AXES, written_late
from remediation.tables.schemas import FILE, INVENTORY, MIXED, STATUSES, STUDIES
from remediation.tables.tallies import summed

_STUDIES = "studies.parquet"


@dataclass(frozen=True, slots=True)
class FlagOptions:
    """What to judge, by which placement, and what a broken period is held against."""

    output: Path
    key_id: str
    sources: Sources = field(default_factory=Sources)
    placement: Placement = field(default_factory=Placement)
    events: tuple[Event, ...] = ()
    target_coverage: float = 0.95
    provisional_from: date | None = None
    start: date | None = None
    end: date | None = None
    today: date | None = None
    batch_rows: int = BATCH_ROWS


@dataclass(frozen=True, slots=True)
class FlagReport:
    """What was found.

    Attributes:
        statuses: studies per status.
        periods: broken periods.
        events: verdicts on events, one per event and source.
        demoted: places that say BSN and behave as local numbers do.
        mixtures: places that say BSN, and in which too many numbers fail.
        improbable: studies with a date before 1970 or after today, left out of periods.
    """

    studies: int
    statuses: dict[str, int]
    periods: int
    events: dict[str, int]
    demoted: tuple[str, ...]
    mixtures: tuple[str, ...]
    improbable: int


def run(options: FlagOptions) -> FlagReport:
    """Write studies, mixed, places, coverage, periods and events.

    Raises:
        DatasetError: there is no inventory, or it is damaged.
        KeyFileError: it was made with another key.
        ShareError: the disk is full.
    """
    inventory = Inventory(options.output, options.key_id, INVENTORY)
    inventory.require()
    batches = Batches.of(inventory, options.batch_rows)
    places = places_table(_tallies(batches, options.sources))
    days, late = _judge(options, batches, places)
    held = Held(options.target_coverage, options.events, options.provisional_from)
    likely = probable(days, options.today)
    periods = periods_table(likely, probable(late, options.today), held, _between(options))
    events = events_table(likely, options.events, periods)
    for name, table in (
        ("places", places),
        ("coverage", coverage_table(days, options.provisional_from, options.today)),
        ("periods", periods),
        ("events", events),
    ):
        datasets.write(options.output / f"{name}.parquet", table, options.key_id)
    counts = {name.replace("_", "-"): pc.sum(days[name]).as_py() for name in sorted(STATUSES)}
    studies = pc.sum(days["studies"]).as_py() or 0
    return FlagReport(
        studies,
        {name: count for name, count in counts.items() if count},
        periods.num_rows,
        dict(sorted(Counter(events["verdict"].to_pylist()).items())),
        _named(places, demoted),
        _named(places, doubted),
        studies - (pc.sum(likely["studies"]).as_py() or 0),
    )


def _named(places: pa.Table, told: Callable[[Mapping[str, Any]], bool]) -> tuple[str, ...]:
    found = {
        f"{row['archive']} / {row['source']} / {row['place']}"
        for row in places.to_pylist()
        if told(row)
    }
    return tuple(sorted(found))


def _tallies(batches: Batches, sources: Sources) -> pa.Table:
    """Return the tallies of each source: of the archive's own columns no memory need be kept."""
    return summed(sources.labelled(batches.read("tallies", batch)) for batch in batches.all)


def _judge(options: FlagOptions, batches: Batches, places: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Write studies and mixed; return studies by day, and late ones by the day of their file."""
    columns = list(dict.fromkeys([*INSTANCE_COLUMNS, *options.sources.by]))
    keep = partial(within, start=options.start, end=options.end)
    days, late = list[pa.Table](), list[pa.Table]()
    with (
        datasets.stream(options.output / "mixed.parquet", MIXED, options.key_id) as mixed,
        datasets.stream(options.output / _STUDIES, STUDIES, options.key_id) as studies,
    ):
        for instances, findings in batches.whole_studies(columns, FINDING_COLUMNS, keep):
            found = judged(instances, findings, places, options.sources, options.placement)
            del instances, findings  # before the next ones are read
            studies(found.studies)
            mixed(found.mixed)
            days.append(daily(found.studies))
            late.append(daily(found.studies.filter(written_late()), "file_date"))
    return together(days), together(late)


def _between(options: FlagOptions) -> Between:
    """Return what gives the studies of a source on some days: late ones, by those of their file.

    The studies of one source are read at a time, with what may tell them apart and no more.
    """

    @lru_cache(1)
    def of_source(archive: str | None, source: str | None) -> pa.Table:
        return datasets.read_rows(
            options.output / _STUDIES,
            STUDIES,
            options.key_id,
            "remediation flag",
            columns=("status", "StudyDate", *AXES, *SIGNALS),
            where=(pc.field("archive") == archive) & (pc.field("source") == source),
        )

    def between(
        archive: str | None, source: str | None, axis: str, start: date, end: date
    ) -> pa.Table:
        day = pc.field("file_date" if axis == FILE else "StudyDate")
        where = (day >= start) & (day < end)
        return of_source(archive, source).filter(where & written_late() if axis == FILE else where)

    return between
