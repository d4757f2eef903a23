"""Judge: what headers alone say; findings and calibration in, statuses out.

The statuses and their precedence are those of the docs; the first that holds is the one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.placement import Placement
from remediation.tables.codes import column_of, distinct, kept, one_of
from remediation.tables.schemas import FINDINGS
from remediation.tables.statuses import STATUSES, instance_statuses
from remediation.tables.studies import INSTANCE_COLUMNS, studies_of
from remediation.tables.weigh import weighed

__all__ = ["FINDING_COLUMNS", "INSTANCE_COLUMNS", "Judged", "Sources", "judged", "within"]
FINDING_COLUMNS = tuple(name for name in FINDINGS.names if name != "StudyInstanceUID")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a source is: the columns that name it, and spellings that mean the same one."""

    by: tuple[str, ...] = ("InstitutionName",)
    rename: Mapping[str, str] = field(default_factory=dict)

    def label(self, row: Mapping[str, Any]) -> str:
        """Return the source of a row; what is empty is called `unknown`."""
        values = (row.get(name) or "unknown" for name in self.by)
        return " / ".join(self.rename.get(value, value) for value in values)

    def labelled(self, table: pa.Table) -> pa.Table:
        """Return a table, one with the columns that name a source, with its `source` added."""
        codes, first = distinct(table.num_rows, (table[name] for name in self.by))
        rows = table.select(list(self.by)).take(pa.array(first)).to_pylist()
        return table.append_column("source", column_of([self.label(row) for row in rows], codes))


@dataclass(frozen=True, slots=True)
class Judged:
    """What headers say.

    Attributes:
        statuses: the status of each row of instances, in their order; null where it is no DICOM.
        studies: STUDIES, in order of archive, month and StudyInstanceUID.
        mixed: MIXED, the instances of studies with more than one status.
    """

    statuses: pa.Array
    studies: pa.Table
    mixed: pa.Table


def judged(
    instances: pa.Table,
    findings: pa.Table,
    places: pa.Table,
    sources: Sources,
    placement: Placement,
) -> Judged:
    """Judge instances, and their studies.

    Args:
        instances: INSTANCES, at least `INSTANCE_COLUMNS` and the source's columns; text may be
            dictionary-encoded.
        findings: FINDINGS of the same files, at least `FINDING_COLUMNS`.
        places: PLACES, the calibration.
        sources: what a source is.
        placement: the target placement.
    """
    dicom = one_of(instances["state"], {"read", "unreadable"})
    here = sources.labelled(kept(instances, dicom))
    found = weighed(here, findings, places)
    statuses = instance_statuses(one_of(here["state"], {"unreadable"}), found, placement)
    every = np.full(len(dicom), -1)
    every[dicom] = statuses
    return Judged(column_of(STATUSES, every), *studies_of(here, found, statuses))


def within(table: pa.Table, start: date | None, end: date | None) -> pa.Table:
    """Keep the rows of a range of days, both inclusive; rows without a date are in every range."""
    day = table["StudyDate"]
    keep = np.ones(table.num_rows, dtype=bool)
    if start:
        keep &= np.asarray(pc.fill_null(pc.greater_equal(day, pa.scalar(start)), True))
    if end:
        keep &= np.asarray(pc.fill_null(pc.less_equal(day, pa.scalar(end)), True))
    return kept(table, keep)
