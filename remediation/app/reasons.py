"""The reasons why a study's patient is not settled, as a page and as lines: `schema reasons`.

`remediation/docs/reasons.md` is what `page` returns; a test holds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediation.model.reasons import ACCEPTABLE, ALL, HARD

_HEAD = """\
# Reasons: why a study is not corrected

`match` gives each study an outcome (`resolved`, `conformant`, `refused`, `exempt`), and where it is refused or exempt, one reason: of several that hold, the first of this list. `remediation schema reasons` shows the list. The page is made from `remediation/model/reasons.py`.

| reason | what it means | who can settle it | what to do | a study that looks right already |
| --- | --- | --- | --- | --- |
"""  # noqa: E501 - a line of Markdown is a paragraph
_FOOT = """
"Refused" in the last column: the study is refused although its headers look right, loudly, because header and EPD do not go together. "Warned": it stays `conformant`, with the reason as a warning.

`name-close` is one typing error: a letter too many, too few or wrong, or two neighbours that changed places (Damerau-Levenshtein distance 1), in a name of at least five letters; a name that differs in its first letter alone is another name, and so is one that somebody else of the same birth date has in the EPD. The inventory has no names, so the study's header is read again to tell: once for each patient and spelling, and `heads_read` counts it. A birth date that clashes can be accepted by nobody.

Where two named people accept `unconfirmed-person` or `name-close`, by study or by rule, the study is resolved and the reason stands as a warning beside it. Everything else of the person still has to agree, and `apply` asks again, head by head.
"""  # noqa: E501


def page() -> str:
    """Return the page of the documentation."""
    rows = [
        f"| `{name}` | {one.means} | {one.settled_by} | {one.mend} | {_right(name)} |\n"
        for name, one in ALL.items()
    ]
    return _HEAD + "".join(rows) + _FOOT


def told() -> dict[str, dict[str, object]]:
    """Return the list as `--json` prints it."""
    return {
        name: {
            "means": one.means,
            "settled_by": one.settled_by,
            "mend": one.mend,
            "acceptable": name in ACCEPTABLE,
            "refuses_conformant": name in HARD,
        }
        for name, one in ALL.items()
    }


def lines() -> Iterator[tuple[str, ...]]:
    """Yield the list as cells of lines."""
    for name, one in ALL.items():
        yield name, one.means
        yield "", f"{one.settled_by}: {one.mend}"


def _right(name: str) -> str:
    return "refused" if name in HARD else "warned"
