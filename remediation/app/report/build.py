"""Build: an output folder in; `report/index.html` and `report/report.xlsx` out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediation.app.report.rendering import rendered
from remediation.app.report.words import Language, Words
from remediation.errors import ShareError
from remediation.model.events import Event
from remediation.store.files import durable_write

if TYPE_CHECKING:
    from remediation.app.report.gather import Facts


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Where the datasets lie, and what the job file says of the report."""

    output: Path
    key_id: str
    job_name: str
    target_coverage: float
    language: Language
    events: tuple[Event, ...]
    made_at: datetime
    tool_version: str


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The two files, the figure in them, and the commands whose part is not there yet."""

    html: Path
    workbook: Path
    studies: int
    coverage: float | None
    missing: tuple[str, ...]


def write_report(options: ReportOptions) -> ReportResult:
    """Write the report from whatever stages have run.

    Raises:
        DatasetError: there is no inventory, or a dataset is damaged.
        KeyFileError: a dataset was made with another key.
        ShareError: the report folder cannot be written.
    """
    # Heavy libraries are loaded when a report is made, not when the command line starts.
    from remediation.app.frames import workbook
    from remediation.app.report.book import sheets
    from remediation.app.report.gather import gather

    facts = gather(options.output, options.key_id)
    words = Words.of(options.language)
    folder = options.output / "report"
    page, book = folder / "index.html", folder / "report.xlsx"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ShareError(
            "the report folder cannot be made", str(folder), "give this user write permission"
        ) from error
    durable_write(book, workbook(sheets(facts, words)))
    durable_write(
        page, rendered("page.html.j2", _content(facts, words, options)).encode("utf-8", "replace")
    )
    statuses = facts.statuses or {}
    total = sum(statuses.values())
    share = statuses.get("conformant", 0) / total if total else None
    return ReportResult(page, book, total, share, facts.missing)


def _content(facts: Facts, words: Words, options: ReportOptions) -> dict[str, Any]:
    """Return what the page shows, section by section."""
    from remediation.app.report.sections import (
        events,
        figure,
        identities,
        made,
        overview,
        periods,
        places,
        timeline,
    )

    return {
        "t": words,
        "language": words.catalogue.code,
        "job": words.plain(options.job_name),
        "made_at": words.moment(options.made_at),
        "target": words.target(options.target_coverage),
        "figure": figure.section(facts, words, options.target_coverage),
        "overview": overview.section(facts, words),
        "timeline": timeline.section(facts, words, options.target_coverage, options.events),
        "periods": periods.section(facts, words),
        "events": events.section(facts, words),
        "places": places.places(facts, words),
        "statuses": places.statuses(facts, words),
        "mixed": places.mixed(facts, words),
        "identities": identities.section(facts, words),
        "leaks": places.leaks(facts, words),
        "files": places.files(facts, words),
        "manifests": made.manifests(facts, words),
        "made": made.made(
            facts,
            words,
            job=options.job_name,
            key_id=options.key_id,
            version=options.tool_version,
            made_at=options.made_at,
            target=options.target_coverage,
        ),
        "judged": facts.statuses is not None,
        "matched": facts.outcomes is not None,
    }
