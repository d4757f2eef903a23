"""The benchmark of `match`: speed on a made inventory, and an export full of mistakes.

`python -m bench.matching` builds both, measures `match` in a process of its own on two cores, holds
every outcome against the truth, prints tables, and removes it all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import crowd, verdicts
from bench.clock import done, say
from bench.memory import peak
from bench.town import COLUMNS, NOORD, WIDTH, ZUID, Town, line, write_export
from remediation.model.crosswalk import SpellingRule
from remediation.model.evidence import ArchiveIssuers, IssuerPeriod, MatchRules
from remediation.model.running import utc_now
from remediation.model.secrets import Keys
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.tables.crosswalk import Crosswalk

_CORES = 2
_GOAL_SECONDS, _GOAL_MIB = 300, 2048
_HEADINGS = ("studies", "files", "findings", "rows", "rows read", "matched", "processor",
             "studies/s", "largest memory", "a million in 5 minutes, 2 GiB")  # fmt: skip
KEYS = Keys.from_hex("5a" * 32)
RULES = MatchRules(
    frozenset({"geverifieerd"}),
    archives={
        "noord": ArchiveIssuers(NOORD),
        "zuid": ArchiveIssuers(ZUID),
        "samen": ArchiveIssuers(periods=(IssuerPeriod(NOORD), IssuerPeriod(ZUID))),
    },
)


@dataclass(frozen=True, slots=True)
class Result:
    """One run of `match`: what it went over, its seconds, its largest memory, its outcomes."""

    studies: int
    instances: int
    findings: int
    rows: int
    crosswalk_seconds: float
    seconds: float
    cpu_seconds: float
    peak_mib: float
    outcomes: dict[str, int]
    reasons: dict[str, int]

    @property
    def met(self) -> bool:
        """Whether it was fast and small enough, the export included, for a million studies."""
        seconds = (self.seconds + self.crosswalk_seconds) * 1_000_000 / max(1, self.studies)
        return seconds < _GOAL_SECONDS and self.peak_mib < _GOAL_MIB


def crosswalk_of(export: Path) -> Crosswalk:
    """Read an export as a job does; its local numbers have lost their zeros."""
    spelling = tuple(SpellingRule(issuer, WIDTH) for issuer in (NOORD, ZUID))
    settings = CrosswalkSettings((export.absolute(),), COLUMNS, spelling=spelling)
    return Crosswalk.read(read_crosswalk(settings, utc_now()), spelling)


def measured(studies: int, rows: int, folder: Path) -> Result:
    """Build an inventory and an export, flag, match in a process of its own, and remove it."""
    output = folder / f"match-{studies}"
    try:
        start = time.monotonic()
        town = Town(rows)
        output.mkdir(parents=True)
        write_export(output / "epd.csv", (line(town.person(n)) for n in range(rows)))
        instances, findings = crowd.build(output, town, studies, KEYS)
        say(f"{instances:,} instances made in {time.monotonic() - start:.0f} s")
        done([sys.executable, "-m", "bench.matching", "--flag", output])
        say(f"flagged after {time.monotonic() - start:.0f} s")
        told = json.loads(done([sys.executable, "-m", "bench.matching", "--match", output]))
    finally:
        shutil.rmtree(output, ignore_errors=True)
    return Result(instances=instances, findings=findings, rows=rows, **told)


def flag(output: Path) -> None:
    """Run `flag` here: what `match` needs."""
    from remediation.stages import flag as stage

    stage.run(stage.FlagOptions(output, KEYS.key_id))


def match(output: Path) -> dict[str, object]:
    """Run `match` here, on two cores at most; return what it took."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    from remediation.stages import match as stage

    wall, cpu = time.monotonic(), time.process_time()
    crosswalk = crosswalk_of(output / "epd.csv")
    read = time.monotonic()
    report = stage.run(stage.MatchOptions(output, RULES, {}), crosswalk, KEYS)
    return {
        "studies": sum(report.outcomes.values()),
        "crosswalk_seconds": read - wall,
        "seconds": time.monotonic() - read,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": peak(os.getpid()) / 1024,
        "outcomes": report.outcomes,
        "reasons": report.reasons,
    }


def markdown(results: list[Result]) -> str:
    """Return what it took as a table."""
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---" * len(_HEADINGS) + "|"]
    lines += [
        f"| {one.studies:,} | {one.instances:,} | {one.findings:,} | {one.rows:,} "
        f"| {one.crosswalk_seconds:.1f} s | {one.seconds:.1f} s | {one.cpu_seconds:.1f} s "
        f"| {one.studies / one.seconds:,.0f} | {one.peak_mib:,.0f} MiB "
        f"| {'met' if one.met else 'not met'} |"
        for one in results
    ]
    machine = (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} afterwards"
    )
    return "\n".join([*lines, "", f"- machine: {machine}", ""])


def main() -> None:
    """Parse the command line, measure, judge, and write the tables."""
    parser = argparse.ArgumentParser(prog="bench.matching", description=__doc__)
    parser.add_argument("--studies", type=int, action="append", help="studies; repeatable")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the export")
    parser.add_argument("--people", type=int, default=1_000_000, help="people of the adversary")
    parser.add_argument("--only", choices=["speed", "truth"], help="this part")
    parser.add_argument("--folder", type=Path, help="where it is built, and removed afterwards")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--flag", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--match", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.flag:
        flag(said.flag)
        return
    if said.match:
        json.dump(match(said.match), sys.stdout)
        return
    told: dict[str, object] = {}
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        if said.only != "truth":
            sizes = said.studies or [1_000_000]
            results = [measured(studies, said.rows, Path(folder)) for studies in sizes]
            told["speed"] = [asdict(one) for one in results]
            sys.stdout.write("" if said.json else markdown(results) + "\n")
        if said.only != "speed":
            found = verdicts.judged(Town(said.people, seed=3), Path(folder), crosswalk_of, RULES)
            told["truth"] = asdict(found)
            sys.stdout.write("" if said.json else verdicts.markdown(found))
    sys.stdout.write(json.dumps(told, indent=2) if said.json else "")
    if told.get("truth") and found.wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
