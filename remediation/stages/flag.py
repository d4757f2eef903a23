"""Flag: inventory in; statuses, calibrated places, coverage and broken periods out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.events import Event
from remediation.model.placement import AT_REST
from remediation.store import datasets
from remediation.store.inventory import Inventory
from remediation.tables.calibration import places_table
from remediation.tables.causes import Between
from remediation.tables.coverage import coverage_table
from remediation.tables.daily import daily
from remediation.tables.event_verdicts import events_table
from remediation.tables.judge import INSTANCE_COLUMNS, Sources, judged, within
from remediation.tables.periods import STUDY, Held, periods_table
from remediation.tables.rewrites import LATE, days_late
from remediation.tables.schemas import INVENTORY


@dataclass(frozen=True, slots=True)
class FlagOptions:
    """What to judge, by which target, and what a broken period is held against."""

    output: Path
    key_id: str
    sources: Sources = field(default_factory=Sources)
    target: str = AT_REST
    events: tuple[Event, ...] = ()
    target_coverage: float = 0.95
    provisional_from: date | None = None
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class FlagReport:
    """Studies per status, periods found, and asserted places that their pass rate demotes."""

    studies: int
    statuses: dict[str, int]
    periods: int
    demoted: tuple[str, ...]


def run(options: FlagOptions) -> FlagReport:
    """Write studies, places, coverage and periods.

    Raises:
        DatasetError: there is no inventory, or it was made with another key.
    """
    inventory = Inventory(options.output, options.key_id, INVENTORY)
    inventory.require()
    places = places_table(with_source(inventory.tallies(), options.sources))
    columns = {*INSTANCE_COLUMNS, *options.sources.by}
    instances = within(inventory.instances(columns), options.start, options.end)
    _, studies = judged(instances, inventory.findings(), places, options.sources, options.target)
    coverage = coverage_table(studies, options.provisional_from)
    by_day = daily(studies)
    late = studies.filter(pc.greater(days_late(studies), LATE))
    held = Held(options.target_coverage, options.events, options.provisional_from)
    periods = periods_table(by_day, daily(late, "file_date"), held, _reader(studies))
    events = events_table(by_day, options.events, periods)
    for name, table in (
        ("places", places),
        ("studies", studies),
        ("coverage", coverage),
        ("periods", periods),
        ("events", events),
    ):
        datasets.write(options.output / f"{name}.parquet", table, options.key_id)
    statuses = Counter(studies["status"].to_pylist())
    demoted = sorted(
        {
            f"{row['archive']} / {row['source']} / {row['place']}"
            for row in places.to_pylist()
            if row["verdict"] == "not-bsn" and row["issuer_kind"] in {"bsn-oid", "bsn"}
        }
    )
    return FlagReport(
        studies.num_rows, dict(sorted(statuses.items())), periods.num_rows, tuple(demoted)
    )


def _reader(studies: pa.Table) -> Between:
    def between(
        archive: str | None, source: str | None, axis: str, start: date, end: date
    ) -> pa.Table:
        keep = pc.and_(pc.equal(studies["archive"], archive), pc.equal(studies["source"], source))
        day = studies["StudyDate" if axis == STUDY else "file_date"]
        keep = pc.and_(keep, pc.and_(pc.greater_equal(day, start), pc.less(day, end)))
        if axis != STUDY:
            keep = pc.and_(keep, pc.greater(days_late(studies), LATE))
        return studies.filter(keep)

    return between


def with_source(tallies: pa.Table, sources: Sources) -> pa.Table:
    """Return tallies with their source column."""
    labels = [sources.label(row) for row in tallies.select(list(sources.by)).to_pylist()]
    return tallies.append_column("source", pa.array(labels, pa.string()))
