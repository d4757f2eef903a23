"""Lookups: the questions that matching asks of a crosswalk, by token and by plain number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace
from functools import lru_cache, partial
from typing import Any

from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token, patient_token

_RECENT = 1 << 12  # tokens of one patient are asked for several times, and then no more


class Lookups:
    """One crosswalk with the tokens of one key; an order of rows that reading does not change.

    Attributes:
        issuers: The issuers that rows name.
        token_of: The token of a PatientID, `token_of_bsn` that of nine digits.
    """

    def __init__(self, crosswalk: Crosswalk, keys: Keys) -> None:
        self.crosswalk = crosswalk
        self._tokens = crosswalk.tokens(keys)
        self.issuers = crosswalk.issuers
        self.token_of = lru_cache(_RECENT)(partial(patient_token, keys))
        self.token_of_bsn = lru_cache(_RECENT)(partial(bsn_token, keys))

    def local(self, issuer: str, token: str) -> tuple[Entry, ...]:
        """Return the rows of a local number, by the token of how headers spell it."""
        return _in_order(self._tokens.local(issuer, token))

    def bsn(self, token: str) -> tuple[Entry, ...]:
        """Return the rows of a BSN, of all issuers, by its token."""
        return _in_order(self._tokens.bsn(token))

    def by_plain(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the rows of a local number, as the export writes it."""
        return _in_order(self.crosswalk.by_plain(issuer, local_number))

    def former(self, issuer: str, local_number: str) -> tuple[Entry, ...]:
        """Return the rows whose place a local number took."""
        return self.crosswalk.former(issuer, local_number)

    def by_bsn(self, number: str) -> tuple[Entry, ...]:
        """Return the rows of a BSN of nine digits; of one that tells nobody apart, none.

        Thousands of patients may share a placeholder: these rows are not of one person.
        """
        if not Entry("", "", number).names_somebody():
            return ()
        return self.crosswalk.by_bsn(number)

    def homonyms(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the rows of others with this birth date and one of these family names."""
        return self.crosswalk.homonyms(entry)

    def is_shared(self, issuer: str, number: str) -> bool:
        """Tell whether a BSN stands with local numbers of an issuer that nothing links."""
        return self.crosswalk.is_shared(issuer, number)

    def spelled(self, entry: Entry) -> str:
        """Return a row's local number as headers write it."""
        return self.crosswalk.spelled(entry)


def _in_order(rows: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return rows that say different things of one number in an order of their own."""
    found = tuple(rows)
    return tuple(sorted(found, key=_content)) if len(found) > 1 else found


def _content(entry: Entry) -> tuple[Any, ...]:
    return astuple(replace(entry, place=""))
