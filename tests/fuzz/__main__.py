"""Run the fuzzer for some seconds; inputs that are worth keeping stay in out/fuzz between runs.

What breaks is written there as `crash-...` (or `timeout-...`), and the exit code is not 0.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from fuzz.seeds import LARGEST, seeds


def main() -> int:
    """Write the seeds, run the target over them, return its exit code."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=60)
    parser.add_argument("--folder", type=Path, default=root / "out/fuzz")
    said = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed: `make fuzz` installs it\n")
        return 1
    kept = said.folder / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (kept / name).write_bytes(data)
    options = {
        "max_total_time": said.seconds,
        "max_len": LARGEST,
        "timeout": 10,
        "rss_limit_mb": 2048,
        "artifact_prefix": f"{said.folder}/",
        "print_final_stats": 1,
    }
    command = [sys.executable, "-m", "fuzz.target", str(kept)]
    command += [f"-{name}={value}" for name, value in options.items()]
    path = os.pathsep.join(filter(None, (str(root / "tests"), os.environ.get("PYTHONPATH"))))
    return subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": path}).returncode


if __name__ == "__main__":
    sys.exit(main())
