"""The fleet: the same results as one process, and nothing of a value in what goes wrong."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pyarrow.dataset as ds
import pytest

from remediation.app.fleet import fleet
from remediation.errors import KeyFileError, RemediationError
from remediation.stages import crawl

VOLATILE = ["run_id", "crawled_at"]
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
            mapper = held.enter_context(fleet(2))
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
    options = session_of(demo).crawl_options("west")
    known = options.inventory()
    options = replace(options, output=tmp_path / "out")
    told = []
    report = crawl.run(options, mapper=two.mapper, advance=told.append)
    assert report.new == report.walked == sum(told) > 500
    assert len(told) > 3, "many shards"
    here = ds.field("archive") == "west"
    spread = options.inventory()
    one, other = known.instances(where=here), spread.instances()
    assert other.drop_columns(VOLATILE).equals(one.drop_columns(VOLATILE))
    assert spread.findings().equals(known.findings(where=here))
    tallies = [row for row in known.tallies().to_pylist() if row["archive"] == "west"]
    assert spread.tallies().to_pylist() == tallies


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
        list(two.mapper(crawl.read_shard, [(options, crawl.Shard(0, ()))]))
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
    import dask

    client = two.mapper.client
    addresses = [client.scheduler.address, *client.scheduler_info(n_workers=-1)["workers"]]
    assert len(addresses) == 3
    assert all(address.startswith("tls://127.0.0.1:") for address in addresses)
    assert dask.config.get("distributed.worker.memory.spill") is False
    future = two.mapper._submit(str, CANARY)
    assert re.fullmatch("[0-9a-f]{32}", future.key)
    assert future.result() == CANARY
    found = [path for path in two.private.rglob("*") if path.is_file()]
    assert not [path for path in found if b"JANSEN" in path.read_bytes()]
