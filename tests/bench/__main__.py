"""The benchmark: all of it or one part, as a table in Markdown on stdout.

Times depend on the machine and are there to be seen; the ratios are the result. Run it where
nothing else runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import crawling, reading, share, storing
from bench.peers import lenient_pydicom, peers
from bench.setting import Setting
from bench.table import Row, as_json, markdown

PARTS: dict[str, Callable[[Setting], list[Row]]] = {
    "warm": reading.warm_rows,
    "cold": reading.cold_rows,
    "saw": reading.saw_rows,
    "share": share.rows,
    "whole": crawling.whole_rows,
    "scale": crawling.scale_rows,
    "memory": crawling.memory_rows,
    "unchanged": crawling.unchanged_rows,
    "walk": storing.walk_rows,
    "parquet": storing.parquet_rows,
}


def run(setting: Setting, only: tuple[str, ...] = ()) -> tuple[list[Row], dict[str, Any]]:
    """Run the parts (all of them by default); return their rows, and what they were run on."""
    setting.folder.mkdir(parents=True, exist_ok=True)
    before, start = os.getloadavg()[0], time.monotonic()
    rows: list[Row] = []
    try:
        for name in only or PARTS:
            rows += PARTS[name](setting)
    finally:
        crawling.outputs_gone(setting)
    return rows, _facts(setting, before, time.monotonic() - start)


def _facts(setting: Setting, load: float, seconds: float) -> dict[str, Any]:
    made = setting.archive().facts
    there = [f"{peer.name} {peer.version or peer.lacks}" for peer in peers()]
    return {
        "archive": f"{made['files']:,} files of {made['kinds']} kinds of header in "
        f"{made['studies']:,} studies, {made['bytes'] / 1e6:,.0f} MB; head {made['mean_head']:,} "
        f"bytes on average, quartiles {', '.join(f'{size:,}' for size in made['quartiles'])}; "
        f"{made['kinds_of_corpus']} kinds from the corpus beside the checkout, the others from "
        f"pydicom; {len(made['left_out'])} samples left out (alike, deflated, or not readable)",
        "rounds": f"{setting.rounds}; results are medians, with their range",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load {load:.1f} before",
        "peers": "; ".join(there),
        "took": f"{seconds / 60:.0f} minutes",
    }


def main() -> None:
    """Parse the command line, run, and write the table."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000, help="files of the archive")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; repeatable")
    parser.add_argument("--write", type=Path, help="write Markdown here too, and JSON beside it")
    parser.add_argument(
        "--gentle", action="store_true", help="drop no caches but those of the archive's files"
    )
    parser.add_argument("--folder", type=Path, default=root / "out/bench", help="archives, kept")
    said = parser.parse_args()
    corpus = root.parent / "shared/corpus"
    setting = Setting(
        said.folder, said.files, said.rounds, said.gentle, corpus if corpus.is_dir() else None
    )
    lenient_pydicom()
    with tempfile.TemporaryDirectory() as state:  # the locks of the crawls
        os.environ["REMEDIATION_STATE_DIR"] = state
        rows, facts = run(setting, tuple(said.only or ()))
    text = markdown(rows, facts)
    sys.stdout.write(text)
    if said.write:
        said.write.write_text(text)
        said.write.with_suffix(".json").write_text(as_json(rows, facts))


if __name__ == "__main__":
    main()
