"""What the page and the workbook tell of periods, events, places and mixed studies."""

from datetime import date

import openpyxl
import pytest
from app.report.conftest import broken_decade, cause, text_of

from remediation.app.report.told import causes, columns, edges, effects
from remediation.app.report.told.story import effect_of
from remediation.app.report.words import Words

WORDS = {"nl": Words.of("nl"), "en": Words.of("en")}


def english(made):
    result, page = made(wanted={"language": "en"})
    return result, text_of(page)


def test_a_period_has_its_edges_in_short_and_its_story(made, hospital):
    broken_decade(hospital)
    text = text_of(made()[1])
    assert "begin: ±3 dagen; einde: ±3 dagen" in text
    assert (
        "De periode begon tussen 28 juni en 4 juli 2011 (95 % zeker), het waarschijnlijkst op 1"
        " juli 2011: de dekking zakte in één keer."
    ) in text
    assert "grens ligt hierin (95 %)" in text  # in the legend, since edges have a bar


def test_slow_open_and_rewritten_periods_are_told_as_such(made, hospital):
    broken_decade(hospital)
    hospital.periods[-1] |= {"start_kind": "drift", "end_kind": "open", "coverage_after": None}
    hospital.periods[-1] |= {"end_low": None, "end_high": None, "written_share": 0.96}
    hospital.periods[-1] |= {"written_start": date(2015, 7, 4), "written_end": date(2015, 7, 10)}
    _, text = english(made)
    assert "begin: ±3 days, slowly; end: still open" in text
    assert "It is still open: the data end in it, on 29 February 2012." in text
    assert "lie in files written 4 to 9 July 2015" in text


def test_causes_stand_at_their_edge(made, hospital):
    broken_decade(hospital)
    hospital.periods[-1]["causes"] = [
        cause("InstitutionName", "Oost", "Oost Nieuw"),
        cause("SourceApplicationEntityTitle", "PACS1", "PACS2", "end"),
    ]
    _, text = english(made)
    assert "From 1 July 2011 the studies come from institution Oost Nieuw instead of Oost." in text
    assert "From 1 March 2012 files are sent by AE PACS1 instead of PACS2." in text


def test_each_event_has_its_verdict_per_source_and_no_effect_is_one(made, hospital):
    hospital.study()
    hospital.effect()
    hospital.effect(source="West", verdict="no-effect", change=0.002, low=-0.01, high=0.014)
    hospital.effect(source="Noord", verdict="no-studies", change=None, coverage_before=None)
    _, text = english(made)
    assert "PACS-migratie (PACS migration), 1 July 2011" in text
    assert "coverage fell 98.0% 0.0% 3.0% \u221295.0 (\u221299.0 to \u221288.0)" in text
    assert "oost: West no effect 98.0% 0.0% 3.0% +0.2 (\u22121.0 to +1.4)" in text
    assert "oost: Noord no studies beside it to compare \u2013" in text
    assert "at most 5% each are expected to be chance (false discovery rate)" in text


def test_without_events_it_says_so_and_without_flag_what_to_run(made, hospital):
    hospital.study()
    assert "The job file lists no events." in english(made)[1]
    (hospital.output / "events.parquet").unlink()
    result, text = english_of(hospital, made)
    assert result.missing == ("flag",)
    assert "What events did This part is not there yet. Run first: remediation flag" in text


def english_of(hospital, made):
    """Return a report on what is there, nothing written anew."""
    from app.report.conftest import AT

    from remediation.app.report.build import ReportOptions, write_report

    options = ReportOptions(
        hospital.output, hospital.key, "demo", 0.95, "en", (), AT, tool_version="0.1.0"
    )
    result = write_report(options)
    return result, text_of(result.html.read_text(encoding="utf-8"))


def test_a_place_that_is_not_believed_is_loud(made, hospital):
    hospital.study()
    hospital.place("PatientID", 1300, 1290, 118, verdict="not-bsn", low=0.07, high=0.11)
    hospital.place("OtherPatientIDs", 30, 30, 17, verdict="mixture", issuer_kind="none")
    page = made(wanted={"language": "en"})[1]
    text = text_of(page)
    assert "Called a BSN, and none: 1 place" in text
    assert "the issuer says BSN, but only 118 of 1,290 (9.1%) pass the elfproef." in text
    assert 'class="mark loud"' in page
    assert "BSNs and other numbers 30 30 17 56.7%" in text
    assert "a number that passes may be either" in text
    assert "too few values to tell" not in text  # no place is unproven


def test_mixed_studies_are_counted_by_instance(made, hospital):
    hospital.study(status="mixed", count=2)
    states = ["conformant"] * 5 + ["absent"] * 2
    hospital.mixed = [{"archive": "oost", "status": one, "path": "geheim.dcm"} for one in states]
    result, text = english(made)
    assert "The 2 studies that are mixed hold 7 files: 5 conformant and 2 absent." in text
    sheet = openpyxl.load_workbook(result.workbook)["Mixed"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("oost", "absent", 2),
        ("oost", "conformant", 5),
    ]


def test_the_workbook_has_edges_events_and_probabilities(made, hospital):
    broken_decade(hospital).effect(periods=["a0b1c2d0"])
    hospital.place("PatientID", 9, 9, 9, probability=0.5)
    book = openpyxl.load_workbook(english(made)[0].workbook)
    assert book.sheetnames[:5] == ["Coverage", "Periods", "Events", "Mixed", "Places"]
    heads, row = (list(one) for one in book["Periods"].iter_rows(values_only=True))
    period = dict(zip(heads, row, strict=True))
    assert period["Start, earliest"].date() == date(2011, 6, 28)
    assert period["Kind of end"] == "jump"
    assert period["What changed"].startswith("From 1 July 2011 the BSN is in OtherPatientIDs")
    heads, row = (list(one) for one in book["Events"].iter_rows(values_only=True))
    event = dict(zip(heads, row, strict=True))
    assert (event["Change"], event["Code"], event["Periods"]) == (-0.95, "worse", "a0b1c2d0")
    assert book["Places"]["N2"].value == 0.5


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("edge", ["start", "end"])
def test_every_signal_is_told_at_either_edge_gained_and_lost(language, edge):
    words = WORDS[language]
    for signal in words.catalogue.causes:
        for before, inside in (("ALFA", "BETA"), (None, "BETA"), ("ALFA", None)):
            row = {"causes": [cause(signal, before, inside, edge)]}
            row |= {"start": date(2011, 7, 4), "end": date(2012, 3, 1)}
            (said,) = causes.sentences(row, words)
            assert str(2011 if edge == "start" else 2012) in said
            assert "\u2013" not in said
            assert ("ALFA" in said, "BETA" in said) == (before is not None, inside is not None)


def test_a_transfer_syntax_that_is_none_is_said_without_a_warning(recwarn):
    assert causes.value("TransferSyntaxUID", "geen uid", WORDS["nl"]) == "geen uid"
    assert list(recwarn) == []  # a warning would say the value on stderr, unwashed


@pytest.mark.parametrize("language", WORDS)
def test_every_verdict_of_an_event_is_told(language, hospital):
    words = WORDS[language]
    for verdict in words.catalogue.effects:
        row = hospital.effect(verdict=verdict).effects[-1]
        assert words.catalogue.effects[verdict] in effects.in_short([row], words)


def test_an_event_of_a_day_without_studies_has_no_figure_for_it(hospital):
    row = hospital.effect(coverage_in=None, studies_in=0).effects[-1]
    told = effects.effect(row, WORDS["en"])
    assert told.startswith("coverage fell (98.0% before it, 3.0% after it; change")


def test_of_two_events_of_one_name_the_linked_one_is_told(hospital):
    days = date(2010, 6, 1), date(2012, 6, 1)
    first, second = (hospital.effect(start=day).effects[-1] for day in days)
    row = {"event": first["event"], "archive": "oost", "source": "Ziekenhuis Oost"}
    assert effect_of(row | {"event_start": days[1]}, [first, second]) is second
    assert effect_of(row | {"event_start": days[1], "source": "West"}, [first, second]) is None


def test_a_period_of_which_the_end_is_not_settled_says_so():
    row = {"end": date(2012, 11, 1), "end_kind": "provisional", "end_low": None, "end_high": None}
    assert edges.ended(row, WORDS["en"]) == (
        "Whether it ended on 31 October 2012 is not settled: the last months, which look better,"
        " are provisional."
    )
    assert "staat nog niet vast" in edges.ended(row, WORDS["nl"])
    assert edges.cell(row, "end", WORDS["en"]) == "not settled"


def test_an_edge_without_bounds_is_a_day_and_a_sure_one_says_so():
    row = {"start": date(2011, 7, 4), "start_kind": "jump", "start_low": None, "start_high": None}
    assert edges.begun(row, WORDS["en"]).startswith("It began on 4 July 2011:")
    sure = row | {"start_low": date(2011, 7, 4), "start_high": date(2011, 7, 4)}
    assert "on 4 July 2011 (95% certain to the day)" in edges.begun(sure, WORDS["en"])
    assert edges.margin(sure, "start", WORDS["en"]) == "±0 days"
    assert edges.margin(row, "start", WORDS["en"]) == "\u2013"


def test_columns_that_cannot_give_way_are_left_as_they_are():
    assert list(columns.aligned([("abc", "def")], width=3)) == ["abc  def"]
    assert list(columns.aligned([("a" * 20, "b")], shrink=[0], width=3)) == ["aaaaaaa…  b"]
