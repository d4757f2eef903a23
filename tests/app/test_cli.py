"""The command line: data to stdout, messages to stderr, help that reads well, records of runs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import datetime
from pathlib import Path

import pyrage
import pytest
from app.hospital_line import call, run
from small_hospital import (
    APPROVERS,
    BIRTHS,
    NUMBERS,
    PEOPLE,
    WORDS,
    Hospital,
    copy,
    digests,
    lay_down,
    touch,
)

from remediation.app.cli import cli

FILES = 2 * PEOPLE
RECIPIENT = str(pyrage.x25519.Identity.generate().to_public())
WITH_JSON = ("check", "crawl", "flag", "match", "report", "plan", "show", "approve", "apply")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return lay_down(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def bare(template, tmp_path) -> Hospital:
    """Return a hospital that nobody crawled."""
    return copy(template, tmp_path / "klein")


@pytest.fixture(scope="module")
def planned(template, tmp_path_factory) -> Hospital:
    """Return a hospital with a manifest that nobody approved, to read and not to change."""
    hospital = copy(template, tmp_path_factory.mktemp("gepland") / "out")
    hospital.look()
    hospital.plan()
    return hospital


@pytest.fixture
def hospital(planned, tmp_path) -> Hospital:
    return copy(planned, tmp_path / "klein")


def approve(capsys, hospital, folder) -> None:
    for name in APPROVERS[:2]:
        said = call(capsys, "approve", folder, "--by", name, "--key", hospital.key(name))
        assert said.code == 0


def test_the_whole_line_from_crawl_to_rollback(bare, capsys):
    before = bare.digests()
    for command in ("check", "crawl", "flag", "places", "match", "report"):
        assert call(capsys, command, bare.job).code == 0, command
    assert call(capsys, "periods", "list", bare.job).code == 0
    said = call(capsys, "plan", bare.job, "--author", "Anna Auteur")
    assert said.code == 0
    folder = Path(said.out.splitlines()[-1])
    assert folder.is_absolute()
    assert (folder / "manifest.json").is_file()
    assert said.out.splitlines()[0].startswith(f"{FILES} files of {PEOPLE} studies")
    approve(capsys, bare, folder)
    for arguments in (("show",), ("apply", "--dry-run"), ("apply", "--in-place"), ("verify",)):
        said = call(capsys, arguments[0], folder, *arguments[1:])
        assert said.code == 0, arguments
        assert said.err == ""
    assert bare.digests() != before
    assert call(capsys, "rollback", folder, "--dry-run").code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert bare.digests() == before
    assert call(capsys, "recover", bare.job).out == "nothing was interrupted\n"


def test_json_is_one_document_on_stdout_and_nothing_else(hospital, capsys):
    folder = hospital.load().folder
    key = hospital.key(APPROVERS[0])
    approve(capsys, hospital, folder)
    lines = {
        "check": ("check", hospital.job),
        "crawl": ("crawl", hospital.job),
        "flag": ("flag", hospital.job),
        "places": ("places", hospital.job),
        "match": ("match", hospital.job),
        "report": ("report", hospital.job),
        "schema": ("schema", "instances"),
        "plan": ("plan", hospital.job),
        "show": ("show", folder),
        "approve": ("approve", folder, "--by", APPROVERS[0], "--key", key),
        "export": ("export", folder, "--to", hospital.out / "a.age", "--recipient", RECIPIENT),
        "apply": ("apply", folder, "--in-place"),
        "verify": ("verify", folder),
        "rollback": ("rollback", folder),
        "recover": ("recover", hospital.job),
        "trace": ("trace", hospital.job, "--patient", "704", "--issuer", "ZKH-NOORD"),
        "forget": ("forget", hospital.job, "--older-than", 365, "--by", "Petra Privacy"),
    }
    found = {}
    for name, line in lines.items():
        said = call(capsys, *line, "--json")
        assert (name, said.code) == (name, 0)
        found[name] = json.loads(said.out)
        assert isinstance(found[name], dict)
        assert not any(word in said.out for word in (*NUMBERS, *WORDS, *BIRTHS)), name
    assert Path(found["plan"]["manifest"]).is_absolute()
    assert found["apply"]["outcomes"] == {"applied": FILES}
    assert found["verify"]["verdicts"] == {"as-promised": FILES}
    assert found["rollback"]["outcomes"] == {"rolled-back": FILES}
    assert found["crawl"]["archives"][0]["unchanged"] == FILES
    has = {
        name for name, one in cli.commands.items() if any("--json" in p.opts for p in one.params)
    }
    assert has == set(lines)


def test_every_command_explains_itself(capsys):
    for name, command in cli.commands.items():
        said = call(capsys, name, "--help")
        assert said.code == 0
        assert said.out.startswith(f"Usage: remediation {name} ")
        assert said.err == ""
        assert max(map(len, said.out.splitlines())) <= 100
        assert command.get_short_help_str(80)
        assert not command.get_short_help_str(120).endswith("...")
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert getattr(parameter, "help", ""), f"{name} {parameter.opts} has no help"


def test_the_version_is_that_of_the_changes_file(capsys):
    changes = Path(__file__).parents[2] / "remediation/CHANGES.md"
    version = call(capsys, "--version").out.split()[-1]
    assert f"## [{version}]" in changes.read_text(encoding="utf-8")


def test_init_makes_a_job_and_a_key_and_never_replaces_them(tmp_path, capsys):
    path = tmp_path / "nieuw/mijn.toml"
    said = call(capsys, "init", path)
    assert said.code == 0
    assert path.is_file()
    (key,) = path.parent.rglob("*.key")
    assert key.stat().st_mode & 0o777 == 0o600
    secret = key.read_text().strip()
    assert secret not in said.out + said.err
    held = digests(tmp_path)
    again = call(capsys, "init", path)
    assert again.code == 2
    assert "a file already" in again.line
    assert digests(tmp_path) == held
    assert call(capsys, "check", path).code == 1, "the roots are not filled in yet"


def test_a_key_file_and_an_approvers_pair(tmp_path, capsys):
    said = call(capsys, "key", "new", tmp_path / "een.key")
    assert (said.code, said.out) == (0, "")
    assert (tmp_path / "een.key").read_text().strip() not in said.err
    pair = call(capsys, "key", "new", tmp_path / "mens.key", "--approver")
    assert pair.code == 0
    assert pair.out.startswith("RW")
    assert pair.out.count("\n") == 1
    assert (tmp_path / "mens.key").stat().st_mode & 0o777 == 0o600
    assert call(capsys, "key", "new", tmp_path / "een.key").code == 2
    assert call(capsys, "key", "new", tmp_path / "geen" / "map.key").code == 1


def test_warnings_go_to_stderr_and_the_counts_to_stdout(hospital, capsys):
    hospital.edit_export(WORDS[0], "Heelanders")
    said = call(capsys, "match", hospital.job)
    assert said.code == 0
    assert said.err == "warning: 1 studies: name-clash: possible mix-up of patients\n"
    assert "1  name-clash" in said.out
    assert "Heelanders" not in said.out + said.err


def test_a_detailed_exit_code_says_that_there_is_work(hospital, capsys):
    said = call(capsys, "plan", hospital.job, "--detailed-exitcode")
    assert said.code == 4
    assert f"{FILES} files to correct" in said.line
    nothing = call(
        capsys, "plan", hospital.job, "--detailed-exitcode", "--select", "StudyInstanceUID=1.2"
    )
    assert nothing.code == 0


@pytest.mark.parametrize("select", ["archive", "=noord", "patient=1", ""])
def test_a_selection_that_is_none_is_usage(hospital, capsys, select):
    said = call(capsys, "plan", hospital.job, "--select", select)
    assert said.code == 2
    assert said.line


def test_the_same_plan_has_the_same_id_wherever_the_folder_lies(hospital, planned, capsys):
    said = call(capsys, "plan", hospital.job, "--author", "Anna Auteur", "--json")
    assert json.loads(said.out)["manifest_id"] == planned.load().manifest.manifest_id


def test_a_moved_folder_goes_on_working(hospital, tmp_path, capsys):
    approve(capsys, hospital, hospital.load().folder)
    moved = Hospital(tmp_path / "elders/diep/klein")
    moved.out.parent.mkdir(parents=True)
    hospital.out.rename(moved.out)
    folder = moved.load().folder
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "verify", folder).code == 0
    assert call(capsys, "rollback", folder).code == 0


def test_another_job_file_can_be_named_for_a_manifest(hospital, tmp_path, capsys):
    folder = hospital.load().folder
    copied = hospital.job.with_name("ander.toml")
    hospital.job.rename(copied)
    gone = call(capsys, "apply", folder, "--dry-run")
    assert gone.code == 2
    assert "job file" in gone.line
    assert call(capsys, "apply", folder, "--dry-run", "--job", copied).code == 0


def test_a_pause_after_the_canary_is_told_and_gone_on_from(hospital, capsys):
    folder = hospital.load().folder
    hospital.edit("canary = 4", "canary = 4\npause_after_canary = true")
    approve(capsys, hospital, folder)
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 0
    assert "--continue" in said.err
    assert "4  applied" in said.out
    assert call(capsys, "verify", folder).code == 0
    assert call(capsys, "apply", folder, "--in-place", "--continue").code == 0
    assert call(capsys, "verify", folder).out.endswith(f"{FILES}  as-promised\n")


def test_a_pause_with_a_file_left_alone_is_partly_done(hospital, capsys):
    folder = hospital.load().folder
    hospital.edit("canary = 4", "canary = 4\npause_after_canary = true")
    approve(capsys, hospital, folder)
    touch(hospital.file(0), hospital.file(0).read_bytes(), 1_400_000_000_000_000_000)
    assert call(capsys, "apply", folder, "--in-place").code == 3


def test_what_was_left_alone_is_partly_done_and_says_why(hospital, capsys):
    folder = hospital.load().folder
    approve(capsys, hospital, folder)
    touch(hospital.file(5), hospital.file(5).read_bytes(), 1_400_000_000_000_000_000)
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 3
    assert "mtime-changed" in said.out
    assert said.line.startswith("remediation: some files were left alone")
    hospital.file(0).write_bytes(b"x")
    assert call(capsys, "verify", folder).code == 3
    said = call(capsys, "rollback", folder)
    assert said.code == 3
    assert "size-changed" in said.out


def test_an_identity_mismatch_is_partly_done_and_named(hospital, capsys):
    folder = hospital.load().folder
    approve(capsys, hospital, folder)
    hospital.edit_export(f"{NUMBERS[3]};geverifieerd", f"{NUMBERS[3]};ingetrokken")
    said = call(capsys, "apply", folder, "--in-place")
    assert said.code == 3
    assert "identity-mismatch" in said.line
    assert "not-verified" in said.out


@pytest.mark.parametrize("share", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2"])
def test_a_share_that_is_none_is_usage(hospital, capsys, share):
    assert call(capsys, "verify", hospital.load().folder, "--slice", share).code == 2


def test_every_run_leaves_a_record_of_who_what_and_how_it_ended(hospital, capsys):
    folder = hospital.load().folder
    approve(capsys, hospital, folder)
    touch(hospital.file(5), hospital.file(5).read_bytes(), 1_400_000_000_000_000_000)
    call(capsys, "crawl", hospital.job)
    call(capsys, "apply", folder, "--in-place")
    (hospital.out / "epd/patienten.csv").unlink()
    call(capsys, "match", hospital.job)
    paths = list((hospital.output / "runs").glob("*.json"))
    found = {}
    for path in paths:
        record = json.loads(path.read_text())
        assert path.stem == record["run_id"]
        assert path.stat().st_mode & 0o077 == 0
        assert record["responsible"] == "PACS-beheer (test)"
        assert record["person"]
        assert record["client"]
        assert datetime.fromisoformat(record["begun"]) <= datetime.fromisoformat(record["ended"])
        found[record["command"]] = record["exit_code"]
    assert found == {"approve": 0, "crawl": 0, "apply": 3, "match": 2}


def test_a_closed_pipe_ends_a_command_without_a_word(hospital):
    command = [sys.executable, "-m", "remediation", "show", str(hospital.load().folder), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    with process.stderr as stderr:
        assert (stderr.read(), process.wait(30)) == ("", 1)


def test_bars_are_for_terminals_only(hospital, capsys):
    assert call(capsys, "crawl", hospital.job, "--fresh").err == ""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "remediation", "crawl", str(hospital.job), "--fresh"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, text=True)
    out, _ = process.communicate(timeout=60)
    os.close(slave)
    shown = b""
    with contextlib.suppress(OSError):  # a terminal ends with an error
        while piece := os.read(master, 4096):
            shown += piece
    os.close(master)
    assert process.returncode == 0
    assert f"{FILES} files" in out
    assert b"crawl noord" in shown


def test_it_runs_where_there_are_no_core_limits_to_set(tmp_path):
    text = (
        "import sys; sys.modules['resource'] = None; sys.argv[1:] = ['--version']\n"
        "from remediation.app.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("remediation")


def test_a_core_dump_is_never_left():
    text = (
        "import resource, sys; sys.argv[1:] = ['--version']\n"
        "from remediation.app.cli import main\n"
        "try: main()\nfinally: print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("(0, 0)\n")


def test_workers_give_the_same_inventory_as_one_process(bare, template, tmp_path):
    other = copy(template, tmp_path / "twee")
    one = run("crawl", bare.job, "--workers", 1, "--json")
    two = run("crawl", other.job, "--workers", 2, "--json")
    assert (one.code, two.code, two.err) == (0, 0, "")
    said = [json.loads(run_.out)["archives"] for run_ in (one, two)]
    assert all(archive.pop("seconds") > 0 for archives in said for archive in archives)
    assert said[0] == said[1]
