"""Recovery: from any state that a killed run can leave, a study comes out whole, old or new."""

from __future__ import annotations

import errno
import os
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store.byte_study import (
    KEYS,
    MTIME,
    STUDY,
    byte_study,
    changes,
    lay_down,
    names,
    orphans,
    roots,
    standing,
)

from remediation.errors import DatasetError, KeyFileError
from remediation.model.secrets import Keys
from remediation.store import files, primitives, recovery
from remediation.store.intents import Bytes, Kind, study_logs
from remediation.store.journal import Journal, read
from remediation.store.recovery import Action, State, decide, recover, settle
from remediation.store.study import StudyWriter

FILES = byte_study()
ALL_NAMES = sorted(file.relative for file in FILES)
OLD, NEW = ["old"] * 3, ["new"] * 3

# What each of a file's names can hold after an intent: T, X, A.
STATES = {
    "staged": ("old", "new", None),
    "linked": ("old", "new", "old"),
    "switched": ("new", None, "old"),
    "moved aside": (None, "new", "old"),
    "put back": ("old", None, None),
    "finished": ("new", None, None),
}


class Crashed:
    """A study whose run was killed: its journal up to a record, its files as they are set."""

    def __init__(self, folder, last, kind=Kind.APPLY):
        self.root = folder / "archive"
        lay_down(self.root, FILES)
        with Journal.create(folder / "journal", "r1", {"command": "apply"}) as journal:
            writer = StudyWriter(journal, KEYS, kind)
            writer.finish(writer.write(STUDY, changes(self.root, FILES)))
        self.path = journal.path
        lines = self.path.read_bytes().splitlines(keepends=True)
        kinds = [str(record.type) for record in read(self.path)]
        self.path.write_bytes(b"".join(lines[: kinds.index(last) + 1]))
        self.places = self.log.places

    @property
    def log(self):
        return study_logs(read(self.path), KEYS)[-1]

    def set(self, number, target, staged, aside):
        file, place = FILES[number], self.places[number]
        path = self.root / file.relative
        contents = {"old": file.old, "new": file.new}
        names_of = (path, path.parent / os.fsdecode(place.staged))
        for one, wanted in zip(names_of, (target, staged), strict=True):
            one.unlink(missing_ok=True)
            if wanted:
                one.write_bytes(contents.get(wanted, b"something else"))
                os.utime(one, ns=(MTIME, MTIME))
        second = path.parent / os.fsdecode(place.aside)
        second.unlink(missing_ok=True)
        if aside == target == "old":
            os.link(path, second)
        elif aside:
            second.write_bytes(contents.get(aside, b"something else"))

    def recover(self):
        return recover(roots(self.root), [self.path], KEYS)

    def snapshot(self):
        return {
            path: (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
            for path in self.root.rglob("*")
            if path.is_file()
        }


# --- the decision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ("staged", Action.KEEP_OLD),
        ("linked", Action.KEEP_OLD),
        ("switched", Action.KEEP_NEW),
        ("moved aside", Action.PUT_BACK),
        ("put back", Action.KEEP_OLD),
        ("finished", Action.FINISH),
    ],
)
def test_every_state_that_a_step_leaves_is_known(state, action):
    assert decide(*STATES[state], "old", "new") is action


def test_of_all_combinations_only_safe_ones_are_acted_upon():
    known = 0
    for t, x, a in product(["old", "new", "other", None], repeat=3):
        action = decide(t, x, a, "old", "new")
        known += action is not Action.QUARANTINE
        # What an action removes or replaces is proven to be elsewhere, or is the staged copy.
        if action is Action.KEEP_OLD:
            assert (t, x in {None, "new"}, a in {None, "old"}) == ("old", True, True)
        elif action is Action.KEEP_NEW:
            assert (t, x in {None, "new"}, a) == ("new", True, "old")
        elif action is Action.FINISH:
            assert (t, x in {None, "new"}, a) == ("new", True, None)
        elif action is Action.PUT_BACK:
            assert (t, x in {None, "new"}, a) == (None, True, "old")
        else:
            assert "other" in {t, x, a} or x == "old" or a == "new" or (t, a) == (None, None)
    assert known == 10


@given(st.lists(st.sampled_from(Action), min_size=1), st.booleans())
def test_a_study_goes_one_way_and_only_if_every_file_can(actions, put_back):
    state = settle(actions, put_back=put_back)
    if state is State.NEW:
        assert set(actions) <= {Action.KEEP_NEW, Action.FINISH}
        assert not put_back
    elif state is State.OLD:
        assert set(actions) <= {Action.KEEP_OLD, Action.KEEP_NEW, Action.PUT_BACK}
    else:
        assert {Action.QUARANTINE, Action.FINISH} & set(actions)


# --- every crash ----------------------------------------------------------------------------------


@pytest.mark.parametrize("states", list(product([*STATES][:5], repeat=3)), ids="/".join)
def test_any_mixture_after_the_intent_comes_out_whole(tmp_path, states):
    crashed = Crashed(tmp_path, "INTENT")
    for number, state in enumerate(states):
        crashed.set(number, *STATES[state])
    (found,) = crashed.recover()
    wanted = State.NEW if set(states) == {"switched"} else State.OLD
    assert (found.state, found.study, found.files, found.run_id) == (wanted, STUDY, 3, "r1")
    assert standing(crashed.root, FILES) == (NEW if wanted is State.NEW else OLD)
    assert names(crashed.root) == ALL_NAMES
    assert all((crashed.root / name).stat().st_nlink == 1 for name in ALL_NAMES)
    assert crashed.log.closed is Bytes(wanted)
    assert crashed.recover() == (), "again there is nothing to do"


@pytest.mark.parametrize("states", list(product(["switched", "finished"], repeat=3)), ids="/".join)
@pytest.mark.parametrize("last", ["INTENT", "STUDY_DONE"])
def test_a_study_that_was_switched_whole_is_finished(tmp_path, states, last):
    crashed = Crashed(tmp_path, last)
    for number, state in enumerate(states):
        crashed.set(number, *STATES[state])
    assert crashed.recover()[0].state is State.NEW
    assert (standing(crashed.root, FILES), names(crashed.root)) == (NEW, ALL_NAMES)


def test_a_study_that_was_to_go_back_goes_back_though_all_of_it_is_new(tmp_path):
    crashed = Crashed(tmp_path, "STUDY_DONE")
    journal, _ = Journal.reopen(crashed.path)
    with journal:
        journal.append("PUT_BACK", {"stage": crashed.log.stage})
    for number in range(3):
        crashed.set(number, *STATES["switched"])
    assert crashed.recover()[0].state is State.OLD
    assert (standing(crashed.root, FILES), names(crashed.root)) == (OLD, ALL_NAMES)


@pytest.mark.parametrize("content", [b"", b"half", None])
def test_what_was_being_staged_is_removed_whatever_it_holds(tmp_path, content):
    crashed = Crashed(tmp_path, "STAGE")
    for number in range(3):
        crashed.set(number, "old", None, None)
        if content is not None:
            path = crashed.root / FILES[number].relative
            (path.parent / os.fsdecode(crashed.places[number].staged)).write_bytes(content)
    assert crashed.recover()[0].state is State.OLD
    assert (standing(crashed.root, FILES), names(crashed.root)) == (OLD, ALL_NAMES)


def test_a_torn_last_record_is_as_if_it_had_not_been_begun(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["staged"])
    data = crashed.path.read_bytes()
    crashed.path.write_bytes(data[:-40])
    assert crashed.recover()[0].state is State.OLD
    assert (standing(crashed.root, FILES), names(crashed.root)) == (OLD, ALL_NAMES)


def test_a_closed_study_is_never_looked_at_again(tmp_path):
    crashed = Crashed(tmp_path, "CLOSED")
    lay_down(crashed.root, FILES)  # rolled back since, by another run
    before = crashed.path.read_bytes(), crashed.snapshot()
    assert crashed.recover() == ()
    assert (crashed.path.read_bytes(), crashed.snapshot()) == before


def test_a_recovered_rollback_or_apply_says_so_in_the_journal(tmp_path):
    for kind, result in ((Kind.APPLY, "rolled-back"), (Kind.ROLLBACK, "failed")):
        crashed = Crashed(tmp_path / kind, "INTENT", kind)
        for number in range(3):
            crashed.set(number, *STATES["linked"])
        crashed.recover()
        said = read(crashed.path)[-1].body["files"]
        assert [(one["result"], one["reason"]) for one in said] == [(result, "interrupted")] * 3


# --- what it does not know ------------------------------------------------------------------------

UNKNOWN = {
    "replaced target": ("other", None, "old"),
    "replaced target, nothing aside": ("other", "new", None),
    "altered staged file": ("old", "other", "old"),
    "altered file aside": ("new", None, "other"),
    "only the new bytes": (None, "new", None),
    "nothing": (None, None, None),
}


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_one_unknown_file_and_the_whole_study_is_touched_by_nobody(tmp_path, unknown, which):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["switched" if number % 2 else "linked"])
    crashed.set(which, *UNKNOWN[unknown])
    before = crashed.snapshot()
    (found,) = crashed.recover()
    assert found.state is State.QUARANTINED
    assert crashed.snapshot() == before
    assert crashed.log.closed is None
    assert crashed.recover()[0].state is State.QUARANTINED, "reported each time"


def test_a_folder_or_a_link_in_a_target_s_place_is_unknown(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["linked"])
    path = crashed.root / FILES[0].relative
    path.unlink()
    path.symlink_to(crashed.root / FILES[2].relative)
    before = names(crashed.root)
    assert crashed.recover()[0].state is State.QUARANTINED
    assert names(crashed.root) == before


def test_a_file_aside_without_an_intent_means_that_one_was_lost(tmp_path):
    crashed = Crashed(tmp_path, "STAGE")
    for number in range(3):
        crashed.set(number, *STATES["switched"])
    before = crashed.snapshot()
    assert crashed.recover()[0].state is State.QUARANTINED
    assert crashed.snapshot() == before


def test_a_half_old_study_that_was_finished_in_part_is_unknown():
    assert settle([Action.FINISH, Action.KEEP_OLD], put_back=False) is State.QUARANTINED


def test_an_archive_that_the_job_does_not_name_is_left_alone(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    before = crashed.snapshot()
    (found,) = recover({"west": tmp_path}, [crashed.path], KEYS)
    assert (found.state, crashed.snapshot()) == (State.QUARANTINED, before)


# --- trouble during recovery ----------------------------------------------------------------------


def test_an_unmounted_share_decides_nothing(tmp_path):
    crashed = Crashed(tmp_path, "STAGE")
    (tmp_path / "mountpoint").mkdir()
    (found,) = recover(roots(tmp_path / "mountpoint"), [crashed.path], KEYS)
    assert (found.state, crashed.log.closed) == (State.FAILED, None)
    assert "mounted" in found.reason
    (found,) = recover(roots(tmp_path / "nowhere"), [crashed.path], KEYS)
    assert found.state is State.FAILED


@pytest.mark.parametrize("call", ["rename", "unlink", "fsync"])
@pytest.mark.parametrize("number", range(1, 7))
def test_interrupted_recovery_goes_on_from_there(tmp_path, monkeypatch, call, number):
    crashed = Crashed(tmp_path, "INTENT")
    for n, state in enumerate(["switched", "linked", "moved aside"]):
        crashed.set(n, *STATES[state])
    module = files if call == "fsync" else primitives
    real, calls = getattr(module, call), []

    def fail(*arguments):
        calls.append(1)
        if len(calls) == number:
            raise files.IoError("no", number=errno.EIO)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, call, fail)
        if (call, number) == ("fsync", 1):  # the journal's own
            with pytest.raises(files.IoError):
                crashed.recover()
        else:
            assert {one.state for one in crashed.recover()} <= {State.FAILED, State.OLD}
    crashed.recover()
    assert (standing(crashed.root, FILES), names(crashed.root)) == (OLD, ALL_NAMES)


def test_a_target_that_changes_while_its_study_is_looked_at_stays(tmp_path, monkeypatch):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["switched" if number else "linked"])
    theirs = crashed.root / FILES[1].relative
    real = recovery.settle

    def race(*arguments, **named):
        theirs.write_bytes(b"from the scanner")
        return real(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "settle", race)
        assert crashed.recover()[0].state is State.FAILED
    assert theirs.read_bytes() == b"from the scanner"
    assert crashed.recover()[0].state is State.QUARANTINED


def test_an_unreadable_file_decides_nothing(tmp_path, monkeypatch):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["switched"])
    before = crashed.snapshot()

    def fail(*_):
        raise OSError(errno.EIO, "no", "a path that must not show")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", fail)
        (found,) = crashed.recover()
    assert found.state is State.FAILED
    assert "must not show" not in found.reason
    assert crashed.snapshot() == before


def test_a_run_that_still_goes_on_is_left_alone(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    for number in range(3):
        crashed.set(number, *STATES["linked"])
    before = crashed.snapshot()
    journal, _ = Journal.reopen(crashed.path)
    with journal:
        (found,) = crashed.recover()
    assert (found.state, found.study) == (State.LOCKED, "")
    assert crashed.snapshot() == before


def test_a_damaged_journal_stops_everything(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    data = crashed.path.read_bytes()
    crashed.path.write_bytes(data.replace(b'"STAGE"', b'"NOTES"'))
    before = crashed.snapshot()
    with pytest.raises(DatasetError):
        crashed.recover()
    assert crashed.snapshot() == before


def test_another_key_touches_nothing(tmp_path):
    crashed = Crashed(tmp_path, "INTENT")
    before = crashed.snapshot()
    with pytest.raises(KeyFileError):
        recover(roots(crashed.root), [crashed.path], Keys.from_hex("6b" * 32))
    assert crashed.snapshot() == before


def test_two_interrupted_runs_are_both_settled(tmp_path):
    first = Crashed(tmp_path / "1", "INTENT")
    second = Crashed(tmp_path / "2", "STUDY_DONE")
    for number in range(3):
        first.set(number, *STATES["linked"])
        second.set(number, *STATES["switched"])
    both = {"oost": first.root}
    assert [one.state for one in recover(both, [first.path], KEYS)] == [State.OLD]
    assert [one.state for one in recover(roots(second.root), [second.path], KEYS)] == [State.NEW]
    assert orphans(first.root) == orphans(second.root) == []
