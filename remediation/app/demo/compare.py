"""Compare: what the tool found and did, held against the planted truth; every line must agree."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread

from remediation.app.demo.truth import causes_text
from remediation.model.files import resolved
from remediation.model.issuers import BSN_OID
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token
from remediation.store import datasets
from remediation.store.manifests import Stored
from remediation.tables.schemas import IDENTITIES, PERIODS, STUDIES

_UNNAMED = "unreadable-"  # files cut before their StudyInstanceUID: the truth knows them as files


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: how many things were compared, and how many differ."""

    what: str
    compared: int
    different: int

    @property
    def right(self) -> bool:
        """Whether there was something to compare, and nothing differs."""
        return self.compared > 0 and self.different == 0


def _difference(what: str, wanted: Iterable[Any], found: Iterable[Any]) -> Check:
    one, other = set(wanted), set(found)
    return Check(what, len(one), len(one ^ other))


class Truth:
    """The folder `truth/` of a demo hospital."""

    def __init__(self, out: Path, keys: Keys) -> None:
        self.out, self.keys = out, keys
        self.studies = self._rows("studies")
        self.files = self._rows("files")
        self.numbers = {row["StudyInstanceUID"]: row["bsn"] for row in self._rows("numbers")}

    def _rows(self, name: str) -> list[dict[str, str]]:
        path = self.out / "truth" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def planted(self) -> dict[str, list[str]]:
        """Return what no artefact may hold, by kind."""
        text = (self.out / "truth" / "planted.json").read_text(encoding="utf-8")
        said = json.loads(text)
        return {kind: values for kind, values in said.items() if isinstance(values, list)}

    def _read(self, name: str, schema: Any) -> list[dict[str, Any]]:
        path = self.out / f"{name}.parquet"
        return list(datasets.read(path, schema, self.keys.key_id, "demo").to_pylist())

    def statuses(self) -> Check:
        """Status and source of every study."""
        return _difference(
            "statuses of studies",
            (
                (r["archive"], r["StudyInstanceUID"], r["source"], r["status"], r["instances"])
                for r in self.studies
            ),
            (
                (r["archive"], r["StudyInstanceUID"], r["source"], r["status"], str(r["instances"]))
                for r in self._read("studies", STUDIES)
                if not r["StudyInstanceUID"].startswith(_UNNAMED)
            ),
        )

    def periods(self) -> Check:
        """Broken periods, their events, what is wrong in them and what changed with them."""
        return _difference(
            "broken periods",
            (tuple(row.values()) for row in self._rows("periods")),
            (
                (
                    row["archive"],
                    row["source"],
                    str(row["start"]),
                    str(row["end"]),
                    row["event"] or "",
                    row["dominant_status"],
                    causes_text((c["signal"], c["before"], c["inside"]) for c in row["causes"]),
                )
                for row in self._read("periods", PERIODS)
            ),
        )

    def outcomes(self, plan: Stored) -> Check:
        """Outcome and reason of every study, after match and a plan of everything."""
        refused = {
            (row["archive"], row["StudyInstanceUID"]): ("refused", row["reason"])
            for row in plan.refusals.to_pylist()
        }
        found = []
        for row in self._read("identities", IDENTITIES):
            key = row["archive"], row["StudyInstanceUID"]
            said = row["outcome"], row["reason"]
            if not key[1].startswith(_UNNAMED):
                found.append((*key, *(refused.get(key, said) if said[0] == "resolved" else said)))
        return _difference(
            "outcomes of studies",
            (
                (r["archive"], r["StudyInstanceUID"], r["outcome"], r["reason"])
                for r in self.studies
            ),
            found,
        )

    def planned(self, plan: Stored) -> Check:
        """Which number every corrected study gets."""
        return _difference(
            "numbers to be written",
            ((study, bsn_token(self.keys, number)) for study, number in self.numbers.items()),
            ((row["StudyInstanceUID"], row["bsn_token"]) for row in plan.corrections.to_pylist()),
        )

    def written(self, plan: Stored) -> Check:
        """The number that another DICOM library reads in every corrected file."""
        rows = plan.corrections.to_pylist()
        wanted, found = [], []
        for row in rows:
            path = self._path(row["archive"], resolved(row["path"], self.keys))
            wanted.append((row["path"], self.numbers.get(row["StudyInstanceUID"])))
            found += [(row["path"], number) for number in _numbers_in(path)]
        return _difference("numbers read back", wanted, found)

    def untouched(self, plan: Stored) -> Check:
        """Every file that is not in the manifest has its old SHA-256."""
        touched = {
            (row["archive"], resolved(row["path"], self.keys))
            for row in plan.corrections.to_pylist()
        }
        rest = [r for r in self.files if (r["archive"], r["path"]) not in touched]
        return self._same("files not touched", rest)

    def restored(self) -> Check:
        """Every file of the archives has its old SHA-256, and there is no other file."""
        check = self._same("files after rollback", self.files)
        known = {(row["archive"], row["path"]) for row in self.files}
        strange = [one for one in self._all_files() if one not in known]
        return Check(check.what, check.compared, check.different + len(strange))

    def _all_files(self) -> Iterator[tuple[str, str]]:
        for root in sorted((self.out / "archive").iterdir()):
            for path in root.rglob("*") if root.is_dir() else ():
                if path.is_file():
                    yield root.name, path.relative_to(root).as_posix()

    def _same(self, what: str, rows: list[dict[str, str]]) -> Check:
        wrong = 0
        for row in rows:
            digest = hashlib.sha256(self._path(row["archive"], row["path"]).read_bytes())
            wrong += digest.hexdigest() != row["sha256"]
        return Check(what, len(rows), wrong)

    def _path(self, archive: str, relative: str) -> Path:
        return self.out / "archive" / archive / relative


def _numbers_in(path: Path) -> list[str]:
    """Return the numbers with the BSN issuer in OtherPatientIDsSequence, as pydicom reads them."""
    data = dcmread(path, stop_before_pixels=True)
    return [
        str(item.PatientID)
        for item in data.get("OtherPatientIDsSequence", [])
        if item.get("IssuerOfPatientID") == BSN_OID
    ]
