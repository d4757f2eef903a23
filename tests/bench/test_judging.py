"""The benchmark of flag, small: the made inventory has all that flag tells apart."""

from __future__ import annotations

import json
import sys

import pyarrow as pa

from bench import inventory, judging
from bench.clock import done
from remediation.stages import flag
from remediation.store import datasets
from remediation.tables.schemas import STUDIES


def test_a_made_inventory_shows_all_kinds_of_studies_and_of_dates(tmp_path):
    instances, findings = inventory.build(tmp_path, 24_000, months=24)
    assert (instances, findings > instances) == (24_000, True)
    report = flag.run(flag.FlagOptions(tmp_path, inventory.KEY_ID, batch_rows=5_000))
    studies = datasets.read(tmp_path / "studies.parquet", STUDIES, inventory.KEY_ID, "")
    assert report.studies == studies.num_rows == 48 * (500 // inventory.FILES)
    wanted = {"conformant", "wrong-issuer", "misplaced", "candidate", "invalid", "absent", "mixed"}
    assert report.statuses.keys() == wanted
    assert pa.compute.sum(studies["instances"]).as_py() == instances
    assert set(studies["file_age"].to_pylist()) >= {"month", "later"}
    assert len(set(studies["source"].to_pylist())) == inventory.SOURCES


def test_it_is_judged_in_a_process_of_its_own_and_nothing_is_left(tmp_path):
    one = judging.measured(2_400, tmp_path, months=2)
    assert (one.instances, one.studies) == (2_400, 200)
    assert one.seconds > 0
    assert one.cpu_seconds > 0
    assert one.peak_mib > 50
    assert list(tmp_path.iterdir()) == []
    lines = judging.markdown([one]).splitlines()
    assert len({line.count("|") for line in lines[:3]}) == 1
    told = [sys.executable, "-m", "bench.judging", "--rows", 2_400, "--months", 2, "--json"]
    assert [row["instances"] for row in json.loads(done([*told, "--folder", tmp_path]))] == [2_400]
