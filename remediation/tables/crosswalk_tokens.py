"""The crosswalk by tokens: the first 64 bits of each token, sorted; the rest is worked out again.

An inventory knows patients by tokens only. A token of every row is made once for a key; what is
found by its first half is confirmed by the whole token, so that no chance can mix up patients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from remediation.model.crosswalk import Entry
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token, patient_token
from remediation.tables.crosswalk_cells import NONE, Ints
from remediation.tables.crosswalk_columns import Index

if TYPE_CHECKING:
    from remediation.tables.crosswalk import Crosswalk

_HALF = 16  # hexadecimal digits of a token: 64 bits
_AT_ONCE = 1 << 17  # rows


class TokenIndex:
    """Rows by tokens of one key (`model.crosswalk.Tokens`); each index is made at the first look.

    Some microseconds for each row of the crosswalk, then some for each look.
    """

    def __init__(self, crosswalk: Crosswalk, keys: Keys) -> None:
        self._crosswalk, self._keys = crosswalk, keys

    def local(self, issuer: str, token: str) -> tuple[Entry, ...]:
        """Return the entries of an issuer whose spelled local number has this token."""
        crosswalk, keys = self._crosswalk, self._keys
        return tuple(
            entry
            for entry in map(crosswalk.entry, self._locals.find(_first(token)))
            if entry.issuer == issuer and patient_token(keys, crosswalk.spelled(entry)) == token
        )

    def bsn(self, token: str) -> tuple[Entry, ...]:
        """Return the entries whose well-formed number has this token, of all issuers."""
        for number in self._bsns.find(_first(token)):
            if bsn_token(self._keys, f"{number:09}") == token:
                return self._crosswalk.by_bsn(f"{number:09}")
        return ()

    @cached_property
    def _locals(self) -> Index:
        """The rows by the first half of the token of their local number."""
        rows = np.flatnonzero(self._crosswalk.located).astype(np.uint32)
        return Index.of(self._halves(self._spelled(rows), patient_token), rows)

    def _spelled(self, rows: Ints) -> Iterator[str]:
        columns, rules = self._crosswalk.columns, {r.issuer: r for r in self._crosswalk.rules}
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            texts = columns.texts["local_number"].take(pa.array(some)).to_pylist()
            for code, text in zip(columns.codes["issuer"][some].tolist(), texts, strict=True):
                rule = rules.get(columns.words["issuer"][code])
                yield rule.spell(text) if rule else text

    @cached_property
    def _bsns(self) -> Index:
        """The numbers themselves by the first half of their token."""
        numbers = np.unique(self._crosswalk.columns.number)
        numbers = numbers[numbers != NONE]
        texts = (f"{number:09}" for number in _in_turn(numbers))
        return Index.of(self._halves(texts, bsn_token), numbers)

    def _halves(self, texts: Iterable[str], token: Callable[[Keys, str], str]) -> Ints:
        parts, some = [np.zeros(0, np.uint64)], bytearray()
        for text in texts:
            some += bytes.fromhex(token(self._keys, text)[:_HALF])
            if len(some) >= _AT_ONCE:
                parts.append(np.frombuffer(bytes(some), ">u8").astype(np.uint64))
                some.clear()
        parts.append(np.frombuffer(bytes(some), ">u8").astype(np.uint64))
        return np.concatenate(parts)


def _in_turn(numbers: Ints) -> Iterator[int]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield from numbers[start : start + _AT_ONCE].tolist()


def _first(token: str) -> int:
    return int(token[:_HALF], 16)
