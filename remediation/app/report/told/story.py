"""The story of a broken period, in whole sentences, so that a reader can retell what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from remediation.app.report.told import causes, edges, effects, phrases
from remediation.app.report.words import Words
from remediation.tables.schemas import FILE

Row = Mapping[str, Any]
_UNEVEN = 1.2  # months that vary more than this times what chance gives are told of
_UNREADABLE = "unreadable"


def story(row: Row, effect: Row | None, words: Words) -> tuple[str, ...]:
    """Return everything there is to tell of a period, in the order in which it happened.

    Args:
        row: of PERIODS.
        effect: the row of EVENTS of its event and source, if there is one.
        words: the language.
    """
    return tuple(
        text
        for text in (
            words("axis_file") if row["axis"] == FILE else "",
            edges.begun(row, words),
            level(row, words),
            instead(row, words),
            steps(row, words),
            edges.ended(row, words),
            after(row, words),
            rewritten(row, words),
            near(row, effect, words),
            *causes.sentences(row, words),
            evenness(row, words),
            certainty(row, words),
        )
        if text
    )


def level(row: Row, words: Words) -> str:
    """Return from what coverage to what it went."""
    inside = {
        "inside": words.share(row["coverage"]),
        "interval": words.interval(row["low"], row["high"]),
        "studies": words.count(row["studies"], "study"),
    }
    if row["coverage_before"] is None:
        return words("level", **inside)
    return words("level_fall", before=words.share(row["coverage_before"]), **inside)


def after(row: Row, words: Words) -> str:
    """Return to what coverage it went back; nothing where nothing comes after."""
    if row["coverage_after"] is None:
        return ""
    return words("level_after", after=words.share(row["coverage_after"]))


def instead(row: Row, words: Words) -> str:
    """Return what stands there instead: the status, and what it means."""
    status = row["dominant_status"]
    if not status:
        return ""
    meaning = words.catalogue.statuses.get(status, words.plain(status))
    return words("instead", status=words.plain(status), meaning=meaning)


def steps(row: Row, words: Words) -> str:
    """Return the stretches of one coverage inside; nothing where it is one."""
    inside = row["steps"] or ()
    if len(inside) < 2:  # noqa: PLR2004 - one step is the period itself
        return ""
    told = [
        words(
            "step",
            day=words.day(one["start"]),
            share=words.share(one["conformant"] / one["studies"] if one["studies"] else None),
            studies=words.count(one["studies"], "study"),
        )
        for one in inside
    ]
    return words("steps", count=words.number(len(told)), steps=words.listed(told))


def rewritten(row: Row, words: Words) -> str:
    """Return that a rewrite broke files of long ago, where one did."""
    if row["written_start"] is None or row["written_end"] is None:
        return ""
    written = phrases.days(row["written_start"], row["written_end"], words)
    return words("rewritten", share=words.share(row["written_share"]), days=written)


def event(row: Row, words: Words) -> str:
    """Return the event of a period with its distance, or that there is none nearby."""
    if row["event"] is None:
        return words("no_event")
    name = effects.name(row, words)
    days = row["event_distance_days"]
    if not days:
        return words("event_at", event=name)
    return words("event_near", event=name, days=words.count(days, "day"))


def near(row: Row, effect: Row | None, words: Words) -> str:
    """Return the event near a period, with what it did to this source by itself."""
    if row["event"] is None:
        return words("near_none")
    said = words("near", event=event(row, words))
    if effect is None:
        return said
    judged = words("near_effect", effect=effects.effect(effect, words))
    return f"{said} {judged}"


def effect_of(row: Row, events: Iterable[Row]) -> Row | None:
    """Return the row of EVENTS that tells of a period's event and source; None without one."""
    keys = ("event", "archive", "source")
    wanted = row["event_start"], *(row[key] for key in keys)
    found = (one for one in events if (one["start"], *(one[key] for key in keys)) == wanted)
    return next(found, None)


def evenness(row: Row, words: Words) -> str:
    """Return that months vary more than chance gives; nothing where they hardly do."""
    if row["dispersion"] is None or row["dispersion"] < _UNEVEN:
        return ""
    return words("uneven", times=phrases.times(row["dispersion"], words))


def certainty(row: Row, words: Words) -> str:
    """Return what the p-value and the q-value mean; a source that was never right has none."""
    if row["p_value"] is None:
        return words("certain_none")
    said = words("certain", odds=phrases.odds(row["p_value"], words))
    if row["q_value"] is None:
        return said
    held = words("certain_all", share=words.share(row["q_value"]))
    return f"{said} {held}"


def next_step(row: Row, command: str, words: Words) -> str:
    """Return what to do about it; `command` plans the period's corrections."""
    key = "next_unreadable" if row["dominant_status"] == _UNREADABLE else "next_plan"
    return words(key, command=command)
