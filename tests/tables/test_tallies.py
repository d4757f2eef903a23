"""Counting values: once per study, per place and kind of issuer, whatever the number of files."""

from __future__ import annotations

import pyarrow as pa
from builders import OID, el, item, private
from tables.heads_of import bsn_item, file_of, local, others, rows_of

from remediation.model import bsn
from remediation.tables.judge import Sources
from remediation.tables.schemas import INSTANCES, TALLIES
from remediation.tables.tallies import summed, tallies

ONE, TWO = bsn.test_number(101), bsn.test_number(202)


def counted(*files):
    """Return counts by place and kind of issuer: values, well-formed, passing."""
    rows = [rows_of(data, f"{n}")[0] for n, data in enumerate(files)]
    table = tallies(pa.Table.from_pylist(rows, schema=INSTANCES))
    assert table.schema.equals(TALLIES)
    return {
        (row["place"], row["issuer_kind"]): (row["values"], row["well_formed"], row["passing"])
        for row in table.to_pylist()
    }


def test_a_study_of_many_files_says_its_number_once():
    files = [file_of(*local(ONE, None), instance=f"1.2.{n}") for n in range(5)]
    assert counted(*files) == {("PatientID", "none"): (1, 1, 1)}


def test_each_study_counts():
    files = [file_of(*local(ONE, None), uid=f"1.2.{n}") for n in range(5)]
    assert counted(*files) == {("PatientID", "none"): (5, 5, 5)}


def test_what_is_counted_is_values_numbers_and_numbers_that_pass():
    values = {
        "ABC": (1, 0, 0),
        "1234567": (1, 0, 0),
        "999900007": (1, 1, 0),
        ONE: (1, 1, 1),
        "999999990": (1, 0, 0),
    }
    for value, expected in values.items():
        assert counted(file_of(*local(value, None))) == {("PatientID", "none"): expected}


def test_kinds_of_issuer_and_places_are_counted_apart():
    mitra = private(0x0031, "MITRA LINKED ATTRIBUTES 1.0", (0x20, "LO", ONE))
    items = others((ONE, OID), (TWO, "NLMINBIZA"), ("5", "X"))
    file = file_of(*local(), items, el(0x00101000, "LO", f"{ONE}\\7"), *mitra)
    assert counted(file) == {
        ("PatientID", "other"): (1, 0, 0),
        ("OtherPatientIDsSequence.PatientID", "bsn-oid"): (1, 1, 1),
        ("OtherPatientIDsSequence.PatientID", "bsn"): (1, 1, 1),
        ("OtherPatientIDsSequence.PatientID", "other"): (1, 0, 0),
        ("OtherPatientIDs", "none"): (2, 1, 1),
        ("(0031,xx20)", "none"): (1, 1, 1),
    }


def test_empty_places_former_values_and_text_are_not_counted():
    inside = el(0x04000550, "SQ", [item(*local(ONE, OID))])
    former = el(0x04000561, "SQ", [item(inside)])
    file = file_of(*local("", None), former, el(0x00104000, "LT", ONE))
    assert counted(file) == {}
    assert counted() == {}


def test_months_and_source_columns_are_counted_apart():
    def row(day, **more):
        texts = [el(tag, "LO", text) for tag, text in more.pop("texts", {}).items()]
        return rows_of(file_of(*local(ONE, None), *texts, uid=f"1.{day}", day=day))[0]

    rows = [row("20110704"), row("20110804"), row("20110805", texts={0x00081010: "CT1"})]
    table = tallies(pa.Table.from_pylist(rows, schema=INSTANCES)).to_pylist()
    found = sorted((one["study_month"], one["StationName"] or "", one["values"]) for one in table)
    assert found == [("2011-07", "", 1), ("2011-08", "", 1), ("2011-08", "CT1", 1)]


def test_a_file_that_could_not_be_read_counts_what_was_read_of_it():
    broken = file_of(*local(), bsn_item(ONE), broken=True)
    assert counted(broken)["OtherPatientIDsSequence.PatientID", "bsn-oid"] == (1, 1, 1)


def test_tallies_of_many_parts_are_summed_by_source_and_place():
    files = [
        file_of(*local(ONE, None), el(0x00080080, "LO", "Oost"), el(0x00081010, "SH", f"CT{n}"))
        for n in range(3)
    ]
    parts = [
        tallies(pa.Table.from_pylist([rows_of(file, f"{n}")[0]], schema=INSTANCES))
        for n, file in enumerate(files)
    ]
    (row,) = summed([Sources().labelled(pa.concat_tables(parts))]).to_pylist()
    assert (row["source"], row["place"], row["study_month"]) == ("Oost", "PatientID", "2011-07")
    assert (row["values"], row["well_formed"], row["passing"]) == (3, 3, 3)
    apart = summed(map(Sources(("StationName",)).labelled, parts))
    assert sorted(apart["source"].to_pylist()) == ["CT0", "CT1", "CT2"]
    assert summed([]).num_rows == 0
