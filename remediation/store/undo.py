"""The undo bytes of one file: what to put where in the new head to have the old head again.

Pure bytes, and no DICOM: the difference is found by looking for runs that both heads share, so it
does not rest on the code that made the change. About as long as the elements that changed.

>>> old, new = b"head 0001 rest of it" * 3, b"head 999901 rest of it" + b"head 0001 rest of it" * 2
>>> restore(new, difference(old, new)) == old
True
>>> restore(b"short", difference(old, new))
Traceback (most recent call last):
...
ValueError: the undo bytes are not of this head
"""

from __future__ import annotations

import struct
import zlib

_EDIT = struct.Struct(">III")  # offset in the new head, bytes replaced there, bytes put instead
_ANCHOR = 24  # a run this long in both heads is taken for the same place
_STRIDE = 8
_REACH = 32 * 1024  # bytes without a shared run: what follows is another stream, kept whole


def _common(old: bytes, i: int, new: bytes, j: int) -> int:
    """How many bytes are alike from `i` in `old` and `j` in `new`."""
    low, high = 0, min(len(old) - i, len(new) - j)
    while low < high:
        middle = (low + high + 1) // 2
        if old[i + low : i + middle] == new[j + low : j + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _next_shared(old: bytes, i: int, new: bytes, j: int) -> tuple[int, int]:
    """Where both go on alike after a difference at (`i`, `j`), or their ends."""
    for start in range(i, min(len(old), i + _REACH) - _ANCHOR + 1, _STRIDE):
        found = new.find(old[start : start + _ANCHOR], j)
        if found >= 0:
            while start > i and found > j and old[start - 1] == new[found - 1]:
                start, found = start - 1, found - 1  # noqa: PLW2901 - leaves the loop
            return start, found
    return len(old), len(new)


def difference(old: bytes, new: bytes) -> bytes:
    """Return the undo bytes: compressed edits that make `old` of `new`.

    Raises:
        ValueError: They do not (a guard: no undo that was not tried is ever relied on).
    """
    edits: list[bytes] = []
    i = j = 0
    while True:
        shared = _common(old, i, new, j)
        i, j = i + shared, j + shared
        if i == len(old) and j == len(new):
            break
        to_old, to_new = _next_shared(old, i, new, j)
        edits.append(_EDIT.pack(j, to_new - j, to_old - i) + old[i:to_old])
        i, j = to_old, to_new
    undo = zlib.compress(b"".join(edits), 9)
    if restore(new, undo) != old:
        raise ValueError("the undo bytes do not give the old head")
    return undo


def restore(new: bytes, undo: bytes) -> bytes:
    """Return the old head from the new one and its undo bytes.

    Raises:
        ValueError: The undo bytes are damaged, or of a head of another length. (Another head of
            the same length gives another result: compare digests.)
    """
    pieces: list[bytes] = []
    done = position = 0
    try:
        edits = zlib.decompress(undo)
        while position < len(edits):
            offset, replaced, count = _EDIT.unpack_from(edits, position)
            position += _EDIT.size + count
            if not done <= offset <= offset + replaced <= len(new) or position > len(edits):
                raise ValueError("the undo bytes are not of this head")
            pieces += [new[done:offset], edits[position - count : position]]
            done = offset + replaced
    except (zlib.error, struct.error):
        raise ValueError("the undo bytes are damaged") from None
    return b"".join([*pieces, new[done:]])
