"""`remediation demo`: the demo hospital built, the whole line run on it, held against the truth."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import pyarrow as pa

from remediation.app.config import load_job
from remediation.app.console import note
from remediation.app.demo.build import DemoPaths, build
from remediation.app.demo.canaries import artefacts, leaks
from remediation.app.demo.compare import Check, Truth
from remediation.app.fleet import fleet
from remediation.app.progress import progress
from remediation.app.wiring import Session
from remediation.errors import RemediationError
from remediation.stages import apply, approve, crawl, flag, match, plan, rollback, verify
from remediation.store import datasets
from remediation.store.locks import lock_root
from remediation.store.manifests import Stored, load
from remediation.store.verifications import AS_PROMISED
from remediation.tables.coverage import overall
from remediation.tables.schemas import CORRECTIONS, PERIODS, REFUSALS, STUDIES

_OUTPUTS = (
    *(
        "inventory",
        "state",
        "manifests",
        "journal",
        "verifications",
        "worklists",
        "report",
        "runs",
        "exports",
    ),
    *(f"{name}.parquet" for name in ("studies", "places", "coverage", "periods", "identities")),
)
_AUTHOR = "Demo Maker"
T = TypeVar("T")


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path("out/demo"),
    show_default=True,
    help="Where to make it; an earlier demo there is replaced.",
)
@click.option("--studies", type=int, default=2400, show_default=True, help="Studies to make.")
@click.option(
    "--seed", type=int, default=7, show_default=True, help="What everything is drawn from."
)
@click.option("--archive-only", is_flag=True, help="Make the archives, run nothing.")
def demo(out: Path, studies: int, seed: int, *, archive_only: bool) -> None:
    """Build a demo hospital and run the whole line on it.

    Two archives, ten years, an EPD export, keys and a job file, all fictitious; then crawl, flag,
    match, plan, approve, apply, verify, rollback of one period, and the report. Exits 0 when every
    result equals what was planted.
    """
    with _step("build the demo hospital"):
        _clear(out)
        paths = build(out, studies, seed, archive_only=archive_only)
    if archive_only:
        click.echo(f"archives: {paths.oost}, {paths.west}")
        return
    line = _Line(paths)
    checks = line.run()
    for text in (*line.summary(), *_verdict(checks)):
        click.echo(text)
    click.echo(f"\nThe report: {line.report}")
    if not all(check.right for check in checks):
        raise RemediationError(
            "the demo's results differ from what was planted", str(out / "truth"), "see above"
        )


def _clear(out: Path) -> None:
    """Take away what an earlier demo's stages made; `build` knows its own and guards the rest."""
    if (out / "archive" / ".demo").is_file():
        for name in _OUTPUTS:
            path = out / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def _step(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    note(f"  {what:<42}{time.monotonic() - begun:6.1f} s")


class _Line:
    """One walk along the whole line, with what people are told of it."""

    def __init__(self, paths: DemoPaths) -> None:
        self.paths = paths
        self.session = Session.open(load_job(paths.job))
        self.truth = Truth(paths.out, self.session.keys)
        self.report = Path()
        self.facts: dict[str, Any] = {}

    def run(self) -> list[Check]:
        session, truth = self.session, self.truth
        with _step("crawl: every header into the inventory"):
            self._crawl()
        with _step("flag: statuses, coverage, broken periods"):
            flag.run(session.flag_options())
        crosswalk = session.crosswalk()
        with _step("match: studies against the EPD export"):
            matched = match.run(session.match_options(), crosswalk, session.keys)
            session.worklists(crosswalk)
        with _step("plan: everything that can be corrected"):
            whole = self._plan()
        checks = [truth.statuses(), truth.periods(), truth.outcomes(whole), truth.planned(whole)]
        with _step("plan: one broken period"):
            one = self._plan(self._periods()[0]["period_id"])
        with _step("approve: two people, two keys"):
            self._approve(one)
        with _step("apply: in place, on the demo's files"):
            applied = self._told("apply", lambda advance: self._apply(one, advance))
        with _step("verify: read again, against the promise"):
            verified = verify.run(session.verify_options(), one, session.keys)
            checks += [truth.written(one), truth.untouched(one)]
        with _step("rollback: the old bytes back"):
            back = self._told("rollback", lambda advance: self._rollback(one, advance))
            checks += [truth.restored()]
        with _step("report"):
            self.report = session.report(None).html
        files = one.manifest.counts["files"]
        promised = verified.verdicts == {AS_PROMISED: files}
        right = (applied.complete, promised, back.complete)
        checks.append(Check("apply, verify, rollback complete", 3, 3 - sum(right)))
        planted = truth.planted()
        # The registration desk's list holds local numbers, by its purpose: it has its own test.
        made = [path for path in artefacts(self.paths.out) if path.parent.name != "worklists"]
        words = [*planted["family_names"], *planted["birth_dates"]]
        found = leaks(made, [*planted["numbers"], *planted["passing_local_numbers"]], words)
        checks.append(Check("artefacts without a planted number", len(made), len(found)))
        self.facts |= {"matched": matched, "whole": whole, "one": one, "applied": applied}
        return checks

    def _told(self, what: str, work: Callable[[Callable[[int], None]], T]) -> T:
        with progress(what, "files") as advance:
            return work(advance)

    def _crawl(self) -> None:
        with fleet(self.session.job.run.workers) as mapper:
            for archive in self.session.job.archives:
                options = self.session.crawl_options(archive.name)
                with (
                    lock_root(options.archive.root, "crawl", in_place=False),
                    progress(f"crawl {archive.name}", "files") as advance,
                ):
                    crawl.run(options, mapper=mapper, advance=advance)

    def _plan(self, *periods: str) -> Stored:
        session = self.session
        options = session.plan_options(periods=periods, author=_AUTHOR)
        made = plan.run(options, session.crosswalk(), session.keys)
        return load(made.folder, CORRECTIONS, REFUSALS)

    def _approve(self, manifest: Stored) -> None:
        job = self.session.job
        for name, key in zip(self.paths.approvers, self.paths.approver_keys, strict=True):
            options = approve.ApproveOptions(
                name,
                datetime.now(UTC),
                key,
                {one.name: one.public_key for one in job.approvers},
                job.apply.approvals,
            )
            approve.run(options, manifest)

    def _apply(self, manifest: Stored, advance: Callable[[int], None]) -> apply.ApplyReport:
        session = self.session
        options = session.apply_options(apply.IN_PLACE, manifest)
        return apply.run(options, manifest, session.crosswalk(), session.keys, advance=advance)

    def _rollback(self, manifest: Stored, advance: Callable[[int], None]) -> Any:
        options = self.session.rollback_options()
        return rollback.run(options, manifest, self.session.keys, advance=advance)

    def _periods(self) -> list[dict[str, Any]]:
        return list(self._table("periods", PERIODS).to_pylist())

    def _table(self, name: str, schema: pa.Schema) -> pa.Table:
        path = self.paths.out / f"{name}.parquet"
        return datasets.read(path, schema, self.session.keys.key_id, "demo")

    def summary(self) -> Iterator[str]:
        """Say in a few lines what a PACS administrator would want to know."""
        studies = self._table("studies", STUDIES)
        found = overall(studies)
        whole, one = self.facts["whole"].manifest.counts, self.facts["one"].manifest.counts
        outcomes = self.facts["matched"].outcomes
        yield f"\nDemo hospital: {found.studies:,} studies in two archives, 2007 to 2016."
        yield (
            f"The BSN is in the agreed place in {100 * (found.coverage or 0):.1f} % of the studies "
            f"(95 % interval {100 * found.low:.1f} to {100 * found.high:.1f}); the target is 95 %."
        )
        yield "Broken periods:"
        for row in self._periods():
            event = row["event"] or "no listed event near"
            yield (
                f"  {row['start']} to {row['end']}  {row['source']:<16} "
                f"{row['studies']:>3} studies, {100 * row['coverage']:.0f} % right, "
                f"mostly {row['dominant_status']}: {event}"
            )
        yield (
            f"By the EPD export {whole['studies']:,} studies ({whole['files']:,} files) can be "
            f"corrected; {whole['refused']:,} need a person, "
            f"{outcomes.get('exempt', 0)} of them are exempt."
        )
        yield (
            f"As a trial the first period was corrected in place ({one['files']:,} files), "
            "verified, and rolled back to the old bytes."
        )


def _verdict(checks: list[Check]) -> Iterator[str]:
    yield "\nHeld against what was planted:"
    for check in checks:
        word = "right" if check.right else f"{check.different:,} WRONG"
        yield f"  {check.what:<36}{check.compared:>7,}  {word}"
