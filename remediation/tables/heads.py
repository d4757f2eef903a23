"""One head on its own, just before or after it is written: evidence, and whether it is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from remediation.dicom.elements import Head
from remediation.dicom.locate import person
from remediation.model.evidence import PlainPerson, StudyEvidence
from remediation.model.files import FileRef
from remediation.model.placement import Placement
from remediation.tables.evidence import evidence_of_one
from remediation.tables.rows import RowMaker
from remediation.tables.statuses import instance_status


def evidence_of_head(
    maker: RowMaker,
    ref: FileRef,
    head: Head,
    raw: bytes,
    source_of: Callable[[Mapping[str, Any]], str] = lambda _: "",
) -> StudyEvidence:
    """Return what one head says of its patient, uncalibrated, the name itself at hand."""
    row, findings = maker.rows(ref, "read", "", head, raw)
    who = person(head)
    plain = PlainPerson.of(who.patient_id, who.name)
    return evidence_of_one(row, findings, plain, source_of(row))


def stands(maker: RowMaker, ref: FileRef, head: Head, raw: bytes, placement: Placement) -> set[str]:
    """Return the tokens of the numbers that stand as the placement has it; else none."""
    row, findings = maker.rows(ref, "read", "", head, raw)
    for one in findings:
        one["weight"] = one["evidence"]
    if instance_status(row["state"], findings, placement) != "conformant":
        return set()
    return {one["bsn_token"] for one in findings if one["evidence"] == "asserted"}
