"""Waiting: studies and identities in, the patients that hold them up out.

A patient is a PatientID of one archive, known by its token; one that has none is a study by itself.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.tables.codes import Numbers, distinct, integers, kept, one_of

# Columns of STUDIES that are told of, or that tell by which issuer a number is looked up.
STUDY_COLUMNS = (
    "archive",
    "StudyInstanceUID",
    "StudyDate",
    "study_month",
    "source",
    "status",
    "patient_token",
    "patient_id_shape",
    "IssuerOfPatientID",
    "ImplementationVersionName",
    "InstitutionName",
)
IDENTITY_COLUMNS = ("archive", "StudyInstanceUID", "reason", "warnings")
_STUDY = ["archive", "StudyInstanceUID"]


def waiting(studies: pa.Table, identities: pa.Table, reasons: Collection[str]) -> pa.Table:
    """Return one row per patient and reason, those of the most studies first.

    Args:
        studies: STUDIES, at least `STUDY_COLUMNS`.
        identities: IDENTITIES, at least `IDENTITY_COLUMNS`.
        reasons: of refusals or, where the study is right already, of warnings.

    Returns:
        The columns of the patient's first study by UID, and `why`, `studies`, `right` (studies that
        look conformant), `first` and `last` (their dates; null where none has one).
    """
    why = _why(identities, reasons)
    held = identities.select(_STUDY).append_column("why", why).filter(why.is_valid())
    rows = studies.select(list(STUDY_COLUMNS)).join(held, _STUDY, join_type="inner")
    rows = rows.sort_by([("StudyInstanceUID", "ascending"), ("archive", "ascending")])
    patient = pc.if_else(
        pc.equal(pc.fill_null(rows["patient_token"], ""), ""),
        rows["StudyInstanceUID"],
        rows["patient_token"],
    )
    of, first = distinct(rows.num_rows, (rows["archive"], patient, rows["why"]))
    found = rows.take(pa.array(first))
    days = _days(rows["StudyDate"], of, len(first))
    counts = np.bincount(of, minlength=len(first))
    right = np.bincount(of[one_of(rows["status"], {"conformant"})], minlength=len(first))
    for name, column in (
        ("studies", pa.array(counts)),
        ("right", pa.array(right)),
        *zip(("first", "last"), days, strict=True),
    ):
        found = found.append_column(name, column)
    order = [("studies", "descending"), ("why", "ascending")]
    return found.sort_by([*order, ("archive", "ascending"), ("StudyInstanceUID", "ascending")])


def _why(identities: pa.Table, reasons: Collection[str]) -> pa.Array:
    """Return of each study the reason among these: its own, or else its first warning."""
    own = identities["reason"].combine_chunks()
    warnings = identities["warnings"].combine_chunks()
    parents, words = pc.list_parent_indices(warnings), pc.list_flatten(warnings)
    said = pa.table({"at": parents, "word": words})
    said = kept(said, one_of(said["word"], set(reasons)))
    at = integers(said["at"])
    first = np.full(len(own), -1)
    first[at[::-1]] = np.arange(len(at))[::-1]
    warned = said["word"].take(pa.array(first, mask=first < 0)).combine_chunks()
    return pc.if_else(pa.array(one_of(own, set(reasons))), own, warned)


def _days(column: pa.ChunkedArray, of: Numbers, groups: int) -> tuple[pa.Array, pa.Array]:
    """Return the first and the last date of each group."""
    none = np.iinfo(np.int32).max
    days = integers(column.cast(pa.int32()), none)
    first = np.full(groups, none)
    np.minimum.at(first, of, days)
    last = np.full(groups, -none)
    np.maximum.at(last, of, np.where(days == none, -none, days))
    return tuple(
        pa.array(ends, pa.int32(), mask=np.abs(ends) == none).cast(pa.date32())
        for ends in (first, last)
    )
