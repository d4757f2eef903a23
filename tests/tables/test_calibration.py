"""Places judged by the pass rate of their values, per stretch of months."""

import random

import pyarrow as pa
import pytest

from remediation.model.events import month_number, month_text
from remediation.model.statistics import calibrate
from remediation.tables.calibration import places_table
from remediation.tables.schemas import PLACES, TALLIES

KEYS = ("archive", "source", "place", "private_creator", "issuer_kind")
FIELD = ("oost", "Ziekenhuis Oost", "OtherPatientIDs", "", "none")
TALLY = pa.schema(
    [
        *(pa.field(key, pa.string()) for key in (*KEYS, "study_month")),
        *(TALLIES.field(count) for count in ("values", "well_formed", "passing")),
    ]
)


def tallies(*rows):
    """Rows of (key, month, well_formed, passing); one value in ten more is not well-formed."""
    lines = [
        dict(zip(KEYS, key, strict=True))
        | {"study_month": month, "values": formed + 1, "well_formed": formed, "passing": passing}
        for key, month, formed, passing in rows
    ]
    return pa.Table.from_pylist(lines, schema=TALLY)


def monthly(key, first, counts):
    start = month_number(first)
    return [(key, month_text(start + at), *pair) for at, pair in enumerate(counts) if pair]


def spans(table):
    return [(r["start"], r["end"], r["verdict"]) for r in table.to_pylist()]


def test_a_field_of_one_kind_is_one_row_with_its_numbers():
    table = places_table(tallies(*monthly(FIELD, "2010-01", [(10, 10)] * 5)))
    assert table.schema.equals(PLACES, check_metadata=True)
    (row,) = table.to_pylist()
    judged = calibrate(50, 50)
    assert tuple(row[key] for key in KEYS) == FIELD
    assert (row["start"], row["end"]) == ("2010-01", "2010-06")
    assert (row["values"], row["well_formed"], row["passing"]) == (55, 50, 50)
    assert (row["pass_rate"], row["low"], row["high"]) == (1.0, judged.low, judged.high)
    assert (row["probability"], row["verdict"]) == (judged.probability, "bsn")


def test_a_field_that_changes_its_meaning_is_judged_before_and_after():
    table = places_table(
        tallies(*monthly(FIELD, "2010-01", [(20, 20)] * 18 + [(20, 2)] * 12 + [(20, 19)] * 12))
    )
    assert spans(table) == [
        ("2010-01", "2011-07", "bsn"),
        ("2011-07", "2012-07", "not-bsn"),
        ("2012-07", "2013-07", "bsn"),
    ]


def test_an_asserted_field_of_local_numbers_is_demoted():
    asserted = (*FIELD[:4], "bsn-oid")
    draw = random.Random(8)
    counts = [(15, sum(draw.random() < 1 / 11 for _ in range(15))) for _ in range(24)]
    assert spans(places_table(tallies(*monthly(asserted, "2010-01", counts)))) == [
        ("2010-01", "2012-01", "not-bsn")
    ]


def test_few_values_stay_unproven():
    assert spans(places_table(tallies(*monthly(FIELD, "2010-01", [(5, 5)] * 4)))) == [
        ("2010-01", "2010-05", "unproven")
    ]


def test_values_without_a_month_are_a_row_of_their_own():
    table = places_table(tallies((FIELD, "2010-01", 50, 50), (FIELD, "unknown", 60, 5)))
    assert spans(table) == [("2010-01", "2010-02", "bsn"), ("unknown", "unknown", "not-bsn")]


def test_only_values_without_a_month():
    table = places_table(tallies((FIELD, "unknown", 60, 60)))
    assert spans(table) == [("unknown", "unknown", "bsn")]


def test_months_without_values_neither_divide_nor_go_missing():
    counts = [(20, 20)] * 3 + [None] * 5 + [(20, 20)] * 3
    assert spans(places_table(tallies(*monthly(FIELD, "2010-11", counts)))) == [
        ("2010-11", "2011-10", "bsn")
    ]


def test_values_that_are_not_well_formed_leave_no_rate():
    (row,) = places_table(tallies((FIELD, "2010-01", 0, 0))).to_pylist()
    assert row["pass_rate"] is None
    assert (row["values"], row["low"], row["high"], row["verdict"]) == (1, 0.0, 1.0, "unproven")


@pytest.mark.parametrize("at", range(len(KEYS)))
def test_each_part_of_the_key_divides(at):
    other = tuple("other" if i == at else part for i, part in enumerate(FIELD))
    table = places_table(tallies((FIELD, "2010-01", 50, 50), (other, "2010-01", 50, 4)))
    verdicts = {tuple(row[key] for key in KEYS): row["verdict"] for row in table.to_pylist()}
    assert verdicts == {FIELD: "bsn", other: "not-bsn"}


def test_rows_of_one_month_are_added_up_in_any_order():
    rows = [(FIELD, f"2010-0{1 + n % 6}", 4, 4 - (n % 11 == 0)) for n in range(60)]
    mixed = rows.copy()
    random.Random(1).shuffle(mixed)
    assert places_table(tallies(*rows)).equals(places_table(tallies(*mixed)))
    assert sum(places_table(tallies(*rows))["well_formed"].to_pylist()) == 240


def test_a_creator_that_is_null_is_a_key_like_any_other():
    bare = (*FIELD[:3], None, "none")
    (row,) = places_table(tallies((bare, "2010-01", 50, 50))).to_pylist()
    assert row["private_creator"] is None


def test_no_tallies_no_places():
    assert places_table(tallies()).num_rows == 0


def test_a_month_that_is_none_is_refused():
    with pytest.raises(ValueError, match="YYYY-MM"):
        places_table(tallies((FIELD, "2010", 1, 1)))
