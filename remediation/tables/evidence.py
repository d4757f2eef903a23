"""Evidence per study: rows of instances and findings in, what `identity` judges out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from remediation.model.evidence import PatientGroup, StudyEvidence
from remediation.model.person import sex
from remediation.model.places import IDENTIFIER_KINDS
from remediation.model.tokens import PersonTokens
from remediation.tables.judge import STRONG, Sources, segments, weigh

Row = dict[str, Any]
INSTANCE_COLUMNS = (
    "archive",
    "path",
    "state",
    "StudyInstanceUID",
    "InstitutionName",
    "ImplementationVersionName",
    "IssuerOfPatientID",
    "issuer_kind",
    "patient_token",
    "other_ids",
    "patient_id_shape",
    "birth_date_token",
    "name_tokens",
    "initials_tokens",
    "PatientSex",
)


def evidence(
    instances: pa.Table,
    findings: pa.Table,
    places: pa.Table,
    studies: pa.Table,
    sources: Sources,
) -> Iterator[StudyEvidence]:
    """Yield the evidence of each study of `studies` (STUDIES), in its order."""
    known = segments(places)
    by_study: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in instances.to_pylist():
        by_study[row["archive"], row["StudyInstanceUID"]].append(row)
    by_path: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for one in findings.to_pylist():
        if one["place_kind"] in IDENTIFIER_KINDS:
            by_path[one["archive"], one["path"]].append(one)
    for study in studies.to_pylist():
        rows = by_study[study["archive"], study["StudyInstanceUID"]]
        for row in rows:
            found = by_path.get((row["archive"], row["path"]), [])
            row["found"] = [(one, weigh(one, sources.label(row), known)) for one in found]
        yield _study(study, rows)


def _study(study: Row, rows: list[Row]) -> StudyEvidence:
    read = [row for row in rows if row["state"] == "read"]
    numbers = [
        (one["bsn_token"], weight)
        for row in read
        for one, weight in row["found"]
        if one["bsn_token"] and weight in STRONG | {"candidate"}
    ]
    first = read[0] if read else {}
    return StudyEvidence(
        archive=study["archive"],
        study=study["StudyInstanceUID"],
        day=study["StudyDate"],
        status=study["status"],
        unreadable=study["unreadable"],
        groups=tuple(dict.fromkeys(map(_group, read))),
        strong=frozenset(token for token, weight in numbers if weight in STRONG),
        seen=frozenset(token for token, _ in numbers),
        institution=first.get("InstitutionName") or "",
        writing_software=first.get("ImplementationVersionName") or "",
        shape=first.get("patient_id_shape") or "",
    )


def _group(row: Row) -> PatientGroup:
    primary = [
        (one["bsn_token"], weight)
        for one, weight in row["found"]
        if one["place_kind"] == "primary" and weight in STRONG | {"candidate"}
    ]
    return PatientGroup(
        patient_token=row["patient_token"],
        issuer=row["IssuerOfPatientID"] or "",
        issuer_kind=row["issuer_kind"] or "none",
        other_ids=tuple(
            (one["issuer"] or "", one["issuer_kind"], one["token"])
            for one in row["other_ids"] or ()
        ),
        person=PersonTokens(
            row["birth_date_token"],
            frozenset(row["name_tokens"] or ()),
            tuple(row["initials_tokens"] or ()),
        ),
        sex=sex(row["PatientSex"] or ""),
        primary_bsn_token=primary[0][0] if primary else None,
        primary_is_strong=bool(primary) and primary[0][1] in STRONG,
    )


def evidence_of_one(row: Row, findings: list[Row]) -> StudyEvidence:
    """Return the evidence of one head alone, uncalibrated: for the check just before writing."""
    here = [one for one in findings if one["place_kind"] in IDENTIFIER_KINDS]
    row["found"] = [
        (one, "candidate" if one["evidence"] == "unasserted" else one["evidence"]) for one in here
    ]
    study = {"status": "", "unreadable": 0} | {
        name: row[name] for name in ("archive", "StudyInstanceUID", "StudyDate")
    }
    return _study(study, [row])
