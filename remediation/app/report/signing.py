"""Signing: the page for the person who approves a manifest; a `ShowReport` in, HTML out.

In a minute it must be clear what is about to be signed: what, how much, which archive, which
periods, what is refused and what this does not do. Every text in it is final, none is markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remediation.app.report import signing_parts as parts
from remediation.app.report.rendering import rendered
from remediation.app.report.shown import Table
from remediation.app.report.words import Words
from remediation.model.placement import AT_REST, EXCHANGE
from remediation.stages.show import ShowReport
from remediation.store.standing import counted

_LONGEST = 1_000  # signs of what people wrote: a signer must see all of it
_PLACED = {AT_REST: "sign_at-rest", EXCHANGE: "sign_exchange"}
_FRESH = frozenset({"same", "as-promised"})
# The manifest's own sentences, in other languages by their key.
_NOT_DONE = {
    "The PACS database": "sign_nd_pacs",
    "DICOMDIR files": "sign_nd_dicomdir",
    "Studies that were sent": "sign_nd_sent",
    "Pixel data": "sign_nd_pixels",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name; `tone` is one of the style's."""

    value: str
    name: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a review took out, and why."""

    what: str
    why: str


def page(report: ShowReport, changed: Mapping[str, int] | None, words: Words, folder: str) -> str:
    """Return the page.

    Args:
        report: what `show` found.
        changed: planned files per state, where they were looked at again.
        words: the language.
        folder: of the manifest, as it is typed in a shell.
    """
    return rendered("manifest.html.j2", _content(report, changed, words, folder))


def _content(
    report: ShowReport, changed: Mapping[str, int] | None, words: Words, folder: str
) -> dict[str, Any]:
    author = words.plain(report.author)
    return {
        "t": words,
        "language": words.catalogue.code,
        "job": words.plain(report.job),
        "manifest_id": report.manifest_id,
        "digest": report.digest,
        "parent": report.parent,
        "alarms": _alarms(report, words),
        "stale": _stale(changed, words),
        "lead": _lead(report, words),
        "plan": words(
            "sign_lead_plan",
            author=author,
            created=words.moment_of(report.created),
            expires=words.moment_of(report.expires),
        ),
        "placed": _placed(report.target, words),
        "figures": _figures(report, words),
        "kinds": parts.kinds(report, words),
        "kinds_more": parts.kinds_more(report, words),
        "everywhere": parts.everywhere(report, words),
        "selection": _selection(report, words),
        "periods": parts.periods(report, words),
        "outside": parts.outside(report, words),
        "by_source": parts.by_source(report, words),
        "by_time": parts.by_time(report, words),
        "left_out": [words("sign_left_out", what=words.plain(one)) for one in report.left_out],
        "refused_lead": _refused_lead(report, words),
        "refused": parts.refused(report, words),
        "reviews": _reviews(report, words),
        "not_done": [_not_done(one, words) for one in report.not_done],
        "statement": _statement(report, words),
        "facts": _facts(report, words),
        "approvals": _approvals(report, words),
        "needed": _needed(report, words),
        "commands": _commands(report, words, folder),
    }


def _lead(report: ShowReport, words: Words) -> str:
    return words(
        "sign_lead",
        files=words.count(report.counts["files"], "file"),
        studies=words.count(report.counts["studies"], "study"),
        archives=words.listed([words.plain(name) for name in report.by_archive]),
    )


def _placed(target: str, words: Words) -> str:
    return words(_PLACED.get(target, "sign_own"), target=words.plain(target))


def _alarms(report: ShowReport, words: Words) -> list[str]:
    found = []
    if report.successor:
        found.append(words("sign_superseded", successor=report.successor))
    if report.expired:
        found.append(words("sign_expired", expires=words.moment_of(report.expires)))
    if report.spent:
        found.append(words("sign_spent"))
    return found


def _stale(changed: Mapping[str, int] | None, words: Words) -> tuple[str, bool] | None:
    """Return what became of the files since the plan, and whether that is bad."""
    if changed is None:
        return None
    count = sum(files for state, files in changed.items() if state not in _FRESH)
    if not count:
        return words("sign_fresh"), False
    return words("sign_stale", count=words.count(count, "file")), True


def _figures(report: ShowReport, words: Words) -> list[Figure]:
    good = counted(report.approvals)
    enough = report.required is not None and good >= report.required
    approved = words.number(good)
    if report.required is not None:
        required = words.number(report.required)
        approved = words("sign_of", good=approved, required=required)
    return [
        Figure(words.number(report.counts["files"]), words("sign_files")),
        Figure(words.number(report.counts["studies"]), words("sign_studies")),
        Figure(words.number(report.counts["refused"]), words("sign_refused")),
        Figure(approved, words("sign_approved"), "" if enough else "warn"),
    ]


def _selection(report: ShowReport, words: Words) -> str:
    if not report.selection:
        return words("sign_where_all")
    chosen = [_chosen(one, report, words) for one in report.selection]
    return words("sign_where_lead", selection=words.listed(chosen))


def _chosen(text: str, report: ShowReport, words: Words) -> str:
    key, _, value = text.partition("=")
    row = next((one for one in report.periods if one["period_id"] == value), None)
    if key != "period" or row is None:
        return words.plain(text)
    return words("sign_chosen_period", when=words.stretch(row["start"], row["end"]), period=value)


def _refused_lead(report: ShowReport, words: Words) -> str:
    count = report.counts["refused"]
    if not count:
        return words("sign_refused_none")
    return words("sign_refused_lead", studies=words.count(count, "study"))


def _reviews(report: ShowReport, words: Words) -> list[Decision]:
    return [
        Decision(
            words(
                "sign_review",
                by=words.plain(one.by),
                at=words.moment_of(one.at),
                studies=words.count(one.studies, "study"),
                files=words.count(one.files, "file"),
            ),
            words("sign_why", why=words.plain(one.why, _LONGEST)),
        )
        for one in report.reviews
    ]


def _not_done(text: str, words: Words) -> str:
    known = next((key for start, key in _NOT_DONE.items() if text.startswith(start)), None)
    return words(known) if known else words.plain(text, _LONGEST)


def _statement(report: ShowReport, words: Words) -> str:
    if not report.in_place_statement:
        return words("sign_no_statement")
    statement = words.plain(report.in_place_statement, _LONGEST)
    return words("sign_statement", statement=statement)


def _facts(report: ShowReport, words: Words) -> list[tuple[str, str, bool]]:
    """Return names and values, and whether a value is an id."""
    author, archive = words.plain(report.author), words("sign_archives")
    return [
        (words("sign_author"), words("sign_author_note", author=author), False),
        (words("sign_responsible"), words.plain(report.responsible), False),
        (words("sign_created"), words.moment_of(report.created), False),
        (words("sign_expires"), words.moment_of(report.expires), False),
        (words("sign_target"), words.plain(report.target), False),
        *(
            (f"{archive}: {words.plain(name)}", number, True)
            for name, number in sorted(report.archives.items())
        ),
        (words("sign_digest"), report.digest, True),
    ]


def _approvals(report: ShowReport, words: Words) -> Table | None:
    if not report.approvals:
        return None
    return parts.approvals(report, words)


def _needed(report: ShowReport, words: Words) -> str:
    if report.required is None:
        return ""
    required = words.number(report.required)
    return words("sign_how_needed", required=required, author=words.plain(report.author))


def _commands(report: ShowReport, words: Words, folder: str) -> dict[str, tuple[str, str]]:
    """Return the commands, each as what stands before and behind the manifest's id."""
    before, found, behind = folder.partition(report.manifest_id)
    if not found:
        before, behind = folder, ""
    me = f'--by "{words("sign_name")}" --key {words("sign_key_file")}'
    why = f'--why "{words("sign_reason")}"'
    revoke = f'--revoke "{words("sign_name")}"'
    return {
        "approve": (f"remediation approve {before}", f"{behind} {me}"),
        "revoke": (f"remediation approve {before}", f"{behind} {revoke} {me} {why}"),
        "exclude": (f"remediation review {before}", f"{behind} --exclude UID {me} {why}"),
        "id": (found, ""),
    }
