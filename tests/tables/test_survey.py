"""Estimates of a survey from what was drawn: rows, order, and what is complete."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tables.heads_of import bsn_item, file_of, local, rows_of

from remediation.model.bsn import test_number as number_of
from remediation.model.placement import Placement
from remediation.model.statistics import wilson
from remediation.tables.judge import Sources
from remediation.tables.schemas import STUDIES, SURVEY
from remediation.tables.survey import sampled_studies, survey_table


def study(uid, month, status="conformant", archive="oost", source="Oost"):
    return {
        "archive": archive,
        "StudyInstanceUID": uid,
        "study_month": month,
        "source": source,
        "status": status,
    }


def table(*studies, weights=None, complete=()):
    weights = weights or {}
    pairs = {(one["archive"], one["StudyInstanceUID"]): 1.0 for one in studies} | weights
    studies = pa.Table.from_pylist(list(studies), schema=STUDIES)
    found = survey_table(studies, pairs, complete)
    assert found.schema.equals(SURVEY)
    return found.to_pylist()


def test_each_study_counts_in_its_month_its_year_its_archive_and_in_all():
    rows = table(
        study("1", "2011-07"),
        study("2", "2011-08", "wrong-issuer"),
        study("3", "unknown", "absent"),
        study("4", "2010-01", archive="west", source="West"),
    )
    told = [(row["scope"], row["archive"], row["study_month"], row["study_year"]) for row in rows]
    assert told == [
        ("all", None, None, None),
        ("archive", "oost", None, None),
        ("archive", "west", None, None),
        ("year", "oost", None, "2011"),
        ("year", "oost", None, "unknown"),
        ("year", "west", None, "2010"),
        ("month", "oost", "2011-07", "2011"),
        ("month", "oost", "2011-08", "2011"),
        ("month", "oost", "unknown", "unknown"),
        ("month", "west", "2010-01", "2010"),
    ]
    assert [row["studies"] for row in rows] == [4, 3, 1, 2, 1, 1, 1, 1, 1, 1]
    assert (rows[1]["conformant"], rows[1]["wrong_issuer"], rows[1]["absent"]) == (1, 1, 1)


def test_equal_weights_give_what_a_census_would_say():
    [everything, *_] = table(
        *(study(str(n), "2011-07", "absent" if n else "conformant") for n in range(9))
    )
    assert everything["coverage"] == pytest.approx(1 / 9)
    assert (everything["low"], everything["high"]) == pytest.approx(wilson(1, 9))
    assert everything["design_effect"] == pytest.approx(1)


def test_a_study_counts_for_as_many_as_it_stands_for():
    [everything, *_] = table(
        study("1", "2011-07"),
        study("2", "2011-07", "absent"),
        weights={("oost", "1"): 30.0, ("oost", "2"): 10.0},
    )
    assert (everything["coverage"], everything["stands_for"]) == (0.75, 40.0)
    assert everything["effective"] < 2


def test_what_is_made_of_complete_strata_is_complete():
    studies = [study("1", "2011-07"), study("2", "2011-08"), study("3", "2012-01")]
    rows = table(*studies, complete={("oost", "Oost", "2011-07"), ("oost", "Oost", "2011-08")})
    told = {
        (row["scope"], row["study_month"] or row["study_year"]): row["complete"] for row in rows
    }
    assert told == {
        ("all", None): False,
        ("archive", None): False,
        ("year", "2011"): True,
        ("year", "2012"): False,
        ("month", "2011-07"): True,
        ("month", "2011-08"): True,
        ("month", "2012-01"): False,
    }


def test_nothing_drawn_gives_no_rows():
    assert table() == []


def test_studies_are_judged_as_flag_does_but_for_calibration():
    files = {
        "1.1": [*local(), bsn_item(number_of(1))],
        "1.2": [*local(), bsn_item(number_of(2), "NLMINBIZA")],
        "1.3": local(number_of(3), ""),
        "1.4": local(),
    }
    made = [rows_of(file_of(*own, uid=uid), f"{uid}/1") for uid, own in files.items()]
    found = sampled_studies(
        [row for row, _ in made], [one for _, some in made for one in some], Sources(), Placement()
    )
    statuses = dict(
        zip(found["StudyInstanceUID"].to_pylist(), found["status"].to_pylist(), strict=True)
    )
    assert statuses == {
        "1.1": "conformant",
        "1.2": "wrong-issuer",
        "1.3": "candidate",
        "1.4": "absent",
    }
