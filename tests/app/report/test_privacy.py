"""What the page and the workbook never hold, and that hostile text stays text."""

import re
import zipfile
from datetime import date
from html import unescape
from html.parser import HTMLParser

import openpyxl
import pytest
from app.report.conftest import AT, KEY, Hospital, broken_decade, cause, text_of

from remediation.app.report.build import ReportOptions, write_report
from remediation.model import bsn
from remediation.model.events import Event

HOSTILE = (
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)",
    "\u0645\u0633\u062a\u0634\u0641\u0649 \u0627\u0644\u0645\u0644\u0643",
    "\u5317\u4eac\u534f\u548c\u533b\u9662",
    "Zkh\u202e tsoO\x00\x1b",
    "{{ 7 * 7 }}{% raw %}",
    "N" * 400,
)


def attributes(page):
    """The names of all attributes of the page, as a parser sees them."""
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, pairs: found.update(name for name, _ in pairs)
    parser.feed(page)
    assert "class" in found
    return found


def numbers_in(page):
    return [run for run in re.findall(r"(?<!\d)\d{9}(?!\d)", page) if bsn.passes(run)]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A report in which every text that a header or the job file can hold is hostile."""
    made = Hospital(tmp_path_factory.mktemp("hostile") / "out")
    for name in HOSTILE:
        broken_decade(made, name, "<b>a</b>")
        made.periods[-1]["causes"] = [cause(one, name, f"b{name}") for one in ("place", "file_age")]
        made.effect(event=name, event_kind=name, source=name, archive="<b>a</b>", verdict=name)
        made.place(f"Place{name}", 9, 9, 9, source=name, private_creator=name)
        made.finding(f"Text{name}", "leak", private_creator=name)
    made.study("2011-09", "absent", source=HOSTILE[0], outcome="exempt", exemption=HOSTILE[1])
    days = date(2011, 7, 1), date(2011, 7, 2)
    events = tuple(Event(name, name, *days, None) for name in HOSTILE)
    made.write(events=events)
    result = write_report(
        ReportOptions(made.output, KEY, HOSTILE[0], 0.95, "nl", events, AT, tool_version="0.1.0")
    )
    return result, result.html.read_text(encoding="utf-8")


def test_hostile_names_are_text_and_nothing_else(hostile):
    _, page = hostile
    lower = page.lower()
    assert "<script" not in lower
    assert "<img" not in lower
    assert "<b>a</b>" not in lower
    assert "onerror=alert(1)&gt;" in lower  # it is there, and it is text
    assert "{{ 7 * 7 }}" in unescape(page)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert "\u5317\u4eac\u534f\u548c\u533b\u9662" in page
    assert "\u0645\u0633\u062a\u0634\u0641\u0649" in page
    assert "N" * 121 not in page


def test_hostile_names_are_no_formulas(hostile):
    result, _ = hostile
    book = openpyxl.load_workbook(result.workbook)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert any(cell.value == "'=cmd|'/c calc'!A1" for cell in cells)
    assert "f" not in {cell.data_type for cell in cells}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]


def test_the_page_points_nowhere_and_runs_nothing(hostile):
    _, page = hostile
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    addresses = re.findall(r'(?:src|href|action|data|poster)="([^"]*)"', page)
    assert addresses
    assert all(one.startswith("#") or one == "data:," for one in addresses)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert not [name for name in attributes(page) if name.startswith("on")]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page


def test_ids_are_unique_and_links_have_an_end(hostile):
    _, page = hostile
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    ends = re.findall(r'(?:href|aria-labelledby)="#?([^"]*)"', page)
    wanted = {name for end in ends for name in end.split() if end != "data:,"}
    assert wanted <= set(ids)


def test_a_number_that_got_into_a_name_is_withheld(made, hospital):
    number = bsn.test_number(7)
    spelled = f"{number[:4]}.{number[4:6]}.{number[6:]}"
    for name in (number, f"Zkh {number}", spelled):
        hospital.study(count=12, source=name, patient_id_shape="9" * 9)
        hospital.place(name, 4, 4, 4, source=name, private_creator=name)
        hospital.place(name, 4, 4, 0, source=name, private_creator=name, verdict="not-bsn")
        hospital.effect(event=name, event_kind=name, source=name)
        causes = [cause("StationName", name, f"x {name}"), cause("place", name, None, "end")]
        days = date(2011, 3, 2), date(2011, 3, 20)
        hospital.period(*days, source=name, event=name, event_kind=name, causes=causes)
        hospital.finding(name, "leak", private_creator=name)
    hospital.study(status="absent", outcome="exempt", exemption=number)
    event = Event(f"Wissel {number}", "other", date(2011, 3, 5), date(2011, 3, 6), None)
    result, page = made(wanted={"events": (event,), "job_name": number})
    assert numbers_in(page) == []
    assert number not in page
    assert spelled not in page
    assert "(afgeschermd)" in page
    with zipfile.ZipFile(result.workbook) as parts:
        for name in parts.namelist():
            content = parts.read(name).decode("utf-8", "replace")
            assert numbers_in(content) == [], name
            assert spelled not in content


def test_no_path_token_or_uid_gets_into_the_page_or_the_workbook(made, hospital):
    token, path = "f" * 32, "oost/2011/03/geheim.dcm"
    hospital.study(count=3, patient_token=token)
    hospital.file(patient_token=token, head_digest=token, SOPInstanceUID="2.999.7.1.1")
    hospital.instances[-1]["path"] = path
    hospital.finding("PatientComments", "leak", bsn_token=token, path=path)
    for row in hospital.identities:
        row |= {"bsn_token": token, "local_token": token}
    result, page = made()
    with zipfile.ZipFile(result.workbook) as parts:
        everything = page + "".join(
            parts.read(name).decode("utf-8", "replace") for name in parts.namelist()
        )
    assert token not in everything
    assert "geheim" not in everything
    assert "2.999.7" not in everything


def test_sealed_text_is_told_apart_and_not_shown(made, hospital):
    for sealed in ("sealed:AAAA" + "b" * 40 + "==", "sealed:CCCC" + "d" * 40 + "=="):
        hospital.study(count=2, source=sealed)
    page = made()[1]
    assert "verzegelde tekst AAAA" in page
    assert "verzegelde tekst CCCC" in page
    assert "bbbbbbbb" not in page


def test_the_key_id_can_be_read_and_is_no_long_run_of_digits(made, hospital):
    hospital.study()
    page = made()[1]
    assert "0123<wbr>4567<wbr>89ab<wbr>cdef" in page
    assert "0123456789abcdef" not in page


def test_the_demo_hospital_in_both_languages(demo_copy, session_of):
    session = session_of(demo_copy)
    with (demo_copy / "truth" / "numbers.csv").open(encoding="utf-8") as lines:
        planted = set(re.findall(r"(?<!\d)\d{9}(?!\d)", lines.read()))
    assert planted
    for language in ("nl", "en"):
        result = session.report(language)
        page = result.html.read_text(encoding="utf-8")
        assert page.count("<svg") == 2
        assert text_of(page).count("PACS-migratie") == 2  # its period, and its verdict
        assert numbers_in(page) == []
        with zipfile.ZipFile(result.workbook) as parts:
            held = page + "".join(str(parts.read(name)) for name in parts.namelist())
        assert not [number for number in planted if number in held]
