"""Daily counts: summed by source and day, whatever the order and the pieces."""

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from remediation.tables.daily import DAILY, by_source, daily, probable, together
from remediation.tables.schemas import STATUSES, STUDIES

STATUS = [status.replace("_", "-") for status in STATUSES]
rows = st.lists(
    st.fixed_dictionaries(
        {
            "archive": st.sampled_from(["oost", "west"]),
            "source": st.sampled_from(["A", "B", None]),
            "status": st.sampled_from(STATUS),
            "StudyDate": st.sampled_from([None, date(2011, 7, 1), date(2011, 7, 2)]),
        }
    ),
    max_size=30,
)


def table(some):
    return pa.Table.from_pylist(some, schema=STUDIES)


@given(rows, st.integers(0, 30))
def test_pieces_sum_to_the_whole(some, cut):
    whole = daily(table(some))
    assert whole.schema.equals(DAILY)
    assert together([daily(table(some[cut:])), daily(table(some[:cut]))]).equals(whole)
    assert sum(whole["studies"].to_pylist()) == len(some)
    for status, name in zip(STATUS, STATUSES, strict=True):
        assert sum(whole[name].to_pylist()) == sum(row["status"] == status for row in some)


@given(rows)
def test_each_source_comes_once_with_its_days_in_order(some):
    found = list(by_source(daily(table(some))))
    assert len({(archive, source) for archive, source, _ in found}) == len(found)
    for archive, source, own in found:
        dated = [
            row
            for row in some
            if (row["archive"], row["source"]) == (archive, source) and row["StudyDate"]
        ]
        assert own["day"].to_pylist() == sorted({row["StudyDate"] for row in dated})
        assert sum(own["studies"].to_pylist()) == len(dated)


def test_improbable_days_are_left_out_and_undated_studies_are_not():
    days = [None, date(1900, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2099, 1, 1)]
    of = {"archive": "oost", "source": "A", "status": "absent"}
    counts = daily(table([of | {"StudyDate": day} for day in days]))
    left = probable(counts, date(2026, 11, 25))["day"].to_pylist()
    assert left == [date(1970, 1, 1), None]
    assert probable(counts, None).num_rows == 3


def test_many_sources_keep_their_own_days():
    of = {"archive": "oost", "status": "absent", "StudyDate": date(2011, 7, 1)}
    counts = daily(table([of | {"source": f"Zkh. {n:03}"} for n in range(300) for _ in range(2)]))
    for _, source, own in by_source(counts):
        assert own["source"].to_pylist() == [source]
