"""Exit codes: one table, the same in the classes, in the README, and in what commands return."""

from __future__ import annotations

import errno
import importlib
import pkgutil
import re
from pathlib import Path

import click
import pytest

import remediation
from remediation import errors
from remediation.app.cli import _run, cli
from remediation.errors import (
    AlteredError,
    DatasetError,
    Interrupted,
    KeyFileError,
    LockedError,
    ManifestError,
    PartlyDone,
    RemediationError,
    ShareError,
    UsageError,
    WorkFound,
)

README = Path(__file__).parents[2] / "README.md"
TABLE = {
    0: "done",
    1: "failed",
    2: "usage or job file",
    3: "finished, but some files could not be read, or some studies were refused or skipped",
    4: "target not met, or work found",
    5: "stale or altered manifest, or not approved",
    11: "locked by another run",
    12: "key missing or wrong",
    130: "interrupted, can be resumed",
}
CODES = {
    RemediationError: 1,
    ShareError: 1,
    DatasetError: 1,
    UsageError: 2,
    PartlyDone: 3,
    WorkFound: 4,
    ManifestError: 5,
    AlteredError: 5,
    LockedError: 11,
    KeyFileError: 12,
    Interrupted: 130,
}


def everywhere() -> set[type[RemediationError]]:
    """Return every error class of the package, wherever it is written."""
    for module in pkgutil.walk_packages(remediation.__path__, "remediation."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, left = set(), [RemediationError]
    while left:
        one = left.pop()
        found.add(one)
        left += one.__subclasses__()
    return {one for one in found if one.__module__.startswith("remediation.")}


def test_every_class_has_the_code_of_the_table():
    written = {
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, RemediationError)
    }
    assert written == set(CODES)
    assert {one: one.exit_code for one in written} == CODES
    assert {one.exit_code for one in written} | {0} == set(TABLE)
    assert all(one.meaning == TABLE[one.exit_code] for one in written)


def test_no_class_elsewhere_has_a_code_of_its_own():
    for one in everywhere():
        kin = next(base for base in one.__mro__ if base in CODES)
        assert (one.exit_code, one.meaning) == (kin.exit_code, kin.meaning), one


def test_the_readme_has_the_same_table():
    text = README.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", text, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == TABLE


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes `remediation fails` raise, and runs it."""

    def run(error: BaseException, *options: str) -> int:
        @click.command()
        def fails() -> None:
            raise error

        monkeypatch.setitem(cli.commands, "fails", fails)
        return _run([*options, "fails"])

    return run


@pytest.mark.parametrize("kind", list(CODES))
def test_what_a_command_raises_is_what_it_exits_with(failing, kind, capsys):
    assert failing(kind("wrong", "here", "mend it")) == CODES[kind]
    assert capsys.readouterr().err == "remediation: wrong (here): mend it\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted: run the same command again to go on"),
        (click.Abort(), 130, "interrupted: run the same command again to go on"),
        (OSError(errno.ENOSPC, "x", "/secret"), 1, "the disk is full"),
        (OSError(errno.EDQUOT, "x", "/secret"), 1, "the disk is full"),
        (PermissionError(errno.EACCES, "x", "/secret"), 1, "Permission denied"),
        (ValueError("999900006 of Schijn"), 1, "unexpected ValueError"),
        (KeyError("999900006"), 1, "unexpected KeyError"),
        (MemoryError("999900006"), 1, "unexpected MemoryError"),
        (RecursionError("999900006"), 1, "unexpected RecursionError"),
        (click.UsageError("no such thing"), 2, "no such thing"),
        (click.BadParameter("no good"), 2, "no good"),
    ],
)
def test_what_nobody_foresaw_is_one_line_without_its_text(failing, error, code, said, capsys):
    for debug in ((), ("--debug",)):
        assert failing(error, *debug) == code
        err = capsys.readouterr().err
        assert said in err
        assert not any(word in err for word in ("999900006", "Schijn", "/secret", "Traceback"))
        lines = [line for line in err.splitlines() if line.strip()]
        assert lines[0].startswith("remediation: ")
        assert all(re.fullmatch(r"  \S+:\d+ in .+", line) for line in lines[1:])
        assert (len(lines) > 1) == bool(debug)


def test_exit_and_help_give_their_own_codes(failing, capsys):
    assert failing(click.exceptions.Exit(7)) == 7
    assert _run(["--help"]) == 0
    assert _run(["--version"]) == 0
    assert _run([]) == 2
    assert _run(["key"]) == 2
    assert _run(["nosuch"]) == 2
    capsys.readouterr()
