"""The benchmark of `plan`: heads a second beside the crawl's files a second, in the same run.

`python -m bench.planning` crawls a made archive, says of every study who it is, plans all of it,
and does so again for four times the files. Crawl and plan take turns, round by round.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench import ours
from bench.archive import Made, build, linked
from bench.clock import Times, in_rounds, say, warm
from remediation.model.bsn import test_number
from remediation.model.crosswalk import Entry
from remediation.model.evidence import ArchiveIssuers
from remediation.model.placement import Placement
from remediation.model.tokens import bsn_token, patient_token
from remediation.stages import flag, plan
from remediation.store import datasets
from remediation.store.keys import load_key_file
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.schemas import IDENTITIES, STUDIES

ARCHIVE, ISSUER, PEOPLE = "bench", "ZKH-BENCH", 9000
SIZES, WORKERS = (1, 4), 2
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEAST = 0.5  # of the crawl's rate


@dataclass(slots=True)
class Work:
    """One archive, crawled and judged, with who each study is; what a plan of it counted."""

    made: Made
    output: Path
    key_file: Path
    counts: dict[str, int] = field(default_factory=dict)

    def crawl(self, mapper: Any = map) -> int:
        """Crawl it anew, elsewhere."""
        elsewhere = self.output.with_name(f"{self.output.name}-again")
        return ours.crawl(ours.options(self.made.root, elsewhere, self.key_file), mapper)

    def ready(self) -> None:
        """Crawl and judge it, and write identities: a study whose number is planted is that one's.

        The person check is not measured here: headers of samples name nobody.
        """
        ours.crawl(ours.options(self.made.root, self.output, self.key_file))
        keys = load_key_file(self.key_file)
        flag.run(flag.FlagOptions(self.output, keys.key_id))
        path = self.output / "studies.parquet"
        studies = datasets.read(path, STUDIES, keys.key_id, "remediation flag")
        who = [bsn_token(keys, test_number(n)) for n in range(PEOPLE)]
        rows = [
            {
                "archive": ARCHIVE,
                "StudyInstanceUID": uid,
                "outcome": "resolved",
                "reason": "",
                "bsn_token": who[_number(uid) % PEOPLE],
                "local_issuer": ISSUER,
                "local_token": patient_token(keys, f"ZH{_number(uid):08d}"),
                "warnings": [],
            }
            for uid in studies["StudyInstanceUID"].to_pylist()
            if not uid.startswith("unreadable")
        ]
        table = pa.Table.from_pylist(rows, schema=IDENTITIES)
        datasets.write(self.output / "identities.parquet", table, keys.key_id)

    def plan(self, mapper: Any = map) -> None:
        """Plan all of it, into a manifest that is new each time."""
        shutil.rmtree(self.output / "manifests", ignore_errors=True)
        keys = load_key_file(self.key_file)
        report = plan.run(self._options(), _crosswalk(), keys, mapper=mapper)
        told = {"heads": report.heads, "files": report.files, "refused": report.refused}
        self.counts = told | {"studies": report.studies}

    def _options(self) -> plan.PlanOptions:
        return plan.PlanOptions(
            output=self.output,
            key_file=self.key_file,
            job_file=self.output / "job.toml",
            job_name="bench",
            author="Anna Auteur",
            responsible="",
            placement=Placement(),
            roots={ARCHIVE: self.made.root},
            archives={ARCHIVE: ArchiveIssuers(ISSUER)},
            max_files=sys.maxsize,
            at=AT,
        )


def _number(uid: str) -> int:
    return int(uid[-10:])  # as the archive numbers its studies


def _crosswalk() -> Crosswalk:
    return Crosswalk.of(Entry(ISSUER, f"ZH{n:08d}", test_number(n)) for n in range(PEOPLE))


@dataclass(frozen=True, slots=True)
class Result:
    """One size and number of workers: files, heads, and seconds round by round."""

    size: int
    workers: int
    files: int
    counts: dict[str, int]
    times: Times

    @property
    def crawl_rate(self) -> float:
        """Files a second."""
        return self.files / self.times.typical("crawl")

    @property
    def plan_rate(self) -> float:
        """Heads a second, choosing and writing the manifest included."""
        return self.counts["heads"] / self.times.typical("plan")


def measured(work: Work, size: int, rounds: int, workers: int, mapper: Any) -> Result:
    """Let crawl and plan take turns."""
    variants: dict[str, Callable[[], object]] = {
        "crawl": lambda: work.crawl(mapper),
        "plan": lambda: work.plan(mapper),
    }
    times = in_rounds(variants, rounds)
    return Result(size, workers, len(work.made.names), dict(work.counts), times)


def run(folder: Path, files: int, rounds: int, sizes: tuple[int, ...] = SIZES) -> list[Result]:
    """Measure every size with one process, and the smallest with two workers as well."""
    corpus = Path(__file__).parents[3] / "shared/corpus"
    made = build(folder, files, corpus=corpus if corpus.is_dir() else None)
    results = []
    with tempfile.TemporaryDirectory(dir=folder) as outputs:
        for size in sizes:
            one = linked(made, size)
            warm(f"{one.root}/{name}" for name in one.names)
            work = Work(one, Path(outputs) / f"x{size}", ours.key(folder))
            work.ready()
            say(f"{len(one.names):,} files, {size}x, one process")
            results.append(measured(work, size, rounds, 1, map))
        say(f"{WORKERS} workers")
        with ours.fleet(WORKERS) as mapper:
            work.plan(mapper)  # workers that are up, modules imported
            results.append(measured(work, sizes[-1], rounds, WORKERS, mapper))
    return results


def markdown(results: list[Result]) -> str:
    """Return the results as tables."""
    titles = ("files", "workers", "heads read", "to correct (refused studies)", "crawl, files/s")
    titles += ("plan, heads/s", "plan / crawl")
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for one in results:
        ratio = one.plan_rate / one.crawl_rate
        lines.append(
            f"| {one.files:,} ({one.size}x) | {one.workers} | {one.counts['heads']:,} "
            f"| {one.counts['files']:,} ({one.counts['refused']:,}) | {one.crawl_rate:,.0f} "
            f"| {one.plan_rate:,.0f} | {ratio:.2f} {'✓' if ratio >= LEAST else '✗'} |"
        )
    alone = {one.size: one for one in results if one.workers == 1}
    least, most = alone[min(alone)], alone[max(alone)]
    heads = most.counts["heads"] / least.counts["heads"]
    seconds = most.times.typical("plan") / least.times.typical("plan")
    machine = (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} afterwards"
    )
    rounds = len(least.times.seconds["plan"])
    said = (
        f"- linear: {heads:.1f} times the heads take {seconds:.1f} times the time, one process",
        f"- goal: at least {LEAST} of the crawl's rate; medians of {rounds} rounds",
        f"- machine: {machine}",
    )
    return "\n".join([*lines, "", *said, ""])


def main() -> None:
    """Parse the command line, measure, and write the tables."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="bench.planning", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files of the smaller archive")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=root / "out/bench", help="archives, kept")
    said = parser.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:  # the locks of the crawls
        os.environ["REMEDIATION_STATE_DIR"] = state
        started = time.monotonic()
        results = run(said.folder, said.files, said.rounds)
    sys.stdout.write(markdown(results))
    say(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
