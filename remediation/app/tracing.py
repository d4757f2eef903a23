"""The command `trace`: for the key holder, all that was ever done with one patient or study."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from remediation.app.config import Job, load_job
from remediation.app.console import JOB, JSON, emit, note
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import UsageError
from remediation.stages import trace as trace_stage
from remediation.store.files import guarded
from remediation.store.tracing import Traced

STDIN = "-"
_LONGEST = 4096


# What is typed one word too many may be a number: click would repeat it.
@click.command(context_settings={"allow_extra_args": True})
@JOB
@click.option("--study", metavar="UID|-", help="StudyInstanceUID; `-` reads it from stdin.")
@click.option(
    "--patient",
    metavar="NUMBER|-",
    help="Local number; `-` reads it from stdin: a command line is seen by others and kept.",
)
@click.option(
    "--patient-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file of one line with the local number.",
)
@click.option("--issuer", metavar="NAME", help="Whose number it is, as in the job file.")
@click.option("--by", metavar="NAME", help="Who asks; your user name by default.")
@JSON
@click.pass_context
def trace(
    context: click.Context,
    *,
    job: Path,
    study: str | None,
    patient: str | None,
    patient_file: Path | None,
    issuer: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Tell all that was ever done with one patient or study of JOB.

    What was planned, refused, approved, written, handed over, verified, rolled back, and who looked
    at it: from manifests, journals, exports, verifications and the audit log, each for itself. That
    you asked is entered in the audit log; the number is not, and it is never repeated.
    """
    if context.args:
        raise UsageError("a word too many", "trace", "see `remediation trace --help`")
    if sum(one is not None for one in (study, patient, patient_file)) != 1:
        raise UsageError("one thing to trace", "--study, --patient, --patient-file", "give one")
    if (study is None) != (issuer is not None):
        raise UsageError("a local number has an issuer, a study has none", "--issuer")
    loaded = load_job(job)
    wanted = _words(study if study is not None else patient, patient_file)
    session = Session.open(loaded)
    options = trace_stage.TraceOptions(
        session.output,
        wanted if study is not None else "",
        () if study is not None else tuple(_spellings(loaded, wanted, issuer or "")),
        issuer or "",
        session.archives(),
        loaded.bsn.extra_issuers,
    )
    asked = by or getpass.getuser()
    with recorded(loaded, "trace", keys=session.keys, by=asked) as record:
        report = trace_stage.run(options, session.keys)
        for token in sorted(trace_stage.tokens_of(options, session.keys)):
            record.audit.patient(token, "traced")
        seen = record.seen(session.keys)
        for one in report.studies:
            seen("", one, 0, "traced")
        record.update({"studies": len(report.studies), "events": len(report.events)})
        for what in report.unread:
            note(f"warning: could not be read: {what}")
        emit(report, _lines(report), as_json=as_json)


def _words(given: str | None, path: Path | None) -> str:
    """Return what is asked for, wherever it was written; no message repeats it."""
    if path is not None:
        with guarded("the file cannot be read", "--patient-file"), path.open("rb") as file:
            text = file.read(_LONGEST).decode("utf-8", "replace")
    else:
        text = sys.stdin.read(_LONGEST) if given == STDIN else given or ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1 or not lines[0].isprintable():
        raise UsageError("one line is wanted", "what to trace", "a number or a UID, nothing else")
    return lines[0]


def _spellings(job: Job, number: str, issuer: str) -> Iterator[str]:
    """Yield a local number as it is given, and as headers write it."""
    if issuer not in job.local_issuers:
        raise UsageError("no archive has this issuer", "--issuer", "as local_issuer in the job")
    yield number
    for rule in job.crosswalk_settings().spelling if job.crosswalk else ():
        if rule.issuer == issuer and rule.spell(number) != number:
            yield rule.spell(number)


def _lines(report: trace_stage.TraceReport) -> Iterator[str]:
    if not report.events:
        yield "nothing was ever written down of that"
    for study in ("", *report.studies):
        events = [one for one in report.events if one.study == study]
        if events:
            yield f"study {study}" if study else "the patient"
            yield from (f"  {_line(one)}" for one in events)


def _line(one: Traced) -> str:
    parts = [
        one.at or "now",
        f"{one.source}: {one.what}",
        one.result,
        f"{one.files} files" if one.files else "",
        f"archive {one.archive}" if one.archive else "",
        f"manifest {one.manifest}" if one.manifest else "",
        f"run {one.run}" if one.run else "",
        f"by {one.by}" if one.by else "",
        f"for {one.responsible}" if one.responsible else "",
        f"to {one.to}" if one.to else "",
    ]
    return ", ".join(filter(None, parts))


COMMANDS: tuple[Any, ...] = (trace,)
