"""Lines for a terminal: the list of periods with what events did, and the places of each source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from remediation.app.report.told import columns, edges, effects, phrases, places, story
from remediation.app.report.words import NONE, Words
from remediation.model.events import UNKNOWN_MONTH, month_number, month_text
from remediation.tables.calibration import demoted
from remediation.tables.schemas import FILE

Row = Mapping[str, Any]
_HEADS = (
    "c_period",
    "c_source",
    "l_start",
    "l_end",
    "c_studies",
    "l_levels",
    "l_mostly",
    "c_event",
)


def wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    """Yield a sentence as lines of at most so many signs; only the first is not indented."""
    yield from textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def periods(
    rows: Sequence[Row], events: Sequence[Row], explain: str, words: Words, width: int
) -> Iterator[str]:
    """Yield the list of periods, what each event did, and how chance was reckoned with.

    Args:
        rows: of PERIODS.
        events: of EVENTS.
        explain: the command that tells everything of one of them.
        words: the language.
        width: signs in a line.
    """
    if rows:
        yield from _listed(rows, words, width)
        yield ""
        yield from wrapped(words("list_legend"), width)
        by_file = [str(row["period_id"]) for row in rows if row["axis"] == FILE]
        if by_file:
            yield from wrapped(words("list_by_file", ids=", ".join(by_file)), width)
        yield from wrapped(words("list_more", command=explain), width, "  ")
    else:
        yield words("periods_none")
    yield ""
    if events:
        yield words("list_events")
        for (start, end, _, _), found in effects.by_event(events).items():
            days = phrases.days(start, end, words)
            named = words("event_days", event=effects.name(found[0], words), days=days)
            yield from wrapped(f"  {named}", width, "    ")
            yield from wrapped(f"    {effects.in_short(found, words)}", width, "    ")
    else:
        yield words("list_no_events")
    yield from wrapped(effects.multiplicity(words), width)


def _listed(rows: Sequence[Row], words: Words, width: int) -> Iterator[str]:
    """Yield a line per period; on a narrow terminal its event stands below it, else behind it."""
    heads = tuple(words(key) for key in _HEADS)
    table = [heads, *(_period(row, words) for row in rows)]
    lines = list(columns.aligned(table, right=[4]))
    if not width or max(map(columns.cells, lines)) <= width:
        yield from lines
        return
    narrow = columns.aligned([row[:-1] for row in table], right=[4], shrink=[1], width=width)
    yield next(narrow)
    for line, row in zip(narrow, rows, strict=True):
        yield line
        if row["event"]:
            yield from wrapped(f"          {story.event(row, words)}", width, " " * 12)


def _period(row: Row, words: Words) -> tuple[str, ...]:
    levels = (row["coverage_before"], row["coverage"], row["coverage_after"])
    return (
        str(row["period_id"]),
        f"{words.plain(row['archive'])} / {_source(row, words)}",
        edges.cell(row, "start", words),
        edges.cell(row, "end", words),
        words.number(row["studies"]),
        " > ".join(_percent(share) for share in levels),
        words.plain(row["dominant_status"]),
        story.event(row, words),
    )


def _source(row: Row, words: Words) -> str:
    return words("undated_source") if row["source"] == "unknown" else words.plain(row["source"])


def _percent(share: float | None) -> str:
    """Return a share in whole percents; what is not quite all or nothing never looks so.

    >>> [_percent(share) for share in (1.0, 0.999, 0.004, 0.0)]
    ['100', '99', '1', '0']
    """
    if share is None:
        return NONE
    whole = round(100 * share)
    return str(min(max(whole, 1), 99) if 0 < share < 1 else whole)


def explained(row: Row, told: Iterable[str], words: Words, width: int) -> Iterator[str]:
    """Yield a period's name and its story, a sentence after the other."""
    source = words.source(row["archive"], row["source"])
    when = words.stretch(row["start"], row["end"])
    yield from wrapped(
        words("title_period", period=row["period_id"], source=source, when=when), width
    )
    yield ""
    for text in told:
        yield from wrapped(text, width, "  ")


def place_lines(rows: Sequence[Row], words: Words, width: int) -> Iterator[str]:
    """Yield the places of each source with their figures, and what the verdicts mean."""
    if not rows:
        yield words("p_none")
        return
    loud = [row for row in rows if demoted(row)]
    if loud:
        yield f"!! {words('loud_title', count=words.count(len(loud), 'place'))}"
        for row in loud:
            yield from wrapped(f"!! {places.loud(row, words)}", width, "   ")
        yield ""
    ordered = sorted(rows, key=lambda row: tuple(row[key] or "" for key in _ORDER))
    keys = ("p_issuer", "p_months", "p_values", "p_formed", "p_passing", "p_rate")
    heads = tuple(words(key) for key in (*keys, "p_interval", "p_sure", "p_verdict"))
    lines = columns.aligned(
        [heads, *(_place(row, words) for row in ordered)], right=range(2, 8), shrink=[0]
    )
    yield f"  {next(lines)}"
    for source, found in groupby(ordered, key=lambda row: (row["archive"], row["source"])):
        yield words.source(*source)
        for name, same in groupby(found, key=lambda row: places.name(row, words)):
            yield f" {name}"
            for _ in same:
                yield f"  {next(lines)}"
    yield ""
    yield from wrapped(words("p_legend"), width)
    for verdict in words.catalogue.meanings:
        if any(row["verdict"] == verdict for row in rows):
            meaning = words.catalogue.meanings[verdict]
            yield from wrapped(words("p_means", verdict=verdict, meaning=meaning), width, "  ")


_ORDER = ("archive", "source", "place", "private_creator", "issuer_kind", "start")


def _place(row: Row, words: Words) -> tuple[str, ...]:
    return (
        row["issuer_kind"],
        _months(row, words),
        *(words.number(row[name]) for name in ("values", "well_formed", "passing")),
        words.share(row["pass_rate"]),
        f"{_bare(row['low'], words)}..{_bare(row['high'], words)}" if row["well_formed"] else NONE,
        places.probability(row, words),
        f"!! {row['verdict']}" if demoted(row) else row["verdict"],
    )


def _months(row: Row, words: Words) -> str:
    """Return the first and the last month of a stretch; in the dataset its end is exclusive."""
    if UNKNOWN_MONTH in (row["start"], row["end"]):
        return words("undated")
    return f"{row['start']}..{month_text(month_number(row['end']) - 1)}"


def _bare(share: float, words: Words) -> str:
    return words.share(share).removesuffix(words.catalogue.percent)
