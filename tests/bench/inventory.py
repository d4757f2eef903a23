"""A made inventory on disk, of any size: through the product's own schemas and writer.

Paths look like sealed ones (100 characters), UIDs and tokens have 64; a study has about twelve
files, and nearly each file a number. Every source has years that went wrong; some files were
written long after their studies; of some studies a part has no date. Columns that `flag` does not
read are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from remediation.store import datasets
from remediation.store.merging import PART_ROWS
from remediation.tables.schemas import FINDINGS, INSTANCES, TALLIES

KEY_ID = "00112233445566778899aabbccddeeff"
ARCHIVES, MONTHS, SOURCES, FILES = ("noord", "zuid"), 120, 20, 12
_EPOCH, _FIRST = np.datetime64("1970-01-01"), np.datetime64("2010-01", "M")
_MIGRATED = int((np.datetime64("2020-03-04") - _EPOCH).astype(int))
_DAY_NS = 86_400_000_000_000

_OTHER, _OID = "OtherPatientIDsSequence[0].PatientID", "2.16.840.1.113883.2.4.6.3"
_SAID = ("place", "place_kind", "issuer", "issuer_kind", "form", "evidence")
_NUMBERS = (
    (_OTHER, "other", _OID, "bsn-oid", "nine", "asserted"),
    (_OTHER, "other", "NLMINBIZA", "bsn", "nine", "asserted"),
    ("PatientID", "primary", _OID, "bsn-oid", "nine", "asserted"),
    ("PatientID", "primary", "", "none", "nine", "unasserted"),
    (_OTHER, "other", _OID, "bsn-oid", "nine", "invalid"),
)
_LEAK = ("PatientComments", "leak", "", "none", "embedded", "embedded")
_NONE = len(_NUMBERS)
# How often a study has each of these numbers, and none: usually, and where it went wrong.
_USUAL, _BROKEN = (0.9, 0.02, 0.02, 0.03, 0.0, 0.03), (0.1, 0.1, 0.1, 0.2, 0.05, 0.45)
_SIGNALS = (
    "InstitutionName",
    "Manufacturer",
    "StationName",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "IssuerOfPatientID",
    "patient_id_shape",
    "TransferSyntaxUID",
    "Modality",
)
Numbers = NDArray[np.int64]
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX, _DIGITS = b"0123456789abcdef", b"0123456789"


def build(folder: Path, instances: int, months: int = MONTHS, seed: int = 1) -> tuple[int, int]:
    """Write an inventory beneath an output folder; return its instances and its findings."""
    counts = np.zeros(2, dtype=np.int64)
    for number, archive in enumerate(ARCHIVES):
        maker = _Maker(folder / "inventory", archive, np.random.default_rng([seed, number]))
        each = max(1, instances // (len(ARCHIVES) * months))
        for month in range(months):
            maker.month(month, each)
        maker.write_undated()
        counts += maker.written
    return int(counts[0]), int(counts[1])


class _Maker:
    """Makes the rows of one archive, month by month."""

    def __init__(self, folder: Path, archive: str, rng: np.random.Generator) -> None:
        self.folder, self.archive, self.rng = folder, archive, rng
        self.undated: list[tuple[pa.Table, pa.Table]] = []
        self.written = np.zeros(2, dtype=np.int64)

    def month(self, number: int, rows: int) -> None:
        """Write one month; some of its files are kept for the month `unknown`."""
        rng, studies = self.rng, max(1, rows // FILES)
        of = np.concatenate([np.arange(studies), rng.integers(0, studies, rows - studies)])
        rng.shuffle(of)
        day = int(((_FIRST + number).astype("datetime64[D]") - _EPOCH).astype(int))
        days = day + rng.integers(0, 28, studies)
        source = rng.integers(0, SOURCES // len(ARCHIVES), studies)
        broken = (number + 11 * source) % 60 < 18
        kind = np.where(broken, self._kinds(_BROKEN, studies), self._kinds(_USUAL, studies))
        written = np.where(rng.random(studies) < 0.3, np.maximum(_MIGRATED, days), days + 1)
        table = {
            "path": pc.array_sort_indices(paths := self._text(rows, 100, _LETTERS, b"sealed:")),
            "SOPInstanceUID": self._text(rows, 64, _DIGITS, b"2.999.1"),
            "StudyInstanceUID": self._text(studies, 64, _DIGITS, b"2.999.2").take(of),
            "patient_token": self._text(studies, 64, _HEX).take(of),
            "state": pa.array(np.where(rng.random(rows) < 0.001, "unreadable", "read")),
            "StudyDate": pa.array(days[of], pa.int32()).cast(pa.date32()),
            "SeriesDate": pa.array(days[of], pa.int32()).cast(pa.date32()),
            "mtime_ns": pa.array(written[of] * _DAY_NS),
            "size": pa.array(rng.integers(1 << 10, 1 << 20, rows)),
        }
        table["path"] = paths.take(table["path"])
        for n, name in enumerate(_SIGNALS):
            values = (source * 7 + broken * n) % (12 + n) if n else source
            table[name] = pa.array([f"{name[:9]} {self.archive} {v}" for v in values]).take(of)
        instances = _whole(table, INSTANCES, rows)
        has = np.flatnonzero((kind[of] < _NONE) & (rng.random(rows) > 0.001))  # some are mixed
        leaks = np.flatnonzero(rng.random(rows) < 0.25)
        at = np.concatenate([has, leaks])
        said = np.concatenate([kind[of[has]], np.full(len(leaks), _NONE)])
        order = np.argsort(at, kind="stable")
        findings = self._findings(instances, at[order], said[order], of)
        lost = (of % 500 == 0) & (rng.random(rows) < 0.3)
        undated = instances.filter(lost), findings.filter(lost[at[order]])
        self.undated.append(undated)
        dated = instances.filter(~lost), findings.filter(~lost[at[order]])
        self.write(str(_FIRST + number), *dated, self._tallies(source, kind))

    def write(self, month: str, instances: pa.Table, findings: pa.Table, tallies: pa.Table) -> None:
        """Write the rows of one month."""
        self.written += instances.num_rows, findings.num_rows
        tables = {"instances": instances, "findings": findings, "tallies": tallies}
        for name, table in tables.items():
            for number, start in enumerate(range(0, table.num_rows, PART_ROWS)):
                rows = table.slice(start, PART_ROWS)
                datasets.write_partition(
                    self.folder / name, rows, self.archive, month, KEY_ID, number=number
                )

    def write_undated(self) -> None:
        """Write what has no date, in order of path."""
        instances, findings = (
            pa.concat_tables(tables).sort_by("path") for tables in zip(*self.undated, strict=True)
        )
        nothing = pa.nulls(instances.num_rows, pa.date32())
        instances = instances.set_column(
            instances.column_names.index("StudyDate"), "StudyDate", nothing
        )
        self.write("unknown", instances, findings, TALLIES.empty_table())

    def _kinds(self, shares: Sequence[float], count: int) -> Numbers:
        return self.rng.choice(len(shares), count, p=shares)

    def _text(self, count: int, length: int, letters: bytes, prefix: bytes = b"") -> pa.Array:
        """Return texts of one length, as good as different."""
        signs = np.empty((count, length), np.uint8)
        signs[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
        rest = (count, length - len(prefix))
        drawn = self.rng.integers(0, len(letters), rest, np.uint8)
        signs[:, len(prefix) :] = np.frombuffer(letters, np.uint8)[drawn]
        offsets = pa.py_buffer(np.arange(0, (count + 1) * length, length, dtype=np.int32))
        return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(signs))

    def _findings(self, instances: pa.Table, at: Numbers, said: Numbers, of: Numbers) -> pa.Table:
        token = self._text(of.max() + 1, 64, _HEX)
        table = {name: instances[name].take(at) for name in ("path", "StudyInstanceUID")}
        table["bsn_token"] = token.take(of[at])
        table["private_creator"] = pa.array([""]).take(np.zeros(len(at), int))
        for n, name in enumerate(_SAID):
            table[name] = pa.array([one[n] for one in (*_NUMBERS, _LEAK)]).take(said)
        return _whole(table, FINDINGS, len(at))

    def _tallies(self, source: Numbers, kind: Numbers) -> pa.Table:
        """Count the numbers of studies, as the crawl does."""
        rows = []
        for one in np.unique(source):
            for number, (place, _, _, issuer_kind, _, evidence) in enumerate(_NUMBERS):
                count = int(np.count_nonzero((source == one) & (kind == number)))
                passing = 0 if evidence == "invalid" else count
                if evidence == "unasserted":  # local numbers: one in eleven passes
                    count *= 11
                rows.append(
                    {
                        "InstitutionName": f"Instituti {self.archive} {one}",
                        "place": place.replace("[0]", ""),
                        "private_creator": "",
                        "issuer_kind": issuer_kind,
                        **dict.fromkeys(("values", "well_formed"), count),
                        "passing": passing,
                    }
                )
        return pa.Table.from_pylist(rows, schema=TALLIES)


def _whole(table: dict[str, pa.Array], schema: pa.Schema, rows: int) -> pa.Table:
    """Return a table with all columns of a schema: null where there is none."""
    columns = [
        table[field.name] if field.name in table else pa.nulls(rows, field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)
