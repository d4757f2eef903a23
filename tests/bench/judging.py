"""The benchmark of `flag`: a made inventory judged in a process of its own, on two cores.

`python -m bench.judging` builds one of each size, judges it, prints a table and removes it all.
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

from bench import inventory
from bench.clock import done, say
from bench.memory import peak

_CORES = 2
_MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """One run of `flag`: what it judged, its wall and processor seconds, its largest memory."""

    instances: int
    findings: int
    studies: int
    mixed: int
    periods: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    disk_mib: float = 0


def measured(rows: int, folder: Path, months: int = inventory.MONTHS) -> Result:
    """Build an inventory of so many instances, judge it, and remove it."""
    output = folder / f"flag-{rows}"
    try:
        start = time.monotonic()
        instances, findings = inventory.build(output, rows, months)
        size = sum(path.stat().st_size for path in output.rglob("*.parquet"))
        say(f"{instances:,} instances made in {time.monotonic() - start:.0f} s")
        told = json.loads(done([sys.executable, "-m", "bench.judging", "--judge", output]))
    finally:
        shutil.rmtree(output, ignore_errors=True)
    return Result(instances=instances, findings=findings, disk_mib=size / _MEBI, **told)


def judge(output: Path) -> dict[str, float]:
    """Run `flag` here, on two cores at most; return what it took."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_CORES])
    from remediation.stages import flag

    wall, cpu = time.monotonic(), time.process_time()
    report = flag.run(flag.FlagOptions(output, inventory.KEY_ID))
    return {
        "studies": report.studies,
        "mixed": report.statuses.get("mixed", 0),
        "periods": report.periods,
        "seconds": time.monotonic() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mib": peak(os.getpid()) / 1024,
    }


def markdown(results: list[Result]) -> str:
    """Return the results as a table."""
    titles = ("instances", "findings", "studies (mixed)", "periods", "on disk", "wall")
    titles += ("processor", "instances/s", "peak memory")
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    lines += [
        f"| {one.instances:,} | {one.findings:,} | {one.studies:,} ({one.mixed:,}) "
        f"| {one.periods} | {one.disk_mib:,.0f} MiB | {one.seconds:.1f} s "
        f"| {one.cpu_seconds:.1f} s | {one.instances / one.seconds:,.0f} "
        f"| {one.peak_mib:,.0f} MiB |"
        for one in results
    ]
    machine = (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} afterwards"
    )
    return "\n".join([*lines, "", f"- machine: {machine}", ""])


def main() -> None:
    """Parse the command line, build, judge, and write the table."""
    parser = argparse.ArgumentParser(prog="bench.judging", description=__doc__)
    parser.add_argument("--rows", type=int, action="append", help="instances; repeatable")
    parser.add_argument("--months", type=int, default=inventory.MONTHS, help="of each archive")
    parser.add_argument("--folder", type=Path, help="where it is built, and removed afterwards")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.judge:
        json.dump(judge(said.judge), sys.stdout)
        return
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        sizes = said.rows or [1_000_000, 10_000_000]
        results = [measured(rows, Path(folder), said.months) for rows in sizes]
    text = json.dumps([asdict(one) for one in results], indent=2) if said.json else ""
    sys.stdout.write(text or markdown(results))


if __name__ == "__main__":
    main()
