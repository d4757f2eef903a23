"""Values for tests of handing over: studies as the formats are given them, and a key pair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from remediation.model.bsn import test_number as number_of
from remediation.model.handover import (
    ISSUER,
    OTHERS,
    PATIENT_ID,
    RETIRED,
    About,
    HandedFile,
    HandedStudy,
    Node,
)
from remediation.model.issuers import BSN_OID

NUMBER, OTHER_NUMBER = number_of(4001), number_of(4002)
ABOUT = About(
    "0123456789abcdef",
    "0123456789abcdef" * 4,
    "klein",
    "at-rest",
    BSN_OID,
    datetime(2026, 1, 5, 6, 7, 8, tzinfo=UTC),
    ("noord", "zuid"),
    True,
)


def text(tag: int, value: bytes | str, vr: str = "LO", *, plain: bool = True) -> Node:
    raw = value.encode() if isinstance(value, str) else value
    return Node(tag, vr, raw, (), plain)


def data(*nodes: Node) -> dict[int, Node]:
    return {node.tag: node for node in nodes}


def sequence(tag: int, *items: dict[int, Node]) -> Node:
    return Node(tag, "SQ", b"", items)


def item(number: str, issuer: str = "") -> dict[int, Node]:
    return data(text(PATIENT_ID, number), *([text(ISSUER, issuer)] if issuer else []))


BEFORE = data(text(PATIENT_ID, "70123"), text(RETIRED, NUMBER))
AFTER = {**BEFORE, OTHERS: sequence(OTHERS, item(NUMBER, BSN_OID))}
FILE = HandedFile("S1/I1", "1.2.3.1", 1234, "candidate to at-rest", BEFORE, AFTER)
STUDY = HandedStudy("noord", "1.2.3", NUMBER, "70123", "ZKH-NOORD", (FILE,))


def study(*files: HandedFile, **changes) -> HandedStudy:
    return replace(STUDY, files=files or STUDY.files, **changes)
