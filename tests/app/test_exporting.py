"""`export` as it is typed: one encrypted file, one record, and no plain number anywhere else."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest
from app.hospital_line import call, run
from small_hospital import (
    APPROVERS,
    BIRTHS,
    ISSUER,
    NUMBERS,
    PEOPLE,
    WORDS,
    Hospital,
    copy,
    digests,
    ready,
    study_uid,
)

from remediation.app.demo.canaries import leaks

IDENTITY = pyrage.x25519.Identity.generate()
KEY = str(IDENTITY.to_public())
PLAIN = (*NUMBERS, *WORDS, *BIRTHS)
FORMATS = ("csv", "dcmodify", "adt")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def folder(hospital) -> Path:
    return hospital.load().folder


@pytest.fixture
def to(tmp_path) -> Path:
    (tmp_path / "weg").mkdir()
    return tmp_path / "weg/lijst.age"


def records(hospital: Hospital) -> list[dict]:
    return [json.loads(path.read_text()) for path in (hospital.output / "exports").iterdir()]


def no_plain(hospital: Hospital, *folders: Path) -> None:
    """Raise where a number, a name or a birth date stands in anything but the inputs."""
    inputs = {"archive", "epd", "keys"}
    made = [
        path
        for root in (hospital.out, *folders)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in inputs
    ]
    assert made
    assert leaks(made, NUMBERS, [*WORDS, *BIRTHS]) == []


@pytest.mark.parametrize("form", FORMATS)
def test_one_file_for_one_recipient_and_no_plain_number_elsewhere(
    hospital, folder, to, capsys, form
):
    line = (
        "export",
        folder,
        "--to",
        to,
        "--recipient",
        KEY,
        "--format",
        form,
        "--by",
        "Eva Export",
    )
    said = call(capsys, *line)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == str(to)
    assert said.out.startswith(f"{PEOPLE} studies ({2 * PEOPLE} files) for {KEY}")
    plain = pyrage.decrypt(to.read_bytes(), [IDENTITY]).decode()
    assert all(number in plain for number in NUMBERS)
    [record] = records(hospital)
    assert (record["by"], record["state"], record["format"]) == ("Eva Export", "done", form)
    assert not any(word in said.out for word in PLAIN)
    no_plain(hospital, to.parent)
    assert [path.name for path in to.parent.iterdir()] == ["lijst.age"]


def test_the_run_record_tells_of_it(hospital, folder, to, capsys):
    call(capsys, "export", folder, "--to", to, "--recipient", KEY)
    found = [json.loads(path.read_text()) for path in (hospital.output / "runs").iterdir()]
    [ran] = [one for one in found if one["command"] == "export"]
    [record] = records(hospital)
    assert ran["exit_code"] == 0
    assert ran["counts"]["export"] == record["export_id"]
    assert ran["counts"]["recipient"] == KEY
    assert ran["counts"]["studies"] == PEOPLE


def test_json_names_the_file_and_the_record_and_no_number(hospital, folder, to, capsys):
    said = call(capsys, "export", folder, "--to", to, "--recipient", KEY, "--json")
    found = json.loads(said.out)
    assert found["to"] == str(to)
    assert Path(found["record"]).is_file()
    assert (found["studies"], found["left_out"]) == (PEOPLE, {})
    assert not any(word in said.out for word in PLAIN)


@pytest.mark.skipif(not shutil.which("age"), reason="NOT TRIED: age is not installed")
def test_the_vendor_decrypts_exactly_the_rows_with_the_stock_tool(hospital, folder, to, tmp_path):
    key = tmp_path / "sleutel.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    public = key.read_text().split("public key: ")[1].split()[0]
    assert run("export", folder, "--to", to, "--recipient", public).code == 0
    opened = subprocess.run(["age", "-d", "-i", key, to], capture_output=True, check=True).stdout
    text = opened.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    studies = [row for row in found if row["level"] == "study"]
    assert [
        (row["StudyInstanceUID"], row["local_number"], row["local_issuer"], row["bsn"])
        for row in studies
    ] == [(study_uid(p), f"70{p}", ISSUER, NUMBERS[p]) for p in range(PEOPLE)]
    assert len(found) == 3 * PEOPLE
    subprocess.run(["age-keygen", "-o", tmp_path / "ander.txt"], check=True, capture_output=True)
    other = ["age", "-d", "-i", tmp_path / "ander.txt", to]
    wrong = subprocess.run(other, capture_output=True, check=False)
    assert (wrong.returncode != 0, wrong.stdout) == (True, b"")


# --- what is refused, and with which exit code ----------------------------------------------------


def test_without_approvals_it_is_exit_5_and_there_is_no_file(hospital, folder, to, capsys):
    shutil.rmtree(folder / "approvals")
    said = call(capsys, "export", folder, "--to", to, "--recipient", KEY)
    assert said.code == 5
    assert said.line
    assert list(to.parent.iterdir()) == []
    assert not (hospital.output / "exports").exists()


def test_studies_that_are_left_out_are_counted_and_are_exit_3(hospital, folder, to, capsys):
    hospital.edit_export(WORDS[2], "Heelanders")
    said = call(capsys, "export", folder, "--to", to, "--recipient", KEY)
    assert said.code == 3
    assert "1  name-clash" in said.out
    assert to.is_file()
    assert "Heelanders" not in said.out + said.err


@pytest.mark.parametrize(
    ("name", "key"),
    [("lijst.csv", KEY), ("lijst.age", "age1niemand"), ("lijst.age", str(IDENTITY))],
    ids=("name", "no key", "secret key"),
)
def test_a_wrong_name_or_key_is_usage_and_the_key_is_not_repeated(folder, to, capsys, name, key):
    said = call(capsys, "export", folder, "--to", to.with_name(name), "--recipient", key)
    assert said.code == 2
    assert key not in said.line
    assert list(to.parent.iterdir()) == []


def test_a_file_that_is_there_stays(hospital, folder, to, capsys):
    to.write_bytes(b"van iemand")
    assert call(capsys, "export", folder, "--to", to, "--recipient", KEY).code == 2
    assert to.read_bytes() == b"van iemand"


def test_corrected_files_are_told_of_where_a_script_would_do_nothing(hospital, folder, to, capsys):
    assert call(capsys, "apply", folder, "--in-place").code == 0
    line = ("export", folder, "--to", to, "--recipient", KEY, "--format", "dcmodify")
    said = call(capsys, *line)
    assert said.code == 0
    assert "corrected already" in said.err


# --- while it runs, and when it is stopped --------------------------------------------------------

STRACE = shutil.which("strace")
needs_strace = pytest.mark.skipif(not STRACE, reason="NOT TRIED: strace is not installed")
_WRITES = "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg"


@needs_strace
@pytest.mark.parametrize("form", FORMATS)
def test_no_system_call_ever_writes_a_plain_number(hospital, folder, to, tmp_path, form):
    trace, scratch = tmp_path / "sporen", tmp_path / "tmp"
    scratch.mkdir()
    before = (STRACE, "-f", "-o", str(trace), "-s", "1000000", "-e", _WRITES)
    line = ("export", folder, "--to", to, "--recipient", KEY, "--format", form)
    said = run(*line, before=before, TMPDIR=str(scratch))
    assert said.code == 0, said.err
    found = trace.read_bytes()
    assert b"age-encryption.org" in found, "the file itself was seen to be written"
    assert not any(word.encode() in found for word in PLAIN)
    assert list(scratch.iterdir()) == []


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize(
    "moment", ["fsync:1", "fsync:2", "fsync:3", "fsync:5", "linkat:1", "fchmod:2"]
)
def test_killed_in_the_middle_it_leaves_nothing_plain_and_nothing_under_its_name(
    hospital, folder, to, capsys, moment
):
    scratch = hospital.out / "tmp"
    scratch.mkdir()
    call_name, when = moment.split(":")
    inject = f"inject={call_name}:signal=KILL:when={when}"
    before = (STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call_name}", "-e", inject)
    said = run("export", folder, "--to", to, "--recipient", KEY, before=before, TMPDIR=str(scratch))
    assert said.code not in {0, 1}
    assert not to.exists()
    no_plain(hospital, to.parent)
    assert list(scratch.iterdir()) == []
    for record in records(hospital) if (hospital.output / "exports").exists() else []:
        assert record["state"] in {"begun", "done"}
    assert call(capsys, "export", folder, "--to", to, "--recipient", KEY).code == 0
    assert pyrage.decrypt(to.read_bytes(), [IDENTITY])


@pytest.mark.skipif(not shutil.which("prlimit"), reason="NOT TRIED: prlimit is missing")
@pytest.mark.parametrize("limit", [0, 100, 1500])
def test_a_disk_that_takes_no_more_is_exit_1_and_nothing_is_left(hospital, folder, to, limit):
    held = digests(to.parent)
    line = ("export", folder, "--to", to, "--recipient", KEY, "--format", "dcmodify")
    said = run(*line, before=("prlimit", f"--fsize={limit}"))
    assert said.code == 1
    assert said.line
    assert digests(to.parent) == held
    no_plain(hospital)


def test_people_who_approved_are_not_named_to_the_vendor(hospital, folder, to, capsys):
    call(capsys, "export", folder, "--to", to, "--recipient", KEY)
    plain = pyrage.decrypt(to.read_bytes(), [IDENTITY]).decode()
    assert not any(name in plain for name in APPROVERS)
