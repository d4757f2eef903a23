"""Trace: for the key holder, everything that was ever done with one patient or one study.

A patient is a local number of an issuer. Their studies are those that `match` resolved to it, those
that a manifest wrote for it, and those whose PatientID is that number and whose issuer does not say
otherwise. The number goes no further than the tokens that are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from remediation.errors import RemediationError
from remediation.model.evidence import ArchiveIssuers
from remediation.model.issuers import ASSERTING, NO_KIND, kind
from remediation.model.secrets import Keys
from remediation.model.tokens import patient_token
from remediation.store import datasets
from remediation.store.files import guarded
from remediation.store.manifests import Stored, load
from remediation.store.tracing import Told, Traced, counted
from remediation.tables.schemas import CORRECTIONS, IDENTITIES, REFUSALS, STUDIES

Row = dict[str, Any]
_STUDY = ("archive", "StudyInstanceUID")
_STUDIES = (*_STUDY, "status", "instances", "IssuerOfPatientID", "patient_token")
_IDENTITIES = (*_STUDY, "outcome", "reason", "local_issuer", "local_token", "bsn_token")


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Whom to trace: a study, or the patient of a local number.

    Attributes:
        study: a StudyInstanceUID, or empty.
        numbers: the local number, as the export and as headers write it.
        issuer: of that number.
        archives: the issuers of each archive.
    """

    output: Path
    study: str = ""
    numbers: Sequence[str] = field(default=(), repr=False)
    issuer: str = ""
    archives: Mapping[str, ArchiveIssuers] = field(default_factory=dict)
    extra_issuers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceReport:
    """What was found, oldest first; `unread` names what could not be read, and why."""

    studies: tuple[str, ...]
    events: tuple[Traced, ...]
    sources: dict[str, int]
    unread: tuple[str, ...]


def tokens_of(options: TraceOptions, keys: Keys) -> frozenset[str]:
    """Return the tokens of the number that is asked for."""
    return frozenset(patient_token(keys, number) for number in options.numbers)


def run(options: TraceOptions, keys: Keys) -> TraceReport:
    """Return everything that was written down of a patient's studies, or of one study.

    Raises:
        KeyFileError: the datasets were made with another key.
    """
    tokens = tokens_of(options, keys)
    unread: list[str] = []
    manifests = list(_manifests(options.output, unread))
    whose = _Whose(options, keys, tokens)
    studies = {options.study} if options.study else whose.studies(manifests)
    told = Told(options.output, keys, studies)
    told.unread += unread
    for row in whose.rows("studies", STUDIES, _STUDIES, "flag", studies):
        told.events.append(
            Traced("", "inventory", "status", row["status"], *_place(row), row["instances"] or 0)
        )
    for row in whose.rows("identities", IDENTITIES, _IDENTITIES, "match", studies):
        result = "-".join(filter(None, (row["outcome"], row["reason"])))
        told.events.append(Traced("", "identities", "matched", result, *_place(row)))
    for stored in manifests:
        with told.reading(f"manifests/{stored.folder.name}"):
            told.manifest(stored)
    told.journals()
    told.handed_over()
    told.verified()
    told.audited(tokens)
    # Without a time it is what stands now: that comes last.
    events = sorted(told.events, key=lambda one: (not one.at, one.at))
    found = {one.study for one in events if one.study}
    return TraceReport(tuple(sorted(found)), tuple(events), counted(events), tuple(told.unread))


def _place(row: Row) -> tuple[str, str]:
    return row["StudyInstanceUID"], row["archive"]


def _manifests(output: Path, unread: list[str]) -> list[Stored]:
    found: list[Stored] = []
    with guarded("the manifests cannot be listed", "manifests"):
        folders = sorted((output / "manifests").glob("*/manifest.json"))
    for path in folders:
        try:
            found.append(load(path.parent, CORRECTIONS, REFUSALS))
        except RemediationError as error:
            unread.append(f"manifests/{path.parent.name}: {error.what}")
    return found


class _Whose:
    """Which studies are of the patient."""

    def __init__(self, options: TraceOptions, keys: Keys, tokens: frozenset[str]) -> None:
        self.options, self.keys, self.tokens = options, keys, tokens

    def rows(
        self, name: str, schema: pa.Schema, columns: Sequence[str], made_by: str, studies: set[str]
    ) -> list[Row]:
        """Return the rows of these studies; none where the dataset is not there."""
        where = ds.field("StudyInstanceUID").isin(sorted(studies))
        return self._read(name, schema, columns, made_by, where) if studies else []

    def _read(
        self, name: str, schema: pa.Schema, columns: Sequence[str], made_by: str, where: Any
    ) -> list[Row]:
        path = self.options.output / f"{name}.parquet"
        if not path.exists():
            return []
        by = f"remediation {made_by}"
        found = datasets.read_rows(path, schema, self.keys.key_id, by, columns=columns, where=where)
        rows: list[Row] = found.to_pylist()
        return rows

    def studies(self, manifests: Sequence[Stored]) -> set[str]:
        """Return the StudyInstanceUIDs of the patient."""
        wanted = sorted(self.tokens)
        resolved = self._read(
            "identities", IDENTITIES, _IDENTITIES, "match", ds.field("local_token").isin(wanted)
        )
        found = {row["StudyInstanceUID"] for row in resolved if self._ours(row)}
        bsns = {row["bsn_token"] for row in resolved if self._ours(row)} - {None}
        for stored in manifests:
            rows = stored.corrections.select([*_STUDY, "local_issuer", "local_token", "bsn_token"])
            for row in rows.to_pylist():
                own = row["local_token"] in self.tokens and self._ours(row)
                # A study that is known by the BSN alone has no local number.
                bare = row["local_token"] is None and row["bsn_token"] in bsns
                if own or (bare and row["local_issuer"] in {None, "", self.options.issuer}):
                    found.add(row["StudyInstanceUID"])
        headers = self._read(
            "studies", STUDIES, _STUDIES, "flag", ds.field("patient_token").isin(wanted)
        )
        return found | self._not_otherwise(headers)

    def _ours(self, row: Row) -> bool:
        return bool(row["local_issuer"] == self.options.issuer)

    def _not_otherwise(self, rows: Sequence[Row]) -> set[str]:
        """Return studies with that PatientID, but those that are of another issuer's patient."""
        found = {row["StudyInstanceUID"] for row in rows if self._may_be(row)}
        others = {
            row["StudyInstanceUID"]
            for row in self.rows("identities", IDENTITIES, _IDENTITIES, "match", found)
            if row["local_issuer"] not in {None, "", self.options.issuer}
        }
        return found - others

    def _may_be(self, row: Row) -> bool:
        archive = self.options.archives.get(row["archive"], ArchiveIssuers())
        said = row["IssuerOfPatientID"] or ""
        means = archive.alias.get(said, said)
        says = kind(said, self.options.extra_issuers)
        if says in ASSERTING or says == NO_KIND or means == "ignore":
            spaces = {archive.local_issuer, *(one.local_issuer for one in archive.periods)}
            return self.options.issuer in spaces
        return means == self.options.issuer
