"""Altered manifests and wrong approvals: refused with exit code 5, nothing written."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from app.hospital_line import call
from small_hospital import (
    APPROVERS,
    AUTHOR,
    Hospital,
    copy,
    digests,
    ready,
    study_uid,
)

from remediation.errors import ManifestError
from remediation.store import datasets
from remediation.tables.schemas import CORRECTIONS, REFUSALS


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def folder(hospital) -> Path:
    return hospital.load().folder


# --- manifests ------------------------------------------------------------------------------------


def with_byte(path: Path, position: int) -> bytes:
    data = bytearray(path.read_bytes())
    data[position] ^= 1 << (position % 8)
    return bytes(data)


def test_a_manifest_altered_by_one_byte_is_refused(hospital, folder):
    path = folder / "manifest.json"
    whole = path.read_bytes()
    for position in range(random.Random().randrange(3), len(whole), 3):
        path.write_bytes(with_byte(path, position))
        with pytest.raises(ManifestError):
            hospital.load(folder)
        path.write_bytes(whole)
    path.write_bytes(whole[:-1])
    with pytest.raises(ManifestError):
        hospital.load(folder)


@pytest.mark.parametrize("command", ["show", "review", "approve", "apply", "verify", "rollback"])
@pytest.mark.parametrize("name", ["manifest.json", "corrections.parquet", "refusals.parquet"])
def test_every_command_refuses_an_altered_manifest(hospital, folder, capsys, command, name):
    held = hospital.digests()
    path = folder / name
    if name == "manifest.json":
        path.write_bytes(path.read_bytes().replace(b"PACS-beheer", b"PACS-beheeR"))
    else:
        alter(path)
    more = {
        "approve": ("--by", APPROVERS[0], "--key", hospital.key(APPROVERS[0])),
        "review": ("--by", APPROVERS[0], "--why", "hoort er niet bij", "--exclude", study_uid(0)),
        "apply": ("--in-place",),
    }
    said = call(capsys, command, folder, *more.get(command, ()))
    assert said.code == 5
    assert "manifest" in said.line
    assert hospital.digests() == held


def alter(path: Path) -> None:
    """Change, add or take out content of a manifest's table, so that the file stays a sound one."""
    schema = CORRECTIONS if path.name.startswith("corrections") else REFUSALS
    key_id = Hospital(path.parents[3]).session().keys.key_id
    table = datasets.read(path, schema, key_id, "plan")
    found = table.to_pylist()
    row = {"StudyInstanceUID": "1.2", "archive": "noord", "reason": "homonym", "instances": 1}
    found = found[1:] if found else [row]
    datasets.write(path, table.from_pylist(found, schema=schema), key_id)


@pytest.mark.parametrize("column", [field.name for field in CORRECTIONS])
def test_every_column_of_the_corrections_counts(hospital, folder, column):
    path = folder / "corrections.parquet"
    key_id = hospital.session().keys.key_id
    table = datasets.read(path, CORRECTIONS, key_id, "plan")
    found = table.to_pylist()
    old = found[3][column]
    found[3][column] = {int: lambda: old + 1, str: lambda: old + "x", list: lambda: old[:-1]}.get(
        type(old), lambda: "x"
    )()
    datasets.write(path, table.from_pylist(found, schema=CORRECTIONS), key_id)
    with pytest.raises(ManifestError, match="altered"):
        hospital.load(folder)


@pytest.mark.parametrize("name", ["corrections.parquet", "refusals.parquet"])
def test_a_flipped_byte_in_a_table_is_refused_or_changes_nothing_that_counts(
    hospital, folder, name
):
    path = folder / name
    whole, wanted = path.read_bytes(), hospital.load(folder)
    draw = random.Random(7)
    refused = 0
    for position in draw.sample(range(len(whole)), 250):
        path.write_bytes(with_byte(path, position))
        try:
            found = hospital.load(folder)
        except ManifestError:
            refused += 1
            continue
        finally:
            path.write_bytes(whole)
        assert found.corrections.to_pylist() == wanted.corrections.to_pylist()
        assert found.refusals.to_pylist() == wanted.refusals.to_pylist()
    assert refused > 50


def test_a_table_that_is_gone_or_empty_is_refused(hospital, folder, capsys):
    for name in ("corrections.parquet", "refusals.parquet", "manifest.json"):
        path = folder / name
        whole = path.read_bytes()
        for torn in (None, b"", whole[: len(whole) // 2]):
            path.unlink()
            if torn is not None:
                path.write_bytes(torn)
            assert call(capsys, "apply", folder, "--in-place").code == 5
            path.write_bytes(whole)


def test_what_is_no_manifest_folder_is_said(tmp_path, capsys):
    for command in ("show", "review", "verify"):
        more = ("--by", "A", "--why", "b") if command == "review" else ()
        said = call(capsys, command, tmp_path / "geen", *more)
        assert said.code == 5
        assert "no manifest" in said.line


# --- approvals ------------------------------------------------------------------------------------


def test_an_approval_of_another_manifest_is_refused(hospital, folder, capsys):
    held = hospital.digests()
    other = hospital.plan(select=[("StudyInstanceUID", study_uid(0))])
    hospital.approve(other)
    shutil.rmtree(folder / "approvals")
    shutil.copytree(other.folder / "approvals", folder / "approvals")
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 5
    assert "another manifest" in said.line
    assert hospital.digests() == held


def test_approving_ones_own_manifest_is_refused(hospital, folder, capsys):
    said = call(capsys, "approve", folder, "--by", AUTHOR, "--key", hospital.key(AUTHOR))
    assert said.code == 5
    assert "by the author" in said.line


def test_one_person_twice_is_one_approval(hospital, folder, capsys):
    shutil.rmtree(folder / "approvals")
    for _ in range(2):
        key = hospital.key(APPROVERS[0])
        assert call(capsys, "approve", folder, "--by", APPROVERS[0], "--key", key).code == 0
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 5
    assert "1 of 2 approvals" in said.line
    unsigned = call(capsys, "approve", folder, "--by", APPROVERS[1])
    assert unsigned.code == 2
    assert "--key" in unsigned.line


@pytest.mark.parametrize("modes", [(), ("--dry-run", "--in-place"), ("--out", "x", "--in-place")])
def test_apply_without_one_mode_is_usage_and_nothing_happens(hospital, folder, capsys, modes):
    held = digests(hospital.out)
    said = call(capsys, "apply", folder, *modes)
    assert said.code == 2
    assert "--dry-run, --out DIR, --in-place" in said.line
    assert digests(hospital.out) == held


def test_a_missing_mode_is_said_even_where_there_is_no_manifest(tmp_path, capsys):
    assert call(capsys, "apply", tmp_path).code == 2
