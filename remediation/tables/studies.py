"""Studies: instances with their statuses and findings in, one row per study out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.places import IDENTIFIER_KINDS, stable
from remediation.tables.codes import (
    Flags,
    Numbers,
    column_of,
    distinct,
    encoded,
    firsts,
    integers,
    kept,
    mapped,
    numbers,
    one_of,
)
from remediation.tables.schemas import MIXED, STATUS_COUNT, STUDIES
from remediation.tables.statuses import STATUSES
from remediation.tables.weigh import STRONG

_OF_FIRST = (
    "archive",
    "StudyInstanceUID",
    "StudyDate",
    "study_month",
    "source",
    "Modality",
    "patient_token",
    "patient_id_shape",
    "IssuerOfPatientID",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "InstitutionName",
    "Manufacturer",
    "StationName",
    "TransferSyntaxUID",
    "SeriesDate",
    "InstanceCreationDate",
)
# Columns of INSTANCES that a row of studies is made of.
INSTANCE_COLUMNS = (
    "path",
    "state",
    "mtime_ns",
    "SOPInstanceUID",
    *(name for name in _OF_FIRST if name != "source"),
)
_ORDER = ("archive", "study_month", "StudyInstanceUID")
_DAY_NS = 86_400_000_000_000
MONTH, YEAR = 31, 365  # days after its date in which the files of a study were written
_NEVER = np.iinfo(np.int64).min


def studies_of(
    instances: pa.Table, found: pa.Table, statuses: Numbers
) -> tuple[pa.Table, pa.Table]:
    """Return STUDIES, and MIXED: the instances of studies with more than one status.

    Both in order of archive, month of the study and StudyInstanceUID; MIXED of path besides.

    Args:
        instances: INSTANCES that are DICOM, at least `INSTANCE_COLUMNS`, and their source.
        found: their findings as `weighed` gives them.
        statuses: the status of each instance, as its place in STATUSES.
    """
    of, first = _numbered(instances)
    said = _ranked(len(first), of, pa.DictionaryArray.from_arrays(statuses, pa.array(STATUSES)))
    columns = _of_first(instances.take(pa.array(first)))
    columns |= _of_findings(found, of, len(first))
    columns["instances"] = np.bincount(of, minlength=len(first))
    columns["unreadable"] = np.bincount(of[statuses == 0], minlength=len(first))
    columns["status"] = pc.if_else(pa.array(said.sizes == 1), said.top(), "mixed")
    columns["statuses"] = said.lists(
        pa.StructArray.from_arrays([said.values, said.counts], fields=list(STATUS_COUNT))
    )
    studies = pa.table([columns[name] for name in STUDIES.names], names=STUDIES.names)
    order = [(name, "ascending") for name in _ORDER]
    mixed = _mixed(
        instances, statuses, columns["study_month"].take(pa.array(of)), said.sizes[of] > 1
    )
    return studies.sort_by(order).cast(STUDIES), mixed.sort_by([*order, ("path", "ascending")])


def _mixed(
    instances: pa.Table, statuses: Numbers, month: pa.ChunkedArray, is_mixed: Flags
) -> pa.Table:
    which = pa.array(np.flatnonzero(is_mixed))
    own = instances.select([name for name in MIXED.names if name in instances.column_names])
    columns = {name: own[name].take(which) for name in own.column_names}
    columns["study_month"] = month.take(which)
    columns["status"] = column_of(STATUSES, statuses[is_mixed])
    return pa.table([columns[name] for name in MIXED.names], names=MIXED.names).cast(MIXED)


def _numbered(instances: pa.Table) -> tuple[Numbers, Numbers]:
    """Number the studies: of each instance its study, of each study its first instance.

    The first is that of the least path among those that could be read.
    """
    of, _ = distinct(instances.num_rows, (instances["archive"], instances["StudyInstanceUID"]))
    studies = of.max(initial=-1) + 1
    read = one_of(instances["state"], {"read"})
    has_read = np.zeros(studies, dtype=bool)
    has_read[of[read]] = True
    which = np.flatnonzero(read | ~has_read[of])
    paths = instances["path"].take(pa.array(which))
    least = pa.table({"of": of[which], "path": paths}).group_by("of").aggregate([("path", "min")])
    # Studies of two archives can have the same path: its number is that of the first of them.
    number = np.zeros(studies, dtype=np.int64)
    number[integers(least["of"])] = _looked_up(least["path_min"], least)
    is_first = which[_looked_up(paths, least) == number[of[which]]]
    return of, is_first[firsts(of[is_first])]


def _looked_up(paths: pa.ChunkedArray, least: pa.Table) -> Numbers:
    return integers(pc.index_in(paths, least["path_min"]))


def _of_first(first: pa.Table) -> dict[str, Any]:
    """Return what the first instance says of its study."""
    columns: dict[str, Any] = {
        name: first[name].cast(STUDIES.field(name).type) for name in _OF_FIRST
    }
    modified = integers(first["mtime_ns"], _NEVER)
    made = integers(first["StudyDate"].cast(pa.int32()), _NEVER)
    written = modified // _DAY_NS
    days = pa.array(written, pa.int64(), mask=modified == _NEVER).cast(pa.int32())
    columns["file_date"] = days.cast(pa.date32())
    passed = written - made
    ages = np.select([passed < -1, passed <= MONTH, passed <= YEAR], range(3), 3)
    ages[(modified == _NEVER) | (made == _NEVER)] = -1
    columns["file_age"] = column_of(("earlier", "month", "year", "later"), ages)
    return columns


def _of_findings(found: pa.Table, of: Numbers, studies: int) -> dict[str, Any]:
    """Return what the findings of its instances say of each study."""
    study = of[integers(found["at"])]
    here = one_of(found["place_kind"], IDENTIFIER_KINDS)
    historic = one_of(found["place_kind"], {"historic"})
    strong = found.select(["at", "place", "issuer"])
    strong = kept(strong, here & one_of(found["weight"], STRONG))
    places = _ranked(studies, *_once(strong, of, mapped(strong["place"], stable)))
    issuers = _ranked(studies, *_once(strong, of, mapped(strong["issuer"], str, null="")))
    return {
        "places": places.lists(places.values),
        "place": places.top(),
        "bsn_issuer": issuers.top(),
        "historic": np.bincount(study[historic], minlength=studies) > 0,
        "leaks": np.bincount(study[~here & ~historic], minlength=studies),
    }


def _once(strong: pa.Table, of: Numbers, values: pa.Array) -> tuple[Numbers, pa.DictionaryArray]:
    """Count a value of an instance once; return the study and the value of each."""
    own = encoded(values)
    width = max(1, len(own.dictionary))
    each = integers(strong["at"]) * width + numbers(own)
    at, codes = np.divmod(integers(pa.array(each).unique()), width)
    return of[at], pa.DictionaryArray.from_arrays(codes, own.dictionary)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The different values of each study, most frequent first, alike ones by name.

    Attributes:
        bounds: where those of each study begin; one longer than there are studies.
    """

    bounds: Numbers
    values: pa.Array
    counts: Numbers

    @property
    def sizes(self) -> Numbers:
        return np.diff(self.bounds)

    def top(self) -> pa.Array:
        """Return the first value of each study; null for none."""
        return self.values.take(pa.array(self.bounds[:-1], mask=self.sizes == 0))

    def lists(self, values: pa.Array) -> pa.Array:
        """Return these values as a list for each study."""
        return pa.ListArray.from_arrays(pa.array(self.bounds, pa.int32()), values)


def _ranked(studies: int, study: Numbers, values: pa.DictionaryArray) -> _Ranked:
    order = pc.sort_indices(values.dictionary)
    width = max(1, len(order))
    rank = np.argsort(order)[numbers(values)]
    pairs = pa.array(study * width + rank).value_counts()
    counts = integers(pairs.field("counts"))
    group, text = np.divmod(integers(pairs.field("values")), width)
    by = np.lexsort((text, -counts, group))
    texts = values.dictionary.take(order).take(pa.array(text[by]))
    return _Ranked(np.searchsorted(group[by], np.arange(studies + 1)), texts, counts[by])
