"""The benchmark itself: on a handful of files it gives its whole table. Times are not looked at."""

import json
from collections import Counter

import pytest

from bench import __main__ as bench
from bench import crawling, reading, share, storing
from bench.peers import peers
from bench.setting import Setting
from bench.table import as_json, markdown

GOALS = {
    (reading.SELECTED, "at least 25"): 1,
    (reading.FULL, "at least 30"): 1,
    (reading.FULL, "at least 1.7"): 1,
    (reading.FULL, "at most 15"): 1,
    (reading.COLD, "at most 2"): 1,
    (reading.SAW, "at least 100"): 2,
    (share.SECTION, "at least 85"): 1,
    (crawling.WHOLE, "at least 25"): 1,
    (crawling.WHOLE, "at least 1.7"): 1,
    (crawling.SCALE, "at most 8.5"): 1,
    (crawling.MEMORY, "at most 300"): 2,
    (crawling.MEMORY, "at most 500"): 2,
    (crawling.UNCHANGED, "at most 1.5"): 2,
    (storing.PARQUET, "at most 10"): 1,
    (storing.PARQUET, "at most 250"): 1,
}


@pytest.mark.slow
def test_forty_files_give_the_whole_table(tmp_path):
    setting = Setting(tmp_path, files=40, rounds=1, gentle=True, corpus=None)
    rows, facts = bench.run(setting)
    assert Counter((row.section, str(row.goal)) for row in rows if row.goal) == GOALS
    for row in rows:
        assert row.note or row.value is not None, row
        if row.value is not None:
            assert row.value >= 0
            assert (row.met is None) == (row.goal is None)
    for section in (reading.SELECTED, reading.FULL, reading.SAW):
        said = " ".join(row.what for row in rows if row.section == section)
        assert all(peer.name in said for peer in peers()), section
    seen = [row for row in rows if row.section == reading.SAW and row.what.startswith("ours")]
    assert [row.value for row in seen] == [100, 100]
    text = markdown(rows, facts)
    assert all(f"## {section}\n" in text for section, _ in GOALS)
    assert len(json.loads(as_json(rows, facts))["rows"]) == len(rows)


def test_the_same_archive_is_not_written_again(tmp_path):
    setting = Setting(tmp_path, files=12, rounds=1, gentle=True, corpus=None)
    first = setting.archive()
    before = [(first.root / name).stat().st_mtime_ns for name in first.names]
    again = setting.archive()
    assert again == first
    assert [(again.root / name).stat().st_mtime_ns for name in again.names] == before
