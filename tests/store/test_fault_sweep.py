"""A fault at a system call of apply, rollback or recovery: then all files are old, or all new.

strace makes one call fail, or kills the process at it; then recovery runs, and the archive must
hold every file of the study bit for bit, all of one kind, and nothing else. A sample by default,
drawn anew each day; `REMEDIATION_FAULTS=all` tries every call with every fault, and 6,000 pairs of
faults; a number draws that many of each. The seed is printed; `REMEDIATION_FAULTS_SEED` sets it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store.byte_study import (
    KEYS,
    MTIME,
    byte_study,
    lay_down,
    names,
    orphans,
    roots,
    standing,
)
from store.fault_script import ARCHIVE, JOURNAL, MARK, STEPS

from remediation.errors import RemediationError
from remediation.store.journal import journals
from remediation.store.recovery import State, recover

SCRIPT = Path(__file__).with_name("fault_script.py")
STUDY_FILES = byte_study()
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
WANTED = os.environ.get("REMEDIATION_FAULTS", "")
SEED = os.environ.get("REMEDIATION_FAULTS_SEED", "") or f"{datetime.now(UTC):%Y%j}"
ERRORS = ("EIO", "ENOSPC", "EACCES", "ESTALE", "EDQUOT", "EINTR")
MEMORY = {"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "getrandom", "futex"}
NO_ERROR = MEMORY | {"rt_sigaction", "rt_sigprocmask", "getpid", "gettid", "exit_group"}
# These say "done" and do nothing: a lying share, which reading back must find out.
LIES = {"write": "1", "copy_file_range": "1", "fsync": "0", "renameat": "0", "unlinkat": "0"}


def _strace_works() -> bool:
    if not shutil.which("strace"):
        return False
    probe = ["strace", "-f", "--seccomp-bpf", "-e", "trace=access", "-o", os.devnull, "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not _strace_works(), reason="FAULTS NOT TRIED: strace is missing, or may not trace here"
)


@dataclass(frozen=True)
class Fault:
    """The `number`-th call of this name in the traced process fails, lies, or kills it."""

    step: str
    call: str
    number: int
    how: str

    @property
    def inject(self) -> str:
        return f"inject={self.call}:{self.how}:when={self.number}"


@dataclass(frozen=True)
class Run:
    code: int
    said: str
    trouble: str
    landed: bool


def run(work: Path, step: str, fault: Fault | None, log: Path) -> Run:
    """Run one step of the script under strace, with or without a fault."""
    # Without a fault every call is logged; with one, only its own and the marks: that is faster.
    trace = ["-e", f"trace={fault.call},access,faccessat2"] if fault else []
    inject = ["-e", fault.inject] if fault else []
    command = [sys.executable, "-B", str(SCRIPT), str(work), step]
    # Much faster, but strace 6.1 then injects errors only and forgets signals.
    fast = [] if fault and "signal" in fault.how else ["--seccomp-bpf"]
    strace = ["strace", "-f", *fast, *trace, *inject, "-o", str(log)]
    done = subprocess.run(
        [*strace, *command], capture_output=True, check=False, timeout=60, env=ENVIRONMENT
    )
    between = log.read_text(errors="replace").split(MARK)
    landed = len(between) > 1 and ("(INJECTED)" in between[1] or "+++ killed" in between[1])
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode(), landed)


def calls(log: Path) -> Iterator[tuple[str, int]]:
    """Yield (call, its number in the process) of every call between the marks."""
    counts: Counter[str] = Counter()
    inside = False
    for line in log.read_text(errors="replace").splitlines():
        if MARK in line:
            inside = not inside
        if found := re.match(r"\d+\s+(\w+)\(", line):
            counts[found[1]] += 1
            if inside and MARK not in line:
                yield found[1], counts[found[1]]


def prepare(work: Path, step: str, template: Path) -> None:
    """Lay the study down as this step finds it: untouched, applied, or interrupted."""
    shutil.copytree(template / step, work)
    for path in (work / ARCHIVE).rglob("IM*"):  # copytree keeps times, unless a link was copied
        os.utime(path, ns=(MTIME, MTIME))


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("template")
    lay_down(base / "apply" / ARCHIVE, STUDY_FILES)
    (base / "apply" / JOURNAL).mkdir()
    shutil.copytree(base / "apply", base / "rollback")
    assert run(base / "rollback", "apply", None, base / "log").code == 0
    return base


@pytest.fixture(scope="module")
def faults(template, tmp_path_factory) -> list[Fault]:
    base = tmp_path_factory.mktemp("baseline")
    found = []
    for step in ("apply", "rollback"):
        prepare(base / step, step, template)
        run(base / step, step, None, base / "log")
        for call, number in calls(base / "log"):
            found += [Fault(step, call, number, how) for how in _ways(call)]
    return found


def _ways(call: str) -> list[str]:
    ways = ["signal=KILL"]
    if call not in NO_ERROR:
        ways += [f"error={name}" for name in ERRORS]
    if call in LIES:
        ways.append(f"retval={LIES[call]}")
    return ways


def sample(found: list, default: int, salt: str, most: int | None = None) -> list:
    count = int(WANTED) if WANTED.isdigit() else default
    if WANTED == "all":
        count = most or len(found)
    return random.Random(f"{SEED}-{salt}").sample(found, min(len(found), count))


def judge(work: Path, fault: str, said: list[Run]) -> str:
    """Recover, and say what is wrong; empty: nothing."""
    archive = work / ARCHIVE
    for one in said:
        if one.code not in {0, -9} or "Traceback" in one.trouble:
            return f"{fault}: nobody foresaw this: {one.trouble[-600:]}"
    try:
        settled = recover(roots(archive), journals(work / JOURNAL), KEYS)
    except RemediationError as error:
        return f"{fault}: {error}; {standing(archive, STUDY_FILES)} {orphans(archive)}"
    again = recover(roots(archive), journals(work / JOURNAL), KEYS)
    stand = standing(archive, STUDY_FILES)
    wrong = [
        any(one.state not in {State.OLD, State.NEW} for one in settled),
        bool(again),
        stand not in (["old"] * 3, ["new"] * 3),
        bool(orphans(archive)),
        names(archive) != sorted(file.relative for file in STUDY_FILES),
        any((archive / file.relative).stat().st_mtime_ns != MTIME for file in STUDY_FILES),
        any((archive / file.relative).stat().st_mode & 0o777 != 0o640 for file in STUDY_FILES),
        said[-1].said.startswith("applied applied applied halt=\n") and "new" not in stand,
        said[-1].said.startswith("rolled-back rolled-back rolled-back halt=\n")
        and "old" not in stand,
    ]
    if not any(wrong):
        return ""
    return f"{fault}: {wrong} {settled} {stand} {orphans(archive)} {said[-1].said}"


def sweep(cases: list, attempt) -> tuple[int, list[str]]:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        told = list(pool.map(attempt, range(len(cases)), cases))
    landed = sum(one is not None for one in told)
    print(f"{landed} of {len(cases)} faults landed; REMEDIATION_FAULTS_SEED={SEED}")  # noqa: T201
    return landed, [one for one in told if one]


def test_after_any_single_fault_the_study_is_old_or_new_as_a_whole(faults, template, tmp_path):
    def attempt(number: int, fault: Fault) -> str | None:
        work = tmp_path / str(number)
        prepare(work, fault.step, template)
        done = run(work, fault.step, fault, tmp_path / f"{number}.log")
        wrong = judge(work, str(fault), [done])
        shutil.rmtree(work)
        return wrong if done.landed else wrong or None

    cases = sample(faults, 120, "single")
    landed, wrong = sweep(cases, attempt)
    assert wrong == []
    assert landed >= 0.9 * len(cases)


def test_recovery_itself_can_be_disturbed_and_comes_to_the_same_end(faults, template, tmp_path):
    # Killed on the way forward, so that there is something to recover; then anything may happen.
    moments = {"linkat", "renameat", "fsync", "unlinkat", "utimensat"}
    kills = [f for f in faults if f.how == "signal=KILL" and f.call in moments]
    kills = sample(kills, 10, "kills")
    pairs: list[tuple[Fault, Fault]] = []
    for number, kill in enumerate(kills):
        work = tmp_path / f"kill-{number}"
        prepare(work, kill.step, template)
        run(work, kill.step, kill, tmp_path / "log")
        run(work, "recover", None, tmp_path / "log")
        ways = [(call, n, how) for call, n in calls(tmp_path / "log") for how in _ways(call)]
        pairs += [(kill, Fault("recover", *way)) for way in ways]
        shutil.rmtree(work)

    def attempt(number: int, pair: tuple[Fault, Fault]) -> str | None:
        first, second = pair
        work, log = tmp_path / str(number), tmp_path / f"{number}.log"
        prepare(work, first.step, template)
        said = [run(work, first.step, first, log), run(work, "recover", second, log)]
        wrong = judge(work, str(pair), said)
        shutil.rmtree(work)
        return wrong if said[1].landed else wrong or None

    cases = sample(pairs, 40, "compound", most=6000)
    landed, wrong = sweep(cases, attempt)
    assert wrong == []
    assert landed >= 0.9 * len(cases)


def test_the_sweep_reaches_every_step_of_the_protocol(faults):
    reached = {fault.call for fault in faults if fault.step == "apply"}
    assert {"openat", "write", "copy_file_range", "fsync", "fchmod", "utimensat"} <= reached
    assert {"fadvise64", "linkat", "renameat", "unlinkat", "close", "pread64"} <= reached
    assert set(STEPS) == {"apply", "rollback", "recover"}
