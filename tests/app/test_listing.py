"""Worklists on disk: CSV and one workbook, private, in two languages, safe against formulas."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import date

import pytest
from app.hospital_line import call
from openpyxl import load_workbook
from small_hospital import NUMBERS, PEOPLE, WORDS, Hospital, copy, lay_down

from remediation.app.listing import BOOK, FILES, FOLDER, write_worklists
from remediation.app.worklist_texts import TEXTS, TODO
from remediation.model.bsn import test_number as number_of
from remediation.model.worklists import DESK, MIXUPS
from remediation.stages.worklists import Listed, Waiting, Worklists

BOM = b"\xef\xbb\xbf"
DAY = date(2011, 7, 4)


def waiting(number="0012345", reason="no-number", **more):
    said = {"issuer": "ZKH-OOST", "archive": "oost", "studies": 3, "right": 1, "first": DAY}
    said |= {"last": None, "source": "Ziekenhuis Oost", "example": "2.999.1"}
    return Waiting(number=number, reason=reason, **(said | more))


def leak(**more):
    said = {"place": "PatientComments", "private_creator": "", "place_kind": "leak"}
    return said | {"archive": "oost", "source": "unknown", "findings": 1200, "studies": 7} | more


def fault(**more):
    said = {"period_id": "1a2b", "archive": "oost", "source": "Oost", "axis": "study"}
    said |= {"start": DAY, "end": date(2011, 8, 1), "status": "absent", "place": ""}
    said |= {"bsn_issuer": "", "Manufacturer": "", "ImplementationVersionName": "PACS 4"}
    return said | {"studies": 12, "first": DAY, "last": DAY, "examples": []} | more


def lists(*, desk=(), mixups=(), leaks=(), vendor=(), left_out=0):
    return Worklists(
        Listed(tuple(desk), left_out),
        Listed(tuple(mixups)),
        Listed(tuple(leaks)),
        Listed(tuple(vendor)),
        0,
    )


def cells(path):
    text = path.read_bytes().removeprefix(BOM).decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


def test_each_list_is_a_csv_for_dutch_excel_and_a_sheet(tmp_path):
    made = write_worklists(
        tmp_path, lists(desk=[waiting()], leaks=[leak()], vendor=[fault()]), "nl"
    )
    assert {path.name for path in made.values()} == {*FILES.values(), BOOK}
    assert made["desk"].read_bytes().startswith(BOM + b"lokaal nummer;uitgever;archief;reden;")
    assert made["desk"].read_bytes().endswith(b"\r\n")
    row = cells(made["desk"])[1]
    assert row[:4] == ["0012345", "ZKH-OOST", "oost", "no-number"]
    assert row[6:] == ["3", "2011-07-04", "", "Ziekenhuis Oost", "2.999.1"]
    assert cells(made["leaks"])[1] == [
        *("PatientComments", "", cells(made["leaks"])[1][2], "oost", "", "1200", "7")
    ]
    book = load_workbook(made["workbook"])
    assert book.sheetnames == ["registratie", "verwisselingen", "lekken", "leverancier"]
    sheet = book["registratie"]
    assert sheet["A2"].value == "0012345", "text: a leading zero stays"
    assert (sheet["G2"].value, sheet["G2"].number_format) == (3, "#,##0")
    assert book["leverancier"]["E2"].value.date() == DAY


def test_folder_and_files_are_for_their_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        made = write_worklists(tmp_path, lists(desk=[waiting()]), "nl")
    finally:
        os.umask(before)
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.values()} == {0o600}


def test_a_second_run_replaces_the_first_and_leaves_nothing_of_it(tmp_path):
    write_worklists(tmp_path, lists(desk=[waiting("7000001")]), "nl")
    made = write_worklists(tmp_path, lists(mixups=[waiting("7000002", "sex-clash")]), "en")
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == sorted(
        path.name for path in made.values()
    )
    assert len(cells(made["desk"])) == 1
    assert cells(made["mixups"])[0][:2] == ["local number", "issuer"]
    assert cells(made["mixups"])[1][0] == "7000002"


def test_no_cell_is_taken_for_a_formula(tmp_path):
    evil = "=cmd|'/c calc'!A1"
    made = write_worklists(
        tmp_path,
        lists(
            desk=[waiting(evil, issuer=evil, source="@SUM(A1)")],
            leaks=[leak(place="+1", private_creator="-2")],
            vendor=[fault(bsn_issuer=evil, Manufacturer="\t=1")],
        ),
        "nl",
    )
    for name in FILES:
        for row in cells(made[name]):
            assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]
    for sheet in load_workbook(made["workbook"]):
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)


def test_what_was_left_out_is_said_at_the_end(tmp_path):
    made = write_worklists(tmp_path, lists(desk=[waiting()], left_out=1234), "nl")
    last = cells(made["desk"])[-1]
    assert last[0].startswith("1.234 regels niet opgenomen")
    assert set(last[1:]) == {""}
    made = write_worklists(tmp_path, lists(desk=[waiting()], left_out=1234), "en")
    assert cells(made["desk"])[-1][0].startswith("1,234 lines left out")


def test_a_number_in_what_a_header_says_is_withheld(tmp_path):
    number = number_of(7)
    made = write_worklists(
        tmp_path,
        lists(
            desk=[waiting("", issuer=f"HIS {number}", source=number)],
            vendor=[fault(bsn_issuer=number, ImplementationVersionName=number)],
        ),
        "nl",
    )
    for path in made.values():
        assert number.encode() not in path.read_bytes()
    assert number not in str(
        [[c.value for c in r] for r in load_workbook(made["workbook"])["leverancier"]]
    )


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_reason_has_what_to_do(language):
    assert set(TODO[language]) == {*DESK, *MIXUPS}
    assert set(TEXTS[language]) == set(TEXTS["nl"])
    assert all(TEXTS[language].values())


# --- by the command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Hospital:
    """A hospital of which one patient is not verified, one is unknown, and one another's."""
    hospital = lay_down(tmp_path_factory.mktemp("klein") / "out")
    hospital.edit_export(f"{NUMBERS[4]};geverifieerd", f"{NUMBERS[4]};ingetrokken")
    hospital.edit_export("703;", "793;")
    hospital.edit_export(WORDS[5], "Anderspersoon")
    hospital.look()
    return hospital


@pytest.fixture
def hospital(template, tmp_path) -> Hospital:
    return copy(template, tmp_path / "klein")


def test_match_prints_the_lists_and_records_the_headers_it_read_again(hospital, capsys):
    said = call(capsys, "match", hospital.job)
    assert said.code == 0
    assert [line for line in said.out.splitlines() if line.startswith("worklist: ")] == [
        f"worklist: {hospital.output / FOLDER / name}" for name in (*FILES.values(), BOOK)
    ]
    told = json.loads(call(capsys, "match", hospital.job, "--json").out)
    assert told["worklists"]["vendor"] == str(hospital.output / FOLDER / "leverancier.csv")
    records = [json.loads(one.read_text()) for one in (hospital.output / "runs").glob("*.json")]
    read = {one["counts"]["heads_read"] for one in records if one["command"] == "match"}
    assert read == {2}, "one for a name that may be mistyped, one for the desk"


def test_the_lists_hold_local_numbers_and_neither_bsn_nor_name(hospital, capsys):
    call(capsys, "match", hospital.job)
    folder = hospital.output / FOLDER
    desk = {row[0]: row[3] for row in cells(folder / "registratie.csv")[1:]}
    assert desk == {"704": "not-verified", "703": "no-crosswalk-entry"}
    assert [row[:4] for row in cells(folder / "verwisselingen.csv")[1:]] == [
        ["705", "ZKH-NOORD", "noord", "name-clash"]
    ]
    for path in folder.iterdir():
        text = path.read_bytes().decode("latin-1")
        if path.name == BOOK:
            book = load_workbook(path)
            text = str([[[c.value for c in row] for row in sheet] for sheet in book])
        assert not [one for one in (*NUMBERS, *WORDS, "Anderspersoon") if one in text]
    vendor = (folder / "leverancier.csv").read_text(encoding="utf-8-sig")
    assert not [one for one in range(PEOPLE) if f"70{one}" in vendor]
