"""Judge: what headers alone say; findings and calibration in, statuses out.

The statuses and their precedence are those of the docs; the first that holds is the one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.issuers import OID_KIND
from remediation.model.placement import AT_REST
from remediation.model.places import IDENTIFIER_KINDS, stable
from remediation.tables.schemas import STUDIES

Row = dict[str, Any]
STRONG = frozenset({"asserted", "calibrated"})
_STUDY_SIGNALS = (
    "patient_token",
    "patient_id_shape",
    "IssuerOfPatientID",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "InstitutionName",
    "Manufacturer",
    "StationName",
    "TransferSyntaxUID",
    "Modality",
    "SeriesDate",
    "InstanceCreationDate",
)
INSTANCE_COLUMNS = (
    "archive",
    "path",
    "state",
    "StudyInstanceUID",
    "StudyDate",
    "study_month",
    "mtime_ns",
    *_STUDY_SIGNALS,
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a source is: the columns that name it, and spellings that mean the same one."""

    by: tuple[str, ...] = ("InstitutionName",)
    rename: Mapping[str, str] = field(default_factory=dict)

    def label(self, row: Mapping[str, Any]) -> str:
        """Return the source of a row; what is empty is called `unknown`."""
        values = (row.get(name) or "unknown" for name in self.by)
        return " / ".join(self.rename.get(value, value) for value in values)


Segments = dict[tuple[str, str, str, str, str], list[tuple[str, str, str]]]


def segments(places: pa.Table) -> Segments:
    """Return per place the calibrated stretches: first month, month after the last, verdict."""
    found: Segments = defaultdict(list)
    for row in places.to_pylist():
        key = (
            row["archive"],
            row["source"],
            row["place"],
            row["private_creator"],
            row["issuer_kind"],
        )
        found[key].append((row["start"], row["end"], row["verdict"]))
    return found


def weigh(finding: Mapping[str, Any], source: str, known: Segments) -> str:
    """Return a finding's evidence once its field is calibrated.

    `unasserted` becomes `calibrated` or `candidate`; `asserted` becomes `candidate` where the field
    behaves as one of local numbers does.
    """
    evidence = str(finding["evidence"])
    if evidence not in {"asserted", "unasserted"}:
        return evidence
    place, creator = stable(finding["place"]), finding["private_creator"]
    key = (finding["archive"], source, place, creator, finding["issuer_kind"])
    month = finding["study_month"]
    verdict = next(
        (v for start, end, v in known.get(key, ()) if start == month or start <= month < end), ""
    )
    if evidence == "asserted":
        return "candidate" if verdict == "not-bsn" else "asserted"
    return "calibrated" if verdict == "bsn" else "candidate"


def instance_status(state: str, found: Iterable[Mapping[str, Any]], target: str) -> str:
    """Return the status of one instance from its weighed findings (`weight` beside `evidence`)."""
    if state == "unreadable":
        return "unreadable"
    here = [one for one in found if one["place_kind"] in IDENTIFIER_KINDS]
    strong = [one for one in here if one["weight"] in STRONG]
    if len({one["bsn_token"] for one in strong}) > 1:
        return "conflict"
    kind = "other" if target == AT_REST else "primary"
    at_target = [one for one in strong if one["place_kind"] == kind]
    if any(
        one["issuer_kind"] == OID_KIND and one["form"] == "nine" and one["weight"] == "asserted"
        for one in at_target
    ):
        return "conformant"
    if at_target:
        return "wrong-issuer"
    if strong:
        return "misplaced"
    weights = {one["weight"] for one in here}
    return next((w for w in ("invalid", "placeholder", "candidate") if w in weights), "absent")


@dataclass(slots=True)
class _Study:
    rows: list[Row] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    issuers: Counter[str] = field(default_factory=Counter)
    historic: bool = False
    leaks: int = 0


def judged(
    instances: pa.Table,
    findings: pa.Table,
    places: pa.Table,
    sources: Sources,
    target: str,
) -> tuple[dict[tuple[str, str], str], pa.Table]:
    """Return the status per (archive, path), and one row per study.

    Args:
        instances: INSTANCES, at least `INSTANCE_COLUMNS` and the source's columns.
        findings: FINDINGS of the same files.
        places: PLACES, the calibration.
        sources: what a source is.
        target: name of the target placement.
    """
    known = segments(places)
    by_path: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for one in findings.to_pylist():
        by_path[one["archive"], one["path"]].append(one)
    statuses: dict[tuple[str, str], str] = {}
    studies: dict[tuple[str, str], _Study] = defaultdict(_Study)
    for row in instances.to_pylist():
        if row["state"] not in {"read", "unreadable"}:
            continue
        row["source"] = sources.label(row)
        here = by_path.get((row["archive"], row["path"]), [])
        for one in here:
            one["weight"] = weigh(one, row["source"], known)
        status = instance_status(row["state"], here, target)
        statuses[row["archive"], row["path"]] = status
        study = studies[row["archive"], row["StudyInstanceUID"]]
        study.rows.append(row)
        study.statuses[status] += 1
        strong = [
            one for one in here if one["weight"] in STRONG and one["place_kind"] in IDENTIFIER_KINDS
        ]
        study.places.update({stable(one["place"]) for one in strong})
        study.issuers.update({one["issuer"] or "" for one in strong})
        study.historic |= any(one["place_kind"] == "historic" for one in here)
        study.leaks += sum(one["place_kind"] not in IDENTIFIER_KINDS | {"historic"} for one in here)
    rows = [_study_row(key, study) for key, study in sorted(studies.items())]
    return statuses, pa.Table.from_pylist(rows, schema=STUDIES)


def _study_row(key: tuple[str, str], study: _Study) -> Row:
    ordered = sorted(study.rows, key=lambda row: (row["state"] != "read", row["path"]))
    first = ordered[0]
    ranked, issuers = _ranked(study.places), _ranked(study.issuers)
    return {
        "archive": key[0],
        "StudyInstanceUID": key[1],
        "StudyDate": first["StudyDate"],
        "study_month": first["study_month"],
        "source": first["source"],
        "instances": len(study.rows),
        "unreadable": study.statuses["unreadable"],
        "status": next(iter(study.statuses)) if len(study.statuses) == 1 else "mixed",
        "places": ranked,
        "place": ranked[0] if ranked else None,
        "bsn_issuer": issuers[0] if issuers else None,
        "historic": study.historic,
        "leaks": study.leaks,
        **{name: first[name] for name in _STUDY_SIGNALS},
    }


def _ranked(counts: Counter[str]) -> list[str]:
    return [value for value, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def within(table: pa.Table, start: date | None, end: date | None) -> pa.Table:
    """Keep the rows of a range of days, both inclusive; rows without a date are in every range."""
    day = table["StudyDate"]
    keep = pa.chunked_array([pa.array([True] * table.num_rows, pa.bool_())])
    if start:
        keep = pc.and_(keep, pc.fill_null(pc.greater_equal(day, pa.scalar(start)), True))
    if end:
        keep = pc.and_(keep, pc.fill_null(pc.less_equal(day, pa.scalar(end)), True))
    return table.filter(keep)
