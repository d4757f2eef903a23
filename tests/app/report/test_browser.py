"""The page as a browser sees it: silent, by itself, and within the width of a phone."""

from pathlib import Path

import pytest
from app.report.browser import CHROMIUM, browse
from app.report.conftest import broken_decade, cause

from remediation.app.report.build import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

WIDER = """[...document.querySelectorAll('body *')].filter(
  e => !e.closest('.scroll, svg, .hidden, .stack thead')
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.tagName + '.' + e.className)"""


@pytest.fixture
def page(hospital, options):
    broken_decade(hospital).study("2012-12", "absent", outcome="refused", reason="sex-clash")
    broken_decade(hospital, "<script>alert(1)</script>", "west")
    hospital.place("OtherPatientIDsSequence.PatientID", 90, 80, 80).finding("PatientName", "leak")
    hospital.place("PatientID", 90, 80, 7, verdict="not-bsn").effect().effect(source="W" * 60)
    hospital.periods[-1]["causes"] = [cause("StationName", "S" * 60, "T" * 60)]
    hospital.write()
    return write_report(options()).html


def test_the_page_asks_for_nothing_and_complains_of_nothing(page, tmp_path):
    async def visit(tab):
        await tab.open(page)
        assert await tab.value("document.querySelectorAll('svg.plot').length") == 2
        return tab.requests(), tab.troubles()

    requests, troubles = browse(tmp_path / "profile", visit)
    assert [one for one in requests if not one.startswith("data:")] == [Path(page).as_uri()]
    assert troubles == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out_at_the_side(page, tmp_path, width):
    async def visit(tab):
        await tab.size(width)
        await tab.open(page)
        overall = await tab.value("document.documentElement.scrollWidth")
        return overall, await tab.value(WIDER)

    overall, wider = browse(tmp_path / "profile", visit)
    assert (overall, wider) == (width, [])


def test_dark_mode_changes_the_page_and_its_plots(page, tmp_path):
    ask = """[getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.querySelector('svg.plot text')).fill]"""

    async def visit(tab):
        await tab.open(page)
        colours = []
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            await tab.call("Emulation.setEmulatedMedia", features=features)
            colours.append(await tab.value(ask))
        return colours

    light, dark = browse(tmp_path / "profile", visit)
    assert light[0] != dark[0]
    assert light[1] != dark[1]
