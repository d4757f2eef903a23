"""The benchmark of the crosswalk, small: what it makes is nobody's, and it leaves nothing."""

from __future__ import annotations

import json
import sys

from bench import crosswalk
from bench.clock import done
from remediation.model import bsn


def test_a_made_export_has_numbers_that_are_nobody_s(tmp_path):
    table = next(crosswalk.tables(3000))
    numbers = [text for text in table["bsn"].to_pylist() if text]
    assert len(numbers) > 2900
    for number in numbers:
        assert len(number) == 9
        assert bsn.is_test_number(number) or not bsn.passes(number)
    assert table.equals(next(crosswalk.tables(3000)))


def test_it_is_read_in_a_process_of_its_own_and_nothing_is_left(tmp_path):
    told = crosswalk.measured(3000, tmp_path)
    assert [one.kind for one in told] == ["csv", "parquet"]
    for one in told:
        assert (one.rows, one.kept < 3000) == (3000, True)
        assert min(one.local_looks, one.token_looks, one.homonym_looks, one.peak_mib) > 50
    assert list(tmp_path.iterdir()) == []
    lines = crosswalk.markdown(told).splitlines()
    assert len({line.count("|") for line in lines[:4]}) == 1


def test_the_command_prints_the_table(tmp_path):
    command = [sys.executable, "-m", "bench.crosswalk", "--rows", 1000, "--folder", tmp_path]
    assert "| 1,000 | parquet" in done(command)
    (path,) = [crosswalk.make(1000, tmp_path)["csv"]]
    assert json.loads(done([*command[:3], "--look", path]))["rows"] == 1000
