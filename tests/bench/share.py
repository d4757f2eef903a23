"""A share as a model: each open and each read of a file takes a millisecond more.

`modelled` replaces functions of the os module, so whatever reads by them is slowed, whoever it is;
what opens a file for writing is not, nor what is read by C code (GDCM, DCMTK).
"""

from __future__ import annotations

import builtins
import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench import ours, plain
from bench.clock import in_rounds, say
from bench.peers import lenient_pydicom, pydicom_iterall
from bench.setting import Setting
from bench.table import Row, compared, least

DELAY = 0.001  # seconds
SECTION = "A share of 1 ms for each open and each read, two processes, eight readers in all"
PROCESSES, READERS = 2, 8
_READS = ("pread", "preadv", "read", "readv")
_calls: list[None] = []  # one for each slow call of this process; appending is atomic


def modelled(delay: float = DELAY) -> None:
    """Slow this process's opening and reading of files, from now on; count the calls."""
    lenient_pydicom()
    for name in ("open", *_READS):
        setattr(os, name, _slowed(getattr(os, name), delay))
    builtins.open = io.open = _slow_file(builtins.open, delay)


def _slowed(real: Callable[..., Any], delay: float) -> Callable[..., Any]:
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def call(first: Any, *args: Any, **named: Any) -> Any:
        flags = args[0] if args else named.get("flags", 0)
        if not (real.__name__ == "open" and flags & writing):
            _calls.append(None)
            time.sleep(delay)
        return real(first, *args, **named)

    return call


def _slow_file(real: Callable[..., Any], delay: float) -> Callable[..., Any]:
    def call(file: Any, mode: str = "r", *args: Any, **named: Any) -> Any:
        if "r" in mode and not isinstance(file, int):
            _calls.extend((None, None))
            time.sleep(2 * delay)  # the opening, and its first read
        return real(file, mode, *args, **named)

    return call


def _task(work: str, root: str, names: Sequence[str], readers: int) -> int:
    """Do one variant's work on its part of the files; runs in a worker, returns its slow calls."""
    before = len(_calls)
    if work == "ours":
        ours.full(Path(root), names, readers)
    else:
        read = {"limit": plain.limit, "pydicom": lambda paths: pydicom_iterall(paths[0])}[work]
        with ThreadPoolExecutor(readers) as pool:
            list(pool.map(lambda name: read([f"{root}/{name}"]), names))
    return len(_calls) - before


def rows(setting: Setting) -> list[Row]:
    """Return how much of the reading limit is reached."""
    say("share: two processes, eight readers")
    made, _, positions = setting.sample(2000)
    names = [made.names[p] for p in positions]
    few = names[: max(PROCESSES, len(names) // 8)]
    counted: dict[str, int] = {}
    with ProcessPoolExecutor(
        PROCESSES, mp_context=get_context("spawn"), initializer=modelled
    ) as pool:

        def variant(work: str, files: Sequence[str]) -> Callable[[], None]:
            parts = [files[number::PROCESSES] for number in range(PROCESSES)]

            def run() -> None:
                futures = [
                    pool.submit(_task, work, str(made.root), part, READERS // PROCESSES)
                    for part in parts
                ]
                counted[work] = sum(future.result() for future in futures)

            return run

        for work in ("limit", "ours", "pydicom"):  # processes that are up, modules imported
            variant(work, names[:PROCESSES])()
        fast = in_rounds({w: variant(w, names) for w in ("limit", "ours")}, setting.rounds)
        slow = in_rounds({w: variant(w, few) for w in ("limit", "pydicom")}, 1)
        variant("ours", names)()
    each = counted["ours"] / len(names)
    return [
        compared(
            SECTION,
            "full search, share of the reading limit",
            fast,
            ("ours", "limit"),
            files=len(names),
            goal=least(85),
            note=f"{each:.2f} slow calls a file, the limit 2",
            percent=True,
        ),
        compared(
            SECTION,
            "pydicom iterall, share of the reading limit",
            slow,
            ("pydicom", "limit"),
            files=len(few),
            percent=True,
        ),
    ]
