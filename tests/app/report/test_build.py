"""The whole report: what it says, what it never holds, and what bad input does to it."""

import openpyxl
import pytest
from app.report.conftest import broken_decade, text_of

from remediation.app.report.build import write_report
from remediation.errors import DatasetError, KeyFileError, ShareError


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
        "Vanaf 1 juli 2011 staat het BSN in OtherPatientIDs in plaats van in"
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
    assert "De patiënten staan in worklists/verwisselingen.csv" in text
    assert "identities.parquet" not in text


def test_without_mix_ups_no_alarm(made, hospital):
    hospital.study(count=5)
    page = made()[1]
    assert 'class="alarm"' not in page
    assert "spreken elkaar bij geen enkele studie tegen" in text_of(page)


def test_what_the_desk_and_others_have_to_do_in_words(made, hospital):
    hospital.study(status="absent", outcome="refused", reason="not-verified")
    hospital.study(status="absent", outcome="refused", reason="foreign-issuer")
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
    assert "ingepakt (zip, gzip, tar) \u2013 oost 1" in text


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


def test_only_its_owner_reads_the_report(made, hospital):
    hospital.study()
    result, _ = made()
    assert {path.stat().st_mode & 0o777 for path in (result.html, result.workbook)} == {0o600}
