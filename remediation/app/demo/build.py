"""Builds the demo hospital: archives, EPD export, keys, job file and truth, all from one seed.

The archives are the same bytes, names and modification times on every run. Only the approvers'
keys, which are random, and so the job file, differ.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from remediation.app.demo import settings, story
from remediation.app.demo.cast import Role, cast
from remediation.app.demo.epd import write_export
from remediation.app.demo.headers import Position, file_bytes, study_uid
from remediation.app.demo.schedule import schedule
from remediation.app.demo.story import OOST, WEST, Site
from remediation.app.demo.templates import load_templates
from remediation.app.demo.truth import PlantedFile, PlantedStudy, write_truth
from remediation.errors import UsageError

_MADE = ("archive", "epd", "keys", "truth")
_MARK = ".demo"
_JUNK_DAY = date(2010, 5, 17)
_THUMBNAILS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
_JUNK = (
    (OOST, "2010/05/Thumbs.db", _THUMBNAILS),
    (OOST, "2012/leesmij.txt", b"Deze map niet aanpassen. PACS-beheer\r\n"),
    (OOST, "2014/03/leeg.dcm", b""),
    (WEST, "Thumbs.db", _THUMBNAILS),
    (WEST, "LEESMIJ.TXT", b"Import van de vorige leverancier\r\n"),
    (WEST, "IM", b""),
)


@dataclass(frozen=True, slots=True)
class DemoPaths:
    """Where everything lies. After `archive_only` the archive roots alone exist below `out`.

    `approvers` are the names that belong to `approver_keys`, as the job file spells them.
    """

    out: Path
    oost: Path
    west: Path
    epd: Path
    key: Path
    approvers: tuple[str, ...]
    approver_keys: tuple[Path, ...]
    job: Path
    truth: Path


@dataclass(frozen=True, slots=True)
class _File:
    """One file to write, its path relative to the archive's root."""

    site: Site
    path: str
    data: bytes
    day: date
    study_uid: str = ""
    kind: str = "junk"


def build(
    out: Path, studies: int = 2400, seed: int = 7, *, archive_only: bool = False
) -> DemoPaths:
    """Build the demo hospital in `out`, a folder that is made where it is missing.

    A demo hospital that stands there is replaced; anything else in the way is left alone. With
    `archive_only` the archives alone are written, for trials of size and speed.

    Args:
        out: the folder; the job file is `out/job.toml`.
        studies: how many studies in all, at least 1200.
        seed: the same seed and size give the same archives, byte for byte.
        archive_only: no export, keys, job file and truth.

    Raises:
        UsageError: too few studies, or `out` holds something that is no demo hospital.
        RemediationError: pydicom's sample files are missing.
    """
    roles, people = cast(schedule(studies, seed), load_templates(), seed)
    paths = _paths(out)
    _make_room(out)
    files = _write(out / "archive", [*_studies(roles, seed), *_junk(roles, seed)])
    if archive_only:
        return paths
    for folder in ("epd", "keys"):
        (out / folder).mkdir()
    write_export(paths.epd, (row for person in people for row in person.rows))
    approvers = settings.write_keys(out / "keys", seed)
    paths.job.write_text(settings.job_text(approvers), encoding="utf-8")
    planted = [_planted(role, seed) for role in roles]
    write_truth(paths.truth, planted, files, people, {"seed": seed, "studies": studies})
    return paths


def _paths(out: Path) -> DemoPaths:
    keys = out / "keys"
    return DemoPaths(
        out=out,
        oost=out / "archive" / OOST.archive,
        west=out / "archive" / WEST.archive,
        epd=out / "epd" / "patienten.csv",
        key=keys / settings.KEY_NAME,
        approvers=settings.APPROVERS,
        approver_keys=tuple(
            keys / settings.approver_key_name(number)
            for number in range(1, len(settings.APPROVERS) + 1)
        ),
        job=out / "job.toml",
        truth=out / "truth",
    )


def _make_room(out: Path) -> None:
    """Take away an earlier demo hospital, known by its mark, and make the archive roots."""
    standing = [name for name in (*_MADE, "job.toml") if (out / name).exists()]
    if standing and not (out / "archive" / _MARK).is_file():
        raise UsageError(
            f"the folder holds {standing[0]!r}, and that is no demo's", str(out), "choose another"
        )
    for name in standing:
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink()
    for site in story.SITES:
        (out / "archive" / site.archive).mkdir(parents=True)
    (out / "archive" / _MARK).touch()


def _studies(roles: Iterable[Role], seed: int) -> Iterator[_File]:
    """Yield the files of every study; West numbers its files from one, whatever they are."""
    count = 0
    for role in roles:
        uid = study_uid(seed, role.slot.site, role.slot.serial)
        for instance in range(role.instances):
            count += role.slot.site is WEST
            path = _path(role, instance, count)
            cut = "late" if _damaged(role, instance) else ""
            data = _instance(role, instance, uid, cut)
            kind = "damaged" if cut else "dicom"
            yield _File(role.slot.site, path, data, role.slot.day, uid, kind)


def _damaged(role: Role, instance: int) -> bool:
    which = role.slot.scenario.header.damaged
    return which == "all" or (which == "last" and instance == role.instances - 1)


def _instance(role: Role, instance: int, uid: str, cut: str) -> bytes:
    header = role.slot.scenario.header
    last = instance == role.instances - 1
    draw = header.last if header.last and last else header.draw
    position = Position(
        site=role.slot.site,
        institution=role.institution,
        study_uid=uid,
        serial=role.slot.serial,
        day=role.slot.day,
        series=1 + instance // 2,
        instance=instance + 1,
        software=role.software,
    )
    identity = draw(role.subject(instance))
    return file_bytes(role.template, identity, role.patient(instance), position, cut)


def _path(role: Role, instance: int, count: int) -> str:
    slot = role.slot
    if slot.site is OOST:
        return f"{slot.day:%Y/%m/%d}/S{slot.serial:05d}/I{instance + 1:05d}.dcm"
    if slot.scenario.header.named_file:
        return f"P{role.person.number}_{instance + 1}"
    return f"IM{count:06d}"


def _junk(roles: Sequence[Role], seed: int) -> Iterator[_File]:
    """Yield what is no readable DICOM: other files, and one cut off before its study is named."""
    for site, path, data in _JUNK:
        yield _File(site, path, data, _JUNK_DAY)
    for site, path in ((OOST, f"{_JUNK_DAY:%Y/%m/%d}/afgebroken.dcm"), (WEST, "AFGEBROKEN")):
        role = next(r for r in roles if r.slot.site is site and r.slot.day >= _JUNK_DAY)
        data = _instance(role, 0, study_uid(seed, site, 0), "early")
        yield _File(site, path, data, role.slot.day, kind="damaged")


def _write(archive: Path, files: Iterable[_File]) -> list[PlantedFile]:
    written = []
    for file in files:
        path = archive / file.site.archive / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            out.write(file.data)
        stored = story.stored_ns(file.day)
        os.utime(path, ns=(stored, stored))
        digest = hashlib.sha256(file.data).hexdigest()
        planted = PlantedFile(file.site.archive, file.path, digest, file.study_uid, file.kind)
        written.append(planted)
    return written


def _planted(role: Role, seed: int) -> PlantedStudy:
    return PlantedStudy(
        site=role.slot.site,
        uid=study_uid(seed, role.slot.site, role.slot.serial),
        day=role.slot.day.isoformat(),
        scenario=role.slot.scenario,
        person=role.person,
        instances=role.instances,
        spare=role.spare,
    )
