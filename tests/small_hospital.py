"""A small hospital for scenarios: six studies of two files, an export, keys and a job file.

Each person has one study without a BSN; studies "2" hold theirs in OtherPatientIDs, which has no
issuer. So every study can be corrected, and each test changes one thing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from builders import EXPLICIT, El, dicom, el, patient_head, pixels

from remediation.app.config import load_job
from remediation.app.wiring import Session
from remediation.model.bsn import test_number as number_of
from remediation.model.minisign import new_key_pair
from remediation.stages import apply, approve, crawl, flag, match, plan, rollback, verify
from remediation.store.manifests import Stored, load
from remediation.tables.schemas import CORRECTIONS, REFUSALS

PEOPLE = 6
AUTHOR, APPROVERS = "Anna Auteur", ("Bea Bekijker", "Cor Controle", "Dirk Derde")
STATEMENT = "Met de leverancier afgesproken op 2026-01-05: geen controlesommen in de database"
ISSUER = "ZKH-NOORD"
STORED = 1_300_000_000_000_000_000  # ns: when the files were stored
WORDS = [f"Schijnpersoon{letter}" for letter in "ABCDEF"[:PEOPLE]]
BIRTHS = [f"195{person}020{1 + person}" for person in range(PEOPLE)]
NUMBERS = [number_of(100 + person) for person in range(PEOPLE)]

JOB = """\
[job]
name = "klein"
responsible = "PACS-beheer (test)"
allow_test_numbers = true
[[archive]]
name = "noord"
root = "archive/noord"
local_issuer = "{issuer}"
[privacy]
key_file = "keys/klein.key"
[crosswalk]
files = ["epd/patienten.csv"]
columns = {{ local_number = "patientnr", bsn = "bsn", status = "status", birth_date = "geboren", \
sex = "geslacht", family_name = "achternaam", initials = "voorletters" }}
writable_statuses = ["geverifieerd"]
{approvers}
[apply]
approvals = 2
canary = 4
in_place_statement = "{statement}"
[run]
workers = 1
[output]
dir = "uit"
"""


def study_uid(person: int) -> str:
    return f"1.2.826.0.1.3680043.9.7777.5.{person + 1}"


def one_file(
    person: int, instance: int, own: Iterable[El] | None = None, syntax: str = EXPLICIT
) -> bytes:
    """Return one instance: PatientID and person, and for two people a BSN in the wrong place.

    With `own`: these elements of the closed list instead.
    """
    if own is None:
        retired = [el(0x00101000, "LO", NUMBERS[person])] if person % 3 == 1 else []
        own = [el(0x00100020, "LO", f"70{person}"), *retired]
    uid = study_uid(person)
    elements = patient_head(
        *own, el(0x0020000E, "UI", f"{uid}.1"), name=f"{WORDS[person]}^A", birth=BIRTHS[person]
    )
    swapped = {0x0020000D: uid, 0x00080018: f"{uid}.1.{instance + 1}"}
    elements = [el(e.tag, "UI", swapped[e.tag]) if e.tag in swapped else e for e in elements]
    return dicom(elements, syntax, tail=pixels(syntax, size=256 + 4 * instance))


@dataclass(frozen=True)
class Hospital:
    """A job folder, and what people do with it."""

    out: Path

    @property
    def job(self) -> Path:
        return self.out / "job.toml"

    @property
    def root(self) -> Path:
        return self.out / "archive/noord"

    @property
    def output(self) -> Path:
        return self.out / "uit"

    def file(self, person: int, instance: int = 0) -> Path:
        return self.root / f"S{person}" / f"I{instance}"

    def key(self, name: str) -> Path:
        return self.out / "keys" / f"{name.split(maxsplit=1)[0].lower()}.key"

    def session(self) -> Session:
        return Session.open(load_job(self.job))

    def edit(self, old: str, new: str) -> None:
        """Change the job file."""
        text = self.job.read_text(encoding="utf-8")
        assert old in text
        self.job.write_text(text.replace(old, new, 1), encoding="utf-8")

    def edit_export(self, old: str, new: str) -> None:
        """Change the EPD export, in the row or rows that hold `old`."""
        path = self.out / "epd/patienten.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def look(self) -> None:
        """Crawl, flag and match."""
        session = self.session()
        crawl.run(session.crawl_options("noord"))
        flag.run(session.flag_options())
        match.run(session.match_options(), session.crosswalk(), session.keys)

    def plan(self, **options: Any) -> Stored:
        session = self.session()
        wanted = session.plan_options(author=AUTHOR, **options)
        return self.load(plan.run(wanted, session.crosswalk(), session.keys).folder)

    def load(self, folder: Path | None = None) -> Stored:
        """Read a manifest; by default the only one."""
        folder = folder or next((self.output / "manifests").iterdir())
        return load(folder, CORRECTIONS, REFUSALS)

    def approve(
        self, manifest: Stored, names: Iterable[str] = APPROVERS[:2], at: datetime | None = None
    ) -> None:
        job = load_job(self.job)
        public = {one.name: one.public_key for one in job.approvers}
        for name in names:
            when = at or datetime.now(UTC)
            options = approve.ApproveOptions(name, when, self.key(name), public, 2)
            approve.run(options, manifest)

    def approve_anew(self, manifest: Stored) -> None:
        """Approve after a rollback that may have been this very second."""
        self.approve(manifest, at=datetime.now(UTC) + timedelta(seconds=2))

    def apply(
        self, manifest: Stored, mode: str = apply.IN_PLACE, *, advance: Any = None, **changes: Any
    ) -> apply.ApplyReport:
        session = self.session()
        options = session.apply_options(mode, manifest, out=changes.pop("out", None))
        names = {one.name for one in fields(options.conditions)}
        said = {name: changes.pop(name) for name in names & changes.keys()}
        options = replace(options, conditions=replace(options.conditions, **said), **changes)
        heard = {"advance": advance} if advance else {}
        return apply.run(options, manifest, session.crosswalk(), session.keys, **heard)

    def verify(self, manifest: Stored, part: int = 1, parts: int = 1) -> verify.VerifyReport:
        session = self.session()
        return verify.run(session.verify_options(part, parts), manifest, session.keys)

    def rollback(self, manifest: Stored, **options: Any) -> rollback.RollbackReport:
        session = self.session()
        return rollback.run(session.rollback_options(**options), manifest, session.keys)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of everything in the archive, by path."""
        return digests(self.root)

    def study(self, person: int) -> dict[str, str]:
        return {path: one for path, one in self.digests().items() if path.startswith(f"S{person}/")}


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by path."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def touch(path: Path, data: bytes, mtime_ns: int | None = None) -> None:
    """Write a file's bytes in place; its time as given, or as it was."""
    kept = path.stat().st_mtime_ns if mtime_ns is None else mtime_ns
    path.write_bytes(data)
    os.utime(path, ns=(kept, kept))


def export_text(people: Iterable[int] = range(PEOPLE)) -> str:
    """Return the EPD export as CSV text."""
    lines = ["patientnr;bsn;status;geboren;geslacht;achternaam;voorletters"]
    for person in people:
        born = datetime.strptime(BIRTHS[person], "%Y%m%d").replace(tzinfo=UTC)
        row = (f"70{person}", NUMBERS[person], "geverifieerd", f"{born:%d-%m-%Y}", "V")
        lines.append(";".join([*row, WORDS[person], "A."]))
    return "\n".join(lines) + "\n"


def lay_down(out: Path) -> Hospital:
    """Write the hospital into a new folder."""
    hospital = Hospital(out)
    for person in range(PEOPLE):
        for instance in range(2):
            path = hospital.file(person, instance)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one_file(person, instance))
            os.utime(path, ns=(STORED, STORED))
    (out / "epd").mkdir()
    (out / "epd/patienten.csv").write_text(export_text(), encoding="utf-8")
    (out / "keys").mkdir(mode=0o700)
    secret = hashlib.sha256(b"klein").hexdigest()
    _secret(out / "keys/klein.key", f"{secret}\n")
    tables = []
    for name in (*APPROVERS, AUTHOR):
        text, public = new_key_pair()
        _secret(hospital.key(name), text)
        tables.append(f'[[approver]]\nname = "{name}"\npublic_key = "{public}"')
    text = JOB.format(issuer=ISSUER, approvers="\n".join(tables), statement=STATEMENT)
    hospital.job.write_text(text, encoding="utf-8")
    return hospital


def ready(out: Path) -> Hospital:
    """Write the hospital, look at it, plan, and let two people approve."""
    hospital = lay_down(out)
    hospital.look()
    hospital.approve(hospital.plan())
    return hospital


def whole(hospital: Hospital, before: dict[str, str]) -> bool:
    """Tell whether no file is lost or left over, and each study is changed in full or not."""
    found = hospital.digests()
    changed = {path: found[path] != before[path] for path in before.keys() & found.keys()}
    studies = [
        {changed[path] for path in changed if path.startswith(f"S{person}/")}
        for person in range(PEOPLE)
    ]
    return found.keys() == before.keys() and all(len(study) == 1 for study in studies)


def _secret(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def copy(template: Hospital, out: Path) -> Hospital:
    """Copy a hospital whole, times kept."""
    shutil.copytree(template.out, out, copy_function=shutil.copy2)
    return Hospital(out)
