"""Lying: whole columns say of studies and periods what `lies.holds` says of one."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tables.lies import holds

from remediation.tables.lying import Lying
from remediation.tables.schemas import STUDIES

DAYS = st.none() | st.integers(0, 900).map(lambda n: date(2011, 1, 1) + timedelta(n))
NAMES = {"archive": st.sampled_from(["oost", "west"]), "source": st.sampled_from(["a", "b"])}
STUDY = st.fixed_dictionaries(NAMES | {"StudyDate": DAYS, "file_date": DAYS})
DAY = st.integers(0, 900).map(lambda n: date(2011, 1, 1) + timedelta(n))
PERIOD = st.fixed_dictionaries(
    NAMES | {"axis": st.sampled_from(["study", "file"]), "start": DAY, "end": DAY}
)


@given(st.lists(STUDY, max_size=8), st.lists(PERIOD, max_size=4))
def test_columns_and_rows_agree(studies, periods):
    periods = [one | {"period_id": str(n)} for n, one in enumerate(periods)]
    lying = Lying(pa.Table.from_pylist(studies, schema=STUDIES))
    for period in periods:
        assert lying.in_period(period).tolist() == [holds(period, one) for one in studies]
    assert lying.period_ids(periods).to_pylist() == [
        next((one["period_id"] for one in periods if holds(one, study)), None) for study in studies
    ]
