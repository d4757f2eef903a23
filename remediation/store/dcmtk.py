"""DCMTK's dcmdump as one more second reader: another parser, another language, another process.

It is told heads in memory: no file of them is ever made. What it prints holds names and numbers;
it is compared here, line by line as it comes, and only the verdict leaves this module.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable

from remediation.model.placement import CLOSED_LIST

SECONDS = 20  # for one head
LINE_CAP, OUTPUT_CAP = 1 << 20, 256 << 20  # bytes of one line, and of all that it may print
# Long values whole, VR and length of each element; of strings every byte, no conversion.
_COMMAND = ("dcmdump", "-q", "+L", "+R", "4194302")
_TOP_LEVEL = re.compile(rb"\((?!fffe)([0-9a-f]{4},[0-9a-f]{4})\) ")
_LISTED = CLOSED_LIST | {tag & 0xFFFF0000 for tag in CLOSED_LIST}
_FREE = frozenset(f"{tag >> 16:04x},{tag & 0xFFFF:04x}".encode() for tag in _LISTED)


class _NoDumpError(Exception):
    """It cannot read a head, not in time, or has too much to say of it."""


def installed() -> bool:
    """Tell whether dcmdump is there, and can be told heads in memory."""
    return shutil.which(_COMMAND[0]) is not None and hasattr(os, "memfd_create")


def dcmdump_opinion(old: bytes, new: bytes) -> bool | None:
    """Tell whether dcmdump, too, sees only elements of the closed list differ.

    Returns:
        None where it cannot read the old head within its limits.
    """
    try:
        before = _dumped(old)
    except (_NoDumpError, OSError):
        return None
    try:
        return before == _dumped(new)
    except (_NoDumpError, OSError):
        return False


def _dumped(head: bytes) -> str:
    """Return a digest of what is said of all elements outside the closed list."""
    descriptor = os.memfd_create("head")
    try:
        left = memoryview(head)
        while left:
            left = left[os.write(descriptor, left) :]
        return _run(descriptor)
    finally:
        os.close(descriptor)


def _run(descriptor: int) -> str:
    process = subprocess.Popen(  # noqa: S603 - a fixed command on a descriptor of ours
        [*_COMMAND, f"/proc/self/fd/{descriptor}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        found = _digest(iter(lambda: process.stdout.readline(LINE_CAP), b""))  # type: ignore[union-attr]
        if process.wait():
            raise _NoDumpError
        return found
    finally:
        timer.cancel()
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _digest(lines: Iterable[bytes]) -> str:
    said, size, free, begins = hashlib.sha256(), 0, False, True
    for line in lines:
        size += len(line)
        if size > OUTPUT_CAP:
            raise _NoDumpError
        # What stands inside a sequence is indented, and goes with the element that holds it.
        if begins and (found := _TOP_LEVEL.match(line)):
            free = found[1] in _FREE
        begins = line.endswith(b"\n")
        if not free:
            said.update(line)
    return said.hexdigest()
