"""Ctrl-C: exit code 130, nothing half done, and the same command goes on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from app.hospital_line import Said, call, ended, rows, spawn
from small_hospital import (
    Hospital,
    copy,
    ready,
    whole,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


@pytest.fixture
def folder(hospital) -> Path:
    return hospital.load().folder


def interrupted(process: subprocess.Popen, when, *, group: bool) -> Said:
    end = time.monotonic() + 60
    while not when() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        # On a terminal, Ctrl-C goes to every process of the group.
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    return ended(process)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_during_a_crawl_ends_it_and_the_next_one_goes_on(demo, tmp_path, workers, capsys):
    out = tmp_path / "demo"
    shutil.copytree(
        demo,
        out,
        copy_function=os.link,
        ignore=shutil.ignore_patterns(
            "inventory", "*.parquet", "state", "worklists", "keys", "runs"
        ),
    )
    shutil.copytree(demo / "keys", out / "keys")
    shards = out / "inventory/shards/oost"
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    process = spawn("crawl", out / "job.toml", "--workers", workers, TMPDIR=str(scratch))
    said = interrupted(process, lambda: any(shards.glob("*/*/*")), group=workers > 1)
    assert said.code == 130
    # An empty line comes first, for a terminal that shows ^C.
    assert said.err.strip() == "remediation: interrupted: run the same command again to go on"
    assert list(scratch.iterdir()) == []
    (record,) = (out / "runs").glob("*.json")
    assert json.loads(record.read_text())["exit_code"] == 130
    assert not any((out / "archive").rglob(".remediation*"))
    assert call(capsys, "crawl", out / "job.toml", "--workers", 1).code == 3
    assert rows(Demo(out)) == rows(Demo(demo))


class Demo(Hospital):
    """The demo hospital, read as the small one is."""

    @property
    def output(self) -> Path:
        return self.out


def test_ctrl_c_during_an_apply_ends_it_whole_and_it_can_be_resumed(hospital, folder, capsys):
    held = hospital.digests()
    process = spawn("apply", folder, "--in-place")
    journal = hospital.output / "journal"
    said = interrupted(
        process,
        lambda: any(path.stat().st_size > 3_000 for path in journal.glob("*.jsonl")),
        group=False,
    )
    assert said.code in {0, 130}  # it may have been done already
    assert whole(hospital, held)
    assert call(capsys, "apply", folder, "--in-place").code == 0
    assert call(capsys, "rollback", folder).code == 0
    assert hospital.digests() == held
