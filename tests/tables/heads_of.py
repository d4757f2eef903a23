"""Heads for the tests of tables: bytes by hand, and the rows that the tool makes of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
from builders import (
    INSTANCE_UID,
    OID,
    STUDY_UID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
)

from remediation.dicom.header import scan
from remediation.dicom.locate import BsnRules
from remediation.model.files import FileRef, Layout
from remediation.model.secrets import Keys
from remediation.tables.calibration import places_table
from remediation.tables.judge import Sources
from remediation.tables.rows import RowMaker
from remediation.tables.schemas import FINDINGS, INSTANCES
from remediation.tables.tallies import tallies

KEYS = Keys.from_hex("5a" * 32)
AT = datetime(2026, 11, 23, 1, 4, tzinfo=UTC)
SOURCES = Sources()


def maker(layout="", *, seal=True, keys=KEYS, **rules):
    return RowMaker(keys, "oost", Layout(layout), BsnRules(**rules), seal, "run-1", AT)


def rows_of(file, path="a/b.dcm", *, of=None):
    """Return the row and the findings of one file's bytes."""
    head = scan(file, len(file))
    state = "unreadable" if head.error else "read"
    ref = FileRef(path, len(file), 5)
    return (of or maker()).rows(ref, state, head.error, head, file[: head.length])


def file_of(*own, uid=STUDY_UID, day="20110704", instance=INSTANCE_UID, broken=False, **more):
    """Return a file: `own` elements of its identity, `more` as `patient_head` takes it.

    A `broken` one states more bytes in its last element than the file has.
    """
    said = {0x0020000D: uid, 0x00080020: day, 0x00080018: instance}
    elements = [
        el(one.tag, one.vr, said[one.tag]) if one.tag in said else one
        for one in patient_head(*own, **more)
    ]
    if broken:
        return dicom([*elements, el(0x00280011, "US", b"\4\0", length=0xFFF0)])
    return dicom(elements, tail=pixels())


def others(*pairs):
    """Return OtherPatientIDsSequence: an item for each pair of number and issuer."""
    return el(0x00101002, "SQ", [item(*identity(number, issuer)) for number, issuer in pairs])


def local(number="12345", issuer="ZKH-OOST"):
    """Return a local PatientID."""
    return identity(number, issuer)


def bsn_item(number, issuer=OID):
    return others((number, issuer))


def tables(files):
    """Return instances, findings and calibrated places of (path, bytes) pairs."""
    made = [rows_of(data, path) for path, data in files]
    instances = pa.Table.from_pylist([row for row, _ in made], schema=INSTANCES)
    found = pa.Table.from_pylist([one for _, some in made for one in some], schema=FINDINGS)
    counted = tallies(instances)
    labels = [SOURCES.label(row) for row in counted.to_pylist()]
    counted = counted.append_column("source", pa.array(labels, pa.string()))
    return instances, found, places_table(counted)
