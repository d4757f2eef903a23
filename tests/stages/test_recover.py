"""Recovering: whatever a killed run left, every study is whole again."""

from __future__ import annotations

import os
import random
import signal
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from small_hospital import PEOPLE, digests, study_uid, touch

from remediation.app.cli import _run
from remediation.errors import DatasetError, KeyFileError, LockedError
from remediation.stages import recover
from remediation.stages.apply import OUT
from remediation.store import rewrite
from remediation.store.journal import journals, read
from remediation.store.locks import MARKER, lock_root
from remediation.store.study import StudyWriter

KILLS = 40


class Killed(BaseException):
    """Nothing catches this but a test."""


def settle(hospital):
    session = hospital.session()
    options = recover.RecoverOptions(session.output, session.roots())
    return recover.run(options, session.keys)


def kill_in_third_study(hospital, manifest, monkeypatch) -> None:
    """Stop a run with one of the third study's two files switched, nothing put back."""
    whole, calls = rewrite.switch, []

    def stopped(staged):
        calls.append(staged)
        if len(calls) == 6:
            raise Killed
        whole(staged)

    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "switch", stopped)
        patch.setattr(StudyWriter, "_withdrawn", lambda *_: None)
        with pytest.raises(Killed):
            hospital.apply(manifest)


def test_where_nothing_was_interrupted_there_is_nothing_to_do(hospital, manifest):
    assert settle(hospital).states == {}
    hospital.apply(manifest)
    before = hospital.digests()
    report = settle(hospital)
    assert report.states == {}
    assert report.clean
    assert hospital.digests() == before


def test_a_half_written_study_is_whole_again(hospital, manifest, monkeypatch):
    before = hospital.digests()
    kill_in_third_study(hospital, manifest, monkeypatch)
    assert hospital.digests().keys() != before.keys()
    report = settle(hospital)
    assert report.states == {"old": 1}
    assert report.clean
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] != before[path]} == {"S0", "S1"}
    assert after.keys() == before.keys()
    assert settle(hospital).states == {}


def test_what_no_step_leaves_is_for_a_person_and_touched_by_nobody(hospital, manifest, monkeypatch):
    kill_in_third_study(hospital, manifest, monkeypatch)
    touch(hospital.file(2), b"neither old nor new")
    before = hospital.digests()
    report = settle(hospital)
    assert report.states == {"quarantined": 1}
    assert not report.clean
    assert len(report.for_a_person) == 1
    assert study_uid(2) not in report.for_a_person[0]
    assert hospital.digests() == before


def test_a_share_that_does_not_answer_is_not_called_clean(hospital, manifest, monkeypatch):
    kill_in_third_study(hospital, manifest, monkeypatch)
    hospital.root.rename(hospital.out / "weg")
    hospital.root.mkdir()  # what lies under a share that is not mounted
    report = settle(hospital)
    assert report.states == {"failed": 1}
    assert not report.clean
    hospital.root.rmdir()
    (hospital.out / "weg").rename(hospital.root)
    assert settle(hospital).states == {"old": 1}


def test_a_run_that_is_going_on_is_not_recovered(hospital, manifest, monkeypatch):
    kill_in_third_study(hospital, manifest, monkeypatch)
    before = hospital.digests()
    with lock_root(hospital.root, "apply", in_place=False), pytest.raises(LockedError):
        settle(hospital)
    assert hospital.digests() == before


def test_a_marker_of_a_killed_run_does_not_block_for_ever(hospital, manifest):
    process = started(hospital, "apply", str(manifest.folder), "--in-place")
    wait_for(lambda: marked(hospital) or not process.is_alive())
    process.kill()
    process.join()
    assert settle(hospital).clean
    assert not (hospital.root / MARKER).exists()


def test_a_damaged_journal_stops_it_and_nothing_is_touched(hospital, manifest, monkeypatch):
    kill_in_third_study(hospital, manifest, monkeypatch)
    (path,) = journals(hospital.output / "journal")
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"mode":"in-place"', b'"mode":"in-plaze"'))
    before = hospital.digests()
    with pytest.raises(DatasetError, match="damaged or was altered"):
        settle(hospital)
    assert hospital.digests() == before


def test_a_torn_last_record_was_never_acknowledged(hospital, manifest, monkeypatch):
    before = hospital.digests()
    kill_in_third_study(hospital, manifest, monkeypatch)
    (path,) = journals(hospital.output / "journal")
    path.write_bytes(path.read_bytes() + b'{"seq":99,"type":"STU')
    assert settle(hospital).states == {"old": 1}
    assert hospital.digests().keys() == before.keys()
    assert read(path)[-1].seq != 99


def test_the_other_key_recovers_nothing(hospital, manifest, monkeypatch):
    kill_in_third_study(hospital, manifest, monkeypatch)
    (hospital.out / "keys/klein.key").write_text("ab" * 32 + "\n")
    before = hospital.digests()
    with pytest.raises(KeyFileError):
        settle(hospital)
    assert hospital.digests() == before


# --- killed at random moments -------------------------------------------------------------------


def started(hospital, *arguments: str):
    """Start a command in a process of its own; the imports are done, so it begins at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["remediation.app.cli"])
    process = context.Process(target=_run, args=(list(arguments),), daemon=True)
    process.start()
    return process


def wait_for(happened) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.001)


def marked(hospital) -> bool:
    """Whether the marker lies in the root, with a name in it."""
    path = hospital.root / MARKER
    return path.exists() and path.stat().st_size > 0


def journal_size(hospital) -> int:
    return sum(path.stat().st_size for path in (hospital.output / "journal").glob("*.jsonl"))


class Kinds:
    """Of every study, whether its files have the old bytes or the new ones."""

    def __init__(self, old: dict[str, str], new: dict[str, str]) -> None:
        self.old, self.new = old, new

    def of(self, root: Path) -> set[str]:
        found = digests(root)
        assert found.keys() == self.old.keys(), "no file is lost, and none is left over"
        kinds = set()
        for person in range(PEOPLE):
            study = {path for path in self.old if path.startswith(f"S{person}/")}
            is_old = all(found[path] == self.old[path] for path in study)
            is_new = all(found[path] == self.new[path] for path in study)
            assert is_old or is_new, f"study {person} is half written"
            kinds.add("old" if is_old else "new")
        return kinds


@pytest.mark.slow
def test_killed_at_any_moment_every_study_is_whole_and_in_the_end_all_is_as_it_was(
    hospital, manifest, tmp_path
):
    old = hospital.digests()
    hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    kinds = Kinds(old, digests(tmp_path / "mirror/noord"))
    draw = random.Random()
    seed = draw.randrange(1 << 32)
    draw.seed(seed)
    print(f"seed {seed}")  # noqa: T201
    landed: dict[str, int] = {"apply": 0, "rollback": 0}
    turns = 0
    folder = str(manifest.folder)
    forward = ("apply", folder, "--in-place")
    hospital.apply(manifest)
    whole = journal_size(hospital)  # bytes: about what a run's journal comes to
    while min(landed.values()) < KILLS // 2:
        turns += 1
        assert turns < 12 * KILLS, f"the kills do not land: {landed}"
        command = forward if kinds.of(hospital.root) == {"old"} or turns % 3 else None
        arguments = command or ("rollback", folder)
        before = journal_size(hospital)
        process = started(hospital, *arguments)
        # At some byte of its journal, and a moment later: anywhere between two records.
        at = before + draw.randrange(whole)
        wait_for(lambda p=process, a=at: journal_size(hospital) > a or not p.is_alive())
        time.sleep(draw.random() * 0.004)
        process.kill()
        process.join()
        killed = process.exitcode == -signal.SIGKILL and journal_size(hospital) > before
        landed[arguments[0]] += killed
        report = settle(hospital)
        assert report.clean, report.for_a_person
        stand = kinds.of(hospital.root)
        if stand == {"old"}:
            hospital.approve_anew(manifest)
    print(f"{landed} kills landed in {turns} turns")  # noqa: T201
    if "new" in kinds.of(hospital.root):
        assert hospital.rollback(manifest).complete
    assert hospital.digests() == old
    hospital.approve_anew(manifest)
    assert hospital.apply(manifest).complete
    assert kinds.of(hospital.root) == {"new"}
    assert hospital.rollback(manifest).complete
    assert hospital.digests() == old


# --- two at once --------------------------------------------------------------------------------


def test_of_two_applies_at_once_one_is_told_who_holds_the_archive(hospital, manifest, capfd):
    first = started(hospital, "apply", str(manifest.folder), "--in-place")
    wait_for(lambda: marked(hospital) or not first.is_alive())
    os.kill(first.pid, signal.SIGSTOP)
    code = _run(["apply", str(manifest.folder), "--in-place"])
    crawled = _run(["crawl", str(hospital.job)])
    os.kill(first.pid, signal.SIGCONT)
    first.join(30)
    said = capfd.readouterr().err
    assert (code, crawled, first.exitcode) == (11, 11, 0)
    assert said.count(f"pid {first.pid}") == 2
    assert hospital.verify(manifest).right
