"""The demo from end to end; and its comparison with the truth, which can also say no."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from app.hospital_line import Said, call, run

from remediation.app.demo import command
from remediation.app.demo.build import DemoPaths, _paths
from remediation.app.demo.compare import Check, Truth
from remediation.model.bsn import test_number as number_of
from remediation.store.keys import load_key_file

LINES = [
    "statuses of studies",
    "broken periods",
    "outcomes of studies",
    "numbers to be written",
    "numbers read back",
    "files not touched",
    "files after rollback",
    "apply, verify, rollback complete",
    "artefacts without a planted number",
]


def verdicts(said: Said) -> dict[str, tuple[int, str]]:
    """Return what the demo says of each comparison: how many things, and the word."""
    found = re.findall(r"^  (\S.*?) +([\d,]+)  (right|[\d,]+ WRONG)$", said.out, re.MULTILINE)
    return {what: (int(count.replace(",", "")), word) for what, count, word in found}


@pytest.mark.slow
def test_the_demo_runs_the_whole_line_and_everything_is_right(tmp_path):
    out = tmp_path / "demo"
    said = run("demo", "--studies", 1200, "--out", out)
    assert said.code == 0, said
    found = verdicts(said)
    assert list(found) == LINES
    assert {word for _, word in found.values()} == {"right"}
    assert all(count > 0 for count, _ in found.values())
    assert found["statuses of studies"][0] == 1200
    assert f"The report: {out / 'report/index.html'}" in said.out
    assert (out / "report/index.html").is_file()
    assert "Broken periods:" in said.out
    assert "Traceback" not in said.err
    assert "WRONG" not in said.out


def change(path: Path, column: str, to: Callable[[str], str], where=lambda _row: True) -> None:
    """Change one cell of a file of the truth: the first row that fits."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    row = next(row for row in rows if where(row))
    old = row[column]
    row[column] = to(old)
    assert row[column] != old
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def another(status: str) -> str:
    return "absent" if status != "absent" else "misplaced"


@pytest.mark.slow
def test_a_truth_that_was_tampered_with_makes_the_demo_fail(demo, tmp_path, monkeypatch, capsys):
    def stand_in(out: Path, _studies: int, _seed: int, *, archive_only: bool) -> DemoPaths:
        assert not archive_only
        shutil.copytree(demo, out, copy_function=shutil.copy2)
        truth = out / "truth"
        change(truth / "studies.csv", "status", another)
        change(truth / "studies.csv", "outcome", lambda old: f"{old}-not")
        change(truth / "periods.csv", "start", lambda _old: "2001-01-01")
        change(truth / "numbers.csv", "bsn", lambda _old: number_of(9000))
        change(truth / "files.csv", "sha256", lambda old: old[::-1], lambda r: r["kind"] == "junk")
        return _paths(out)

    monkeypatch.setattr(command, "build", stand_in)
    said = call(capsys, "demo", "--studies", 1200, "--out", tmp_path / "demo")
    assert said.code == 1
    last = said.err.strip().splitlines()[-1]
    assert last.startswith("remediation: the demo's results differ from what was planted")
    found = {what: word for what, (_, word) in verdicts(said).items()}
    wrong = {what for what, word in found.items() if word != "right"}
    assert {
        "statuses of studies",
        "broken periods",
        "outcomes of studies",
        "numbers to be written",
        "files not touched",
        "files after rollback",
    } <= wrong
    assert found["apply, verify, rollback complete"] == "right"
    assert found["files after rollback"] == "1 WRONG"


def test_nothing_to_compare_is_not_right():
    assert Check("x", 3, 0).right
    assert not Check("x", 0, 0).right
    assert not Check("x", 3, 1).right


def test_a_lost_a_strange_and_a_changed_file_are_each_seen(demo_copy):
    def restored() -> Check:
        return Truth(demo_copy, load_key_file(demo_copy / "keys/demo.key")).restored()

    assert restored().right
    path = demo_copy / "archive/west/IM"
    (demo_copy / "archive/west/.remediation-left.new").touch()
    assert restored().different == 1
    (demo_copy / "archive/west/.remediation-left.new").unlink()
    held = path.read_bytes()
    path.write_bytes(b"x")
    assert restored().different == 1
    path.write_bytes(held)
    assert restored().right


def test_the_archives_alone_can_be_made(tmp_path, capsys):
    said = call(capsys, "demo", "--studies", 1200, "--out", tmp_path / "demo", "--archive-only")
    assert said.code == 0
    assert said.out.startswith("archives: ")
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["archive"]


def test_a_folder_with_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/echt.dcm").write_bytes(b"van het ziekenhuis")
    (tmp_path / "studies.parquet").write_bytes(b"ook")
    said = call(capsys, "demo", "--studies", 1200, "--out", tmp_path)
    assert said.code == 2
    assert "no demo's" in said.err
    assert (tmp_path / "archive/echt.dcm").read_bytes() == b"van het ziekenhuis"
    assert (tmp_path / "studies.parquet").read_bytes() == b"ook"


def test_too_small_a_demo_is_usage(tmp_path, capsys):
    assert call(capsys, "demo", "--studies", 3, "--out", tmp_path / "demo").code == 2
