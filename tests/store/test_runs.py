"""What was done with a manifest, read back from its journals."""

from __future__ import annotations

import pytest
from store.byte_study import ARCHIVE, KEYS, STUDY, byte_study, changes, fail_at, lay_down

from remediation.errors import DatasetError
from remediation.store.changes import undo_of
from remediation.store.intents import Kind
from remediation.store.journal import Journal, Type
from remediation.store.runs import applied, next_number, runs_of
from remediation.store.study import StudyWriter

FILES = byte_study()


@pytest.fixture
def root(tmp_path):
    lay_down(tmp_path / "archive", FILES)
    return tmp_path / "archive"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out"


def journal(output, run_id, *, number=None, manifest="m1", end=None):
    """Return an open journal of a run; `end` closes it at once."""
    begin = {"manifest": manifest, "number": number or next_number(output)}
    made = Journal.create(output / "journal", run_id, begin)
    if end is not None:
        made.append(Type.END, end)
        made.close()
    return made


def apply(output, root, run_id, files=FILES, study=STUDY):
    with journal(output, run_id) as opened:
        writer = StudyWriter(opened, KEYS)
        writer.finish(writer.write(study, changes(root, files)))


def roll_back(output, root, run_id, logs):
    with journal(output, run_id) as opened:
        writer = StudyWriter(opened, KEYS, Kind.ROLLBACK)
        for log in logs:
            undo = [undo_of(intent, root, KEYS) for intent in log.intents]
            writer.finish(writer.write(log.study, undo))


def standing(output):
    """Return the files whose new bytes stand, by study."""
    return {
        log.study: sorted(intent.place.relative.decode() for intent in log.intents)
        for log in applied(runs_of(output, "m1"), KEYS)
    }


def names(*which):
    return sorted(FILES[n].relative for n in which)


def test_before_anything_ran_there_are_no_runs(output):
    assert list(runs_of(output, "m1")) == []
    assert next_number(output) == 1
    assert standing(output) == {}


def test_runs_of_a_manifest_come_in_the_order_of_their_numbers(output):
    journal(output, "r-b", number=2, end={"complete": True, "at": "later"})
    journal(output, "r-a", number=10, end={"complete": False, "at": "last"})
    journal(output, "r-c", number=1, end={"complete": True, "at": "first"})
    journal(output, "r-x", number=3, manifest="m2", end={})
    runs = list(runs_of(output, "m1"))
    assert [run.run_id for run in runs] == ["r-c", "r-b", "r-a"]
    assert [(run.complete, run.end) for run in runs] == [
        (True, "first"),
        (True, "later"),
        (False, "last"),
    ]
    assert next_number(output) == 11


def test_a_run_that_broke_off_is_not_complete(output):
    journal(output, "r-a").close()
    (run,) = runs_of(output, "m1")
    assert (run.complete, run.end) == (False, "")


def test_a_journal_that_breaks_off_in_its_first_line_counts_for_nothing(output):
    journal(output, "r-a", end={"complete": True})
    (path,) = (output / "journal").iterdir()
    torn = path.with_name(path.name.replace("r-a", "r-b"))
    torn.write_bytes(path.read_bytes()[:20])
    assert [run.run_id for run in runs_of(output, "m1")] == ["r-a"]
    assert next_number(output) == 2


def test_a_journal_that_is_damaged_in_the_middle_is_one_error(output):
    made = journal(output, "r-a")
    for number in range(3):
        made.append(Type.END, {"at": str(number)})
    made.close()
    data = bytearray(made.path.read_bytes())
    data[len(data) // 2] ^= 1
    made.path.write_bytes(data)
    with pytest.raises(DatasetError) as caught:
        list(runs_of(output, "m1"))
    assert "\n" not in str(caught.value)


def test_what_was_applied_stands_with_what_takes_it_back(output, root):
    apply(output, root, "r-1")
    assert standing(output) == {STUDY: names(0, 1, 2)}
    (log,) = applied(runs_of(output, "m1"), KEYS)
    assert {intent.place.archive for intent in log.intents} == {ARCHIVE}
    assert len({intent.open_undo(KEYS) for intent in log.intents}) == 3


def test_what_was_rolled_back_does_not_stand(output, root):
    apply(output, root, "r-1")
    roll_back(output, root, "r-2", applied(runs_of(output, "m1"), KEYS))
    assert standing(output) == {}


def test_what_was_applied_again_after_a_rollback_stands_again(output, root):
    apply(output, root, "r-1")
    roll_back(output, root, "r-2", applied(runs_of(output, "m1"), KEYS))
    lay_down(root, FILES)
    apply(output, root, "r-3")
    assert standing(output) == {STUDY: names(0, 1, 2)}


def test_an_apply_that_failed_leaves_nothing_standing(output, root, monkeypatch):
    with monkeypatch.context() as patched:
        fail_at(patched, "switch", 2)
        apply(output, root, "r-1")
    assert standing(output) == {}


def test_a_rollback_that_failed_leaves_it_all_standing(output, root, monkeypatch):
    apply(output, root, "r-1")
    with monkeypatch.context() as patched:
        fail_at(patched, "switch", 2)
        roll_back(output, root, "r-2", applied(runs_of(output, "m1"), KEYS))
    assert standing(output) == {STUDY: names(0, 1, 2)}


def test_studies_stand_and_fall_apart(output, root):
    apply(output, root, "r-1", FILES[:1], "1.1")
    apply(output, root, "r-2", FILES[1:], "1.2")
    assert standing(output) == {"1.1": names(0), "1.2": names(1, 2)}
    logs = applied(runs_of(output, "m1"), KEYS)
    roll_back(output, root, "r-3", [log for log in logs if log.study == "1.1"])
    assert standing(output) == {"1.2": names(1, 2)}


def test_a_study_that_was_applied_in_two_runs_stands_whole(output, root):
    """The first run met a file that had drifted; the second, after it was settled, did not."""
    apply(output, root, "r-1", FILES[:2])
    apply(output, root, "r-2", FILES)
    assert standing(output) == {STUDY: names(0, 1, 2)}


def test_runs_of_another_manifest_do_not_count(output, root):
    apply(output, root, "r-1")
    assert applied(runs_of(output, "m2"), KEYS) == []
