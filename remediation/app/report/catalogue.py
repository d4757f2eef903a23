"""The catalogue: what every language of the report must say; one value per language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All words of one language. Mappings are by code word, and have the same keys everywhere.

    Attributes:
        code: language tag of the page.
        thousands, decimal: signs in numbers.
        percent: what stands behind a number to make it a percentage.
        months, short_months: names from January on.
        nouns: singular and plural.
        text: sentences, with `{names}` to fill in.
        statuses: what each status means, shortly.
        reasons: why a study cannot be corrected.
        file_reasons: why a file could not be read, or its head cannot be rewritten.
        states: what a file is.
        verdicts: of a place.
        meanings: what such a verdict means for the reader.
        effects: verdicts of an event.
        ages: how long after its study a file was written.
        issuer_kinds: what the issuer of a place says.
        place_kinds: what a place of a leak is.
        event_kinds: of the job file's events.
        causes: per signal what is now instead of what was: the clause, that for nothing now, and
            that for nothing before.
        commands: what a run did.
        checks: verdicts of a verification.
    """

    code: str
    thousands: str
    decimal: str
    percent: str
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    nouns: Mapping[str, tuple[str, str]]
    text: Texts
    statuses: Texts
    reasons: Texts
    file_reasons: Texts
    states: Texts
    verdicts: Texts
    meanings: Texts
    effects: Texts
    ages: Texts
    issuer_kinds: Texts
    place_kinds: Texts
    event_kinds: Texts
    causes: Mapping[str, tuple[str, str, str]]
    commands: Texts
    checks: Texts
