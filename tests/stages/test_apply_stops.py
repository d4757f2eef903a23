"""Where applying stops: the canary, failing shares, locks, and what a killed run left."""

from __future__ import annotations

import os

import pytest
from small_hospital import (
    PEOPLE,
    touch,
)

from remediation.errors import LockedError, ShareError
from remediation.stages import apply
from remediation.stages.apply import IN_PLACE, OUT, PAUSED, UNVERIFIED
from remediation.store import rewrite
from remediation.store.files import IoError
from remediation.store.journal import Journal, Type, journals
from remediation.store.locks import MARKER, lock_root

ALL = {"applied": 2 * PEOPLE}


def nothing_written(hospital, before) -> bool:
    return hospital.digests() == before and journals(hospital.output / "journal") == []


# --- the canary, stops ----------------------------------------------------------------------------


def test_the_run_pauses_after_whole_canary_studies_and_goes_on_when_told(hospital, manifest):
    before = hospital.digests()
    report = hospital.apply(manifest, pause_after_canary=True, canary=3)
    assert report.halt == PAUSED
    assert report.outcomes == {"applied": 4}
    assert not report.complete
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] != before[path]} == {"S0", "S1"}
    again = hospital.apply(manifest, pause_after_canary=True, canary=3)
    assert again.outcomes == {"already-applied": 4}
    assert again.halt == PAUSED, "not told to go on, it stays where it is"
    on = hospital.apply(manifest, pause_after_canary=True, canary=3, go_on=True)
    assert on.outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}
    assert on.complete


@pytest.mark.parametrize("canary", [3, 20])
def test_a_canary_that_does_not_read_as_promised_stops_the_run(
    hospital, manifest, monkeypatch, canary
):
    monkeypatch.setattr(apply, "stands", lambda *_: set())
    report = hospital.apply(manifest, canary=canary)
    assert report.halt == UNVERIFIED
    assert report.outcomes["applied"] == min(4 if canary == 3 else 20, 2 * PEOPLE)
    assert not report.complete


def test_there_is_no_pause_after_the_last_study(hospital, manifest):
    report = hospital.apply(manifest, pause_after_canary=True, canary=2 * PEOPLE + 1)
    assert report.complete


def test_three_failing_files_stop_the_run_and_nothing_of_them_is_written(
    hospital, manifest, monkeypatch
):
    def full(*_: object) -> None:
        raise IoError("a file cannot be written", number=28)

    monkeypatch.setattr(rewrite, "_fill", full)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.halt == "no-space"
    assert report.reasons["no-space"] == 3
    assert report.outcomes == {"failed": 3, "refused": 3}
    assert hospital.digests() == before


def test_a_journal_that_cannot_be_written_stops_the_run_before_any_file(
    hospital, manifest, monkeypatch
):
    whole = Journal.append

    def torn(self, kind, body):
        if kind is Type.INTENT:
            self.broken = True
            raise IoError("a file cannot be written", number=28)
        return whole(self, kind, body)

    monkeypatch.setattr(Journal, "append", torn)
    before = hospital.digests()
    report = hospital.apply(manifest)
    assert report.halt == "journal-not-written"
    assert hospital.digests() == before


# --- locks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [OUT, IN_PLACE])
def test_a_held_archive_is_left_alone_and_its_holder_named(hospital, manifest, tmp_path, mode):
    before = hospital.digests()
    with (
        lock_root(hospital.root, "crawl", in_place=False),
        pytest.raises(LockedError, match=rf"crawl on .*pid {os.getpid()}"),
    ):
        hospital.apply(manifest, mode, out=tmp_path / "mirror")
    assert nothing_written(hospital, before)


def test_the_lock_lies_in_the_root_only_while_it_is_written(hospital, manifest):
    seen = []
    report = hospital.apply(
        manifest, advance=lambda _: seen.append((hospital.root / MARKER).exists())
    )
    assert report.complete
    assert seen == [True] * PEOPLE
    assert not (hospital.root / MARKER).exists()


def test_a_mirror_leaves_no_marker_in_the_archive(hospital, manifest, tmp_path):
    seen = []
    hospital.apply(
        manifest,
        OUT,
        out=tmp_path / "mirror",
        advance=lambda _: seen.append((hospital.root / MARKER).exists()),
    )
    assert seen == [False] * PEOPLE


# --- interrupted runs -----------------------------------------------------------------------------


def test_an_interrupt_puts_the_study_back_and_the_next_run_goes_on(hospital, manifest, monkeypatch):
    whole, calls = rewrite.switch, []

    def stopped(staged):
        calls.append(staged)
        if len(calls) == 6:
            raise KeyboardInterrupt
        whole(staged)

    before = hospital.digests()
    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "switch", stopped)
        with pytest.raises(KeyboardInterrupt):
            hospital.apply(manifest)
    after = hospital.digests()
    assert {path[:2] for path in before if after[path] != before[path]} == {"S0", "S1"}
    assert after.keys() == before.keys()
    assert hospital.apply(manifest).outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}


def test_what_an_interrupted_run_left_is_settled_before_anything_else(
    hospital, manifest, monkeypatch
):
    leave_half(hospital, manifest, monkeypatch)
    assert any(".remediation-" in path for path in hospital.digests())
    assert hospital.apply(manifest).outcomes == {"already-applied": 4, "applied": 2 * PEOPLE - 4}
    assert not any(".remediation-" in path for path in hospital.digests())


def test_what_needs_a_person_stops_the_next_run(hospital, manifest, monkeypatch):
    leave_half(hospital, manifest, monkeypatch)
    stranger = hospital.file(2, 0)
    touch(stranger, b"neither old nor new")
    before = hospital.digests()
    with pytest.raises(ShareError, match="needs a person"):
        hospital.apply(manifest)
    assert hospital.digests() == before


def leave_half(hospital, manifest, monkeypatch) -> None:
    """Stop a run in its third study as a kill would: one file switched, nothing put back."""
    whole, calls = rewrite.switch, []

    class Killed(BaseException):
        pass

    def stopped(staged):
        calls.append(staged)
        if len(calls) == 6:
            raise Killed
        whole(staged)

    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "switch", stopped)
        patch.setattr("remediation.store.study.StudyWriter._withdrawn", lambda *_: None)
        with pytest.raises(Killed):
            hospital.apply(manifest)


def test_a_mirror_does_not_settle_what_was_interrupted_in_the_archive(
    hospital, manifest, monkeypatch, tmp_path
):
    leave_half(hospital, manifest, monkeypatch)
    before = hospital.digests()
    with pytest.raises(ShareError, match="not settled"):
        hospital.apply(manifest, OUT, out=tmp_path / "mirror")
    assert hospital.digests() == before
