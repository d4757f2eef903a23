"""Plots: the same drawings as a file of their own, SVG, PNG or PDF; it needs no page around it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remediation.app.report.charts import ROLES, Labels, add_panel, height_of, settings_of, unsure
from remediation.app.report.marks import LEFT, WIDTH
from remediation.app.report.panels import Panel

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png", ".pdf")
_TITLE, _LEGEND, _HEADING, _LINE, _GAP = 38.0, 34.0, 30.0, 21.0, 14.0  # points
_TEXT = 12.0  # the font of these files is wider than a page's
_DPI = 150
_UNSAID: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """One panel with its heading, what is written in it, and lines that explain its numbers."""

    heading: str
    panel: Panel
    labels: Labels
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Legend:
    """What each sign is called."""

    coverage: str
    interval: str
    target: str
    period: str
    edge: str
    event: str
    provisional: str


def within(panel: Panel, span: tuple[int, int]) -> Panel:
    """Return a panel with what lies in these months only."""
    points = tuple(point for point in panel.points if span[0] <= point.month < span[1])
    spans = tuple(one for one in panel.spans if one.start < span[1] and one.end > span[0])
    return replace(panel, points=points, spans=spans)


def plot(
    drawings: Sequence[Drawing],
    title: str,
    legend: Legend,
    *,
    target: float,
    span: tuple[int, int],
    form: str,
) -> bytes:
    """Return the panels below each other as one file.

    Args:
        drawings: at least one, each with a month at least.
        title: what stands above all of them.
        legend: the names of the signs; those that are drawn are named.
        target: share to be reached.
        span: months [first, end) of all panels.
        form: `svg`, `png` or `pdf`.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    heights = [_height(one, span) for one in drawings]
    height = _TITLE + _LEGEND + sum(heights)
    settings = settings_of(title) | {"pdf.fonttype": 42, "font.size": _TEXT}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a sign that the font lacks
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor=ROLES["card"])
        _say(figure, title, height - 26, size=17, weight="bold")
        _legend(figure, drawings, legend, height - _TITLE - 2, span)
        top = height - _TITLE - _LEGEND
        for one, tall in zip(drawings, heights, strict=True):
            _draw(figure, one, top, target=target, span=span)
            top -= tall
        made = io.BytesIO()
        figure.savefig(made, format=form, dpi=_DPI, metadata=_UNSAID[form])
    return made.getvalue()


def _height(one: Drawing, span: tuple[int, int]) -> float:
    return _HEADING + height_of(one.panel, span) + _LINE * len(one.lines) + _GAP


def _draw(
    figure: Figure, one: Drawing, top: float, *, target: float, span: tuple[int, int]
) -> None:
    _say(figure, one.heading, top - 18, size=14, weight="bold")
    bottom = top - _HEADING - height_of(one.panel, span)
    add_panel(figure, one.panel, one.labels, target=target, span=span, bottom=bottom)
    for number, line in enumerate(one.lines, start=1):
        _say(figure, line, bottom - _LINE * number + 6, size=12.5)


def _say(figure: Figure, text: str, at: float, *, size: float, weight: str = "normal") -> None:
    """Write a line, `at` points above the figure's foot."""
    height = figure.get_figheight() * 72
    figure.text(LEFT / WIDTH, at / height, text, fontsize=size, fontweight=weight)


def _legend(
    figure: Figure,
    drawings: Sequence[Drawing],
    names: Legend,
    top: float,
    span: tuple[int, int],
) -> None:
    """Name the signs that are drawn, each as it is drawn."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    panels = [one.panel for one in drawings]
    line, bad = ROLES["line"], ROLES["bad"]
    spans = [one for panel in panels for one in panel.spans]
    signs: list[tuple[Artist, str, bool]] = [
        (Line2D([], [], color=line, linewidth=2.2), names.coverage, True),
        (Patch(facecolor=line, alpha=0.2), names.interval, True),
        (Line2D([], [], color=ROLES["goal"], linewidth=1.8, dashes=(6, 3)), names.target, True),
        (Patch(facecolor="#f4d9d8", edgecolor=bad, hatch="///"), names.period, bool(spans)),
        (
            Line2D([], [], color=bad, linewidth=1.8, marker="|", markersize=9),
            names.edge,
            any(unsure(one, span) for one in spans),
        ),
        (
            Line2D([], [], color=ROLES["ink"], linewidth=1.2, dashes=(2, 2), marker="v"),
            names.event,
            any(panel.marks for panel in panels),
        ),
        (
            Line2D([], [], color=line, linewidth=2.2, linestyle=(0, (1.2, 1))),
            names.provisional,
            any(point.provisional for panel in panels for point in panel.points),
        ),
    ]
    shown = [(sign, name) for sign, name, drawn in signs if drawn]
    figure.legend(
        [sign for sign, _ in shown],
        [name for _, name in shown],
        loc="upper left",
        bbox_to_anchor=(LEFT / WIDTH, top / (figure.get_figheight() * 72)),
        ncols=len(shown),
        frameon=False,
        fontsize=11.5,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.8,
        columnspacing=1.4,
    )
