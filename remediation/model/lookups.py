"""Lookups: the questions that matching asks of a crosswalk, by token and by plain number."""

from __future__ import annotations

from dataclasses import astuple, replace
from itertools import chain
from typing import Any

from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token, patient_token


class Lookups:
    """One crosswalk with the tokens of one key; an order of rows that reading does not change."""

    def __init__(self, crosswalk: Crosswalk, keys: Keys) -> None:
        self.crosswalk = crosswalk
        self._local: dict[tuple[str, str], list[Entry]] = {}
        self._plain: dict[tuple[str, str], list[Entry]] = {}
        self._former: dict[tuple[str, str], list[Entry]] = {}
        self._bsn: dict[str, list[Entry]] = {}
        for entry in crosswalk.entries:
            if entry.issuer and entry.local_number:
                token = patient_token(keys, crosswalk.spelled(entry))
                self._local.setdefault((entry.issuer, token), []).append(entry)
                self._plain.setdefault((entry.issuer, entry.local_number), []).append(entry)
                if entry.replaced_by:
                    self._former.setdefault((entry.issuer, entry.replaced_by), []).append(entry)
            if entry.well_formed and entry.bsn:
                self._bsn.setdefault(bsn_token(keys, entry.bsn), []).append(entry)
        for rows in chain(self._local.values(), self._bsn.values(), self._plain.values()):
            if len(rows) > 1:
                rows.sort(key=_content)
        self.issuers = frozenset(entry.issuer for entry in crosswalk.entries)

    def local(self, issuer: str, token: str) -> tuple[Entry, ...]:
        """Return the rows of a local number, by the token of how headers spell it."""
        return tuple(self._local.get((issuer, token), ()))

    def bsn(self, token: str) -> tuple[Entry, ...]:
        """Return the rows of a BSN, of all issuers, by its token."""
        return tuple(self._bsn.get(token, ()))

    def by_plain(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the rows of a local number, as the export writes it."""
        return tuple(self._plain.get((issuer, local_number), ()))

    def former(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the rows whose place a local number took."""
        return tuple(self._former.get((issuer, local_number), ()))

    def by_bsn(self, number: str) -> tuple[Entry, ...]:
        """Return the rows of a BSN of nine digits."""
        return self.crosswalk.by_bsn(number)

    def homonyms(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the rows of others with this birth date and one of these family names."""
        return self.crosswalk.homonyms(entry)

    def is_shared(self, issuer: str, number: str) -> bool:
        """Tell whether a BSN stands with local numbers of an issuer that nothing links."""
        return (issuer, number) in self.crosswalk.shared_numbers

    def spelled(self, entry: Entry) -> str:
        """Return a row's local number as headers write it."""
        return self.crosswalk.spelled(entry)


def _content(entry: Entry) -> tuple[Any, ...]:
    return astuple(replace(entry, place=""))
