"""What `verify` found, read back: was all of a manifest as promised, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from remediation.store.files import guarded

FOLDER = "verifications"
AS_PROMISED, NOT_WRITTEN = "as-promised", "not-written"


@dataclass(frozen=True, slots=True)
class Verification:
    """One run of `verify`: which share of the files, when it began, was every file right."""

    at: datetime
    part: int
    parts: int
    right: bool


def verifications(output: Path, digest: str) -> Iterator[Verification]:
    """Yield what was found of a manifest; a record that does not say what it must is passed over.

    Raises:
        IoError: the records cannot be read.
    """
    for path in sorted((output / FOLDER).glob("*.json")):
        with guarded("a verification cannot be read", path.name):
            data = path.read_bytes()
        try:
            said = json.loads(data)
            if said["manifest"] != digest:
                continue
            part, parts = map(int, said["slice"].split("/"))
            right = set(said["verdicts"]) <= {AS_PROMISED, NOT_WRITTEN}
            yield Verification(datetime.fromisoformat(said["at"]), part, parts, right)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def verified_at(output: Path, digest: str, since: datetime | None) -> datetime | None:
    """Return when all of a manifest's files had been found right since a moment; None: never.

    Times are whole seconds: one that began in the very second of `since` may have been too early.
    A share that was found wrong counts until it is found right again. Which files a share of
    another division has in common with it is not known here: it is taken to have them all, so what
    was found right no later than that counts no more.

    Raises:
        IoError: the records cannot be read.
    """
    found = [one for one in verifications(output, digest) if since is None or one.at > since]
    done = [
        max(shares.values())
        for parts in {one.parts for one in found}
        if len(shares := _right(found, parts)) == parts
    ]
    return min(done, default=None)


def _right(found: list[Verification], parts: int) -> dict[int, datetime]:
    """Return when each share of so many was last found right, those found wrong left out."""
    wrong = [one.at for one in found if one.parts != parts and not one.right]
    after = max(wrong, default=None)
    shares: dict[int, Verification] = {}
    # Of one second the wrong one counts as the later.
    for one in sorted(found, key=lambda one: (one.at, not one.right)):
        if one.parts == parts and 1 <= one.part <= parts:
            shares[one.part] = one
    return {
        part: one.at
        for part, one in shares.items()
        if one.right and (after is None or one.at > after)
    }
