"""The benchmark of truth: broken periods beside ruptures and a threshold, and calibration.

Writes Markdown on stdout. Settings of the peers are those that `--tune` gave.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.periods import calibration, tuning
from bench.periods.found import Method
from bench.periods.histories import SEEDS, History, histories
from bench.periods.ours import ours
from bench.periods.peers import (
    Ruptures,
    Threshold,
    by_ruptures,
    by_threshold,
    ruptures_version,
)
from bench.periods.report import OURS, lines, markdown, missed
from bench.periods.score import Result, matched

# As `--tune` gave them. Ruptures' own costs by month and by week, and one that weighs months by
# their studies, which is written here for it.
RUPTURES = {
    "ruptures": Ruptures("l2", "month", min_size=4, penalty=3, drop=0.09),
    "ruptures, weeks": Ruptures("l2", "week", min_size=12, penalty=8, drop=0.11),
    "ruptures, weighted": Ruptures("weighted", "month", min_size=3, penalty=2, drop=0.09),
}
THRESHOLD = Threshold("relative", 0.11, months=3)
NAMES = (OURS, *RUPTURES, "threshold")
PARTS = ("periods", "calibration")


def methods() -> dict[str, Method]:
    """Return what is compared, by name; ruptures only where it is installed."""
    found: dict[str, Method] = {OURS: ours}
    if ruptures_version():
        found |= {name: by_ruptures(settings) for name, settings in RUPTURES.items()}
    return found | {NAMES[-1]: by_threshold(THRESHOLD)}


def run(all_: Sequence[History]) -> tuple[dict[str, list[Result]], dict[str, float]]:
    """Return each method's results on the same histories, and its seconds."""
    results: dict[str, list[Result]] = {}
    seconds: dict[str, float] = {}
    for name, method in methods().items():
        start = time.perf_counter()
        results[name] = [matched(history, method(history)) for history in all_]
        seconds[name] = time.perf_counter() - start
    return results, seconds


def periods(all_: Sequence[History], *, tell: bool = False) -> list[str]:
    """Run the methods; return Markdown, with everything that ours got wrong if `tell`."""
    results, seconds = run(all_)
    stretches = sum(len(history.stretches) for history in all_)
    flat = sum(not history.stretches for history in all_)
    text = [
        "## Periods",
        "",
        f"- histories: {len(all_) - flat} with {stretches} planted stretches, {flat} flat",
        f"- ruptures {ruptures_version() or 'is not installed'}",
        *(f"- {name}: {settings}" for name, settings in RUPTURES.items()),
        f"- threshold: {THRESHOLD}",
        "- seconds: " + ", ".join(f"{name} {took:.0f}" for name, took in seconds.items()),
        *markdown(list(lines(results)), NAMES),
    ]
    return [*text, "", "### Missed", "", *missed(results[OURS])] if tell else text


def tune(all_: Sequence[History]) -> list[str]:
    """Return the best settings of both peers with their scores (F1 less false alarms; days off)."""
    ranked = tuning.ruptures(all_)
    every = [
        ("ruptures", [one for one in ranked if one[1].model != "weighted"]),
        ("ruptures, weeks", [one for one in ranked if one[1].bins == "week"]),
        ("ruptures, weighted", [one for one in ranked if one[1].model == "weighted"]),
        ("threshold", tuning.threshold(all_)),
    ]
    return [
        f"{name}: {score[0]:.4f}, {-score[1]:.2f} days: {settings}"
        for name, best in every
        for score, settings in best[:5]
    ]


def main() -> None:
    """Parse the command line, run, and write."""
    parser = argparse.ArgumentParser(prog="bench.periods", description=__doc__)
    parser.add_argument("--seeds", default="report", help="tune | report | a number")
    parser.add_argument("--histories", type=int, default=400, help="with something planted")
    parser.add_argument("--flat", type=int, default=200, help="with nothing planted")
    parser.add_argument("--trials", type=int, default=calibration.TRIALS, help="of each field")
    parser.add_argument("--only", choices=PARTS, help="this part")
    parser.add_argument("--tune", action="store_true", help="find the peers' settings (minutes)")
    parser.add_argument("--missed", action="store_true", help="list what ours got wrong")
    parser.add_argument("--write", type=Path, help="write it here too")
    said = parser.parse_args()
    seeds = SEEDS["tune"] if said.tune else SEEDS.get(said.seeds) or int(said.seeds)
    text: list[str] = []
    if said.only != "calibration":
        all_ = histories(seeds, said.histories, said.flat)
        text += tune(all_) if said.tune else periods(all_, tell=said.missed)
    if said.only != "periods" and not said.tune:
        text += ["", "## Calibration", "", *calibration.table(said.trials, seeds)]
    whole = "\n".join(text) + "\n"
    sys.stdout.write(whole)
    if said.write:
        said.write.write_text(whole)


if __name__ == "__main__":
    main()
