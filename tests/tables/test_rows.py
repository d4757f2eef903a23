"""From one head to its rows: what is kept, what becomes a token, and what is sealed."""

from __future__ import annotations

import json
import re
from datetime import date

import pyarrow as pa
import pytest
from builders import BIG, DEFLATED, IMPLICIT, OID, dicom, el, identity, item, patient_head, private
from hypothesis import given, settings
from hypothesis import strategies as st
from tables.heads_of import AT, KEYS, bsn_item, file_of, local, maker, others, rows_of

from remediation.dicom.header import scan
from remediation.model import bsn
from remediation.model.files import FileRef
from remediation.model.tokens import bsn_token, patient_token
from remediation.tables.rows import id_shape, parse_date
from remediation.tables.schemas import FINDINGS, INSTANCES

NUMBER, SECOND = bsn.test_number(101), bsn.test_number(202)


def study_date(*elements, path="x.dcm", layout="{yyyy}/{mm}/{dd}"):
    """Return day and source where the head says no more than these elements."""
    rest = [el(0x00080018, "UI", "1.2.3"), el(0x0020000D, "UI", "1.2")]
    file = dicom(sorted([*elements, *rest], key=lambda one: one.tag))
    row, _ = rows_of(file, path, of=maker(layout))
    return row["StudyDate"], row["study_date_source"], row["study_month"]


# --- nothing that identifies ----------------------------------------------------------------------

CANARIES = {
    "number": NUMBER,
    "second": SECOND,
    "local": "7654321",
    "family": "Zeldzaamnaam",
    "given": "Xaviera",
    "birth": "19310417",
    "mother": "Moederszoon",
    "accession": "ACC7788",
    "comment": "Opmerking",
}


def telltale():
    """Return a head that holds a canary wherever one can stand."""
    c = CANARIES
    number = c["number"]
    return file_of(
        *local(c["local"]),
        others((number, OID), (c["second"], ""), (c["local"], "ZKH-WEST")),
        el(0x00101000, "LO", f"{number}\\{c['local']}"),
        el(0x00101001, "PN", "Anders^Heter"),
        el(0x00101060, "PN", c["mother"]),
        el(0x00104000, "LT", f"{c['comment']} {number}"),
        el(0x00080050, "SH", c["accession"]),
        el(0x00080090, "PN", f"Dokter^{number}"),
        el(0x00080080, "LO", f"Kliniek {number}"),
        el(0x00081010, "SH", number),
        *private(0x0031, "MITRA LINKED ATTRIBUTES 1.0", (0x20, "UN", number)),
        *private(0x0099, f"MAKER {number}", (0x10, "LO", f"PAT {number}")),
        el(0x00400275, "SQ", [item(el(0x00400007, "LO", f"{c['comment']} {number}"))]),
        name=f"{c['family']}^{c['given']}",
        birth=c["birth"],
    )


def test_no_row_holds_a_number_a_name_or_a_birth_date():
    path = f"{CANARIES['family']}/{NUMBER}.dcm"
    row, found = rows_of(telltale(), path)
    table = pa.Table.from_pylist([row], schema=INSTANCES)
    findings = pa.Table.from_pylist(found, schema=FINDINGS)
    text = json.dumps([*table.to_pylist(), *findings.to_pylist()], default=str)
    for what, canary in CANARIES.items():
        assert canary.casefold() not in text.casefold(), what
    # Every place was seen all the same.
    assert {one["place"] for one in found if one["bsn_token"] == bsn_token(KEYS, NUMBER)} >= {
        "path",
        "OtherPatientIDsSequence[0].PatientID",
        "OtherPatientIDs",
        "PatientComments",
        "ReferringPhysicianName",
        "InstitutionName",
        "StationName",
        "(0031,xx20)",
        "(0099,xx10)",
        "RequestAttributesSequence[0].ScheduledProcedureStepDescription",
    }


def test_rows_hold_no_column_that_the_schema_does_not_know():
    row, found = rows_of(telltale())
    assert row.keys() <= set(INSTANCES.names)
    assert all(one.keys() == set(FINDINGS.names) for one in found)


def test_free_text_is_sealed_where_a_number_in_it_passes_and_opens_with_the_key():
    row, found = rows_of(telltale())
    assert KEYS.unseal(row["InstitutionName"]) == f"Kliniek {NUMBER}"
    assert KEYS.unseal(row["StationName"]) == NUMBER
    creators = {one["private_creator"] for one in found} - {"", "MITRA LINKED ATTRIBUTES 1.0"}
    assert {KEYS.unseal(creator) for creator in creators} == {f"MAKER {NUMBER}"}


@pytest.mark.parametrize("text", ["Ziekenhuis Oost", "CT99", "999900007", "tel. 0201234567"])
def test_free_text_without_such_a_number_stays_readable(text):
    row, _ = rows_of(file_of(*local(), el(0x00080080, "LO", text)))
    assert row["InstitutionName"] == text


def test_an_issuer_that_is_a_number_is_sealed():
    row, found = rows_of(file_of(*identity(NUMBER, SECOND), others((SECOND, NUMBER))))
    assert KEYS.unseal(row["IssuerOfPatientID"]) == SECOND
    assert KEYS.unseal(row["other_ids"][0]["issuer"]) == NUMBER
    opened = {KEYS.unseal(one["issuer"]) for one in found if one["issuer"]}
    assert opened == {NUMBER, SECOND}


def test_paths_are_sealed_unless_the_job_says_otherwise():
    assert KEYS.unseal(rows_of(file_of(), "JANSEN/1.dcm")[0]["path"]) == "JANSEN/1.dcm"
    row, _ = rows_of(file_of(), "a\\b/1.dcm", of=maker(seal=False))
    assert row["path"] == "a\\x5cb/1.dcm"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([0x00080070, 0x00080080, 0x00081010, 0x00081090, 0x00100021]), st.data())
def test_no_text_column_holds_a_number_however_it_is_written(tag, data):
    number = bsn.test_number(data.draw(st.integers(0, 9000)))
    forms = (
        number,
        number.lstrip("0"),
        f"{number[:4]}.{number[4:6]}.{number[6:]}",
        f"BSN {number}",
    )
    text = data.draw(st.sampled_from(["{}", "x {}", "{} y", "({})", "A{}B"]))
    written = text.format(data.draw(st.sampled_from(forms)))
    row, _ = rows_of(file_of(*local(None, None), el(tag, "LO", written)))
    digits = re.sub(r"\D", "", json.dumps({k: v for k, v in row.items() if k in TEXTS}))
    assert number not in digits


TEXTS = {"Manufacturer", "InstitutionName", "StationName", "ManufacturerModelName"}
TEXTS |= {"IssuerOfPatientID"}


# --- facts ----------------------------------------------------------------------------------------


def test_the_facts_of_a_head_keep_their_keywords():
    row, _ = rows_of(file_of(*local(), el(0x00080080, "LO", "Ziekenhuis Oost")))
    assert row["Modality"] == "MR"
    assert row["PatientSex"] == "F"
    assert row["IssuerOfPatientID"] == "ZKH-OOST"
    assert (row["issuer_kind"], row["patient_id_shape"]) == ("other", "99999")
    assert row["patient_token"] == patient_token(KEYS, "12345")
    assert (row["TransferSyntaxUID"], row["state"], row["error"]) == (
        "1.2.840.10008.1.2.1",
        "read",
        "",
    )
    assert (row["run_id"], row["crawled_at"], row["mtime_ns"]) == ("run-1", AT, 5)
    assert row["ImplementationClassUID"] == "1.2.826.0.1.3680043.9.7777.9"


def test_a_head_is_known_again_by_its_length_and_a_keyed_digest():
    file = file_of(*local())
    row, _ = rows_of(file)
    assert file[row["head_length"] :].startswith(b"\xe0\x7f\x10\x00"), "up to Pixel Data"
    assert row["head_digest"] == KEYS.digest(file[: row["head_length"]])
    packed, _ = maker().rows(FileRef("a", 9, 5), "read", "", scan(file, len(file)), b"")
    assert "head_digest" not in packed, "of a deflated file the head does not stand in the file"


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG, DEFLATED])
def test_the_same_facts_are_read_from_every_syntax(syntax):
    elements = patient_head(*local(), bsn_item(NUMBER))
    plain, found = rows_of(dicom(elements))
    row, same = rows_of(dicom(elements, syntax))
    for name in (
        "StudyInstanceUID",
        "patient_token",
        "birth_date_token",
        "name_tokens",
        "StudyDate",
    ):
        assert row[name] == plain[name]
    assert [one["bsn_token"] for one in same] == [one["bsn_token"] for one in found]


def test_a_missing_patient_id_has_no_token_and_an_empty_one_neither():
    for own in ([], local("", None)):
        row, _ = rows_of(file_of(*own))
        assert (row["patient_token"], row["patient_id_shape"]) == (None, "")


def test_padding_and_outer_blanks_do_not_make_another_patient():
    tokens = {
        rows_of(file_of(*local(text)))[0]["patient_token"] for text in ("123", "123\0", " 123 ")
    }
    assert tokens == {patient_token(KEYS, "123")}


def test_other_ids_and_identifiers_name_every_filled_place():
    row, _ = rows_of(
        file_of(*local(), others((NUMBER, OID), ("W9", "KL-WEST")), el(0x00101000, "LO", "7\\8"))
    )
    assert [(one["issuer"], one["issuer_kind"]) for one in row["other_ids"]] == [
        (OID, "bsn-oid"),
        ("KL-WEST", "other"),
    ]
    assert [one["shape"] for one in row["identifiers"]] == ["other"] * 3 + ["passing", "other"]
    assert {one["place"] for one in row["identifiers"]} == {
        "PatientID",
        "OtherPatientIDs",
        "OtherPatientIDsSequence.PatientID",
    }


def test_a_former_value_is_a_finding_and_no_identifier():
    inside = el(0x04000550, "SQ", [item(*identity(NUMBER, OID))])
    row, found = rows_of(file_of(*local(), el(0x04000561, "SQ", [item(inside)])))
    assert [one["place_kind"] for one in found] == ["historic"]
    assert [one["place"] for one in row["identifiers"]] == ["PatientID"]


def test_a_file_without_a_study_gets_one_of_its_own():
    file = dicom([el(0x00080018, "UI", "1.2.3"), el(0x00100020, "LO", "12345")])
    one, _ = rows_of(file, "a.dcm")
    other, _ = rows_of(file, "b.dcm")
    assert one["StudyInstanceUID"].startswith("unreadable-")
    assert one["StudyInstanceUID"] != other["StudyInstanceUID"]
    assert one["StudyInstanceUID"] == rows_of(file, "a.dcm")[0]["StudyInstanceUID"]


def test_a_file_that_breaks_off_keeps_what_was_read_before():
    whole = file_of(*local(), bsn_item(NUMBER))
    row, _ = rows_of(whole[: whole.index(b"19500203") + 4])
    assert (row["state"], row["error"]) == ("unreadable", "truncated")
    assert row["Modality"] == "MR"


def test_a_file_that_is_no_dicom_has_a_row_and_its_path_is_searched():
    ref = FileRef(f"PAT{NUMBER}/Thumbs.db", 3, 5)
    row, found = maker().rows(ref, "not-dicom", "", None, b"")
    assert (row["state"], row["StudyInstanceUID"], row["study_month"]) == (
        "not-dicom",
        None,
        "unknown",
    )
    assert [(one["place"], one["place_kind"]) for one in found] == [("path", "path")]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 600), st.binary(max_size=12), st.booleans())
def test_making_rows_is_total(at, junk, cut):
    whole = telltale()
    file = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
    row, found = rows_of(file)
    pa.Table.from_pylist([row], schema=INSTANCES)
    pa.Table.from_pylist(found, schema=FINDINGS)


# --- dates ----------------------------------------------------------------------------------------

DAYS = (
    (0x00080020, "StudyDate"),
    (0x00080021, "SeriesDate"),
    (0x00080022, "AcquisitionDate"),
    (0x00080023, "ContentDate"),
)


@pytest.mark.parametrize("first", range(4))
def test_the_date_of_a_study_falls_back_on_the_next_attribute(first):
    elements = [
        el(tag, "DA", "20110231" if n < first else f"201{n}0704") for n, (tag, _) in enumerate(DAYS)
    ]
    day, source, month = study_date(*elements)
    assert (day, source) == (date(2010 + first, 7, 4), DAYS[first][1])
    assert month == f"201{first}-07"


def test_the_path_gives_the_date_where_no_attribute_does():
    assert study_date(path="2011/07/04/S1/x.dcm") == (date(2011, 7, 4), "path", "2011-07")
    assert study_date(path="2011/07/x.dcm") == (None, "", "unknown")
    assert study_date(path="2011/02/30/x.dcm") == (None, "", "unknown")
    assert study_date(path="2011/07/04/x.dcm", layout="") == (None, "", "unknown")


def test_a_head_that_could_not_be_read_is_dated_by_its_path():
    row, _ = maker("{yyyy}/{mm}/{dd}").rows(
        FileRef("2011/07/04/x", 0, 5), "unreadable", "unreadable", None, b""
    )
    assert (row["StudyDate"], row["study_date_source"]) == (date(2011, 7, 4), "path")


def test_the_dates_of_series_and_instance_stand_beside_that_of_the_study():
    dates = [el(0x00080012, "DA", "20120305"), el(0x00080021, "DA", "2011.07.05")]
    row, _ = rows_of(file_of(*local(), *dates))
    assert row["StudyDate"] == date(2011, 7, 4)
    assert (row["SeriesDate"], row["InstanceCreationDate"]) == (date(2011, 7, 5), date(2012, 3, 5))
    row, _ = rows_of(file_of(*local(), el(0x00080012, "DA", "20120231")))
    assert (row["SeriesDate"], row["InstanceCreationDate"]) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20110231",
        "20111301",
        "00000000",
        "2011",
        "18500101",
        "99991231",
        "x20110704",
        "٢٠١١٠٧٠٤",
    ],
)
def test_an_impossible_date_is_none(text):
    assert parse_date(text) is None


@pytest.mark.parametrize("text", ["20110704", "2011.07.04", "2011-07-04", "20110704123456+0100"])
def test_a_possible_date_is_read(text):
    assert parse_date(text) == date(2011, 7, 4)


# --- shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape"),
    [("A0012345", "A9999999"), ("12-345", "99-999"), ("Jansen, P.", "AAAAAA, A."), ("", "")],
)
def test_the_shape_of_a_number_shows_no_digit_and_no_letter(text, shape):
    assert id_shape(text) == shape


@given(st.text(max_size=40))
def test_a_shape_never_shows_a_digit_or_a_letter_of_the_number(text):
    # Digits of other scripts are neither ASCII digits nor letters: they stand as they are.
    assert len(id_shape(text)) == len(text)
    assert set(re.findall(r"[0-9A-Za-z]", id_shape(text), re.ASCII)) <= {"9", "A"}
