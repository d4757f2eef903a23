"""Charts: the coverage of one source by month, drawn by matplotlib, as SVG that follows the page.

Text stays text (any script, any reader), colours become the page's own variables, and nothing in
it points outside. Shapes differ as well as colours: a solid line, a dashed target, hatched periods
between solid edges, a bar over an edge as far as it is uncertain.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediation.app.report.inline import inline
from remediation.app.report.marks import LEFT, RIGHT, WIDTH, Mark, placed
from remediation.app.report.panels import Panel, Point, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What a colour is for: drawn as this, shown as the page's variable of that name.
ROLES = {
    "ink": "#1d2329",
    "soft": "#5a6570",
    "rule": "#d9dee4",
    "card": "#fffffe",
    "line": "#0a5aa8",
    "bad": "#b3261f",
    "goal": "#1a7448",
}
TALL, LOW = 190.0, 120.0  # of the plot itself, in points: with few panels, with many
_MAIN_BOTTOM, _VOLUME, _FOOT, _HEAD, _LEVEL = 90.0, 40.0, 28.0, 12.0, 20.0
_TEXT = 14.0
_SURE = 0.005  # of a plot's width: an edge that is surer than this has no bar
_RING = 0.016  # of a plot's width: half of what a number takes
_HEIGHTS = (0.5, 0.28, 0.74)  # where a number may stand: as far from the line as it can


@dataclass(frozen=True, slots=True)
class Labels:
    """What is written in a plot, in the page's language; `short_month` gives a month's name."""

    title: str
    text: str
    target: str
    percents: tuple[str, ...]  # 0, 50 and 100 %
    studies: str
    most: str  # the highest number of studies in a month
    months: tuple[tuple[int, str], ...]  # ticks: month number and text


def draw_coverage(
    axes: Axes, panel: Panel, target: float, span: tuple[int, int], marks: Sequence[Mark] = ()
) -> None:
    """Draw coverage, interval, target, periods and events on axes whose x is month numbers."""
    for period in panel.spans:
        _shade(axes, period, span)
    axes.axhline(target, color=ROLES["goal"], linewidth=1.8, dashes=(6, 3), zorder=1.5)
    for mark in marks:
        if mark.end > mark.start:
            axes.axvspan(mark.start, mark.end, facecolor=ROLES["soft"], alpha=0.18, zorder=0.6)
        axes.axvline(mark.start, color=ROLES["ink"], linewidth=1.2, dashes=(2, 2), zorder=1.6)
    for late in (False, True):
        _steps(axes, panel.points, span, late=late)
    for period in panel.spans:
        _number(axes, period, panel.points, span)


def _shade(axes: Axes, period: Span, span: tuple[int, int]) -> None:
    """Draw a period: shaded and hatched, its edges as lines, and how far each may lie off."""
    bad, low = ROLES["bad"], {"zorder": 0.5, "linewidth": 0}
    axes.axvspan(period.start, period.end, facecolor=bad, alpha=0.12, **low)
    axes.axvspan(
        *(period.start, period.end), facecolor="none", edgecolor=bad, hatch="///", alpha=0.4, **low
    )
    for at in (period.start, *([] if period.open else [period.end])):
        axes.axvline(at, color=bad, linewidth=1.1, zorder=0.7)
    for bounds in unsure(period, span):
        axes.plot(bounds, (0.1, 0.1), color=bad, linewidth=1.8, marker="|", markersize=9)


def unsure(period: Span, span: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the edges that are less sure than a plot of these months can show as a line."""
    least = _SURE * (span[1] - span[0])
    found = (period.begin, None if period.open else period.close)
    return [bounds for bounds in found if bounds and bounds[1] - bounds[0] > least]


def _number(axes: Axes, period: Span, points: Iterable[Point], span: tuple[int, int]) -> None:
    """Write a period's number in its middle, off the line."""
    start, end = max(period.start, span[0]), min(period.end, span[1])
    if end <= start:
        return
    middle, wide = (start + end) / 2, _RING * (span[1] - span[0])
    near = [p.coverage for p in points if middle - wide - 1 < p.month < middle + wide]
    at = max(_HEIGHTS, key=lambda height: min((abs(height - one) for one in near), default=0))
    axes.text(
        *(middle, at, str(period.number)),
        ha="center",
        va="center",
        color=ROLES["bad"],
        fontweight="bold",
        bbox={"boxstyle": "circle,pad=0.28", "fc": ROLES["card"], "ec": ROLES["bad"]},
    )


def _steps(axes: Axes, points: Sequence[Point], span: tuple[int, int], *, late: bool) -> None:
    """Draw months as steps: a month without studies is a gap, a provisional one is dashed."""
    import numpy as np

    first, end = span
    values = np.full((3, end - first), np.nan)
    for point in points:
        if point.provisional is late:
            values[:, point.month - first] = point.coverage, point.low, point.high
    if np.isnan(values[0]).all():
        return
    edges = np.arange(first, end + 1)
    coverage, low, high = values
    fill = 0.1 if late else 0.2
    axes.stairs(high, edges, baseline=low, fill=True, color=ROLES["line"], alpha=fill, zorder=1)
    style = (0, (1.2, 1)) if late else "solid"
    axes.stairs(
        *(coverage, edges),
        baseline=None,
        color=ROLES["line"],
        linewidth=2.2,
        linestyle=style,
        zorder=2,
    )


def settings_of(name: str) -> dict[Any, Any]:
    """Return matplotlib's settings for our drawings; `name` makes an SVG's ids the same again."""
    return {
        "svg.fonttype": "none",
        "text.parse_math": False,
        "svg.hashsalt": name,
        "font.size": _TEXT,
        "font.family": "sans-serif",
        "text.color": ROLES["ink"],
        "hatch.linewidth": 0.9,
        "axes.unicode_minus": False,
    }


def chart(
    panel: Panel,
    labels: Labels,
    *,
    target: float,
    span: tuple[int, int],
    name: str,
    tall: float = TALL,
) -> str:
    """Return one panel as an inline `<svg>`; `name` makes its ids its own on the page."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    height = height_of(panel, span, tall)
    # A sign that matplotlib's own font lacks is drawn by the browser all the same.
    with mpl.rc_context(settings_of(name)), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
        add_panel(figure, panel, labels, target=target, span=span, tall=tall)
        drawn = io.StringIO()
        unsaid: Any = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(drawn, format="svg", metadata=unsaid)
    return inline(drawn.getvalue(), name, (labels.title, labels.text), ROLES)


def height_of(panel: Panel, span: tuple[int, int], tall: float = TALL) -> float:
    """Return how high a panel is with its names of events, its volume and its months."""
    levels = max((mark.level for mark in placed(panel.marks, span)), default=-1) + 1
    return _HEAD + _LEVEL * levels + tall + _MAIN_BOTTOM


def add_panel(
    figure: Figure,
    panel: Panel,
    labels: Labels,
    *,
    target: float,
    span: tuple[int, int],
    tall: float = TALL,
    bottom: float = 0.0,
) -> None:
    """Draw one panel into a figure of our width, its foot `bottom` points from the figure's."""
    marks = placed(panel.marks, span)
    height = figure.get_figheight() * 72
    wide = (WIDTH - LEFT - RIGHT) / WIDTH
    low = (bottom + _MAIN_BOTTOM) / height
    main = figure.add_axes((LEFT / WIDTH, low, wide, tall / height))
    foot = (bottom + _FOOT) / height
    below = figure.add_axes((LEFT / WIDTH, foot, wide, _VOLUME / height))
    draw_coverage(main, panel, target, span, marks)
    _write(main, marks, target, labels)
    _volume(below, panel.points, span, labels)
    for axes in (main, below):
        _dress(axes, span, labels)
    main.tick_params(labelbottom=False)


def _write(axes: Axes, marks: Sequence[Mark], target: float, labels: Labels) -> None:
    for mark in marks:
        axes.annotate(
            mark.text,
            (mark.start, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if mark.leftward else 5, 6 + _LEVEL * mark.level),
            textcoords="offset points",
            ha="right" if mark.leftward else "left",
            va="bottom",
            color=ROLES["ink"],
            annotation_clip=False,
        )
        axes.plot(
            *([mark.start, mark.start], [1, 1]),
            transform=axes.get_xaxis_transform(),
            marker="v",
            markersize=7,
            color=ROLES["ink"],
            clip_on=False,
            linewidth=0,
        )
    axes.annotate(
        labels.target,
        (1, target),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=ROLES["goal"],
        fontweight="bold",
        annotation_clip=False,
    )
    axes.set_ylim(-0.03, 1.05)
    axes.set_yticks((0, 0.5, 1), labels.percents)
    axes.grid(axis="y", color=ROLES["rule"], linewidth=1)


def _volume(axes: Axes, points: Sequence[Point], span: tuple[int, int], labels: Labels) -> None:
    import numpy as np

    first, end = span
    counts = np.zeros(end - first)
    for point in points:
        counts[point.month - first] = point.studies
    axes.stairs(
        counts, np.arange(first, end + 1), fill=True, color=ROLES["soft"], alpha=0.55, linewidth=0
    )
    axes.set_ylim(0, float(counts.max()) * 1.05)
    axes.set_yticks((float(counts.max()),), (labels.most,))
    axes.annotate(
        labels.studies,
        (1, 0.5),
        xycoords="axes fraction",
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=ROLES["soft"],
    )


def _dress(axes: Axes, span: tuple[int, int], labels: Labels) -> None:
    axes.set_xlim(*span)
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.set_xticks([month for month, _ in labels.months], [text for _, text in labels.months])
    axes.tick_params(length=0, colors=ROLES["soft"], labelcolor=ROLES["soft"], pad=6)
    axes.grid(axis="x", color=ROLES["rule"], linewidth=1)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side == "bottom")
    axes.spines["bottom"].set_color(ROLES["soft"])
