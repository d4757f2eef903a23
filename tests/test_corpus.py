"""Real files of many vendors, broken ones among them: the whole line on a copy, and each header.

Every file gets its row and a state; what can be corrected is corrected, read back by others, and
rolled back to the last bit; what cannot has a reason. pydicom's own sample files are always there;
the corpus beside the checkout where it is (REMEDIATION_CORPUS).
"""

from __future__ import annotations

import contextlib
import csv
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from samples import ROOT as SAMPLES
from samples import files as sample_names
from small_hospital import APPROVERS, Hospital, digests, lay_down

from remediation.dicom import deflated
from remediation.dicom.correction import Refused
from remediation.dicom.elements import Head
from remediation.dicom.encode import Encoder
from remediation.dicom.header import scan
from remediation.dicom.locate import Person, person
from remediation.dicom.rewrite import rewrite
from remediation.dicom.second import second_opinion
from remediation.dicom.splice import rewritable, splice
from remediation.model.bsn import test_number as number_of
from remediation.model.files import resolved
from remediation.model.issuers import BSN_OID
from remediation.model.placement import AT_REST, CLOSED_LIST, EXCHANGE, Order, Placement
from remediation.store import datasets
from remediation.store.inventory import Inventory
from remediation.tables.schemas import IDENTITIES, INVENTORY

STATES = {"read", "unreadable", "not-dicom", "dicomdir", "container"}
HEADINGS = ("patientnr", "bsn", "status", "geboren", "geslacht", "achternaam", "voorletters")
SECONDS = 120  # for one stage, of which none should need five


@pytest.fixture(scope="module", params=["the samples of pydicom", "the corpus"])
def real(request) -> list[Path]:
    """Return the paths of real files."""
    if request.param == "the samples of pydicom":
        return [SAMPLES / name for name in sample_names()]
    folder = request.getfixturevalue("corpus")
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        paths = [folder / row["file"] for row in csv.DictReader(file)]
    assert len(paths) == 120
    return paths


@contextlib.contextmanager
def in_time(what: str) -> Iterator[None]:
    """Fail instead of hanging."""

    def late(*_: object) -> None:
        raise TimeoutError(f"{what} hangs")

    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


# --- each header on its own -----------------------------------------------------------------------


def an_order(target: str, number: str = number_of(5)) -> Order:
    at = "20260102030405.000000+0000"
    return Order(number, "ZKH-NOORD", frozenset({"ZKH-NOORD"}), Placement(target), at)


def raw_of(data: bytes, head: Head) -> bytes:
    """Return a head as it stands in the file: of a deflated one that is all."""
    return data if head.deflated else data[: head.length]


def numbers_in(data: Any) -> list[str]:
    items = data.get("OtherPatientIDsSequence") or []
    return [str(one.PatientID) for one in items if one.get("IssuerOfPatientID") == BSN_OID]


@pytest.mark.parametrize("target", [AT_REST, EXCHANGE])
def test_each_header_is_rewritten_and_read_back_or_refused_for_a_reason(real, target):
    order = an_order(target)
    reasons: Counter[str] = Counter()
    for path in real:
        data = path.read_bytes()
        with in_time(path.name):
            head = scan(data, len(data))
            try:
                new = rewrite(head, len(data), order, raw=raw_of(data, head))
            except Refused as refused:
                reasons[str(refused)] += 1
                continue
        old = raw_of(data, head)
        tail = data[len(old) :]
        assert new.edits, f"{path.name} holds no BSN, so something must change"
        assert second_opinion(old, new.head) is not False, path.name
        before = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        after = dcmread(BytesIO(new.head + tail), force=True, stop_before_pixels=True)
        if target == AT_REST:
            assert numbers_in(after) == [order.bsn], path.name
            assert after.PatientID == before.PatientID, path.name
        else:
            assert (after.PatientID, after.IssuerOfPatientID) == (order.bsn, BSN_OID), path.name
            assert numbers_in(after) == [], path.name
            former = [one.PatientID for one in after.OtherPatientIDsSequence]
            assert before.PatientID in former, path.name
        whole = new.head + tail
        again = scan(whole, len(whole))
        raw = raw_of(whole, again)
        assert rewrite(again, len(whole), order, raw=raw).edits == (), path.name
        reasons["rewritten"] += 1
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in reasons)
    print(f"\n{target}, {len(real)} files: {dict(reasons.most_common())}")  # noqa: T201
    assert reasons.total() == len(real)
    assert reasons["rewritten"] >= 82
    assert reasons.keys() >= {"rewritten", "dicomdir"}
    assert not reasons.keys() & {"deflated", "deflated-unproven", "suspicious"}
    assert sum(reason.startswith("head-") for reason in reasons) >= 2


# --- the whole line -------------------------------------------------------------------------------


def heads(root: Path) -> dict[str, Person]:
    """Return what each file that can be read says of its patient, by path."""
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        head = scan(data, len(data))
        if not head.error:
            found[path.relative_to(root).as_posix()] = person(head)
    return found


def export(people: list[Person]) -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """Return a row for every local number, and the test number that it gets."""
    rows: dict[str, tuple[str, ...]] = {}
    for one in sorted(people, key=lambda one: not one.birth_date):
        local = one.patient_id
        if not local or local in rows:
            continue
        born = ""
        with contextlib.suppress(ValueError):
            day = datetime.strptime(one.birth_date, "%Y%m%d").replace(tzinfo=UTC)
            born = f"{day:%d-%m-%Y}"
        sex = {"F": "V", "M": "M"}.get(one.sex, "")
        family, _, given = one.name.partition("^")
        number = number_of(200 + len(rows))
        rows[local] = (local, number, "geverifieerd", born, sex, family, f"{given[:1]}.")
    return list(rows.values()), {local: row[1] for local, row in rows.items()}


def personal(data: bytes, number: int) -> bytes:
    """Return a file with a patient and a study of its own: most real files have lost theirs.

    Every other byte stays, and so does a file that is of a class that is never rewritten.
    """
    head = scan(data, len(data))
    meta = next((one for one in head.meta if one.tag == 0x00020002), None)
    if rewritable(head, len(data), head.text(meta), data):
        return data

    def text(tag: int, vr: str, value: str) -> bytes:
        value += "\0" * (len(value) % 2 and vr == "UI")
        return Encoder(head.explicit, head.little).text(tag, vr, value.encode())

    # Born on days of their own, so that nobody has a namesake.
    born = date(1930, 1, 1) + timedelta(days=37 * number)
    given = {
        0x00100010: text(0x00100010, "PN", f"Schijn{'abcdefghij'[number % 10] * 3}^A"),
        0x00100020: text(0x00100020, "LO", f"9{number:05d}"),
        0x00100030: text(0x00100030, "DA", f"{born:%Y%m%d}"),
        0x00100021: None,
        0x0020000D: text(0x0020000D, "UI", f"1.2.826.0.1.3680043.9.7777.8.{number + 1}"),
    }
    new = splice(head, given)
    return deflated.closed(data, head, new) if head.deflated else new + data[head.length :]


@dataclass(frozen=True)
class Line:
    hospital: Hospital
    people: dict[str, Person]
    numbers: dict[str, str]
    sources: dict[str, Path]
    dressed: bool


@pytest.fixture(scope="module", params=["as they are", "each a patient"])
def line(request, real, tmp_path_factory) -> Line:
    """Return a hospital whose archive holds the real files, numbered, with an export for them."""
    dressed = request.param == "each a patient"
    hospital = lay_down(tmp_path_factory.mktemp("echt") / "out")
    shutil.rmtree(hospital.root)
    sources = {}
    for number, path in enumerate(real):
        copied = hospital.root / f"{number % 7}" / f"{number:03d}-{path.name}"
        copied.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        copied.write_bytes(personal(data, number) if dressed else data)
        sources[copied.relative_to(hospital.root).as_posix()] = path
    people = heads(hospital.root)
    rows, numbers = export(list(people.values()))
    with (hospital.out / "epd/patienten.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADINGS)
        writer.writerows(rows)
    return Line(hospital, people, numbers, sources, dressed)


def dump(path: Path) -> dict[str, str] | None:
    """Return what DCMTK says of each top-level element; None where it cannot read the file."""
    try:
        done = subprocess.run(
            ["dcmdump", "-q", "+L", "+fo", str(path)],
            capture_output=True,
            timeout=30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    found: dict[str, str] = {}
    tag = ""
    for one in done.stdout.decode("latin-1").splitlines():
        if re.match(r"\((?!fffe)[0-9a-f]{4},[0-9a-f]{4}\)", one):
            tag = one[1:10]
        if tag:
            found[tag] = f"{found.get(tag, '')}{one}\n"
    return found


TOUCHED = {f"{tag >> 16:04x},{tag & 0xFFFF:04x}" for tag in CLOSED_LIST} | {
    "0010,0000",
    "0400,0000",
}


def test_the_whole_line_on_real_files_and_back(line, capfd):
    hospital, root = line.hospital, line.hospital.root
    old = digests(root)
    originals = {name: sha256(path.read_bytes()).hexdigest() for name, path in line.sources.items()}
    assert line.dressed != (old == originals)
    with in_time("crawl, flag, match"):
        hospital.look()
    session = hospital.session()
    inventory = Inventory(hospital.output, session.keys.key_id, INVENTORY)
    rows = {resolved(row["path"], session.keys): row for row in inventory.instances().to_pylist()}
    assert rows.keys() == old.keys(), "every file has its row"
    assert {row["state"] for row in rows.values()} <= STATES
    for row in rows.values():
        assert row["state"] != "unreadable" or row["error"]
    with in_time("plan"):
        manifest = hospital.plan()
    hospital.approve(manifest, APPROVERS[:2])
    dumps = {name: dump(root / name) for name in old} if shutil.which("dcmdump") else {}
    with in_time("apply"):
        report = hospital.apply(manifest)
    assert report.complete, report
    with in_time("verify"):
        checked = hospital.verify(manifest)
    assert checked.verdicts == {"as-promised": manifest.manifest.counts["files"]}

    new = digests(root)
    corrected = {resolved(row["path"], session.keys) for row in manifest.corrections.to_pylist()}
    assert {name for name in old if new[name] != old[name]} == corrected
    assert new.keys() == old.keys()
    for name in corrected:
        data = dcmread(root / name, force=True)
        patient = line.people[name].patient_id
        assert numbers_in(data) == [line.numbers[patient]], name
        assert str(data.PatientID).strip() == patient, name
    compared = 0
    for name in corrected & dumps.keys():
        before, after = dumps[name], dump(root / name)
        if before is None or after is None:
            assert before == after, name
            continue
        compared += 1
        differ = {tag for tag in before.keys() | after.keys() if before.get(tag) != after.get(tag)}
        assert differ <= TOUCHED, name
        assert "0010,1002" in differ, name
    assert compared > len(corrected) / 2 or not (dumps and line.dressed)

    why = reasons(hospital, manifest, rows)
    assert all(why[name] for name in old.keys() - corrected), "what is not corrected has a reason"
    counted = Counter(why[name] for name in old.keys() - corrected)
    said = capfd.readouterr()
    said_of = f"{len(corrected)} of {len(old)} corrected, {compared} of them alike to dcmdump too"
    print(f"\n{said_of}; {dict(counted.most_common())}; {report.second}")  # noqa: T201
    if line.dressed:
        for name in sorted(old.keys() - corrected):
            print(f"  {why[name]}: {name}")  # noqa: T201
    assert len(corrected) >= (0.87 * len(old) if line.dressed else 1)
    assert len(counted) >= 4

    with in_time("rollback"):
        assert hospital.rollback(manifest).complete
    assert digests(root) == old
    assert (said.out, said.err) == ("", "")


def reasons(hospital: Hospital, manifest: Any, rows: dict[str, Any]) -> dict[str, str]:
    """Return per file why it was not corrected: its state, its study's refusal or its own error."""
    session = hospital.session()
    path = hospital.output / "identities.parquet"
    table = datasets.read(path, IDENTITIES, session.keys.key_id, "match")
    studies = {row["StudyInstanceUID"]: row["reason"] for row in table.to_pylist()}
    studies |= {row["StudyInstanceUID"]: row["reason"] for row in manifest.refusals.to_pylist()}
    found = {}
    for name, row in rows.items():
        state = "" if row["state"] == "read" else row["state"]
        found[name] = state or studies.get(row["StudyInstanceUID"]) or row["error"] or ""
    return found
