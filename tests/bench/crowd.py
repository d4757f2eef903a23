"""A made inventory whose patients are those of a made export: for the speed of `match`.

Ten files a study, and the columns that `flag` and `match` read; tokens are real ones, by a key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.town import NOORD, ZUID, Someone, Town
from remediation.model.person import family_names
from remediation.model.secrets import Keys
from remediation.model.tokens import bound_tokens, bsn_token, patient_token
from remediation.store import datasets
from remediation.store.merging import PART_ROWS
from remediation.tables.schemas import FINDINGS, INSTANCES, TALLIES

FILES, MONTHS = 10, 120
ARCHIVES = {"noord": NOORD, "zuid": ZUID}
_FIRST = np.datetime64("2010-01", "M")
_OTHER, _OID = "OtherPatientIDsSequence[0].PatientID", "2.16.840.1.113883.2.4.6.3"
_WITH_NUMBER = 0.6  # of the studies; 0.02 are of somebody whom the export does not have
_UNKNOWN = 0.02

Numbers = NDArray[np.int64]


def build(folder: Path, town: Town, studies: int, keys: Keys, seed: int = 7) -> tuple[int, int]:
    """Write an inventory beneath an output folder; return its instances and findings."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(2, dtype=np.int64)
    each = max(1, studies // (len(ARCHIVES) * MONTHS))
    for archive in ARCHIVES:
        for month in range(MONTHS):
            people = _people(town, rng, archive, each)
            tables = _month(people, keys, rng, archive, month)
            counts += tables["instances"].num_rows, tables["findings"].num_rows
            for name, table in tables.items():
                for number, start in enumerate(range(0, table.num_rows, PART_ROWS)):
                    rows = table.slice(start, PART_ROWS)
                    datasets.write_partition(
                        folder / "inventory" / name,
                        rows,
                        archive,
                        str(_FIRST + month),
                        keys.key_id,
                        number=number,
                    )
    return int(counts[0]), int(counts[1])


def _people(town: Town, rng: np.random.Generator, archive: str, studies: int) -> list[Someone]:
    """Return the patients of so many studies."""
    own = rng.integers(0, town.size // 2, studies) * 2 + list(ARCHIVES).index(archive)
    return [town.person(int(n)) for n in own]


def _month(
    people: list[Someone], keys: Keys, rng: np.random.Generator, archive: str, month: int
) -> dict[str, pa.Table]:
    studies = len(people)
    unknown = rng.random(studies) < _UNKNOWN
    said = [_said(keys, one, f"X{one.local}" if odd else one.local) for one, odd in
            zip(people, unknown, strict=True)]  # fmt: skip
    of = np.repeat(np.arange(studies), FILES)
    rows = len(of)
    day = ((_FIRST + month).astype("datetime64[D]") + rng.integers(0, 28, studies)).astype(int)
    columns: dict[str, Any] = {
        name: pa.array([one[name] for one in said], INSTANCES.field(name).type).take(of)
        for name in said[0]
    }
    serial = (list(ARCHIVES).index(archive) * MONTHS + month) * 10_000_000
    columns |= {
        "path": _paths(rng, rows),
        "SOPInstanceUID": pa.array([f"2.999.1.{serial + n:040d}" for n in range(rows)]),
        "StudyInstanceUID": pa.array([f"2.999.2.{serial + n:040d}" for n in range(studies)]).take(
            of
        ),
        "state": pa.repeat("read", rows),
        "StudyDate": pa.array(day, pa.int32()).cast(pa.date32()).take(of),
        "mtime_ns": pa.array((day[of] + 1) * 86_400_000_000_000),
        "InstitutionName": pa.array(
            [f"Instituut {archive} {one.local[-1]}" for one in people]
        ).take(of),
        "IssuerOfPatientID": pa.repeat(ARCHIVES[archive], rows),
        "issuer_kind": pa.repeat("other", rows),
        "patient_id_shape": pa.repeat("99999999", rows),
        "Modality": pa.repeat("CT", rows),
        "StationName": pa.array([f"CT{one.local[-2]}" for one in people]).take(of),
    }
    instances = _whole(columns, INSTANCES, rows)
    has = np.flatnonzero((rng.random(studies) < _WITH_NUMBER)[of])
    tokens = pa.array([bsn_token(keys, one.number) for one in people])
    told = {"place": _OTHER, "place_kind": "other", "issuer": _OID, "issuer_kind": "bsn-oid",
            "form": "nine", "evidence": "asserted", "private_creator": ""}  # fmt: skip
    found = {name: pa.repeat(value, len(has)) for name, value in told.items()}
    found |= {name: instances[name].take(has) for name in ("path", "StudyInstanceUID")}
    found["bsn_token"] = tokens.take(of[has])
    return {
        "instances": instances,
        "findings": _whole(found, FINDINGS, len(has)),
        "tallies": TALLIES.empty_table(),
    }


def _said(keys: Keys, one: Someone, patient_id: str) -> dict[str, Any]:
    tokens = bound_tokens(keys, patient_id, one.birth, family_names(one.name), one.initials)
    return tokens.row() | {
        "patient_token": patient_token(keys, patient_id),
        "PatientSex": one.sex,
        "other_ids": [],
    }


def _paths(rng: np.random.Generator, rows: int) -> pa.Array:
    """Return paths like sealed ones, in order."""
    length, letters = 100, np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", np.uint8)
    signs = letters[rng.integers(0, len(letters), (rows, length), np.uint8)]
    signs[:, :7] = np.frombuffer(b"sealed:", np.uint8)
    ends = pa.py_buffer(np.arange(0, (rows + 1) * length, length, dtype=np.int32))
    texts = pa.StringArray.from_buffers(rows, ends, pa.py_buffer(np.ascontiguousarray(signs)))
    return texts.take(pa.compute.array_sort_indices(texts))


def _whole(table: dict[str, pa.Array], schema: pa.Schema, rows: int) -> pa.Table:
    columns = [
        table[field.name] if field.name in table else pa.nulls(rows, field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)
