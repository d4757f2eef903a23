"""Workers of a Dask scheduler: processes of their own, over TLS, killed, strange, or away."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import distributed
import pytest
from app.dask_cluster import (
    Cluster,
    certificates,
    contents,
    fail_with,
    kill_a_busy_one,
    take_a_second,
    wait_until,
    where_it_runs,
)
from app.hospital_line import call
from small_hospital import copy, lay_down

from remediation.app import crew
from remediation.app import fleet as fleet_module
from remediation.app.fleet import fleet
from remediation.app.where import Where
from remediation.errors import KeyFileError, RemediationError, ShareError
from remediation.stages import crawl
from remediation.store.keys import load_key_file, new_key_file
from remediation.store.ready import ready_for

CANARY = "JANSEN 999900006"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("tls") / "tls")


@pytest.fixture(scope="module")
def started(tls, tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "cluster", tls)
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def cluster(started):
    """Two workers, or two again; the folder that they run in is `cluster.folder`."""
    while sum(worker.poll() is None for worker in started.workers) < 2:
        started.worker("--no-nanny")
    return started


@pytest.fixture
def lonely(tls, tmp_path):
    """A scheduler without workers."""
    cluster = Cluster(tmp_path / "lonely", tls)
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def job(demo, session_of, tmp_path, monkeypatch):
    """Options of a crawl of some shards, into a new output folder; and what should come of it."""
    monkeypatch.setattr(crawl, "SHARD_FILES", 40)
    options = session_of(demo).crawl_options("west")
    return replace(options, output=tmp_path / "out"), contents(options)


def crawl_over(where, options, workers=1, *, kill=False, patience=30):
    """Crawl over a cluster, with a worker killed after two tasks; return the report and counts."""
    told = []

    def advance(files):
        told.append(files)
        if kill and len(told) == 2:
            kill_a_busy_one(mapper.client)

    asking = ready_for(options.key_file, options.key_id, [options.archive.root], options.output)
    with asking as ready, fleet(where, ready) as mapper:
        mapper.client.wait_for_workers(workers, timeout=60)
        mapper.where = replace(where, patience=patience)
        report = crawl.run(options, mapper=mapper, advance=advance)
        if kill:
            assert len(mapper.client.nthreads()) == workers - 1
    return report, told


def map_over(where, function, tasks, on_result=lambda: None):
    with fleet(where) as mapper:
        for _ in mapper(function, tasks):
            on_result()


def test_a_worker_is_killed_in_the_middle_and_the_inventory_is_the_same_row_for_row(cluster, job):
    options, expected = job
    report, told = crawl_over(cluster.where(), options, workers=2, kill=True)
    assert report.new == report.walked == sum(told) > 500
    assert len(told) > 10, "many shards"
    assert contents(options) == expected


def test_all_workers_die_and_with_others_the_crawl_goes_on(lonely, job, monkeypatch):
    monkeypatch.setattr(crew, "_LOOK_S", 0.2)
    options, expected = job
    lonely.worker("--no-nanny")
    with pytest.raises(RemediationError, match="no workers for 1 seconds") as caught:
        crawl_over(lonely.where(), options, kill=True, patience=1)
    assert (caught.value.exit_code, caught.value.where) == (1, lonely.where().scheduler)
    lonely.worker("--no-nanny")
    report, told = crawl_over(lonely.where(), options)
    assert report.unchanged > 0, "what was read before the end is kept"
    assert report.unchanged + sum(told) == report.walked
    assert contents(options) == expected


def test_without_any_worker_nothing_begins(lonely, job):
    options, _ = job
    with pytest.raises(RemediationError, match=r"no workers for 1 seconds \(.*\): start"):
        crawl_over(lonely.where(patience=1), options)
    assert list(options.output.iterdir()) == []


def test_the_scheduler_dies_and_that_is_one_line(lonely, tmp_path):
    lonely.worker("--no-nanny")
    tasks = [tmp_path / str(number) for number in range(9)]
    with pytest.raises(RemediationError, match="the scheduler went away") as caught:
        map_over(lonely.where(), take_a_second, tasks, lonely.processes[0].kill)
    assert caught.value.exit_code == 1


def test_a_client_that_cannot_be_closed_does_not_hide_what_went_wrong(
    lonely, tmp_path, monkeypatch
):
    # Seen once, when its attempt to reach the dead scheduler again came at the wrong moment.
    lonely.worker("--no-nanny")
    close = distributed.Client.close

    def failing(client, *given, **named):
        close(client, *given, **named)
        raise ValueError

    monkeypatch.setattr(distributed.Client, "close", failing)
    assert map_over(lonely.where(), take_a_second, [tmp_path / "done"]) is None
    with pytest.raises(RemediationError, match="a worker failed"):
        map_over(lonely.where(), fail_with, [CANARY])


def test_the_command_line_reaches_a_scheduler_by_its_file(cluster, tmp_path, capsys):
    plain = lay_down(tmp_path / "plain")
    spread = copy(plain, tmp_path / "spread")
    assert call(capsys, "crawl", plain.job, "--workers", 1).code == 0
    names = {"ca": cluster.tls.ca, "cert": cluster.tls.cert, "key": cluster.tls.key}
    lines = [f'tls_{name} = "{os.path.relpath(path, spread.out)}"' for name, path in names.items()]
    spread.edit("workers = 1", "\n".join(lines))
    said = call(capsys, "crawl", spread.job, "--scheduler-file", cluster.file)
    assert (said.code, said.err) == (0, "")
    one, other = (contents(at.session().crawl_options("noord")) for at in (plain, spread))
    assert other == one
    assert len(one[0]) == 12
    assert [path.name for path in spread.output.glob(".*")] == []


@pytest.mark.parametrize("kind", ["other key", "no key", "no share", "other share", "other output"])
def test_a_worker_that_sees_something_else_is_found_out_before_the_first_file(
    cluster, tmp_path, monkeypatch, kind
):
    # A relative path means something else in the workers, as one may on another machine.
    monkeypatch.chdir(tmp_path)
    key_file, root, output = (Path("seen") / name for name in ("own.key", "share", "out"))
    (root / "2011").mkdir(parents=True)
    output.mkdir()
    new_key_file(key_file)
    there = cluster.folder / "seen"
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree("seen", there)
    if kind in {"other key", "no key"}:
        (there / "own.key").unlink()
    if kind == "other key":
        new_key_file(there / "own.key")
    if kind in {"no share", "other share"}:
        shutil.rmtree(there / "share")
    if kind == "other share":  # the folder to mount on is there, and nothing is mounted
        (there / "share").mkdir()
    if kind != "other output":  # one folder for both
        (there / "out").rmdir()
        (there / "out").symlink_to(output.absolute())
    key_id = load_key_file(key_file).key_id
    error, code, words = {
        "other key": (KeyFileError, 12, "another key than the run's"),
        "no key": (KeyFileError, 12, "no key file"),
        "no share": (ShareError, 1, "the archive root is missing"),
        "other share": (ShareError, 1, "the archive root is not the run's"),
        "other output": (ShareError, 1, "the output folder is not the run's"),
    }[kind]
    with (
        ready_for(key_file, key_id, [root], output) as ready,
        pytest.raises(error, match=words) as caught,
        fleet(cluster.where(), ready),
    ):
        pytest.fail("no mapper is given out")
    assert caught.value.exit_code == code
    assert f"the worker on {os.uname().nodename}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_worker_that_comes_later_and_is_not_ready_is_sent_away(
    cluster, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    new_key_file(Path("own.key"))
    (tmp_path / "out").mkdir()
    shutil.copy2("own.key", cluster.folder)
    (cluster.folder / "out").symlink_to(tmp_path / "out")
    strange = tmp_path / "strange"
    strange.mkdir()
    key_id = load_key_file(Path("own.key")).key_id
    with (
        ready_for(Path("own.key"), key_id, [], Path("out")) as ready,
        fleet(cluster.where(), ready) as mapper,
    ):
        before = len(mapper.client.nthreads())
        late = cluster.worker(cwd=strange)  # with a nanny, which must not start it again
        wait_until(lambda: len(mapper.client.nthreads()) > before)
        assert set(mapper(where_it_runs, range(200))) == {str(cluster.folder)}
        wait_until(lambda: late.poll() is not None)
        assert set(mapper(where_it_runs, range(20))) == {str(cluster.folder)}
    said = capsys.readouterr().err
    assert re.fullmatch(r"warning: a worker is sent away: no key file \(the worker on .*\n", said)


def test_what_fails_leaves_no_value_in_any_log_nor_on_disk(cluster):
    with pytest.raises(RemediationError, match="a worker failed") as caught:
        map_over(cluster.where(), fail_with, [CANARY])
    assert caught.value.what == "a worker failed (ValueError)"
    assert re.fullmatch(r"dask_cluster\.py:\d+", caught.value.where)
    wait_until(lambda: "Compute Failed" in cluster.said(), 10)
    said = cluster.said()
    assert "RemediationError('a worker failed (ValueError)'" in said, "the worker logs our line"
    for word in ("JANSEN", "999900006"):
        assert word not in said
        assert word not in str(caught.value)


def test_workers_have_nothing_in_hand_when_a_run_was_broken_off(cluster, tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    tasks = [tmp_path / str(number) for number in range(9)]
    with pytest.raises(KeyboardInterrupt):
        map_over(cluster.where(), take_a_second, tasks, interrupt)
    begun, done = ({path.stem for path in tmp_path.glob(f"*.{end}")} for end in ("begun", "done"))
    assert begun == done != set()
    assert len(begun) < 9


def test_a_scheduler_that_is_not_there_is_told_in_time(tls, monkeypatch):
    monkeypatch.setattr(fleet_module, "_REACH_S", 1)
    where = Where(scheduler="tls://127.0.0.1:9", tls_ca=tls.ca, tls_cert=tls.cert, tls_key=tls.key)
    begun = time.monotonic()
    with pytest.raises(RemediationError, match="cannot be reached") as caught, fleet(where):
        pytest.fail("nobody is there")
    assert (caught.value.exit_code, caught.value.where) == (1, "tls://127.0.0.1:9")
    assert time.monotonic() - begun < 10


def test_a_scheduler_of_another_authority_is_not_talked_to(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(fleet_module, "_REACH_S", 5)
    other = certificates(tmp_path / "other")
    where = cluster.where(tls_ca=other.ca, tls_cert=other.cert, tls_key=other.key)
    with pytest.raises(RemediationError, match="of the same authority"), fleet(where):
        pytest.fail("nobody is let in")
