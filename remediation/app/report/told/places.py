"""Places in words: their names, how sure a passing number is a BSN, and who is not believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediation.app.report.words import NONE, Words

Row = Mapping[str, Any]
_SURE = 0.9995  # what would be shown as certain


def name(row: Row, words: Words) -> str:
    """Return a place with its private creator, if it has one."""
    place = words.plain(row["place"])
    if not row["private_creator"]:
        return place
    return words("place_creator", place=place, creator=words.plain(row["private_creator"]))


def issuer(row: Row, words: Words) -> str:
    """Return what the issuer of a place says."""
    return words.catalogue.issuer_kinds.get(row["issuer_kind"], words.plain(row["issuer_kind"]))


def verdict(row: Row, words: Words) -> str:
    """Return the verdict on a place in words."""
    return words.catalogue.verdicts.get(row["verdict"], words.plain(row["verdict"]))


def probability(row: Row, words: Words) -> str:
    """Return P(BSN | passes) with three decimals; what is not certain never looks so.

    >>> en, row = Words.of("en"), {"passing": 9}
    >>> [probability(row | {"probability": p}, en) for p in (0.99951, 0.991, 0.0001)]
    ['>0.999', '0.991', '0.000']
    """
    value = row["probability"]
    if value is None or not row["passing"]:
        return NONE
    if _SURE <= value < 1:
        return f">0{words.catalogue.decimal}999"
    return f"{value:.3f}".replace(".", words.catalogue.decimal)


def loud(row: Row, words: Words) -> str:
    """Return that a place's issuer says BSN and is not believed."""
    return words(
        "loud",
        source=words.source(row["archive"], row["source"]),
        place=name(row, words),
        passing=words.number(row["passing"]),
        values=words.number(row["well_formed"]),
        share=words.share(row["pass_rate"]),
    )
