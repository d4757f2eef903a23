"""The page for who signs: what it must tell, and that hostile text stays text."""

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from app.report.browser import CHROMIUM, browse
from app.report.conftest import Hospital, broken_decade
from app.report.test_browser import WIDER
from app.report.test_privacy import HOSTILE, attributes

from remediation.app.report.signing import page
from remediation.app.report.words import Words
from remediation.model import bsn
from remediation.model.manifest import NOT_DONE, Review
from remediation.stages.show import Change, Kind, ShowReport
from remediation.store.standing import Consent

KEPT = Change("OriginalAttributesSequence", "kept", "item", "header", "")
NEW = Change("OtherPatientIDsSequence.PatientID", "absent", "bsn", "crosswalk", "0a1b2c3d")
KINDS = (
    Kind("absent to at-rest", 130, 60, "2.999.1", "oost", (NEW, KEPT)),
    Kind(
        "misplaced to at-rest",
        4,
        2,
        "2.999.2",
        "oost",
        (
            Change("PatientID", "other", "local", "header", "ffffffff"),
            Change("IssuerOfPatientID", "other", "value", "job", ""),
            Change("OtherPatientIDs", "other", "absent", "header", "0a1b2c3d"),
            replace(NEW, attribute="OtherPatientIDsSequence[2].PatientID"),
            KEPT,
        ),
    ),
)
DIGEST = "2049e02bd53a251f7b8a0ffabbdfa18752699fef25e4ab7aef65383bf21d1a41"


@pytest.fixture
def report(tmp_path):
    hospital = Hospital(tmp_path / "uit", "0" * 16)
    broken_decade(hospital)
    period = hospital.periods[-1] | {"period_id": "1a2b3c4d"}
    return ShowReport(
        manifest_id=DIGEST[:16],
        digest=DIGEST,
        created="2026-11-23T01:04:00+00:00",
        expires="2027-02-21T01:04:00+00:00",
        expired=False,
        author="Anna Auteur",
        responsible="PACS-beheer",
        job="demo",
        target="at-rest",
        archives={"oost": "09d777c47de94605920576a43c53b39e"},
        selection=("period=1a2b3c4d", "Modality=CT"),
        counts={"files": 134, "studies": 62, "refused": 19},
        by_rule={"absent to at-rest": 130, "misplaced to at-rest": 4},
        by_archive={"oost": 134},
        by_period={"1a2b3c4d": 130, "none": 4},
        by_source={"oost: Ziekenhuis Oost": 134},
        by_month={"2011-07": 100, "2011-08": 34},
        periods=(period,),
        refused={"birth-date-clash": 18, "excluded-by-review": 1},
        kinds=KINDS,
        not_done=NOT_DONE,
        in_place_statement="Afgesproken op 5 januari: geen controlesommen",
        parent="",
        reviews=(),
        successor="",
        spent=False,
        approvals=(Consent("Bea Bekijker", "2026-11-24T09:00:00+00:00", True, "ab", "counts"),),
        required=2,
        left_out=(),
        rows=(),
    )


def shown(report, changed=None, lang="nl", folder=None):
    folder = folder or f"/srv/uit/manifests/{report.manifest_id}"
    return page(report, changed, Words.of(lang), folder)


def text_of(html):
    body = html[html.index("<body>") :]
    return " ".join(unescape(re.sub(r"<wbr>|<[^>]*>", " ", body.replace("<wbr>", ""))).split())


def test_the_first_card_says_what_how_much_which_archive_and_how_far_it_is(report):
    text = text_of(shown(report))
    first = text[: text.index("Welke studies dit zijn")]
    for words in (
        "mogen 134 bestanden van 62 studies worden herschreven, in archief oost.",
        "134 bestanden worden herschreven",
        "19 studies geweigerd",
        "1 van 2 goedkeuringen",
        "Gemaakt door Anna Auteur op 23 november 2026",
        "Geldig tot 21 februari 2027",
    ):
        assert words in first


def test_the_rest_says_which_periods_what_changes_what_is_refused_and_what_not_done(report):
    text = text_of(shown(report))
    for words in (
        "Gekozen met: periode 1a2b3c4d (",
        "130 bestanden in deze periode",
        "4 bestanden liggen buiten een gebroken periode.",
        "OtherPatientIDsSequence.PatientID staat er niet het BSN, met zijn uitgever #0a1b2c3d",
        "Bovendien komt in elk bestand een item bij in OriginalAttributesSequence",
        "studie 2.999.1",
        "header en EPD noemen een verschillende geboortedatum",
        "De database van het PACS weet hier niet van",
        "Afgesproken met de PACS-leverancier: Afgesproken op 5 januari",
        "Anna Auteur kan dit zelf niet goedkeuren",
        DIGEST,
        "Bea Bekijker 24 november 2026, 09:00 UTC telt mee",
        "Nodig: 2, van verschillende mensen met verschillende sleutels, geen van hen Anna Auteur.",
        f'remediation approve /srv/uit/manifests/{DIGEST[:16]} --by "Uw Naam" --key uw.key',
    ):
        assert words in text, words


def test_every_sentence_of_what_is_not_done_has_a_dutch_one(report):
    text = text_of(shown(report))
    assert not any(line in text for line in NOT_DONE)
    assert all(line in text_of(shown(report, lang="en")) for line in NOT_DONE)
    assert "Iets nieuws." in text_of(shown(replace(report, not_done=("Iets nieuws.",))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expired": True}, "De geldigheid is verlopen"),
        ({"successor": "ffff"}, "een ander voor in de plaats gekomen: ffff"),
        ({"spent": True}, "Het is al in het archief toegepast."),
    ],
)
def test_what_can_no_longer_be_signed_says_so_first_and_gives_no_command(report, change, words):
    text = text_of(shown(replace(report, **change)))
    assert text.index("Dit manifest kan niet meer") < text.index("worden herschreven")
    assert words in text
    assert "remediation approve" not in text


def test_files_that_changed_since_the_plan_are_told_where_somebody_looked(report):
    assert "sinds het plan" not in text_of(shown(report))
    assert "Alle bestanden zijn nog zoals" in text_of(
        shown(report, {"same": 130, "as-promised": 4})
    )
    text = text_of(shown(report, {"same": 131, "changed": 2, "vanished": 1}))
    assert "3 bestanden veranderd sinds het plan" in text


def test_what_could_not_be_told_is_said(report):
    bare = replace(report, periods=(), by_source={}, by_month={}, left_out=("source and month: x",))
    text = text_of(shown(bare))
    assert "Niet te vertellen: source and month: x." in text
    assert "Bestanden per bron" not in text


def test_many_months_are_told_by_year(report):
    months = {f"20{year:02}-{month:02}": 1 for year in range(3) for month in range(1, 13)}
    text = text_of(shown(replace(report, by_month=months | {"unknown": 5})))
    assert "2001 12 2002 12 zonder datum 5" in text


def test_without_a_statement_or_the_job_that_is_said(report):
    bare = replace(report, in_place_statement="", required=None, approvals=())
    text = text_of(shown(bare))
    assert "Er is niets afgesproken met de PACS-leverancier" in text
    assert "Nog niemand heeft dit goedgekeurd." in text
    assert "Nodig:" not in text


@pytest.mark.parametrize("target", ["at-rest", "exchange", "pacs-noord"])
@pytest.mark.parametrize("lang", ["nl", "en"])
def test_every_placement_is_explained(report, target, lang):
    words = {"at-rest": "OtherPatientIDsSequence", "exchange": "PatientID", "pacs-noord": target}
    assert words[target] in text_of(shown(replace(report, target=target), lang=lang))


# --- what it never holds --------------------------------------------------------------------------


def hostile(report, text):
    review = Review(text, "2026-11-24T09:00:00+00:00", text, (text,), (), 1, 2)
    period = {"archive": text, "source": text, "event": text, "event_kind": text}
    return replace(
        report,
        author=text,
        responsible=text,
        job=text,
        target=text,
        archives={text: "09"},
        by_archive={text: 134},
        selection=(f"source={text}",),
        by_source={text: 134},
        periods=tuple(row | period | {"start": date(2011, 7, 1)} for row in report.periods),
        refused={text: 1},
        kinds=(replace(KINDS[0], rule=text, example=text, archive=text),),
        not_done=(text,),
        in_place_statement=text,
        reviews=(review,),
        approvals=(Consent(text, "x", False, text, "refused", text),),
        left_out=(text,),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_and_nothing_else(report, text):
    html = shown(hostile(report, text), folder=f"/tmp/{text}")
    lower = html.lower()
    assert "<script" not in lower
    assert "<img" not in lower
    assert not [name for name in attributes(html) if name.startswith("on")]
    assert not re.search("[\x0b-\x1f\u202a-\u202e]", html.replace(f"/tmp/{text}", ""))


def test_a_number_that_got_into_a_text_is_withheld(report):
    number = bsn.test_number(9)
    html = shown(hostile(report, f"nr {number}"))
    assert number not in html
    assert "(afgeschermd)" in html


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_page_points_nowhere_and_runs_nothing(report, lang):
    html = shown(report, lang=lang)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    assert not re.search(
        r"https?:|@import|url\(|<script|<link(?! rel=\"icon\" href=\"data:,\")", html
    )
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', html)
    assert all(one.startswith("#") or one == "data:," for one in addresses)
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    named = re.findall(r'aria-labelledby="([^"]*)"', html)
    assert set(named) <= set(ids)


def test_what_people_wrote_is_not_cut_short(report):
    long = "Afspraak " * 40
    assert long.strip() in text_of(shown(replace(report, in_place_statement=long)))


# --- in a browser ---------------------------------------------------------------------------------


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_it_is_silent_and_nothing_sticks_out(report, tmp_path, width):
    path = tmp_path / "tekenen.html"
    path.write_text(shown(hostile(report, "W" * 200)), encoding="utf-8")

    async def visit(tab):
        await tab.size(width)
        await tab.open(path)
        overall = await tab.value("document.documentElement.scrollWidth")
        return overall, await tab.value(WIDER), tab.requests(), tab.troubles()

    overall, wider, requests, troubles = browse(tmp_path / "profile", visit)
    assert (overall, wider, troubles) == (width, [], [])
    assert [one for one in requests if not one.startswith("data:")] == [path.as_uri()]
