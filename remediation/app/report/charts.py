"""Charts: the coverage of one source by month, drawn by matplotlib, as SVG that follows the page.

Text stays text (any script, any reader), colours become the page's own variables, and nothing in
it points outside. Shapes differ as well as colours: a solid line, a dashed target, hatched periods.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from remediation.app.report.inline import inline
from remediation.app.report.panels import Panel, Point
from remediation.model.events import Event, month_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
WIDTH, LEFT, RIGHT = 960.0, 62.0, 92.0  # points, as are all sizes here; the page scales them
TALL, LOW = 190.0, 120.0  # of the plot itself: with few panels, with many
_MAIN_BOTTOM, _VOLUME, _FOOT, _HEAD, _LEVEL = 90.0, 40.0, 28.0, 12.0, 20.0
_TEXT, _CHARACTER, _LONGEST = 14.0, 8.3, 34
_YEAR = 12


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


@dataclass(frozen=True, slots=True)
class _Mark:
    """An event in a plot: where, until where, what it says, and on which line it is said."""

    start: float
    end: float
    text: str
    level: int
    leftward: bool


def draw_coverage(
    axes: Axes, panel: Panel, target: float, span: tuple[int, int], marks: Sequence[_Mark] = ()
) -> None:
    """Draw coverage, interval, target, periods and events on axes whose x is month numbers."""
    for period in panel.spans:
        edges = {"zorder": 0.5, "linewidth": 0}
        axes.axvspan(period.start, period.end, facecolor=ROLES["bad"], alpha=0.12, **edges)
        axes.axvspan(
            *(period.start, period.end),
            facecolor="none",
            edgecolor=ROLES["bad"],
            hatch="///",
            alpha=0.4,
            **edges,
        )
    axes.axhline(target, color=ROLES["goal"], linewidth=1.8, dashes=(6, 3), zorder=1.5)
    for mark in marks:
        if mark.end > mark.start:
            axes.axvspan(mark.start, mark.end, facecolor=ROLES["soft"], alpha=0.18, zorder=0.6)
        axes.axvline(mark.start, color=ROLES["ink"], linewidth=1.2, dashes=(2, 2), zorder=1.6)
    for late in (False, True):
        _steps(axes, panel.points, span, late=late)
    for period in panel.spans:
        middle = (max(period.start, span[0]) + min(period.end, span[1])) / 2
        axes.text(
            *(middle, 0.5, str(period.number)),
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

    marks = _placed(panel.marks, span)
    head = _HEAD + _LEVEL * (max((mark.level for mark in marks), default=-1) + 1)
    height = head + tall + _MAIN_BOTTOM
    settings: Any = {
        "svg.fonttype": "none",
        "text.parse_math": False,
        "svg.hashsalt": name,
        "font.size": _TEXT,
        "font.family": "sans-serif",
        "text.color": ROLES["ink"],
        "hatch.linewidth": 0.9,
        "axes.unicode_minus": False,
    }
    # A sign that matplotlib's own font lacks is drawn by the browser all the same.
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
        wide = (WIDTH - LEFT - RIGHT) / WIDTH
        main = figure.add_axes((LEFT / WIDTH, _MAIN_BOTTOM / height, wide, tall / height))
        below = figure.add_axes((LEFT / WIDTH, _FOOT / height, wide, _VOLUME / height))
        draw_coverage(main, panel, target, span, marks)
        _write(main, marks, target, labels)
        _volume(below, panel.points, span, labels)
        for axes in (main, below):
            _dress(axes, span, labels)
        main.tick_params(labelbottom=False)
        drawn = io.StringIO()
        unsaid: Any = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(drawn, format="svg", metadata=unsaid)
    return inline(drawn.getvalue(), name, (labels.title, labels.text), ROLES)


def _placed(events: Sequence[Event], span: tuple[int, int]) -> tuple[_Mark, ...]:
    """Give each event of the span the lowest line on which its text overlaps no other."""
    scale = (WIDTH - LEFT - RIGHT) / (span[1] - span[0])
    taken: list[list[tuple[float, float]]] = []
    marks = []
    for event in events:
        start, end = _month_of(event.start), _month_of(event.end)
        if end <= span[0] or start >= span[1]:
            continue
        start, end = max(start, span[0]), min(end, span[1])
        text = event.name if len(event.name) <= _LONGEST else event.name[: _LONGEST - 1] + "…"
        width, at = _width(text) + 14, (start - span[0]) * scale
        leftward = at + width > WIDTH - LEFT and at > width / 2
        box = (at - width, at) if leftward else (at, at + width)
        level = 0
        while level < len(taken) and any(a < box[1] and box[0] < b for a, b in taken[level]):
            level += 1
        if level == len(taken):
            taken.append([])
        taken[level].append(box)
        long_enough = (end - start) * scale > 3  # noqa: PLR2004 - points; less is a line
        marks.append(_Mark(start, end if long_enough else start, text, level, leftward))
    return tuple(marks)


def _width(text: str) -> float:
    """Return about how wide a text is: the browser's font is not known here."""
    wide = sum(east_asian_width(sign) in "WF" for sign in text)
    return (len(text) + 0.8 * wide) * _CHARACTER


def _month_of(day: date) -> float:
    return month_number(f"{day:%Y-%m}") + (day.day - 1) / 31


def _write(axes: Axes, marks: Sequence[_Mark], target: float, labels: Labels) -> None:
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


def ticks(span: tuple[int, int], most: int = 12) -> tuple[int, ...]:
    """Return month numbers to label: every January, or rarer; months where there are few.

    >>> ticks((2007 * 12, 2010 * 12)), ticks((2011 * 12 + 2, 2011 * 12 + 8))
    ((24084, 24096, 24108), (24134, 24135, 24136, 24137, 24138, 24139))
    """
    first, end = span
    step = next(
        (n for n in (1, 3, 6) if end - first <= n * most and end - first <= 2 * _YEAR), _YEAR
    )
    while (end - first) / step > most:
        step *= 2 if step < 10 * _YEAR else 5
    return tuple(month for month in range(first, end) if month % step == 0)
