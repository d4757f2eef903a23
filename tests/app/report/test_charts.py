"""The plots: parts of a page, in its colours, readable, and never overlapping their own words."""

import re
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.app.report import charts
from remediation.app.report.charts import ROLES, Labels, chart
from remediation.app.report.marks import LEFT, RIGHT, WIDTH, placed, ticks, width
from remediation.app.report.panels import Panel, Point, Span
from remediation.model.events import Event
from remediation.model.statistics import wilson

START = 2010 * 12
STYLE = (Path(charts.__file__).parent / "templates" / "style.css.j2").read_text(encoding="utf-8")


def point(month, conformant=9, *, late=False):
    return Point(START + month, 10, conformant, *wilson(conformant, 10), late)


def panel(*points, spans=(), marks=()):
    return Panel("oost", "A", points or tuple(point(n) for n in range(12)), spans, marks)


def draw(one, name="c1", span=(START, START + 24)):
    labels = Labels(
        "Dekking van A & B",
        "Laag <in> juli",
        "doel 95 %",
        ("0 %", "50 %", "100 %"),
        "studies",
        "10",
        ((START, "2010"), (START + 12, "2011")),
    )
    return chart(one, labels, target=0.95, span=span, name=name)


def event(name, month, days=1):
    start = date(2010 + month // 12, month % 12 + 1, 3)
    return Event(name, "other", start, start + timedelta(days=days), None)


def texts(drawn):
    return [one.text for one in ET.fromstring(drawn).iter("text")]


def test_it_is_one_svg_with_a_title_and_a_description():
    root = ET.fromstring(draw(panel()))
    assert root.tag == "svg"
    assert (root[0].tag, root[0].text) == ("title", "Dekking van A & B")
    assert (root[1].tag, root[1].text) == ("desc", "Laag <in> juli")
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [root[0].attrib["id"], root[1].attrib["id"]]


def test_it_points_nowhere_and_brings_no_style_of_its_own():
    drawn = draw(panel(spans=(Span(1, START + 2, START + 5),), marks=(event("PACS", 3),)))
    assert "http" not in drawn
    assert "<style" not in drawn
    assert "xmlns" not in drawn
    assert "font-family" not in drawn


def test_colours_are_the_page_s_variables_and_the_page_has_them_in_both_modes():
    drawn = draw(panel(point(0), point(1, late=True), spans=(Span(1, START, START + 1),)))
    assert not set(re.findall(r"#[0-9a-f]{6}", drawn))
    light, dark = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    for role, colour in ROLES.items():
        assert f"--{role}: {colour};" in light
        assert f"--{role}: #" in dark
    assert set(re.findall(r"var\(--([a-z-]+)\)", drawn)) <= ROLES.keys()


def test_ids_belong_to_the_plot_and_are_referred_to():
    drawn = [draw(panel(spans=(Span(1, START, START + 3),)), name) for name in ("c1", "c2")]
    ids = [set(re.findall(r'\bid="([^"]+)"', one)) for one in drawn]
    assert ids[0]
    assert not ids[0] & ids[1]
    for one, own in zip(drawn, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", one)) <= own


def test_a_month_without_studies_is_a_gap():
    gap = draw(panel(point(0), point(1), point(5)))
    whole = draw(panel(*(point(n) for n in range(6))))
    line = re.compile(r'<path d="([^"]*)"[^>]*stroke: var\(--line\); stroke-width: 2.2')
    assert line.search(gap)[1].count("M") == 2
    assert line.search(whole)[1].count("M") == 1


def test_provisional_months_are_a_dotted_line_of_their_own():
    drawn = draw(panel(point(0), point(1), point(2, late=True)))
    lines = re.findall(
        r"stroke: var\(--line\); stroke-width: 2.2[^\"]*|"
        r"stroke-dasharray: [^;]*;[^\"]*stroke: var\(--line\); stroke-width: 2.2",
        drawn,
    )
    assert len(lines) == 2
    assert "dasharray" in drawn[drawn.rindex("2.2") - 200 :]


def test_a_period_shows_its_number_and_its_hatching():
    drawn = draw(panel(spans=(Span(7, START + 2, START + 5),)))
    assert "7" in texts(drawn)
    assert "<pattern" in drawn


def drawn_on(one, span=(START, START + 24)):
    """The axes that a panel was drawn on."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    charts.draw_coverage(axes, one, 0.95, span)
    return axes


def test_an_edge_that_is_not_sure_has_a_bar_and_a_sure_one_has_none():
    wide, narrow = (START + 1.5, START + 3.5), (START + 4.99, START + 5.01)
    axes = drawn_on(panel(spans=(Span(1, START + 2.2, START + 5, wide, narrow),)))
    (bar,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert tuple(bar.get_xdata()) == wide
    axes = drawn_on(panel(spans=(Span(1, START + 2.2, START + 5),)))
    assert not [line for line in axes.lines if line.get_marker() == "|"]


def test_a_period_that_is_open_has_no_line_where_the_data_end():
    closed, still = (
        draw(panel(spans=(Span(1, START + 2, START + 9, open=is_open),)))
        for is_open in (False, True)
    )
    edge = re.compile(r"stroke: var\(--bad\); stroke-width: 1.1")
    assert len(edge.findall(closed)) == 2
    assert len(edge.findall(still)) == 1


@pytest.mark.parametrize(("conformant", "off"), [(0, 0.5), (5, 0.2), (10, 0.2)])
def test_the_number_of_a_period_stands_off_the_line(conformant, off):
    one = panel(*(point(n, conformant) for n in range(12)), spans=(Span(3, START + 4, START + 8),))
    axes = drawn_on(one)
    (number,) = [text for text in axes.texts if text.get_text() == "3"]
    assert abs(number.get_position()[1] - conformant / 10) >= off
    assert number.get_position()[0] == START + 6


def test_names_stay_text_whatever_script_they_are_in_or_what_they_look_like():
    names = ["\u5317\u4eac", "\u0627\u0644", "$x^2$", "a_b", 'id="c1-0"', "#1d2329", "<script>"]
    drawn = draw(panel(marks=tuple(event(name, n * 3) for n, name in enumerate(names))))
    assert set(names) <= set(texts(drawn))
    assert "<script" not in drawn


def test_a_long_name_is_cut_and_events_outside_are_left_out():
    drawn = draw(panel(marks=(event("n" * 99, 3), event("te laat", 60))))
    assert "n" * 33 + "…" in texts(drawn)
    assert "te laat" not in drawn


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abcdef gh\u5317", min_size=1, max_size=60), st.integers(0, 23)),
        max_size=9,
    )
)
def test_names_of_events_never_overlap_and_stay_within_the_plot(named):
    marks = placed([event(name, month) for name, month in named], (START, START + 24))
    assert len(marks) == len(named)
    scale = (WIDTH - LEFT - RIGHT) / 24
    boxes = []
    for mark in marks:
        at, wide = LEFT + (mark.start - START) * scale, width(mark.text)
        left, right = (at - wide, at) if mark.leftward else (at, at + wide)
        assert right <= WIDTH
        boxes.append((mark.level, left, right))
    for one in boxes:
        for other in boxes:
            if one is not other and one[0] == other[0]:
                assert one[2] <= other[1] or other[2] <= one[1]


@given(st.integers(2000 * 12, 2030 * 12), st.integers(1, 12 * 200))
def test_ticks_lie_within_and_are_never_too_many(first, months):
    found = ticks((first, first + months))
    assert len(found) <= 13
    assert all(first <= month < first + months for month in found)
    assert found or months < 12


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_colour_of_text_stands_out_from_what_is_behind_it(dark):
    light, rest = STYLE.split("@media screen and (prefers-color-scheme: dark)")
    block = (rest if dark else light).split("}")[0]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    pairs = [
        (text, behind)
        for text in ("ink", "soft", "line", "goal", "warn", "bad")
        for behind in ("paper", "card")
    ]
    pairs += [("bad", "bad-paper"), ("ink", "bad-paper")]
    for text, behind in pairs:
        high, low = sorted((luminance(colours[text]), luminance(colours[behind])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, behind)
