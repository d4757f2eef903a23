"""The journal: durable or broken, chained, one writer; torn ends are passed over, damage is not."""

from __future__ import annotations

import errno
import json
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import DatasetError, LockedError
from remediation.store.files import IoError
from remediation.store.journal import Journal, Type, journals, read


@pytest.fixture
def written(tmp_path):
    with Journal.create(tmp_path / "journal", "r1", {"command": "apply", "author": "Eén"}) as one:
        one.append(Type.NOTE, {"text": "canary passed"})
        one.append(Type.NOTE, {"counts": [1, 2, {"a": None}]})
        one.append(Type.END, {"exit_code": 0})
    return one.path


def test_what_was_appended_is_read_in_order(written):
    records = read(written)
    assert [record.seq for record in records] == [1, 2, 3, 4]
    assert [record.type for record in records] == ["BEGIN", "NOTE", "NOTE", "END"]
    assert records[0].body == {"command": "apply", "author": "Eén"}
    assert records[2].body == {"counts": [1, 2, {"a": None}]}


def test_one_record_is_one_line_of_json(written):
    lines = written.read_bytes().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]


def test_only_its_user_can_open_it(written):
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700


def test_a_loose_folder_is_closed(tmp_path):
    (tmp_path / "journal").mkdir(mode=0o755)
    Journal.create(tmp_path / "journal", "r1", {}).close()
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o700


def test_cut_at_any_byte_it_gives_the_records_before_the_cut(written):
    data, whole = written.read_bytes(), read(written)
    for cut in range(len(data) + 1):
        written.write_bytes(data[:cut])
        assert read(written) == whole[: data[:cut].count(b"\n")]


@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_any_altered_byte_is_found(written, flip):
    data = written.read_bytes()
    for position in range(len(data) - 1):
        altered = bytearray(data)
        altered[position] ^= flip
        written.write_bytes(altered)
        with pytest.raises(DatasetError, match="damaged or was altered"):
            read(written)


def test_without_its_last_newline_the_last_record_was_never_acknowledged(written):
    written.write_bytes(written.read_bytes()[:-1])
    assert len(read(written)) == 3


def test_a_record_cannot_be_taken_out_moved_doubled_or_brought_from_another_run(written, tmp_path):
    lines = written.read_bytes().splitlines(keepends=True)
    with Journal.create(tmp_path / "journal", "r2", {"command": "apply", "author": "Eén"}) as two:
        pass
    foreign = two.path.read_bytes()
    for wrong in (
        lines[1:],
        [lines[0], *lines[2:]],
        [lines[0], lines[2], lines[1], lines[3]],
        [lines[0], lines[0], *lines[1:]],
        [foreign, *lines[1:]],
        [*lines, foreign],
    ):
        written.write_bytes(b"".join(wrong))
        with pytest.raises(DatasetError, match="record "):
            read(written)


def test_a_renamed_journal_is_another_runs_and_is_not_read(written):
    other = written.with_name("r9.jsonl")
    written.rename(other)
    with pytest.raises(DatasetError):
        read(other)


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_rubbish_after_it_is_damage_or_a_torn_end_never_a_record(tmp_path_factory, rubbish):
    path = Journal.create(tmp_path_factory.mktemp("journal"), "r1", {"command": "apply"}).path
    path.write_bytes(path.read_bytes() + rubbish)
    if b"\n" in rubbish:
        with pytest.raises(DatasetError):
            read(path)
    else:
        assert len(read(path)) == 1


def test_reopening_cuts_a_torn_end_off_and_goes_on_in_the_chain(written):
    whole = written.read_bytes()
    for cut in (len(whole), len(whole) - 1, len(whole) - 30):
        written.write_bytes(whole[:cut])
        journal, records = Journal.reopen(written)
        with journal:
            assert journal.append(Type.NOTE, {"text": "again"}) == len(records) + 1
        assert [record.type for record in read(written)][-1] == "NOTE"
        assert len(read(written)) == len(records) + 1


def test_one_writer_at_a_time(tmp_path):
    with Journal.create(tmp_path, "r1", {}) as journal, pytest.raises(LockedError, match="run r1"):
        Journal.reopen(journal.path)
    Journal.reopen(journal.path)[0].close()


def test_a_run_id_is_taken_once(tmp_path):
    Journal.create(tmp_path, "r1", {}).close()
    with pytest.raises(LockedError):
        Journal.create(tmp_path, "r1", {})
    assert len(read(tmp_path / "r1.jsonl")) == 1


@pytest.mark.parametrize("run_id", ["", "../r", "r 1", "-r", "x" * 101, "é"])
def test_a_run_id_is_a_plain_word(tmp_path, run_id):
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        Journal.create(tmp_path, run_id, {})


def test_a_record_cannot_pose_as_the_journal_itself(tmp_path):
    with Journal.create(tmp_path, "r1", {}) as journal:
        for key in ("seq", "type", "chain"):
            with pytest.raises(ValueError, match="journal's own"):
                journal.append(Type.NOTE, {key: 1})
        journal.append(Type.NOTE, {})
    assert len(read(journal.path)) == 2


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_after_one_failure_nothing_is_ever_appended(tmp_path, monkeypatch, call):
    with Journal.create(tmp_path, "r1", {}) as journal:
        tries = []

        def fail(*_):
            tries.append(1)
            raise OSError(errno.EIO, "no", "a path")

        with monkeypatch.context() as patched:
            patched.setattr(os, call, fail)
            with pytest.raises(IoError):
                journal.append(Type.NOTE, {})
        assert len(tries) == 1, "a failed fsync is never tried again"
        with pytest.raises(IoError, match="any more"):
            journal.append(Type.NOTE, {})
        assert journal.broken


def test_a_full_disk_in_the_middle_of_a_record_is_a_torn_end(tmp_path, monkeypatch):
    real = os.write
    with Journal.create(tmp_path, "r1", {}) as journal:
        state = {"left": 20}

        def filling(descriptor, data):
            if not state["left"]:
                raise OSError(errno.ENOSPC, "full")
            done = real(descriptor, data[: state["left"]])
            state["left"] -= done
            return done

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", filling)
            with pytest.raises(IoError):
                journal.append(Type.NOTE, {"text": "never there"})
    assert len(read(journal.path)) == 1
    assert not journal.path.read_bytes().endswith(b"\n")


def test_a_disk_that_only_says_that_it_wrote_is_found_out(tmp_path, monkeypatch):
    with Journal.create(tmp_path, "r1", {}) as journal:
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", lambda _, data: len(data))
            with pytest.raises(IoError, match="did not keep"):
                journal.append(Type.NOTE, {})
        assert journal.broken
    assert len(read(journal.path)) == 1


def test_the_head_is_the_last_records_chain(written):
    journal, _ = Journal.reopen(written)
    with journal:
        assert journal.head == json.loads(written.read_bytes().splitlines()[-1])["chain"]
        assert journal.next_seq == 5


def test_journals_are_listed_by_name(tmp_path):
    assert journals(tmp_path / "none") == []
    for run_id in ("r2", "r1"):
        Journal.create(tmp_path, run_id, {}).close()
    (tmp_path / "notes.txt").touch()
    assert [path.stem for path in journals(tmp_path)] == ["r1", "r2"]


def test_a_journal_that_cannot_be_opened_says_so_in_one_line(tmp_path):
    with pytest.raises(IoError, match=r"r1\.jsonl: No such file"):
        Journal.reopen(tmp_path / "r1.jsonl")
    with pytest.raises(IoError, match=r"r1\.jsonl: No such file"):
        read(tmp_path / "r1.jsonl")
