"""Commands that prepare a job and judge its inventory: init, key, check, flag, match, report.

`COMMANDS` lists them with `crawl`, `schema`, `places` and `periods`, which have their own modules.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from remediation.app.config import load_job
from remediation.app.config_placement import placement_of
from remediation.app.console import JOB, JSON, counts, emit, note
from remediation.app.crawling import crawl
from remediation.app.describing import schema
from remediation.app.periods import COMMANDS as TELLING
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.report.words import Words
from remediation.app.wiring import Session
from remediation.errors import UsageError
from remediation.stages import check as check_stage
from remediation.stages import flag as flag_stage
from remediation.stages import match as match_stage
from remediation.store.approvals import new_approver_key
from remediation.store.keys import new_key_file


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default="remediation.toml")
def init(path: Path) -> None:
    """Write a commented job file and a key file.

    PATH is the new job file (default: remediation.toml). Nothing is ever replaced.
    """
    from remediation.app.template import KEY_FILE, TEMPLATE

    if path.exists():
        raise UsageError("there is a file already", str(path), "choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    key = path.parent / KEY_FILE
    if not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note(f"key file {key}, key id {new_key_file(key)}: keep a copy in a safe place")
    with path.open("x", encoding="utf-8") as file:
        file.write(TEMPLATE)
    click.echo(f"{path}: fill in the archive roots, then run `remediation check {path}`")


@click.group()
def key() -> None:
    """Make key files."""


@key.command("new")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--approver", is_flag=True, help="A signing key pair, for a person who approves.")
def key_new(path: Path, *, approver: bool) -> None:
    """Make a key file at PATH; with --approver, print the public line for the job file."""
    if approver:
        click.echo(new_approver_key(path))
        note(f"secret key {path}: for its owner alone; the line above goes into [[approver]]")
    else:
        note(f"key file {path}, key id {new_key_file(path)}")


@click.command()
@JOB
@JSON
def check(job: Path, *, as_json: bool) -> None:
    """See whether JOB's shares, keys, EPD export and disk are in order."""
    from remediation.model.running import utc_now

    loaded = load_job(job)
    placement_of(loaded)  # its file has faults, or it has none
    report = check_stage.run(
        check_stage.CheckOptions(
            loaded.privacy.key_file,
            loaded.output.dir,
            {archive.name: Path(archive.root) for archive in loaded.archives},
            loaded.crosswalk_settings() if loaded.crosswalk else None,
            utc_now(),
            loaded.crosswalk.writable_statuses if loaded.crosswalk else (),
            loaded.bsn.placeholders,
        )
    )
    width = max(len(one.what) for one in report.findings)
    lines = [f"{one.verdict:5}  {one.what:{width}}  {one.line}" for one in report.findings]
    emit(report, lines, as_json=as_json)
    click.get_current_context().exit(report.exit_code)


@click.command()
@JOB
@JSON
def flag(job: Path, *, as_json: bool) -> None:
    """Judge it: statuses, coverage per month, broken periods."""
    session = Session.open(load_job(job))
    with recorded(session.job, "flag", keys=session.keys) as record:
        report = flag_stage.run(session.flag_options())
        record.update(report.statuses)
    words = Words.of("en")  # names of sources come from headers
    for place in map(words.plain, report.demoted):
        note(f"warning: {place} says BSN, but behaves as local numbers do: not believed")
    for place in map(words.plain, report.mixtures):
        note(f"warning: {place} says BSN, but more numbers fail than typing errors explain")
    if report.improbable:
        note(
            f"warning: {report.improbable:,} studies are dated before 1970 or after today: "
            "they are counted, and take no part in periods"
        )
    lines = [f"{report.studies:,} studies, {report.periods} broken periods"]
    lines += counts("statuses:", report.statuses)
    emit(report, [*lines, *counts("events, by verdict:", report.events)], as_json=as_json)


@click.command()
@JOB
@JSON
def match(job: Path, *, as_json: bool) -> None:
    """Match studies to the EPD export; write worklists for people.

    Who has to settle what: registration desk, possible mix-ups of patients, leaks for the privacy
    officer, broken periods for the PACS vendor. They are in worklists/, as CSV and one workbook;
    local numbers are in the first two and in the workbook, a BSN is in none.
    """
    session = Session.open(load_job(job))
    with (
        recorded(session.job, "match", keys=session.keys) as record,
        progress("match", "studies") as advance,
    ):
        options, crosswalk = session.match_options(), session.crosswalk()
        report = match_stage.run(options, crosswalk, session.keys, advance=advance)
        record.update(report.outcomes | {"heads_read": report.heads_read})
        lists, made = session.worklists(crosswalk, record.seen(session.keys))
        heads_read = report.heads_read + lists.heads_read
        record.update({"heads_read": heads_read})
    lines = [*counts("outcomes:", report.outcomes), *counts("reasons:", report.reasons)]
    lines += [*counts("exempt, by the EPD's word:", report.exemptions)]
    lines += [*counts("warnings:", report.warnings)]
    lines += [f"worklist: {path}" for path in made.values()]
    said = {name: str(path) for name, path in made.items()}
    emit(report, lines, as_json=as_json, worklists=said, heads_read=heads_read)
    for reason in ("birth-date-clash", "sex-clash", "name-clash", "header-disagrees"):
        if report.reasons.get(reason):
            note(
                f"warning: {report.reasons[reason]} studies: {reason}: possible mix-up of patients"
            )


@click.command()
@JOB
@click.option("--lang", type=click.Choice(["nl", "en"]), help="Language; the job's by default.")
@JSON
def report(job: Path, lang: Literal["nl", "en"] | None, *, as_json: bool) -> None:
    """Write the report: one offline HTML file, XLSX beside it."""
    session = Session.open(load_job(job))
    with recorded(session.job, "report", keys=session.keys):
        result = session.report(lang)
    emit(result, [str(result.html)], as_json=as_json)


COMMANDS: tuple[Callable[..., Any], ...] = (
    init,
    key,
    check,
    crawl,
    flag,
    *TELLING,
    match,
    report,
    schema,
)
