"""Flag: inventory in; statuses, calibrated places, coverage and broken periods out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from remediation.model.events import Event
from remediation.model.placement import AT_REST
from remediation.store import datasets
from remediation.store.inventory import Inventory
from remediation.tables.calibration import places_table
from remediation.tables.coverage import coverage_table
from remediation.tables.judge import INSTANCE_COLUMNS, Sources, judged, within
from remediation.tables.periods import periods_table
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
    periods = periods_table(
        studies, options.events, options.target_coverage, options.provisional_from
    )
    for name, table in (
        ("places", places),
        ("studies", studies),
        ("coverage", coverage),
        ("periods", periods),
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


def with_source(tallies: pa.Table, sources: Sources) -> pa.Table:
    """Return tallies with their source column."""
    labels = [sources.label(row) for row in tallies.select(list(sources.by)).to_pylist()]
    return tallies.append_column("source", pa.array(labels, pa.string()))
