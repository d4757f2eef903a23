"""Scenarios for reading the EPD's export."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.crosswalk import Entry, SpellingRule
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.tables.crosswalk import Crosswalk

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
ONE, TWO = bsn.test_number(101), bsn.test_number(102)
COLUMNS = {
    "local_number": "patientnr",
    "issuer": "uitgever",
    "bsn": "bsn",
    "status": "bsn_status",
    "birth_date": "geboortedatum",
    "sex": "geslacht",
    "family_name": "achternaam",
    "birth_name": "geboortenaam",
    "initials": "voorletters",
    "replaced_by": "vervangen_door",
}
HEADER = ";".join(COLUMNS.values())
ROW = f"0012345;OOST;{ONE};geverifieerd;03-02-1950;V;Jansen-de Vries;Müller;A.B.;"


@pytest.fixture
def export(tmp_path):
    """Return a function that writes an export and reads it back as a crosswalk."""

    def read(content, name="epd.csv", age_days=0.0, **more):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        written = (NOW - timedelta(days=age_days)).timestamp()
        os.utime(path, (written, written))
        given_settings = {"files": (path,), "columns": COLUMNS, **more}
        wanted = CrosswalkSettings(**given_settings)
        return Crosswalk.read(read_crosswalk(wanted, NOW), wanted.spelling)

    return read


def refused(export, content, **more):
    """Return the one-line message of a refused export."""
    with pytest.raises(UsageError) as caught:
        export(content, **more)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__cause__ is None
    assert not re.search(r"\d{8}", message.replace(str(caught.value.where), ""))
    return message


def attempt(export, content, **more):
    """Return what is shown of an export: its entries, or why it is refused."""
    try:
        return "the crosswalk of " + repr(tuple(export(content, **more).entries))
    except UsageError as error:
        return str(error)


def test_a_row_becomes_an_entry(export):
    crosswalk = export(f"{HEADER}\n{ROW}\n")
    assert crosswalk.entries == (
        Entry(
            "OOST",
            "0012345",
            ONE,
            status="geverifieerd",
            birth_date="19500203",
            sex="F",
            family_names=("JANSENVRIES", "JANSEN", "VRIES", "MULLER"),
            initials="AB",
        ),
    )
    assert crosswalk.entries[0].place == "epd.csv line 2"


@pytest.mark.parametrize("mark", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiter_encoding_and_line_ends_are_found_out(export, mark, encoding, newline):
    text = f"{HEADER}\n{ROW}\n".replace(";", mark).replace("\n", newline)
    assert "MULLER" in export(text.encode(encoding)).entries[0].family_names


def test_identifiers_are_text(export):
    row = ROW.replace("0012345", "00007").replace(ONE, "  12345678 ")
    found = export(f"{HEADER}\n{row}\n").entries[0]
    assert found.local_number == "00007"
    assert (found.bsn, found.well_formed) == ("012345678", True)


def test_a_number_that_is_none_is_kept_as_it_stands(export):
    odd = export(f"{HEADER}\n{ROW.replace(ONE, ' zie dossier ')}\n").entries[0]
    assert (odd.bsn, odd.well_formed) == ("zie dossier", False)
    none = export(f"{HEADER}\n{ROW.replace(ONE, ' ')}\n").entries[0]
    assert none.bsn == ""


def test_quoted_cells_may_hold_delimiters_and_line_ends(export):
    quoted = ROW.replace("Jansen-de Vries", '"Jansen;\nx"')
    text = f"{HEADER}\n{quoted}\n\n{ROW}\n"
    places = [entry.place for entry in export(text).entries]
    assert places == ["epd.csv line 3", "epd.csv line 5"]


def test_columns_in_any_order_and_columns_of_no_use(export):
    names = ["extra", *reversed(COLUMNS.values())]
    cells = ["x", *reversed(ROW.split(";"))]
    first = export(f"{HEADER}\n{ROW}\n").entries
    assert export(f"{';'.join(names)}\n{';'.join(cells)}\n").entries == first


def test_without_an_issuer_column_the_default_counts(export):
    columns = {key: name for key, name in COLUMNS.items() if key != "issuer"}
    crosswalk = export(f"{HEADER}\n{ROW}\n", columns=columns, default_issuer="WEST")
    assert [entry.issuer for entry in crosswalk.entries] == ["WEST"]


def test_an_empty_issuer_gets_the_default_where_there_is_one(export):
    text = f"{HEADER}\n{ROW.replace('OOST', '')}\n"
    assert export(text, default_issuer="WEST").entries[0].issuer == "WEST"
    assert export(text).entries[0].issuer == ""


def test_spelling_rules_reach_the_crosswalk(export):
    text = f"{HEADER}\n{ROW.replace('0012345', '12345')}\n"
    crosswalk = export(text, spelling=(SpellingRule("OOST", 7),))
    assert len(crosswalk.by_local("OOST", "0012345")) == 1


def test_files_of_a_pattern_are_read_once_each(export, tmp_path):
    export(f"{HEADER}\n{ROW}\n", name="b.csv")
    export(f"{HEADER}\n{ROW.replace('0012345', '8').replace(ONE, TWO)}\n", name="a.csv")
    crosswalk = export(
        f"{HEADER}\n{ROW}\n", name="c.txt", files=(tmp_path / "*.csv", tmp_path / "b.csv")
    )
    assert [entry.place for entry in crosswalk.entries] == ["a.csv line 2", "b.csv line 2"]
    assert crosswalk.duplicates == 0


def test_a_row_in_two_files_counts_once(export, tmp_path):
    export(f"{HEADER}\n{ROW}\n", name="a.csv")
    crosswalk = export(f"{HEADER}\n{ROW}\n", name="b.csv", files=(tmp_path / "*.csv",))
    assert len(crosswalk.entries) == 1
    assert crosswalk.duplicates == 1


def test_a_missing_file_is_named(export, tmp_path):
    message = refused(export, "", files=(tmp_path / "nowhere" / "*.csv",))
    assert message.startswith("no crosswalk file")
    assert "nowhere" in message


def test_missing_columns_are_named_as_the_job_file_does_and_the_header_is_not_shown(export):
    message = refused(export, f"{ROW}\n{ROW}\n")
    assert "'bsn_status'" in message
    assert "epd.csv" in message
    assert "Jansen" not in message
    assert ONE not in message


def test_an_optional_column_that_the_job_file_names_must_be_there(export):
    message = refused(export, f"{HEADER.replace('voorletters', 'initialen')}\n{ROW}\n")
    assert "'voorletters'" in message
    assert "initialen" not in message


def test_a_column_twice_is_refused(export):
    assert "'bsn'" in refused(export, f"{HEADER};bsn\n{ROW};{TWO}\n")


@pytest.mark.parametrize("row", [ROW.removesuffix(";"), f"{ROW};{TWO}", "x"])
def test_a_row_of_another_width_is_refused_with_its_line(export, row):
    message = refused(export, f"{HEADER}\n{ROW}\n{row}\n")
    assert "line 3" in message
    assert TWO not in message


def test_empty_cells_at_the_end_of_a_row_do_no_harm(export):
    assert len(export(f"{HEADER}\n{ROW};;\n;;;\n").entries) == 1


@pytest.mark.parametrize("row", [f'"{ONE}"x;2;3', f'"{ONE}'])
def test_a_quote_out_of_place_is_refused(export, row):
    message = refused(export, f"{HEADER}\n{ROW}\n{row}\n")
    assert "quote" in message
    assert "line 3" in message
    assert ONE not in message


@pytest.mark.parametrize(
    "content", [b"\xff\xfeb\0s\0n\0", HEADER.encode() + b"\n\x81\n", f"{HEADER}\n\0\n".encode()]
)
def test_what_is_no_text_is_refused(export, content):
    assert "neither UTF-8 nor Windows-1252" in refused(export, content)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("epd.xlsx", "no Excel workbook"),
        ("epd.XLS", "an old Excel file"),
        ("epd.parquet", "no Parquet file"),
        ("adt.hl7", "no HL7 message"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(export, name, why):
    assert why in refused(export, "x", name=name)


def test_a_folder_is_refused(export, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    message = refused(export, "x", files=(tmp_path / "folder.csv",), max_age_days=0)
    assert "not a file" in message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(export, tmp_path):
    (tmp_path / "epd.csv").write_text("x")
    (tmp_path / "epd.csv").chmod(0)
    assert "cannot be read" in refused(export, "x", name="o.csv", files=(tmp_path / "epd.csv",))


def test_a_file_that_cannot_be_read_is_refused(export, monkeypatch):
    openly = Path.open

    def fail(path, mode="r", **more):
        if mode == "rb":
            raise PermissionError(13, "Permission denied")
        return openly(path, mode, **more)

    monkeypatch.setattr(Path, "open", fail)
    assert "cannot be read" in refused(export, f"{HEADER}\n{ROW}\n")


@pytest.mark.parametrize("content", ["", "\n", HEADER, f"{HEADER}\n\n;;;\n"])
def test_an_export_without_rows_is_refused(export, content):
    message = refused(export, content)
    assert "no rows" in message or "exactly one column" in message


def test_an_old_export_is_refused(export):
    text = f"{HEADER}\n{ROW}\n"
    assert export(text, age_days=29.9)
    assert "30 are allowed" in refused(export, text, age_days=30.1)
    assert "2 days old" in refused(export, text, age_days=1.5, max_age_days=1)
    assert export(text, age_days=4000, max_age_days=0)


def test_local_numbers_that_are_written_alike_are_refused(export):
    other = ROW.replace("0012345", "12345").replace(ONE, TWO)
    message = refused(export, f"{HEADER}\n{ROW}\n{other}\n", spelling=(SpellingRule("OOST", 7),))
    assert "epd.csv line 2 and epd.csv line 3" in message
    assert "12345" not in message


cell = st.one_of(
    st.sampled_from(["", ONE, TWO, f"BSN {ONE}", "OOST", "Jansen", '"', "19500203", "4711"]),
    st.text(max_size=5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.lists(cell, min_size=9, max_size=12), max_size=5),
    st.sampled_from(";,\t"),
    st.booleans(),
)
def test_any_table_is_read_or_refused_without_a_value(export, rows, mark, headed):
    head = [HEADER.replace(";", mark)] if headed else []
    text = "\n".join([*head, *(mark.join(row) for row in rows)])
    shown = attempt(export, text.encode("utf-8", "replace"), spelling=(SpellingRule("OOST", 6),))
    assert ONE not in shown
    assert "Jansen" not in shown


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(export, content):
    assert attempt(export, content).startswith("the crosswalk")
    shown = attempt(export, HEADER.encode() + b"\n" + content)
    assert "\n" not in shown
