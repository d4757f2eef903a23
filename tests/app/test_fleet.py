"""The fleet: the same results as one process, and nothing of a value in what goes wrong."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from app.dask_cluster import contents, kill_a_busy_one, memory_of

from remediation.app.fleet import fleet
from remediation.app.where import Where
from remediation.errors import KeyFileError, RemediationError
from remediation.stages import crawl
from remediation.store.keys import load_key_file, new_key_file
from remediation.store.ready import ready_for

CANARY = "JANSEN 999900006"


@dataclass
class Fleet:
    """A mapper over two workers, and the file that all their output goes to."""

    mapper: Any
    heard: Path
    private: Path


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    private = folder / "tmp"
    private.mkdir()
    with ExitStack() as held, (folder / "heard").open("wb") as heard:
        patch = held.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(tempfile, "tempdir", str(private))
        kept = [os.dup(number) for number in (1, 2)]
        for number in (1, 2):
            os.dup2(heard.fileno(), number)
        try:
            mapper = held.enter_context(fleet(Where(2, nice=1)))
        finally:
            for number, former in zip((1, 2), kept, strict=True):
                os.dup2(former, number)
                os.close(former)
        yield Fleet(mapper, folder / "heard", private)
    assert list(private.iterdir()) == [], "nothing is left behind"


def test_one_worker_is_this_process():
    with fleet(1) as mapper:
        assert mapper is map


def test_each_task_gives_its_result_once_in_any_order(two):
    assert sorted(two.mapper(abs, range(-40, 0))) == list(range(1, 41))
    assert list(two.mapper(abs, [])) == []


def test_tasks_are_drawn_as_results_come_in(two):
    drawn = []

    def tasks():
        for number in range(100):
            drawn.append(number)
            yield number

    results = two.mapper(abs, tasks())
    next(results)
    assert len(drawn) <= 9, "four ahead for each worker, and one for the one that came in"
    assert len(list(results)) == 99


def test_the_demo_is_crawled_by_workers_as_by_one_process(
    two, demo, session_of, tmp_path, monkeypatch
):
    monkeypatch.setattr(crawl, "SHARD_FILES", 150)
    known = session_of(demo).crawl_options("west")
    options = replace(known, output=tmp_path / "out")
    told = []
    report = crawl.run(options, mapper=two.mapper, advance=told.append)
    assert report.new == report.walked == sum(told) > 500
    assert len(told) > 3, "many shards"
    assert contents(options) == contents(known)


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(
    two, demo, session_of, tmp_path, monkeypatch
):
    monkeypatch.setattr(crawl, "SHARD_FILES", 50)
    known = session_of(demo).crawl_options("west")
    options = replace(known, output=tmp_path / "out")
    told = []

    def advance(files):
        told.append(files)
        if len(told) == 2:
            kill_a_busy_one(two.mapper.client)

    crawl.run(options, mapper=two.mapper, advance=advance)
    assert contents(options) == contents(known)
    two.mapper.client.wait_for_workers(2, timeout=60)  # its nanny starts another


def test_workers_step_back_for_other_programs(two):
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    asked = partial(os.getpriority, os.PRIO_PROCESS)
    assert set(two.mapper(asked, [0] * 8)) == {max(1, ours)}
    assert os.getpriority(os.PRIO_PROCESS, 0) == ours


def test_one_process_is_asked_as_well_whether_it_is_ready(tmp_path):
    new_key_file(tmp_path / "own.key")
    key_id = load_key_file(tmp_path / "own.key").key_id
    for workers in (1, 2):
        with ready_for(tmp_path / "own.key", key_id, [tmp_path], tmp_path) as ready:
            other = replace(ready, key_id="0" * 16)
            with pytest.raises(KeyFileError, match="another key"), fleet(workers, other):
                pytest.fail("no mapper is given out")


def test_a_failing_task_tells_its_kind_and_no_value(two, caplog):
    with pytest.raises(RemediationError) as caught:
        list(two.mapper(int, [CANARY]))
    assert str(caught.value).startswith("a worker failed (ValueError)")
    chain, error = "", caught.value
    while error is not None:
        chain, error = f"{chain}{error!r}{error.args}", error.__cause__ or error.__context__
    logs = two.mapper.client.get_worker_logs()
    for text in (chain, two.heard.read_text(errors="replace"), str(logs), caplog.text):
        assert CANARY not in text
        assert "JANSEN" not in text
    assert list(two.mapper(abs, [-1])) == [1], "the fleet goes on"


def test_our_own_errors_keep_their_words_and_their_exit_code(two, demo, session_of, tmp_path):
    options = session_of(demo).crawl_options("oost")
    options = replace(options, key_id="0" * 16, output=tmp_path / "out")
    with pytest.raises(KeyFileError, match="another key") as caught:
        list(two.mapper(crawl.read_shard, [(options, crawl.Shard(0, b""))]))
    assert caught.value.exit_code == 12


def test_a_worker_that_dies_is_an_error_and_not_a_silence(tmp_path):
    with fleet(2) as mapper, pytest.raises(RemediationError, match="a worker failed"):
        list(mapper(os._exit, [1]))


def test_the_web_server_of_the_scheduler_has_no_pages(two):
    address = two.mapper.client.cluster.scheduler.http_server
    assert address.address == "127.0.0.1"
    assert address.port != 8787, "another program's: it would be told to the user"
    for page in ("health", "info/main/workers.html", "metrics", "json/counts.json"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{address.port}/{page}", timeout=10)


def test_workers_listen_on_loopback_behind_tls_and_keep_nothing_on_disk(two):
    client = two.mapper.client
    addresses = [client.scheduler.address, *client.scheduler_info(n_workers=-1)["workers"]]
    assert len(addresses) == 3
    assert all(address.startswith("tls://127.0.0.1:") for address in addresses)
    for memory in two.mapper.client.run(memory_of).values():
        assert memory == (False, False), "nothing is spilled"
    future = two.mapper._submit(str, CANARY)
    assert re.fullmatch("[0-9a-f]{32}", future.key)
    assert future.result() == CANARY
    found = [path for path in two.private.rglob("*") if path.is_file()]
    assert not [path for path in found if b"JANSEN" in path.read_bytes()]
