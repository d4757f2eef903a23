"""What the README says is so: commands, exit codes, job file, targets."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from remediation import errors
from remediation.app.cli import cli
from remediation.app.config import load_job
from remediation.dicom.elements import keyword
from remediation.model.placement import CLOSED_LIST

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_commands_is_the_command_line():
    table = re.findall(r"^\| `([a-z]+)` \|", README, re.MULTILINE)
    assert table == list(cli.commands)


@pytest.mark.parametrize(
    "line", re.findall(r"^\$ \.venv/bin/remediation (.+)$", README, re.MULTILINE)
)
def test_every_command_line_parses(line):
    words = line.split("#")[0].split()
    command = cli.commands[words[0]]
    if isinstance(command, click.Group):
        command = command.commands[words[1]]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_exit_codes_are_those_of_the_classes():
    table = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    classes = [errors.RemediationError, *errors.RemediationError.__subclasses__()]
    meant = {str(one.exit_code): one.meaning for one in classes}
    assert table == {"0": "done", "130": table["130"]} | meant


def test_the_job_file_loads(tmp_path):
    [text] = re.findall(r"```toml\n(.+?)```", README, re.DOTALL)
    path = tmp_path / "job.toml"
    path.write_text(text, encoding="utf-8")
    assert load_job(path).name == tomllib.loads(text)["job"]["name"]


def test_the_closed_list_is_the_one_in_code():
    for tag in CLOSED_LIST:
        assert keyword(tag) in README


def test_every_target_it_names_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_decisions_it_names_are_there():
    for path in re.findall(r"`(remediation/[\w/.-]+)`", README):
        assert (ROOT / path).exists()


def test_what_the_demo_prints_is_what_the_readme_shows():
    # The figures themselves are held by the demo's own run; this holds the form of the lines.
    from remediation.app.demo.command import _verdict
    from remediation.app.demo.compare import Check

    shown = re.findall(r"^  (.{36}) *([\d,]+)  right$", README, re.MULTILINE)
    assert shown
    for what, count in shown:
        check = Check(what.strip(), int(count.replace(",", "")), 0)
        assert list(_verdict([check]))[1] in README


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.toml")), ids=lambda path: path.name)
def test_every_job_file_of_the_repository_loads(path):
    assert load_job(path).name == path.stem
