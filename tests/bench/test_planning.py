"""The benchmark of plan, small: every head is read, whatever the workers, and rates are told."""

from __future__ import annotations

import pytest

from bench import planning


@pytest.mark.slow
def test_all_heads_are_planned_and_rates_stand_beside_each_other(tmp_path):
    results = planning.run(tmp_path, 200, 1, sizes=(1, 2))
    assert [(one.size, one.workers) for one in results] == [(1, 1), (2, 1), (2, planning.WORKERS)]
    assert [one.counts["heads"] for one in results[:2]] == [200, 400]
    assert results[1].counts == results[2].counts, "workers make no difference"
    assert results[0].counts["files"] > 100
    assert all(one.plan_rate > 0 and one.crawl_rate > 0 for one in results)
    lines = planning.markdown(results).splitlines()
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert "- linear: 2.0 times the heads" in "\n".join(lines)
