"""The whole report: what it says, what it never holds, and what bad input does to it."""

import re
import zipfile
from datetime import date
from html import unescape
from html.parser import HTMLParser

import openpyxl
import pytest
from app.report.conftest import broken_decade

from remediation.app.report.build import write_report
from remediation.errors import DatasetError, KeyFileError, ShareError
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


def text_of(page):
    """The page's text as a reader sees it, blanks made equal."""
    bare = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<wbr>|<[^>]*>", " ", bare)).replace("\u00a0", " ").split())


def attributes(page):
    """The names of all attributes of the page, as a parser sees them."""
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, pairs: found.update(name for name, _ in pairs)
    parser.feed(page)
    assert "class" in found
    return found


@pytest.fixture
def made(hospital, options):
    """Return a function that writes the folder and its report, and gives the page."""

    def make(*stages, wanted=None, **write):
        hospital.write(*stages, **write)
        result = write_report(options(**(wanted or {})))
        return result, result.html.read_text(encoding="utf-8")

    return make


def numbers_in(page):
    return [run for run in re.findall(r"(?<!\d)\d{9}(?!\d)", page) if bsn.passes(run)]


def test_without_an_inventory_there_is_no_report(hospital, options):
    with pytest.raises(DatasetError, match="no inventory"):
        write_report(options())
    assert not (hospital.output / "report").exists()


def test_an_empty_inventory_gives_a_report_that_says_so(made):
    result, page = made()
    assert (result.studies, result.coverage, result.missing) == (0, None, ())
    assert "De inventaris bevat geen studies." in text_of(page)
    assert result.workbook.exists()


def test_after_a_crawl_alone_it_says_what_has_to_run(made, hospital):
    hospital.file().file(state="unreadable", error="truncated")
    result, page = made("crawl")
    text = text_of(page)
    assert result.missing == ("flag", "match")
    assert "Draai eerst: remediation flag" in text
    assert "Draai eerst: remediation match" in text
    assert "Van 2 bestanden zijn er 1 heel gelezen." in text


def test_without_match_the_figure_is_there_and_the_second_is_not(made, hospital):
    hospital.study(count=9).study(status="absent")
    result, page = made("crawl", "flag")
    assert result.coverage == pytest.approx(0.9)
    assert "90,0 %" in text_of(page)
    assert "Bekend na remediation match." in text_of(page)


def test_the_figure_its_interval_and_the_exemptions(made, hospital):
    hospital.study(count=90).study(status="absent", count=6)
    hospital.study(status="absent", count=4, outcome="exempt", exemption="pasgeborene")
    text = text_of(made()[1])
    assert "90,0 %" in text
    assert "90 van 100 studies" in text
    assert "82,6 % tot 94,5 %" in text  # Wilson for 90 of 100
    assert "Zonder vrijgestelde studies 93,8 %" in text  # 90 of 96
    assert "bij 4 studies een reden" in text
    assert "pasgeborene: 4" in text
    assert "Het is niet de 95 % van Twiin" in text


def test_an_exemption_of_a_study_that_is_right_takes_nothing_off(made, hospital):
    hospital.study(count=3).study(outcome="exempt", exemption="buitenlander")
    assert "geen enkele studie een reden" in text_of(made()[1])


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (1000, 0, "Het doel van 95 % is gehaald."),
        (50, 50, "Het doel van 95 % is niet gehaald."),
        (19, 1, "is met dit aantal studies niet zeker."),
    ],
)
def test_the_verdict_takes_the_interval_into_account(made, hospital, right, wrong, said):
    hospital.study(count=right).study(status="absent", count=wrong)
    assert said in text_of(made()[1])


def test_just_under_the_target_never_looks_like_the_target(made, hospital):
    hospital.study(count=1899).study(status="absent", count=101)  # 94.95 %
    text = text_of(made()[1])
    assert "Dekking van het archief 94,9 %" in text


def test_english_and_dutch_differ_in_words_numbers_and_dates(made, hospital):
    hospital.study(count=1100).study(status="absent", count=100)
    dutch = text_of(made()[1])
    english = text_of(made(wanted={"language": "en"})[1])
    assert "1.100 van 1.200 studies" in dutch
    assert "23 november 2026, 01:20 UTC" in dutch
    assert "1,100 of 1,200 studies" in english
    assert "23 November 2026, 01:20 UTC" in english
    assert "91,7 %" in dutch
    assert "91.7%" in english


def test_a_broken_period_with_its_event_and_its_cause(made, hospital):
    broken_decade(hospital)
    result, page = made()
    text = text_of(page)
    assert "juli 2011 t/m februari 2012" in text
    assert "PACS-migratie, op de grens" in text
    assert "ervoor 100,0 % erin 0,0 % erna 100,0 %" in text
    assert (
        "Vanaf 1 juli 2011 stond het BSN in OtherPatientIDs in plaats van in"
        " OtherPatientIDsSequence.PatientID."
    ) in text
    assert page.count("<svg") == 1
    assert result.studies == 360


def test_a_period_without_an_event_says_so(made, hospital):
    broken_decade(hospital)
    text = text_of(made(events=(), wanted={"events": ()})[1])
    assert "geen gebeurtenis in de buurt" in text


def test_possible_mix_ups_are_loud_and_say_where_they_are_listed(made, hospital):
    hospital.study(count=5)
    hospital.study(status="absent", count=2, outcome="refused", reason="birth-date-clash")
    hospital.study(status="misplaced", outcome="refused", reason="header-disagrees")
    page = made()[1]
    assert "Mogelijke verwisseling van patiënten: 3 studies" in text_of(page)
    assert page.count('class="alarm"') == 1
    assert "identities.parquet" in text_of(page)
    hospital.worklist("birth-date-clash", "no-number")
    text = text_of(made()[1])
    assert "De patiënten staan in worklists/registratie.csv" in text
    assert "identities.parquet" not in text


def test_without_mix_ups_no_alarm(made, hospital):
    hospital.study(count=5)
    page = made()[1]
    assert 'class="alarm"' not in page
    assert "spreken elkaar bij geen enkele studie tegen" in text_of(page)


def test_what_the_desk_and_others_have_to_do_in_words(made, hospital):
    hospital.study(status="absent", outcome="refused", reason="not-verified")
    hospital.study(status="absent", outcome="refused", reason="homonym")
    hospital.study(warnings=["not-verified"])
    hospital.worklist("not-verified", "not-verified")
    text = text_of(made()[1])
    assert "Voor de registratie: 1 studie " in text
    assert "de status in het EPD staat schrijven niet toe not-verified 1" in text
    assert "worklists/registratie.csv: 2 regels" in text
    assert "Niet gecorrigeerd om een andere reden: 1 studie " in text
    assert "Studies die al conform zijn: 1 kanttekening" in text


def test_places_leaks_and_unreadable_files(made, hospital):
    hospital.study()
    hospital.place("OtherPatientIDsSequence.PatientID", 120, 100, 99)
    hospital.place("PatientID", 5, 5, 5, verdict="unproven")
    hospital.place("AdmissionID", 40, 0, 0)
    for number in range(3):
        place = f"ContentSequence[{number}].TextValue"
        hospital.finding(place, "leak", StudyInstanceUID=f"2.999.{number % 2}")
    hospital.finding("PatientID", "primary")
    hospital.finding("path", "path", StudyInstanceUID="2.999.1")
    hospital.file(state="unreadable", error="too-deep").file(state="container")
    text = text_of(made()[1])
    assert "OtherPatientIDsSequence.PatientID uitgever: BSN (OID); jan 2011 t/m mrt 2011" in text
    assert "BSN-veld 120 100 99 99,0 %" in text
    assert "1 plaats met te weinig waarden" in text
    assert "AdmissionID" not in text  # no number of the right length: nothing to say
    assert "ContentSequence.TextValue tekst of privéveld oost 3 2" in text
    assert "path pad of bestandsnaam oost 1 1" in text
    assert "DICOM, niet te lezen te diep genest oost 1" in text
    assert "ingepakt (zip, gzip, tar) – oost 1" in text


def test_one_month_one_source(made, hospital):
    hospital.study("2011-03", count=3).study("2011-03", "absent")
    page = made()[1]
    assert page.count("<svg") == 1
    assert "mrt 2011" in page
    assert "75,0 %" in text_of(page)


def test_studies_without_a_date_only(made, hospital):
    hospital.study("unknown", count=4)
    page = made()[1]
    assert "<svg" not in page
    assert "4 studies zonder bruikbare datum staan in geen grafiek." in text_of(page)
    assert "100,0 %" in text_of(page)


def test_many_sources_are_drawn_up_to_a_limit_and_the_rest_together(made, hospital):
    for number in range(40):
        source = f"Kliniek {number:02d}"
        hospital.study("2011-03", count=2 + number % 3, source=source)
        hospital.study("2011-05", "absent", source=source)
    result, page = made()
    text = text_of(page)
    assert page.count("<svg") == 13
    assert "Er zijn 40 bronnen. Apart getekend: de 12" in text
    assert "overige bronnen samen (28)" in text
    sheet = openpyxl.load_workbook(result.workbook)["Dekking"]
    assert {row[1] for row in sheet.iter_rows(min_row=2, values_only=True)} == {
        f"Kliniek {number:02d}" for number in range(40)
    }


def test_a_thousand_sources_stay_under_two_megabytes(made, hospital):
    for number in range(1000):
        hospital.study("2011-03", source=f"Kliniek {number:04d}")
        hospital.place("PatientID", 9, 9, 9, source=f"Kliniek {number:04d}")
    result, page = made()
    assert len(page.encode()) < 2_000_000
    assert "De eerste 100 van 1.000; de rest staat in report.xlsx." in text_of(page)
    sheet = openpyxl.load_workbook(result.workbook)["Plaatsen"]
    assert sheet.max_row == 1001


@pytest.fixture
def hostile(made, hospital):
    """A report in which every text that a header or the job file can hold is hostile."""
    for name in HOSTILE:
        broken_decade(hospital, name, "<b>a</b>")
        hospital.place(f"Place{name}", 9, 9, 9, source=name, private_creator=name)
        hospital.finding(f"Text{name}", "leak", private_creator=name)
    hospital.study("2011-09", "absent", source=HOSTILE[0], outcome="exempt", exemption=HOSTILE[1])
    days = date(2011, 7, 1), date(2011, 7, 2)
    events = tuple(Event(name, name, *days, None) for name in HOSTILE)
    return made(events=events, wanted={"events": events, "job_name": HOSTILE[0]})


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


def test_another_key_is_refused(hospital, options):
    hospital.study().write()
    with pytest.raises(KeyFileError, match="another key"):
        write_report(options(key_id="f" * 16))


def test_a_damaged_dataset_is_refused(hospital, options):
    hospital.study().write()
    (hospital.output / "periods.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="damaged"):
        write_report(options())


def test_a_folder_that_cannot_be_made(hospital, options):
    hospital.study().write()
    (hospital.output / "report").write_text("in the way")
    with pytest.raises(ShareError):
        write_report(options())


def test_made_twice_it_is_the_same(made, hospital):
    broken_decade(hospital)
    assert made()[1] == made()[1]


def test_the_key_id_can_be_read_and_is_no_long_run_of_digits(made, hospital):
    hospital.study()
    page = made()[1]
    assert "0123<wbr>4567<wbr>89ab<wbr>cdef" in page
    assert "0123456789abcdef" not in page


def test_only_its_owner_reads_the_report(made, hospital):
    hospital.study()
    result, _ = made()
    assert {path.stat().st_mode & 0o777 for path in (result.html, result.workbook)} == {0o600}
