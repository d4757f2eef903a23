r"""Retired: the values of OtherPatientIDs, with the BSN taken out or put beside them.

The element has no issuer, so nothing there says BSN: values are told by their digits alone. All
other values stay as the bytes that they were. Source: PS3.6 (retired), PS3.5 section 6.2 (LO).

>>> values(b"X1\\9999.00.006 "), values(b"A\0")
([b'X1', b'9999.00.006 '], [b'A'])
>>> without([b"X1", b"9999.00.006 "], "999900006")
[b'X1']
>>> beside([b"X1"], "999900006"), beside([b"9999.00.006 ", b"999900006"], "999900006")
([b'X1', b'999900006'], [b'999900006'])
"""

from __future__ import annotations

from remediation.model.bsn import normalise

LONGEST = 0xFFFE  # bytes: the largest even length of an element with a short length field


def values(raw: bytes) -> list[bytes]:
    """Return the values of an element; a NUL behind the last one is padding, not value."""
    return raw.rstrip(b"\0").split(b"\\")


def without(given: list[bytes], bsn: str) -> list[bytes]:
    """Return the values that are not this BSN; none where all of those are empty."""
    kept = [value for value in given if not is_bsn(value, bsn)]
    return kept if any(value.strip(b" \0") for value in kept) else []


def beside(given: list[bytes], bsn: str) -> list[bytes]:
    """Return the values with this BSN once among them: where it stood first, else behind them."""
    found = [n for n, value in enumerate(given) if is_bsn(value, bsn)]
    if not found:
        return [*(given if any(value.strip(b" \0") for value in given) else []), bsn.encode()]
    first, again = found[0], frozenset(found[1:])
    right = given[first] if given[first].strip(b" ") == bsn.encode() else bsn.encode()
    return [right if n == first else one for n, one in enumerate(given) if n not in again]


def is_bsn(value: bytes, bsn: str) -> bool:
    """Tell whether a value is this BSN, after normalisation."""
    return normalise(value.decode("latin-1")) == bsn
