"""The tables and lists of the signing page: kinds of change, periods, sources, refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from remediation.app.report.shown import Kind as Column
from remediation.app.report.shown import Table, capped, table
from remediation.app.report.told import story
from remediation.app.report.words import Words
from remediation.model.events import UNKNOWN_MONTH
from remediation.stages.show import NONE, Change, Kind, ShowReport

_MOST_KINDS = 8
_MOST_ROWS = 30
_MONTHS = 18  # more of them are told by year
_YEAR = 4  # signs of a month that are its year
_BEFORE = {"absent": "sign_b_absent", "other": "sign_b_other"}
_AFTER = {
    "bsn": "sign_a_bsn",
    "local": "sign_a_local",
    "value": "sign_a_value",
    "absent": "sign_a_absent",
}
_FROM = {
    "crosswalk": "sign_f_crosswalk",
    "header": "sign_f_header",
    "job": "sign_f_job",
    "constant": "sign_f_constant",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute of a kind of change: what stands there, what will, and where that is from."""

    attribute: str
    before: str
    after: str
    source: str
    added: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One kind of change; `width` (0 to 100) is its share of the files."""

    counts: str
    status: str
    width: float
    lines: tuple[Line, ...]
    example: str
    study: str


@dataclass(frozen=True, slots=True)
class Period:
    """A broken period that the manifest touches, and its story."""

    when: str
    source: str
    files: str
    told: tuple[str, ...]
    period_id: str


def kinds(report: ShowReport, words: Words) -> list[Shown]:
    """Return the kinds of change, the most frequent first."""
    total = max(report.counts["files"], 1)
    return [_shown(kind, total, words) for kind in report.kinds[:_MOST_KINDS]]


def kinds_more(report: ShowReport, words: Words) -> str:
    """Return that there are more kinds; nothing where all are shown."""
    more = len(report.kinds) - _MOST_KINDS
    return words("sign_kinds_more", count=words.number(more)) if more > 0 else ""


def _shown(kind: Kind, total: int, words: Words) -> Shown:
    status = kind.rule.partition(" to ")[0]
    meaning = words.catalogue.statuses.get(status, words.plain(status))
    return Shown(
        words(
            "sign_kind",
            files=words.count(kind.files, "file"),
            studies=words.count(kind.studies, "study"),
        ),
        words("sign_status", meaning=meaning),
        100 * kind.files / total,
        tuple(_line(one, words) for one in kind.changes if one.after != "item"),
        words("sign_example", archive=words.plain(kind.archive)),
        words.plain(kind.example),
    )


def everywhere(report: ShowReport, words: Words) -> str:
    """Return what happens beside these changes: where the old values are kept, if they are."""
    kept = [any(one.after == "item" for one in kind.changes) for kind in report.kinds]
    if not any(kept):
        return words("sign_former_none")
    return words("sign_former_all" if all(kept) else "sign_former_some")


def _line(one: Change, words: Words) -> Line:
    token = f" #{one.token}" if one.token and one.after != "absent" else ""
    gone = f" #{one.token}" if one.token and one.after == "absent" else ""
    return Line(
        one.place,
        words(_BEFORE[one.before]) + gone,
        words(_AFTER[one.after]) + token,
        words(_FROM[one.source]) if one.after != "absent" else "",
        one.after != "absent",
    )


def periods(report: ShowReport, words: Words) -> list[Period]:
    """Return the periods that `flag` tells of, in the order of time."""
    return [
        Period(
            words.stretch(row["start"], row["end"]),
            words.source(row["archive"], row["source"]),
            words(
                "sign_period_files",
                files=words.count(report.by_period.get(row["period_id"], 0), "file"),
            ),
            tuple(
                text
                for text in (
                    story.level(row, words),
                    story.instead(row, words),
                    story.after(row, words),
                    story.near(row, None, words),
                )
                if text
            ),
            row["period_id"],
        )
        for row in report.periods
    ]


def outside(report: ShowReport, words: Words) -> str:
    """Return how many files lie in no period; nothing where all do."""
    files = report.by_period.get(NONE, 0)
    return words("sign_outside", files=words.count(files, "file")) if files else ""


def by_source(report: ShowReport, words: Words) -> Table | None:
    """Return files by source; None where that is not known."""
    if not report.by_source:
        return None
    named = {words.plain(name): files for name, files in report.by_source.items()}
    return _bars(named, "sign_by_source", "sign_c_source", words)


def by_time(report: ShowReport, words: Words) -> Table | None:
    """Return files by month, or by year where there are many months; None where not known."""
    if not report.by_month:
        return None
    if len(report.by_month) <= _MONTHS:
        months = {words.month(month): files for month, files in report.by_month.items()}
        return _bars(months, "sign_by_month", "sign_c_month", words)
    years: Counter[str] = Counter()
    for month, files in report.by_month.items():
        years[words("undated") if month == UNKNOWN_MONTH else month[:_YEAR]] += files
    return _bars(years, "sign_by_year", "sign_c_year", words)


def _bars(found: Mapping[str, int], caption: str, column: str, words: Words) -> Table:
    kept, note = capped(list(found.items()), _MOST_ROWS, words, sheet=False)
    most = max(found.values(), default=1)
    columns: tuple[tuple[str, Column], ...] = (
        (words(column), "text"),
        (words("c_files"), "bar"),
    )
    return table(
        words(caption),
        columns,
        [(name, words.number(files)) for name, files in kept],
        bars=[100 * files / most for _, files in kept],
        note=note,
    )


def refused(report: ShowReport, words: Words) -> Table | None:
    """Return studies by the reason why nothing is done; None where nothing was refused."""
    if not report.refused:
        return None
    columns: tuple[tuple[str, Column], ...] = (
        (words("c_reason"), "text"),
        (words("c_code"), "code"),
        (words("c_studies"), "number"),
    )
    rows = [
        (words.reason(code), words.plain(code), words.number(studies))
        for code, studies in report.refused.items()
    ]
    return table(words("h_sign_refused"), columns, rows)


def approvals(report: ShowReport, words: Words) -> Table:
    """Return who approved, and whether it counts."""
    states = {
        "counts": words("sign_counts"),
        "revoked": words("sign_revoked"),
        "unchecked": words("sign_unchecked"),
    }
    columns: tuple[tuple[str, Column], ...] = (
        (words("sign_c_who"), "text"),
        (words("c_at"), "text"),
        (words("sign_c_state"), "text"),
    )
    rows = []
    for one in report.approvals:
        state = states.get(one.state, words("sign_not_good"))
        why = f" ({words.plain(one.why)})" if one.why else ""
        rows.append((words.plain(one.by), words.moment_of(one.at), state + why))
    return table(words("sign_approvals"), columns, rows)
