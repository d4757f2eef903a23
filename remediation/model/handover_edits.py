"""From one identity to another, as DCMTK's dcmodify is told it: paths, values, and what to erase.

A path names elements by their tag and items by their number, so it means the same whatever DCMTK's
dictionary. Source: DCMTK documentation of dcmodify (tag paths; `-i` makes what is missing on the
way, `-e` takes an element or an item away).

>>> old = {0x00100020: Node(0x00100020, "LO", b"70"), 0x00100021: Node(0x00100021, "LO", b"X")}
>>> list(edits(old, {0x00100020: Node(0x00100020, "LO", b"71")}))
['-i', '(0010,0020)=71', '-e', '(0010,0021)']
>>> new = {0x00101002: Node(0x00101002, "SQ", items=({0x00100020: old[0x00100020]},))}
>>> list(edits({}, new))
['-i', '(0010,1002)[0].(0010,0020)=70']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from remediation.model.handover import CannotSayError, Node, Nodes

REASON = "dcmodify-cannot-say"


def edits(old: Nodes, new: Nodes, at: str = "") -> Iterator[str]:
    """Yield the arguments that turn one data set into another; `at` is the path that leads there.

    Raises:
        CannotSayError: a value is no text that dcmodify writes as it stands.
    """
    for tag in sorted(old.keys() | new.keys()):
        before, after = old.get(tag), new.get(tag)
        path = f"{at}({tag >> 16:04x},{tag & 0xFFFF:04x})"
        if after is None:
            yield from ("-e", path)
        elif before != after:
            yield from _changed(before, after, path)


def _changed(before: Node | None, after: Node, path: str) -> Iterator[str]:
    if not after.plain or (before and before.vr != after.vr):
        raise CannotSayError(REASON)
    if after.vr != "SQ":
        yield from ("-i", f"{path}={after.text}")
    elif not after.items:
        yield from ("-i", path)
    else:
        yield from _items(before.items if before else (), after.items, path)


def _items(old: Sequence[Nodes], new: Sequence[Nodes], path: str) -> Iterator[str]:
    """Change items where they stand, then take away the last first, then put new ones last."""
    changed: list[tuple[int, Nodes]] = []
    gone: list[int] = []
    added: list[Nodes] = []
    for _, first, last, low, high in _blocks(old, new):
        common = min(last - first, high - low)
        changed += [(first + n, new[low + n]) for n in range(common)]
        gone += range(first + common, last)
        added += new[low + common : high]
        if added and last < len(old):  # dcmodify cannot put an item between two
            raise CannotSayError(REASON)
    for n, item in changed:
        yield from edits(old[n], item, f"{path}[{n}].")
    for n in reversed(gone):
        yield from ("-e", f"{path}[{n}]")
    for n, item in enumerate(added, len(old) - len(gone)):
        if not item:
            yield from ("-i", f"{path}[{n}]")
        yield from edits({}, item, f"{path}[{n}].")


def _blocks(old: Sequence[Nodes], new: Sequence[Nodes]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield what differs between two sequences of items, as `difflib` tells it."""
    numbers: list[Nodes] = []  # items are compared by what they hold, and cannot be hashed

    def number(item: Nodes) -> int:
        if item not in numbers:
            numbers.append(item)
        return numbers.index(item)

    matcher = SequenceMatcher(None, [number(o) for o in old], [number(n) for n in new], False)
    return (block for block in matcher.get_opcodes() if block[0] != "equal")
