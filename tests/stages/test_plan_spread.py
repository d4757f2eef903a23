"""Plan spread over workers: the same manifest whatever the spread, and nothing of it to be seen."""

from __future__ import annotations

import pickle
import random
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_hospital import BIRTHS, NUMBERS, WORDS, copy

from remediation.errors import KeyFileError, UsageError
from remediation.stages import plan
from remediation.store import datasets, foreseen
from remediation.store.foreseen import File, Study, opened, sealed
from remediation.store.inventory import Inventory
from remediation.store.keys import new_key_file
from remediation.tables.schemas import INVENTORY

AUTHOR = "Anna Auteur"


def planned(hospital, mapper=map, select=(), **changes):
    session = hospital.session()
    options = replace(session.plan_options(author=AUTHOR, select=select), **changes)
    return hospital.load(plan.run(options, session.crosswalk(), session.keys, mapper=mapper).folder)


def shuffled(hospital, dice):
    """Put the rows of the inventory in another order, and in other parts."""
    session = hospital.session()
    inventory = Inventory(hospital.output, session.keys.key_id, INVENTORY)
    for name in ("instances", "findings"):
        folder = inventory.folder / name
        table = getattr(inventory, name)()
        shutil.rmtree(folder)
        months = sorted(set(table["study_month"].to_pylist()))
        for month in months:
            at = [n for n, one in enumerate(table["study_month"].to_pylist()) if one == month]
            dice.shuffle(at)
            cuts = sorted(dice.sample(range(len(at) + 1), k=min(2, len(at))))
            parts = [at[i:j] for i, j in zip([0, *cuts], [*cuts, len(at)], strict=True)]
            for number, part in enumerate(part for part in parts if part):
                rows = table.take(part)
                datasets.write_partition(
                    folder, rows, "noord", month, session.keys.key_id, number=number
                )


def in_any_order(dice):
    def mapper(function, tasks):
        found = [function(task) for task in tasks]
        dice.shuffle(found)
        return iter(found)

    return mapper


@pytest.fixture(scope="module")
def mixed(template, tmp_path_factory):
    """A hospital of which one study is refused for a file, and one by match."""
    hospital = copy(template, tmp_path_factory.mktemp("spread") / "klein")
    hospital.file(2, 1).write_bytes(hospital.file(2, 1).read_bytes()[:-9])
    hospital.edit_export("703;", "793;")
    hospital.look()
    return hospital


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
def test_the_manifest_is_the_same_whatever_order_parts_tasks_and_workers(
    mixed, seed, task_files, batch_rows, readers
):
    first = planned(mixed)
    assert first.manifest.counts == {"files": 8, "studies": 4, "refused": 2}
    dice = random.Random(seed)
    shuffled(mixed, dice)
    again = planned(
        mixed, in_any_order(dice), task_files=task_files, batch_rows=batch_rows, readers=readers
    )
    assert again.raw == first.raw
    assert again.corrections.equals(first.corrections)
    assert again.refusals.equals(first.refusals)


def test_the_order_of_what_is_selected_does_not_show(hospital):
    one, other = ("status", "absent"), ("status", "candidate")
    assert planned(hospital, select=[one, other]).raw == planned(hospital, select=[other, one]).raw


# --- what crosses to a worker ---------------------------------------------------------------------


def test_no_number_no_name_and_no_path_crosses_to_a_worker_or_back(hospital):
    crossed = []

    def mapper(function, tasks):
        for task in tasks:
            crossed.append(pickle.dumps(task))
            found = function(pickle.loads(crossed[-1]))
            crossed.append(pickle.dumps(found))
            yield pickle.loads(crossed[-1])

    stored = planned(hospital, mapper, task_files=3)
    assert stored.manifest.counts["files"] == 12
    assert len(crossed) == 12, "six tasks, for a study is never divided"
    text = b"".join(crossed).decode("latin-1")
    local = [f"70{person}" for person in range(6)]
    for canary in (*NUMBERS, *WORDS, *BIRTHS, "S3/I0", *(f'"{number}"' for number in local)):
        assert canary not in text
        assert canary.encode().hex() not in text


def test_a_study_that_goes_to_a_worker_does_not_show_its_number():
    study = Study(NUMBERS[0], "ZKH-NOORD", ("ZKH-NOORD",), (File("a", 1, 2, "", False),))
    assert NUMBERS[0] not in f"{study!r} {study}"


def test_orders_come_back_as_they_were_sealed(hospital):
    keys = hospital.session().keys
    studies = [Study(NUMBERS[0], "ZKH", ("ZKH", "Zkh. Oost"), (File("sealed:x", 1, 2, "d", True),))]
    extras = (("BSN-BUREAU",), (NUMBERS[1],))
    data = sealed(studies, extras, keys)
    assert NUMBERS[0].encode() not in data
    assert opened(data, keys) == (studies, extras)


def test_a_worker_with_another_key_is_refused(hospital):
    def mapper(function, tasks):
        key = hospital.out / "keys/klein.key"
        key.unlink()
        new_key_file(key)
        return map(function, tasks)

    with pytest.raises(KeyFileError, match="another key"):
        planned(hospital, mapper)


# --- before a head is read ------------------------------------------------------------------------


def nothing_is_read(monkeypatch):
    def read(*_):
        raise AssertionError("a head was read")

    monkeypatch.setattr(foreseen.Ahead, "read", read)


def test_too_many_files_are_told_before_a_head_is_read(hospital, monkeypatch):
    nothing_is_read(monkeypatch)
    with pytest.raises(UsageError, match="12 files"):
        planned(hospital, max_files=11)


def test_of_what_is_refused_by_match_no_head_is_read(hospital, monkeypatch):
    hospital.edit_export("geverifieerd", "ingetrokken")
    hospital.look()
    nothing_is_read(monkeypatch)
    assert planned(hospital).manifest.counts == {"files": 0, "studies": 0, "refused": 6}


def test_an_archive_that_the_job_no_longer_names_is_told_of(hospital):
    with pytest.raises(UsageError, match=r"\[\[archive\]\] noord"):
        planned(hospital, roots={})
