"""Reading ahead: the first bytes of many files, by threads where a share is slow to answer.

A share that answers in a millisecond is waited for by many readers at once; on a warm cache threads
only cost. So the first files are read one by one, and timed. Nothing here writes.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from remediation.dicom.header import quick_scan
from remediation.model.files import FileRef
from remediation.store.archive import FIRST_READ, Scan, Seen, look, not_opened
from remediation.store.files import (
    IoError,
    NotRegular,
    close_read,
    guarded,
    open_beneath,
    open_once,
    read_at,
)

SLOW = 0.000_15  # seconds a file, the median of some: from here on threads pay
_COPY = 0.7e-9  # seconds a byte, of bytes that are in memory
_TRIED = 7  # files that are timed together
_WAITING = 16  # files that are open and not yet looked at
_LONGEST = 1 << 20  # bytes read at once
_SWITCH = 0.000_2  # seconds; a reader whose bytes have come must not wait for the one that parses


@dataclass(frozen=True, slots=True)
class Begun:
    """An open file with its first bytes; whoever takes it closes `descriptor`."""

    descriptor: int
    ref: FileRef
    data: bytes
    seen: Seen | None = None  # where the reader has looked already

    def read(self, offset: int, length: int) -> bytes:
        """Read on."""
        return read_at(self.descriptor, offset, length)

    def close(self) -> None:
        """Close the file."""
        close_read(self.descriptor)


@dataclass(slots=True)
class Ahead:
    """Reads files of one archive root with up to `readers` threads; `pace` is asked before each.

    `first` is how many bytes are read at once: as many as the head of the file before had, for
    those of one series are alike. `to_the_end` follows encapsulated Pixel Data through the file.
    """

    root: Path
    readers: int
    pace: Callable[[], None] = lambda: None
    first: int = FIRST_READ
    scan: Scan = quick_scan
    to_the_end: bool = False

    def read(self, paths: Sequence[str]) -> Iterator[tuple[int, Begun | Seen]]:
        """Yield for each path its index and what was read, or what stood in the way."""
        base = os.fsencode(os.path.realpath(self.root)).rstrip(b"/") + b"/"
        with _folder(self.root) as folder:
            done = 0
            while done < len(paths):
                took: list[float] = []
                for index in range(done, min(done + _TRIED, len(paths))):
                    before = time.perf_counter()
                    one = self._begin(folder, base, paths[index])
                    read = len(one.data) if isinstance(one, Begun) else 0
                    took.append(time.perf_counter() - before - read * _COPY)
                    yield index, one
                done += _TRIED
                if self.readers > 1 and statistics.median(took) > SLOW:
                    break
            if done < len(paths):
                yield from self._spread(folder, base, paths, done)

    def look(self, begun: Begun) -> Seen:
        """Judge a file, and learn from it how much of the next ones to read."""
        if begun.seen:
            return begun.seen
        try:
            seen = look(
                begun.ref, begun.data, begun.read, to_the_end=self.to_the_end, scan=self.scan
            )
        except IoError:
            return Seen(begun.ref, "unreadable", "unreadable")
        length = seen.head.length if seen.head else 0
        self.first = FIRST_READ if length < FIRST_READ else min(length + length // 8, _LONGEST)
        return seen

    def _begin(self, folder: int, base: bytes, path: str) -> Begun | Seen:
        self.pace()
        try:
            opened = open_once(folder, base, path)
            descriptor, status = opened or _stated(open_beneath(self.root, path))
        except (NotRegular, IoError) as error:
            return not_opened(FileRef(path, 0, 0), error)
        try:
            data = read_at(descriptor, 0, min(self.first, status.st_size))
        except IoError:
            close_read(descriptor)
            return Seen(FileRef(path, 0, 0), "unreadable", "unreadable")
        return Begun(descriptor, FileRef(path, status.st_size, status.st_mtime_ns), data)

    def _begun(self, folder: int, base: bytes, path: str) -> Begun | Seen:
        """Begin and look as well: a long head is read on here, and nobody waits for it."""
        one = self._begin(folder, base, path)
        if isinstance(one, Seen):
            return one
        try:
            return replace(one, seen=self.look(one))
        except BaseException:
            one.close()
            raise

    def _spread(
        self, folder: int, base: bytes, paths: Sequence[str], start: int
    ) -> Iterator[tuple[int, Begun | Seen]]:
        """Read the rest by threads; what comes first is yielded first."""
        came: SimpleQueue[tuple[int, Begun | Seen | BaseException]] = SimpleQueue()
        room, indices = threading.Semaphore(_WAITING), iter(range(start, len(paths)))
        stopped = threading.Event()

        def reader() -> None:
            for index in indices:  # the step of a range's iterator is one step for all threads
                room.acquire()
                if stopped.is_set():
                    return
                try:
                    came.put((index, self._begun(folder, base, paths[index])))
                except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                    came.put((index, error))

        threads = [threading.Thread(target=reader, daemon=True) for _ in range(self.readers)]
        with _switching():
            for thread in threads:
                thread.start()
            try:
                for _ in range(start, len(paths)):
                    index, one = came.get()
                    room.release()
                    if isinstance(one, BaseException):
                        raise one
                    yield index, one
            finally:
                stopped.set()
                room.release(len(threads))
                for thread in threads:
                    thread.join()
                _close_all(came)


def _close_all(came: SimpleQueue[tuple[int, Begun | Seen | BaseException]]) -> None:
    while not came.empty():
        _, left = came.get()
        if isinstance(left, Begun):
            left.close()


def _stated(descriptor: int) -> tuple[int, os.stat_result]:
    return descriptor, os.fstat(descriptor)


@contextlib.contextmanager
def _folder(root: Path) -> Iterator[int]:
    with guarded("the archive root cannot be opened"):
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        close_read(descriptor)


@contextlib.contextmanager
def _switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
