"""Judged: what `flag` wrote, read again as it is asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from remediation.errors import DatasetError, KeyFileError, UsageError
from remediation.stages.judged import JudgedOptions, by_axis, one_period, run
from remediation.store import datasets
from remediation.tables.schemas import COVERAGE, STUDIES

KEY = "0123456789abcdef"
DAY = date(2009, 3, 5)


@pytest.fixture
def options(tmp_path):
    return JudgedOptions(tmp_path, KEY)


def study(written, status="conformant", source="A"):
    return {"archive": "oost", "source": source, "StudyDate": DAY} | {
        "status": status,
        "file_date": written,
    }


def test_rows_come_as_they_were_written(options):
    row = {"archive": "oost", "source": "A", "study_month": "2011-03", "studies": 3}
    table = pa.Table.from_pylist([row], schema=COVERAGE)
    datasets.write(options.output / "coverage.parquet", table, KEY)
    (read,) = run(options, "coverage")
    assert {name: read[name] for name in row} == row
    with pytest.raises(KeyFileError):
        run(JudgedOptions(options.output, "f" * 16), "coverage")


@pytest.mark.parametrize("name", ["places", "periods", "events", "coverage"])
def test_before_flag_there_is_nothing(options, name):
    with pytest.raises(DatasetError, match="remediation flag"):
        run(options, name)


def test_months_of_files_hold_those_written_long_after_their_study(options):
    rows = [
        study(date(2015, 7, 4)),
        study(date(2015, 7, 9), "absent"),
        study(date(2016, 1, 1)),
        study(DAY + timedelta(days=90)),  # written for the study itself
        study(DAY - timedelta(days=900)),
        study(None),
        study(date(2015, 7, 4), source="B"),
        study(date(2015, 7, 4)) | {"StudyDate": None},
    ]
    table = pa.Table.from_pylist(rows, schema=STUDIES)
    datasets.write(options.output / "studies.parquet", table, KEY)
    found = by_axis(options, {"axis": "file", "archive": "oost", "source": "A"})
    assert [(row["study_month"], row["studies"], row["conformant"]) for row in found] == [
        ("2015-07", 2, 1),
        ("2016-01", 1, 1),
    ]


def test_an_id_that_begins_another_is_still_one():
    rows = [{"period_id": one} for one in ("1a2b", "1a2", "ff")]
    assert one_period(rows, "1a2") == 1
    assert one_period(rows, " FF ") == 2
    for wrong in ("", "b", "1a2bc"):
        with pytest.raises(UsageError, match="periods list"):
            one_period(rows, wrong)
