"""The memory of a crawl: the peaks of the client and of its workers, measured in a fresh process.

`python -m bench.memory ROOT OUTPUT KEY WORKERS` prints both, in KiB, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil

from bench.clock import done


def peak(process: int) -> int:
    """Return the largest resident size that a process has had, in KiB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(s.split()[1]) for s in status.splitlines() if s.startswith("VmHWM")), 0)


def of_crawl(root: Path, output: Path, key_file: Path, workers: int) -> dict[str, float]:
    """Return the peaks of client and of its largest worker, in MiB, and the files of a crawl."""
    command = [sys.executable, "-m", "bench.memory", root, output, key_file, workers]
    found: dict[str, float] = json.loads(done(command))
    return found


def main() -> None:
    """Crawl, and print the peaks before the workers are sent away."""
    from bench import ours

    root, output, key_file, workers = sys.argv[1:]
    chosen = ours.options(Path(root), Path(output), Path(key_file))
    with ours.fleet(int(workers)) as mapper:
        files = ours.crawl(chosen, mapper)
        children = psutil.Process().children(recursive=True)
        largest = max((peak(child.pid) for child in children), default=0)
        client = peak(os.getpid())
    json.dump({"files": files, "client": client / 1024, "worker": largest / 1024}, sys.stdout)


if __name__ == "__main__":
    main()
