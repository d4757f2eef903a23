"""Worklists: what people have to settle, by who settles it; numbers are looked up here only.

For the registration desk and for possible mix-ups each patient gets a local number: from the EPD
export, or, where the inventory knows a token that the export does not have, from one header, read
again. A BSN is on none of the lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from remediation.dicom.header import glance
from remediation.dicom.locate import person
from remediation.model import bsn
from remediation.model.audit import Seen, unseen
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.evidence import ArchiveIssuers, StudyEvidence
from remediation.model.files import FileRef, resolved
from remediation.model.issuers import ASSERTING, NO_KIND, kind
from remediation.model.secrets import SEALED, Keys
from remediation.model.worklists import DESK, MIXUPS, MOST
from remediation.store import datasets
from remediation.store.archive import see
from remediation.store.batches import Batches
from remediation.store.inventory import Inventory
from remediation.tables import faulty, leaking, waiting
from remediation.tables.schemas import IDENTITIES, INVENTORY, PERIODS, STUDIES

T = TypeVar("T")
Row = dict[str, Any]
# Columns of STUDIES that any of the lists needs.
_COLUMNS = tuple(dict.fromkeys([*waiting.STUDY_COLUMNS, *faulty.STUDY_COLUMNS]))
_DATASETS = {
    "studies": (STUDIES, "flag"),
    "periods": (PERIODS, "flag"),
    "identities": (IDENTITIES, "match"),
}


@dataclass(frozen=True, slots=True)
class WorklistOptions:
    """Where things lie, and how long the lists may be.

    Attributes:
        archives: the issuers of each archive; `extra_issuers` more spellings that mean BSN.
        examples: StudyInstanceUIDs to name in a line of the vendor's list.
        most: lines of one list.
        readers: threads that read headers again.
        seen: hears of each study of which a header was read, for the audit log.
    """

    output: Path
    roots: dict[str, Path]
    archives: dict[str, ArchiveIssuers]
    extra_issuers: tuple[str, ...] = ()
    examples: int = 0
    most: int = MOST
    readers: int = 4
    seen: Seen = unseen


@dataclass(frozen=True, slots=True)
class Waiting:
    """One patient whose studies wait; `number` is a local one, empty where it must be looked up."""

    number: str = field(repr=False)
    issuer: str
    archive: str
    reason: str
    studies: int
    right: int  # of these, studies that look conformant
    first: date | None
    last: date | None
    source: str
    example: str  # StudyInstanceUID


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """The lines of one list, most important first, and how many were left out."""

    rows: tuple[T, ...] = ()
    left_out: int = 0

    @classmethod
    def of(cls, rows: Sequence[T], most: int) -> Listed[T]:
        """Return as many as a person can read."""
        return cls(tuple(rows[:most]), max(0, len(rows) - most))


@dataclass(frozen=True, slots=True)
class Worklists:
    """All lists; `heads_read` headers were read again for them."""

    desk: Listed[Waiting]
    mixups: Listed[Waiting]
    leaks: Listed[Row]
    vendor: Listed[Row]
    heads_read: int


def run(options: WorklistOptions, crosswalk: Crosswalk, keys: Keys) -> Worklists:
    """Return the lists of what `flag` and `match` found.

    Raises:
        DatasetError: one of them has not run, or what it made is damaged.
        KeyFileError: it was made with another key.
    """
    inventory = Inventory(options.output, keys.key_id, INVENTORY)
    inventory.require()
    studies = _read(options, keys, "studies", _COLUMNS)
    identities = _read(options, keys, "identities", waiting.IDENTITY_COLUMNS)
    who = _Who(options, crosswalk, keys, inventory)
    desk = who.listed(waiting.waiting(studies, identities, DESK))
    mixups = who.listed(_loudest_first(waiting.waiting(studies, identities, MIXUPS)))
    batches = Batches.of(inventory)
    findings = (batches.read("findings", one, leaking.FINDING_COLUMNS) for one in batches.all)
    leaks = leaking.leaking(findings, studies).to_pylist()
    periods = _read(options, keys, "periods", PERIODS.names).to_pylist()
    vendor = list(faulty.faulty(studies, periods, options.examples))
    return Worklists(
        desk,
        mixups,
        Listed.of(leaks, options.most),
        Listed.of(vendor, options.most),
        who.heads_read,
    )


def _read(options: WorklistOptions, keys: Keys, name: str, columns: Sequence[str]) -> pa.Table:
    schema, command = _DATASETS[name]
    path = options.output / f"{name}.parquet"
    return datasets.read(path, schema, keys.key_id, f"remediation {command}").select(list(columns))


def _loudest_first(found: pa.Table) -> pa.Table:
    """Order by whether a study looks right, as nobody would look at it again; then by reason."""
    rank = pc.index_in(found["why"], pa.array(MIXUPS))
    looks_right = pc.greater(found["right"], 0)
    ranked = found.append_column("rank", rank).append_column("looks_right", looks_right)
    order = [("looks_right", "descending"), ("rank", "ascending"), ("studies", "descending")]
    named = [("archive", "ascending"), ("StudyInstanceUID", "ascending")]
    return ranked.sort_by([*order, *named])


class _Who:
    """Looks up the local numbers of patients that are known as tokens."""

    def __init__(
        self, options: WorklistOptions, crosswalk: Crosswalk, keys: Keys, inventory: Inventory
    ) -> None:
        self.options, self.crosswalk, self.keys = options, crosswalk, keys
        self.inventory = inventory
        self.heads_read = 0
        self._tokens = crosswalk.tokens(keys)

    def listed(self, found: pa.Table) -> Listed[Waiting]:
        """Return the first patients of a table of `waiting`, with their numbers."""
        rows = found.slice(0, self.options.most).to_pylist()
        entries = [self._entry(row) for row in rows]
        unknown = [
            row
            for row, entry in zip(rows, entries, strict=True)
            if entry is None and row["patient_token"]
        ]
        read = self._read_again(unknown)
        lines = tuple(
            self._line(row, entry, read.get((row["archive"], row["StudyInstanceUID"]), ""))
            for row, entry in zip(rows, entries, strict=True)
        )
        return Listed(lines, found.num_rows - len(lines))

    def _line(self, row: Row, entry: Entry | None, number: str) -> Waiting:
        if entry is None:
            entry = self._of_bsn(row, number)
        issuer = entry.issuer if entry else next(iter(self._issuers(row)), "")
        return Waiting(
            self._shown(entry, number),
            issuer,
            row["archive"],
            row["why"],
            row["studies"],
            row["right"],
            row["first"],
            row["last"],
            row["source"],
            row["StudyInstanceUID"],
        )

    def _shown(self, entry: Entry | None, number: str) -> str:
        """Return a local number; none that may be a BSN: the desk looks the study up."""
        if entry:
            own = self.crosswalk.spelled(entry)
            return "" if self.crosswalk.by_bsn(bsn.normalise(own) or "") else own
        whole = bsn.normalise(number)
        return "" if any(map(bsn.passes, [whole] if whole else bsn.runs(number))) else number

    def _entry(self, row: Row) -> Entry | None:
        """Return the export's row of a patient, by issuer and token."""
        token = row["patient_token"]
        for issuer in self._issuers(row) if token else ():
            found = self._tokens.local(issuer, token)
            if found:
                return found[0]
        return None

    def _of_bsn(self, row: Row, number: str) -> Entry | None:
        """Return the export's row of a PatientID that is a BSN, of an issuer of this archive."""
        own = self._issuers(row)
        named = self.crosswalk.by_bsn(bsn.normalise(number) or "")
        ranked = sorted(named, key=lambda one: (one.issuer not in own, one.issuer))
        return ranked[0] if ranked else None

    def _issuers(self, row: Row) -> tuple[str, ...]:
        """Return the issuers that a PatientID of this study may have; as it stands if not ours."""
        archive = self.options.archives.get(row["archive"], ArchiveIssuers())
        said = row["IssuerOfPatientID"] or ""
        means = archive.alias.get(said, said)
        says = kind(said, self.options.extra_issuers)
        if says in ASSERTING or says == NO_KIND or means == "ignore":
            return archive.candidates(_study(row))
        return () if means.startswith(SEALED) else (means,)

    # -- headers that are read again --------------------------------------------------------------

    def _read_again(self, rows: list[Row]) -> dict[tuple[str, str], str]:
        """Read one header of each study again; return PatientIDs by archive and study."""
        paths = self._paths(rows)
        self.heads_read += len(paths)
        with ThreadPoolExecutor(self.options.readers) as readers:
            numbers = readers.map(self._patient_id, paths)
            found = {key[:2]: number for key, number in zip(paths, numbers, strict=True)}
        for archive, study in found:
            self.options.seen(archive, study, 1, "header-read")
        return found

    def _patient_id(self, key: tuple[str, str, str]) -> str:
        archive, _, path = key
        ref = FileRef(resolved(path, self.keys), 0, 0)
        seen = see(self.options.roots[archive], ref, glance)
        return person(seen.head).patient_id if seen.head else ""

    def _paths(self, rows: list[Row]) -> list[tuple[str, str, str]]:
        """Return archive, study and the first path of a readable file of each."""
        wanted = {(row["archive"], row["StudyInstanceUID"]) for row in rows}
        wanted = {key for key in wanted if key[0] in self.options.roots}
        if not wanted:
            return []
        where = ds.field("archive").isin(sorted({archive for archive, _ in wanted}))
        where &= ds.field("StudyInstanceUID").isin(sorted({study for _, study in wanted}))
        columns = ["archive", "StudyInstanceUID", "path"]
        found = self.inventory.instances(columns, where & (ds.field("state") == "read"))
        first = found.group_by(columns[:2]).aggregate([("path", "min")]).sort_by("path_min")
        return list(_keys(first, wanted))


def _keys(first: pa.Table, wanted: set[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    columns = (first[name].to_pylist() for name in ("archive", "StudyInstanceUID", "path_min"))
    for archive, study, path in zip(*columns, strict=True):
        if (archive, study) in wanted:
            yield archive, study, path


def _study(row: Row) -> StudyEvidence:
    """Return what tells which number spaces a study lies in."""
    return StudyEvidence(
        archive=row["archive"],
        study=row["StudyInstanceUID"],
        day=row["StudyDate"],
        status=row["status"],
        unreadable=0,
        groups=(),
        strong=frozenset(),
        seen=frozenset(),
        institution=row["InstitutionName"] or "",
        writing_software=row["ImplementationVersionName"] or "",
        shape=row["patient_id_shape"] or "",
    )
