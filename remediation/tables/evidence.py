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
from remediation.tables.codes import kept, one_of
from remediation.tables.judge import Sources
from remediation.tables.weigh import STRONG, weigh, weighed

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
    own = kept(findings, one_of(findings["place_kind"], IDENTIFIER_KINDS))
    found: dict[int, list[Row]] = defaultdict(list)
    for one in weighed(sources.labelled(instances), own, places).to_pylist():
        found[one["at"]].append(one)
    by_study: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for at, row in enumerate(instances.to_pylist()):
        row["found"] = found[at]
        by_study[row["archive"], row["StudyInstanceUID"]].append(row)
    for study in studies.to_pylist():
        yield _study(study, by_study[study["archive"], study["StudyInstanceUID"]])


def _study(study: Row, rows: list[Row]) -> StudyEvidence:
    read = [row for row in rows if row["state"] == "read"]
    numbers = [
        (one["bsn_token"], one["weight"])
        for row in read
        for one in row["found"]
        if one["bsn_token"] and one["weight"] in STRONG | {"candidate"}
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
        (one["bsn_token"], one["weight"])
        for one in row["found"]
        if one["place_kind"] == "primary" and one["weight"] in STRONG | {"candidate"}
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
    row["found"] = [
        one | {"weight": weigh(one | {"source": ""}, {})}
        for one in findings
        if one["place_kind"] in IDENTIFIER_KINDS
    ]
    study = {"status": "", "unreadable": 0} | {
        name: row[name] for name in ("archive", "StudyInstanceUID", "StudyDate")
    }
    return _study(study, [row])
