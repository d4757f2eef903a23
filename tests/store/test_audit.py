"""The audit log: chained over runs and years, durable or refused; damage is found."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import AlteredError, LockedError
from remediation.model.audit import Entry, Event, Who
from remediation.store import audit
from remediation.store.audit import START, append, prove, read, years
from remediation.store.files import IoError

WHO = Who("beheer", "", "PACS-beheer (test)", "werkplek", "0")


def entry(run="r1", at="2026-11-25T18:00:00+00:00", event=Event.BEGAN, **more):
    return Entry(at, run, event, "apply", WHO, **more)


@pytest.fixture
def output(tmp_path):
    """Return an output folder with a log of two years and five records."""
    append(tmp_path, [entry()])
    append(tmp_path, [entry(event=Event.OBJECT, study="sealed:AAAA", files=2), entry("r1b")])
    append(tmp_path, [entry("r2", "2027-01-01T00:00:01+00:00")])
    append(tmp_path, [entry("r2", "2027-01-01T00:00:02+00:00", Event.ENDED, result="0")])
    return tmp_path


def raw(output):
    return b"".join(path.read_bytes() for path in years(output))


def test_records_are_one_chain_over_calls_and_years(output):
    assert [path.name for path in years(output)] == ["2026.jsonl", "2027.jsonl"]
    found = list(read(output))
    assert [one.seq for one in found] == [1, 2, 3, 4, 5]
    assert found[1].said["study"] == "sealed:AAAA"
    proof = prove(output)
    assert (proof.records, proof.head, proof.torn) == (5, found[-1].chain, False)


def test_an_empty_log_is_whole(tmp_path):
    assert prove(tmp_path).head == START


def test_only_its_user_can_open_it(output):
    assert stat.S_IMODE((output / "audit").stat().st_mode) == 0o700
    for path in (output / "audit").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_says_who_on_whose_responsibility_when_what_where_and_how_it_ended(output):
    said = list(read(output))[-1].said
    assert said["person"] == "beheer"
    assert said["responsible"] == "PACS-beheer (test)"
    assert (said["client"], said["command"], said["action"]) == ("werkplek", "apply", "U")
    assert (said["at"], said["event"], said["result"]) == (
        "2027-01-01T00:00:02+00:00",
        "ended",
        "0",
    )


@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_any_altered_byte_is_found_where_it_stands(output, flip):
    for path in years(output):
        data = path.read_bytes()
        for position in range(0, len(data) - 1, 3):
            altered = bytearray(data)
            altered[position] ^= flip
            path.write_bytes(altered)
            with pytest.raises(AlteredError, match=rf"{path.name}, line "):
                prove(output)
        path.write_bytes(data)
    assert prove(output).records == 5


@pytest.mark.parametrize("order", [[1, 2], [0, 2], [1, 0, 2], [0, 0, 1, 2]])
def test_a_record_cannot_be_taken_out_moved_or_doubled(output, order):
    path = years(output)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(AlteredError, match=r"2026\.jsonl, line "):
        prove(output)


def test_a_year_that_is_gone_is_found_and_named_years_may_be_moved_away(output):
    head = list(read(output))[2].chain
    years(output)[0].unlink()
    with pytest.raises(AlteredError, match=r"2027\.jsonl, line 1"):
        prove(output)
    assert prove(output, since=head).first == 4


def test_a_cut_is_found_by_a_head_that_was_noted_down(output):
    noted = [(one.chain, f"run {one.seq}") for one in read(output)]
    assert prove(output, noted=noted).records == 5
    path = years(output)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0])
    assert prove(output).records == 4
    with pytest.raises(AlteredError, match="run 5") as caught:
        prove(output, noted=noted)
    assert caught.value.exit_code == 5


def test_cut_at_any_byte_the_next_run_mends_it_and_says_so(output):
    path, whole = years(output)[-1], raw(output)
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        kept = data[:cut].count(b"\n")
        torn = not (data[:cut].endswith(b"\n") or cut == 0)
        assert prove(output).torn is torn
        head = append(output, [entry("r3", "2027-02-01T00:00:00+00:00")])
        assert head.mended is torn
        events = [one.said["event"] for one in read(output)]
        assert events[3 + kept :] == (["mended"] if torn else []) + ["began"]
        assert prove(output).head == head.chain
    path.write_bytes(data)
    assert raw(output) == whole


def test_after_an_altered_last_record_nothing_is_appended(output):
    path = years(output)[-1]
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"result":"0"', b'"result":"1"'))
    with pytest.raises(AlteredError):
        append(output, [entry("r3")])


def test_a_clock_that_was_set_back_opens_no_old_year(output):
    before = years(output)[0].read_bytes()
    append(output, [entry("r3", "2026-12-31T23:59:59+00:00")])
    assert years(output)[0].read_bytes() == before
    assert prove(output).records == 6


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_what_cannot_be_written_is_refused_and_leaves_the_log_as_it_was(
    output, monkeypatch, call, fault
):
    whole, head = raw(output), prove(output).head
    real = getattr(os, call)

    def failing(descriptor, *rest):
        if call == "write":
            real(descriptor, bytes(rest[0])[:20])
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, call, failing)
    with pytest.raises(IoError) as caught:
        append(output, [entry("r3", "2027-02-01T00:00:00+00:00")])
    assert os.strerror(fault) in str(caught.value)
    monkeypatch.undo()
    assert raw(output) == whole
    assert prove(output).head == head
    assert append(output, [entry("r3", "2027-02-01T00:00:00+00:00")]).seq == 6


def test_a_disk_that_forgets_is_found_by_reading_back(output, monkeypatch):
    monkeypatch.setattr(os, "write", lambda _descriptor, data: len(data))
    with pytest.raises(IoError, match="did not keep"):
        append(output, [entry("r3")])
    monkeypatch.undo()
    assert prove(output).records == 5


def test_writers_wait_for_each_other_and_none_is_lost(output):
    def several(name):
        for _ in range(10):
            append(output, [entry(name), entry(name)])

    threads = [threading.Thread(target=several, args=(f"w{number}",)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert prove(output).records == 85


def test_who_waits_too_long_is_told(output, monkeypatch):
    monkeypatch.setattr(audit, "PATIENCE", 0.05)
    with audit._alone(output / "audit/lock"), pytest.raises(LockedError, match="being written"):
        append(output, [entry("r3")])


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_long_entries_do_not_hide_the_last_one(tmp_path_factory, sizes):
    output = tmp_path_factory.mktemp("lang")
    for size in sizes:
        append(output, [entry(counts={"reason": "x" * size * 1000})])
    assert [len(one.said["counts"]["reason"]) for one in read(output)] == [
        size * 1000 for size in sizes
    ]


def test_a_record_is_json_for_other_programs(output):
    lines = raw(output).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]
