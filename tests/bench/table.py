"""The result: rows with a ratio, its goal, and whether it is met; as Markdown and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.clock import Ratio, Times


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound: at least, or at most."""

    bound: float
    at_least: bool

    def met(self, value: float) -> bool:
        """Tell whether a value keeps to the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"


def least(bound: float) -> Goal:
    """Return a goal: at least so much."""
    return Goal(bound, at_least=True)


def most(bound: float) -> Goal:
    """Return a goal: at most so much."""
    return Goal(bound, at_least=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `value` is None where a peer is not there, and `note` says why."""

    section: str
    what: str
    value: float | None = None
    unit: str = "x"
    lowest: float | None = None
    highest: float | None = None
    ours: str = ""
    against: str = ""
    goal: Goal | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met; None where there is no goal or no value."""
        return self.goal.met(self.value) if self.goal and self.value is not None else None

    def result(self) -> str:
        """Return the value as it is shown, with its range over the rounds."""
        if self.value is None:
            return self.note or "not measured"
        text = f"{_short(self.value)} {self.unit}"
        if self.lowest is None or self.highest is None or self.lowest == self.highest:
            return text
        return f"{text} ({_short(self.lowest)} to {_short(self.highest)})"


def compared(
    section: str,
    what: str,
    times: Times,
    pair: tuple[str, str],
    *,
    files: int,
    goal: Goal | None = None,
    note: str = "",
    flip: bool = False,
    percent: bool = False,
) -> Row:
    """Make a row of two variants (ours, other): other over ours, or ours over other if `flip`."""
    ours, other = pair
    ratio = times.ratio(ours, other) if flip else times.ratio(other, ours)
    factor = 100 if percent else 1
    return Row(
        section,
        what,
        ratio.median * factor,
        "%" if percent else "x",
        ratio.least * factor,
        ratio.most * factor,
        f"{ours}: {per_file(times.typical(ours), files)}",
        f"{other}: {per_file(times.typical(other), files)}",
        goal,
        note,
    )


def measured(section: str, what: str, value: Ratio | float, unit: str, **more: Any) -> Row:
    """Make a row of a value that is no comparison."""
    if isinstance(value, Ratio):
        return Row(section, what, value.median, unit, value.least, value.most, **more)
    return Row(section, what, value, unit, **more)


def per_file(seconds: float, files: int) -> str:
    """Return a time per file, and files per second."""
    each = seconds / max(1, files)
    return f"{_short(each * 1e6)} us ({files / max(seconds, 1e-9):,.0f}/s)"


def _short(value: float) -> str:
    """Return a number with three digits that matter."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def markdown(rows: Iterable[Row], facts: dict[str, Any]) -> str:
    """Return the whole result as Markdown: facts, then one table for each section."""
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", f"## {section}", ""]
            lines += [
                "| what | result | goal | met | ours | against |",
                "|---|---|---|---|---|---|",
            ]
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        note = f" ({row.note})" if row.note and row.value is not None else ""
        cells = [row.what + note, row.result(), str(row.goal or ""), met, row.ours, row.against]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def as_json(rows: Iterable[Row], facts: dict[str, Any]) -> str:
    """Return the whole result as JSON."""
    said = [dataclasses.asdict(row) | {"met": row.met} for row in rows]
    return json.dumps({"facts": facts, "rows": said}, indent=1) + "\n"
