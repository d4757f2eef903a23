"""The command `export`: what a PACS vendor needs, encrypted to a named recipient."""

from __future__ import annotations

import getpass
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from remediation.app.console import JSON, counts, emit, note
from remediation.app.named import JOB_OPTION, MANIFEST, job_of, stored
from remediation.app.progress import progress
from remediation.app.records import recorded
from remediation.app.wiring import Session
from remediation.errors import PartlyDone
from remediation.stages import export as export_stage
from remediation.store.manifests import Stored
from remediation.tables.orders import OrderRules


@click.command()
@MANIFEST
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.age",
    help="The encrypted file; it must not exist.",
)
@click.option(
    "--recipient",
    required=True,
    metavar="KEY",
    help="Public key of who may open it: age1..., ssh-ed25519 ... or ssh-rsa ...",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(export_stage.FORMATS)),
    default="csv",
    show_default=True,
    help="A table, a script for DCMTK, or HL7 v2.5 messages.",
)
@click.option("--by", metavar="NAME", help="Who hands it over; your user name by default.")
@JOB_OPTION
@JSON
def export(
    *,
    manifest: Path,
    to: Path,
    recipient: str,
    form: str,
    by: str | None,
    job: Path | None,
    as_json: bool,
) -> None:
    """Hand an approved MANIFEST over, encrypted.

    The file holds plain numbers, for one recipient; nothing plain is written. A record of who gave
    what to whom stays in the job's exports folder.
    """
    found = stored(manifest)
    session = Session.open(job_of(manifest, job))
    about = {"manifest": found.manifest.manifest_id, "format": form}
    with recorded(session.job, "export", keys=session.keys, by=by or "", about=about) as record:
        options = _options(session, found, to=to, recipient=recipient, form=form, by=by)
        rules = replace(options.rules, run_id=record.run_id)
        options = replace(options, rules=rules, seen=record.seen(session.keys))
        record |= {"export": record.run_id, "digest": found.manifest.digest}
        with progress("export", "files") as advance:
            report = export_stage.run(
                options, found, session.crosswalk(), session.keys, advance=advance
            )
        record |= {
            "recipient": report.recipient,
            "format": form,
            "studies": report.studies,
            "files": report.files,
            "left_out": report.left_out,
        }
        lines = [
            f"{report.studies:,} studies ({report.files:,} files) for {report.recipient}",
            *counts("studies left out, by reason:", report.left_out),
            f"record: {report.record}",
            str(report.to),
        ]
        emit(report, lines, as_json=as_json)
        if report.corrected and form == "dcmodify":
            note(f"{report.corrected:,} files are corrected already: the script leaves them alone")
        if report.left_out:
            raise PartlyDone(
                "some studies were left out", str(manifest), "see the reasons; plan again for them"
            )


def _options(
    session: Session, found: Stored, *, to: Path, recipient: str, form: str, by: str | None
) -> export_stage.ExportOptions:
    """Return the options of `export`: the conditions are those of apply."""
    same = session.apply_options("export", found)
    return export_stage.ExportOptions(
        output=session.output,
        to=to,
        recipient=recipient,
        form=form,
        by=by or same.person,
        person=getpass.getuser(),
        client=platform.node(),
        version=version("remediation"),
        roots=same.roots,
        conditions=same.conditions,
        rules=OrderRules(same.rules, same.run_id, same.now, same.bsn_rules),
    )


COMMANDS: tuple[Any, ...] = (export,)
