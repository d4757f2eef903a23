"""The listing of a folder: what was found in it, so that the next crawl can tell what changed.

One text holds it: its digest tells that nothing changed, its content what did. A file's entry is
its size in bytes, its mtime in nanoseconds, and what it is (`file`, `link`, `special`). A size of
-1 stands for a file that must be read again, whatever its size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from remediation.errors import DatasetError
from remediation.model.secrets import Keys

Entry = tuple[int, int, str]
AGAIN = -1
_FIELDS = 4


def listing(entries: Iterable[tuple[str, int, int, str]]) -> str:
    r"""Return the listing of (name, size, mtime, word), in the order of the names.

    >>> listing([("1.dcm", 10, 7, "file")])
    '1.dcm\x0010\x007\x00file\x00'
    >>> entries_of(listing([("1.dcm", 10, 7, "file"), ("x\ny", 0, 1, "link")]))
    {'1.dcm': (10, 7, 'file'), 'x\ny': (0, 1, 'link')}
    """
    return "".join([f"{name}\0{size}\0{mtime}\0{word}\0" for name, size, mtime, word in entries])


def listing_of(entries: Mapping[str, Entry]) -> str:
    """Return the listing of entries by name."""
    return listing((name, *entries[name]) for name in sorted(entries))


def entries_of(text: str) -> dict[str, Entry]:
    """Return the entries of a listing, by name (no name holds a NUL)."""
    parts = text.split("\0")[:-1]
    columns = (parts[n::_FIELDS] for n in range(_FIELDS))
    return {
        name: (int(size), int(mtime), word)
        for name, size, mtime, word in zip(*columns, strict=True)
    }


def digest_of(text: str, keys: Keys) -> str:
    """Return the keyed digest of a listing."""
    return keys.token("listing", text)


def packed(text: str, keys: Keys) -> bytes:
    """Return text compressed and sealed."""
    return keys.seal_bytes(zlib.compress(text.encode("utf-8", "surrogatepass"), 1))


def unpacked(data: bytes, keys: Keys) -> str:
    """Return the text that `packed` was given.

    Raises:
        KeyFileError: it was sealed with another key.
        DatasetError: it is damaged.
    """
    try:
        return zlib.decompress(keys.unseal_bytes(data)).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError):
        raise DatasetError("sealed text is damaged", mend="crawl with --fresh") from None
