"""From findings to statuses: each status, which comes first, and what calibration changes."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from builders import OID, el, item, private, qualifiers
from tables.heads_of import KEYS, SOURCES, bsn_item, file_of, local, others, rows_of, tables

from remediation.model import bsn
from remediation.model.placement import Placement
from remediation.tables.judge import Sources, judged, within
from remediation.tables.schemas import FINDINGS, INSTANCES, PLACES, STUDIES

AT_REST, EXCHANGE = Placement(), Placement("exchange")
ONE, TWO = bsn.test_number(101), bsn.test_number(202)
WRONG, NONE = "999900007", "999999990"  # fails the elfproef; stands for none
SHORT = "12345672"  # passes with its leading zero
MITRA = "MITRA LINKED ATTRIBUTES 1.0"


def told(*args):
    """Return the status per archive and path, and the studies."""
    found = judged(*args)
    names = (args[0][name].to_pylist() for name in ("archive", "path"))
    keys = zip(*names, found.statuses.to_pylist(), strict=True)
    return {(archive, path): one for archive, path, one in keys if one}, found.studies


def status(*own, target=AT_REST):
    """Return the status of one file with this identity, its fields uncalibrated."""
    instances, findings, places = tables([("a", file_of(*own))])
    statuses, _ = told(instances, findings, places, SOURCES, target)
    return statuses["oost", KEYS.seal("a")]


def retired(*values):
    return el(0x00101000, "LO", "\\".join(values))


def former(*own):
    inside = el(0x04000550, "SQ", [item(*own)])
    return el(0x04000561, "SQ", [item(inside)])


# --- each status ----------------------------------------------------------------------------------

AT_REST_STATUS = {
    "the item that is wanted": ("conformant", [*local(), bsn_item(ONE)]),
    "qualifiers beside it": (
        "conformant",
        [*local(), el(0x00101002, "SQ", [item(*local(ONE, OID), qualifiers())])],
    ),
    "no local issuer": ("conformant", [*local("12345", None), bsn_item(ONE)]),
    "the same number elsewhere too": ("conformant", [*local(), bsn_item(ONE), retired(ONE)]),
    "a candidate beside it": ("conformant", [*local(), bsn_item(ONE), retired(TWO)]),
    "another spelling of the issuer": ("wrong-issuer", [*local(), bsn_item(ONE, "NLMINBIZA")]),
    "the OID in HD form": ("wrong-issuer", [*local(), bsn_item(ONE, f"&{OID}&ISO")]),
    "the OID in qualifiers alone": (
        "wrong-issuer",
        [*local(), el(0x00101002, "SQ", [item(*local(ONE, None), qualifiers())])],
    ),
    "dots in the number": ("wrong-issuer", [*local(), bsn_item("9999.00.006")]),
    "eight digits": ("wrong-issuer", [*local(), bsn_item(SHORT)]),
    "CX text": ("wrong-issuer", [*local(), bsn_item(f"{ONE}^^^NLMINBIZA^NNNLD")]),
    "the primary place": ("misplaced", local(ONE, OID)),
    "the retired place": ("misplaced", [*local(), retired(f"{ONE}^^^NLMINBIZA")]),
    "a number that fails": ("invalid", [*local(), bsn_item(WRONG)]),
    "too few digits": ("invalid", [*local(), bsn_item("1234567")]),
    "a number that stands for none": ("placeholder", [*local(), bsn_item(NONE)]),
    "a number without an issuer": ("candidate", [*local(), bsn_item(ONE, "")]),
    "a number of another issuer": ("candidate", [*local(), bsn_item(ONE, "KL-WEST")]),
    "a local number that passes": ("candidate", local(ONE)),
    "the retired place without a word": ("candidate", [*local(), retired("12345", ONE)]),
    "a private patient number": ("candidate", [*local(), *private(0x31, MITRA, (0x20, "LO", ONE))]),
    "nothing": ("absent", local()),
    "no PatientID": ("absent", []),
    "a placeholder that nobody calls a BSN": ("absent", local(NONE)),
    "a comment": ("absent", [*local(), el(0x00104000, "LT", f"BSN {ONE}")]),
    "an accession number": ("absent", [*local(), el(0x00080050, "SH", ONE)]),
    "an unknown private element": ("absent", [*local(), *private(0x99, "X", (0x20, "LO", ONE))]),
    "a number of the mother": ("absent", [*local(), el(0x00101060, "PN", ONE)]),
    "a former value": ("absent", [*local(), former(*local(ONE, OID))]),
    "two numbers": ("conflict", [*local(), others((ONE, OID), (TWO, OID))]),
    "two numbers in two places": ("conflict", [*local(ONE, OID), bsn_item(TWO, "NLMINBIZA")]),
    "one number twice": ("conformant", [*local(), others((ONE, OID), (ONE, "NLMINBIZA"))]),
}


@pytest.mark.parametrize("what", AT_REST_STATUS)
def test_a_status_at_rest(what):
    expected, own = AT_REST_STATUS[what]
    assert status(*own) == expected


EXCHANGE_STATUS = {
    "the primary place": ("conformant", local(ONE, OID)),
    "its local number beside it": ("conformant", [*local(ONE, OID), others(("12345", "ZKH"))]),
    "another spelling": ("wrong-issuer", local(ONE, "NLMINBIZA")),
    "the item of the other placement": ("misplaced", [*local(), bsn_item(ONE)]),
    "no issuer": ("candidate", local(ONE, None)),
    "two numbers": ("conflict", [*local(ONE, OID), bsn_item(TWO)]),
}


# By placements of a hospital's own: the place is that of the base, the issuer the agreed one.
OLD_NAME = Placement("oud", base="at-rest", issuer="NLMINBIZA")
BESIDE = Placement("beide", base="at-rest", beside_retired=True)
SENT = Placement("verzending", base="exchange", issuer="NLMINBIZA", typed=False)
OWN_STATUS = {
    "the agreed issuer": ("conformant", OLD_NAME, [*local(), bsn_item(ONE, "NLMINBIZA")]),
    "the OID where another was agreed": ("wrong-issuer", OLD_NAME, [*local(), bsn_item(ONE)]),
    "another spelling of the agreed one": (
        "wrong-issuer",
        OLD_NAME,
        [*local(), bsn_item(ONE, "nlminbiza")],
    ),
    "the agreed issuer, with dots": (
        "wrong-issuer",
        OLD_NAME,
        [*local(), bsn_item(f"{ONE[:4]}.{ONE[4:6]}.{ONE[6:]}", "NLMINBIZA")],
    ),
    "the agreed issuer in PatientID": ("misplaced", OLD_NAME, local(ONE, "NLMINBIZA")),
    "not yet beside": ("conformant", BESIDE, [*local(), bsn_item(ONE)]),
    "beside alone": ("candidate", BESIDE, [*local(), el(0x00101000, "LO", ONE)]),
    "sent, the agreed issuer": ("conformant", SENT, local(ONE, "NLMINBIZA")),
    "sent, the OID": ("wrong-issuer", SENT, local(ONE, OID)),
    "sent, in an item": ("misplaced", SENT, [*local(), bsn_item(ONE, "NLMINBIZA")]),
}


@pytest.mark.parametrize("what", OWN_STATUS)
def test_a_status_by_a_hospitals_own_placement(what):
    expected, placement, own = OWN_STATUS[what]
    assert status(*own, target=placement) == expected


@pytest.mark.parametrize("what", EXCHANGE_STATUS)
def test_a_status_in_exchange(what):
    expected, own = EXCHANGE_STATUS[what]
    assert status(*own, target=EXCHANGE) == expected


# --- which comes first ----------------------------------------------------------------------------

# Each adds what makes an earlier status hold as well.
MOUNTING = (
    ("candidate", retired(ONE)),
    ("placeholder", (NONE, "NLMINBIZA")),
    ("invalid", (WRONG, "NLMINBIZA")),
    ("misplaced", "primary"),
    ("wrong-issuer", (ONE, "NLMINBIZA")),
    ("conformant", (ONE, OID)),
    ("conflict", (TWO, OID)),
)


@pytest.mark.parametrize("depth", range(1, len(MOUNTING) + 1))
def test_the_first_status_that_holds_is_the_one(depth):
    steps = [what for _, what in MOUNTING[:depth]]
    primary = local(ONE, OID) if "primary" in steps else local()
    items = [what for what in steps if isinstance(what, tuple)]
    assert status(*primary, retired(ONE), others(*items)) == MOUNTING[depth - 1][0]


def test_what_could_not_be_read_is_unreadable_whatever_was_found_in_it():
    instances, findings, places = tables([("a", file_of(*local(), bsn_item(ONE), broken=True))])
    assert findings["evidence"].to_pylist() == ["asserted"]
    statuses, studies = told(instances, findings, places, SOURCES, AT_REST)
    assert list(statuses.values()) == ["unreadable"]
    assert studies.to_pylist()[0]["unreadable"] == 1


# --- calibration ----------------------------------------------------------------------------------


def archive(numbers, make, month="07"):
    """Return a file per number, each its own study of one month."""
    return [
        (f"{month}/{n}", file_of(*make(number), uid=f"1.2.{month}.{n}", day=f"2011{month}04"))
        for n, number in enumerate(numbers)
    ]


def numbers(count, passing):
    return [bsn.test_number(n) if n < passing else f"{100_000_000 + n}" for n in range(count)]


def bare_items(number):
    return [*local(f"7{number[-5:]}"), bsn_item(number, "")]


def calibrated(files, target=AT_REST):
    instances, findings, places = tables(files)
    assert len(set(instances["StudyInstanceUID"].to_pylist())) == len(files)
    return told(instances, findings, places, SOURCES, target), places


def test_a_field_in_which_all_numbers_pass_vouches_for_them():
    (statuses, _), places = calibrated(archive(numbers(60, 60), bare_items))
    assert places["verdict"].to_pylist().count("bsn") == 1
    assert set(statuses.values()) == {"wrong-issuer"}, "the target's place, without its issuer"


def test_a_field_with_too_few_numbers_vouches_for_none():
    (statuses, _), _ = calibrated(archive(numbers(20, 20), bare_items))
    assert set(statuses.values()) == {"candidate"}


def test_a_field_of_local_numbers_vouches_for_none():
    (statuses, _), _ = calibrated(archive(numbers(60, 6), bare_items))
    assert sorted(set(statuses.values())) == ["absent", "candidate"]


def test_a_calibrated_number_elsewhere_is_misplaced_and_in_exchange_in_place():
    files = archive(numbers(60, 60), lambda number: local(number, None))
    assert set(calibrated(files)[0][0].values()) == {"misplaced"}
    assert set(calibrated(files, EXCHANGE)[0][0].values()) == {"wrong-issuer"}


def test_an_issuer_that_stands_on_local_numbers_is_not_believed():
    files = archive(numbers(60, 6), lambda number: [*local("1"), bsn_item(number)])
    (statuses, _), places = calibrated(files)
    assert set(
        places.filter(pa.compute.equal(places["issuer_kind"], "bsn-oid"))["verdict"].to_pylist()
    ) == {"not-bsn"}
    assert sorted(set(statuses.values())) == ["candidate", "invalid"]


def test_calibration_counts_for_its_own_months_only():
    """A field that held BSNs until a migration and local numbers after it."""
    before = [f for n in range(1, 7) for f in archive(numbers(20, 20), bare_items, f"0{n}")]
    after = [f for n in "789" for f in archive(numbers(40, 4), bare_items, f"0{n}")]
    (statuses, _), _ = calibrated([*before, *after])
    assert {statuses["oost", KEYS.seal(path)] for path, _ in before} == {"wrong-issuer"}
    assert {statuses["oost", KEYS.seal(path)] for path, _ in after} == {"candidate", "absent"}


# --- studies --------------------------------------------------------------------------------------


def study(*files):
    (_, studies) = told(*tables([(f"{n}", data) for n, data in enumerate(files)]), SOURCES, AT_REST)
    assert studies.schema.equals(STUDIES)
    assert studies.num_rows == 1
    return studies.to_pylist()[0]


def test_a_study_has_the_status_that_all_its_instances_share_else_mixed():
    right, bare = file_of(*local(), bsn_item(ONE)), file_of(*local())
    assert study(right, right)["status"] == "conformant"
    assert study(right, bare)["status"] == "mixed"
    assert study(bare, bare)["status"] == "absent"


def test_one_unreadable_instance_makes_a_study_mixed():
    bare = file_of(*local())
    broken = file_of(*local(), broken=True)
    row = study(bare, broken)
    assert (row["status"], row["instances"], row["unreadable"]) == ("mixed", 2, 1)
    assert study(broken, broken)["status"] == "unreadable"


def test_a_study_row_tells_where_numbers_stand_and_how_many_leak():
    row = study(
        file_of(*local(), bsn_item(ONE), retired(f"{ONE}^^^BSN"), former(*local(ONE, OID))),
        file_of(*local(), bsn_item(ONE), el(0x00104000, "LT", f"nr {ONE}")),
    )
    assert row["places"] == ["OtherPatientIDsSequence.PatientID", "OtherPatientIDs"]
    assert row["place"] == row["places"][0]
    assert (row["historic"], row["leaks"], row["instances"]) == (True, 1, 2)
    assert (row["StudyDate"], row["study_month"]) == (date(2011, 7, 4), "2011-07")
    assert row["patient_id_shape"] == "99999"


def test_a_study_row_tells_the_issuer_beside_its_number():
    assert study(file_of(*local(), bsn_item(ONE)))["bsn_issuer"] == OID
    assert study(file_of(*local(), bsn_item(ONE, "NLMINBIZA")))["bsn_issuer"] == "NLMINBIZA"
    assert study(file_of(*local(), retired(f"{ONE}^^^BSN")))["bsn_issuer"] == ""
    assert study(file_of(*local(), bsn_item(ONE, "")))["bsn_issuer"] is None, "nothing vouches"


def test_a_study_is_described_by_a_file_that_could_be_read():
    row = study(file_of(broken=True, day="20100101"), file_of(*local(), day="20110704"))
    assert (row["StudyDate"], row["patient_id_shape"]) == (date(2011, 7, 4), "99999")


def test_a_study_of_two_archives_is_two_rows():
    instances, findings, places = tables([("a", file_of(*local()))])
    west = instances.set_column(0, "archive", pa.array(["west"]))
    both = pa.concat_tables([instances, west])
    _, studies = told(both, findings, places, SOURCES, AT_REST)
    assert studies["archive"].to_pylist() == ["oost", "west"]


def test_what_is_no_dicom_is_no_study():
    row, _ = rows_of(file_of(*local()))
    for state in ("not-dicom", "dicomdir", "container"):
        table = pa.Table.from_pylist([row | {"state": state}], schema=INSTANCES)
        empty = FINDINGS.empty_table(), PLACES.empty_table()
        statuses, studies = told(table, *empty, SOURCES, AT_REST)
        assert (statuses, studies.num_rows) == ({}, 0)


# --- sources and ranges ---------------------------------------------------------------------------


def test_a_source_is_named_by_its_attributes_and_renamed():
    row = {"InstitutionName": "Zkh. Oost", "StationName": None}
    assert Sources().label(row) == "Zkh. Oost"
    assert Sources(rename={"Zkh. Oost": "Ziekenhuis Oost"}).label(row) == "Ziekenhuis Oost"
    assert Sources(("InstitutionName", "StationName")).label(row) == "Zkh. Oost / unknown"
    assert Sources(rename={"unknown": "?"}).label({"InstitutionName": ""}) == "?"


def test_a_column_of_sources_says_what_each_row_says():
    names = ["Zkh. Oost", "", None, "Ziekenhuis Oost", "Zkh. Oost"]
    stations = ["CT1", "CT1", None, "", "CT2"]
    table = pa.table({"InstitutionName": names, "StationName": stations})
    sources = Sources(("InstitutionName", "StationName"), {"Zkh. Oost": "Ziekenhuis Oost"})
    told = sources.labelled(table)["source"].to_pylist()
    assert told == [sources.label(row) for row in table.to_pylist()]
    assert sources.labelled(table.slice(0, 0))["source"].to_pylist() == []


def test_a_range_has_both_its_ends_and_everything_without_a_date():
    days = [None, date(2011, 7, 3), date(2011, 7, 4), date(2011, 7, 5)]
    table = pa.table({"StudyDate": pa.array(days, pa.date32())})

    def kept(start=None, end=None):
        return within(table, start, end)["StudyDate"].to_pylist()

    assert kept() == days
    assert kept(start=date(2011, 7, 4)) == [None, *days[2:]]
    assert kept(end=date(2011, 7, 4)) == days[:3]
    assert kept(date(2011, 7, 4), date(2011, 7, 4)) == [None, days[2]]
    assert within(table.slice(0, 0), date(2011, 7, 4), None).num_rows == 0
