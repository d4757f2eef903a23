r"""Turns what is wrong with a TOML file into one error: every fault with its key and line.

Values are never shown, and neither is a key that looks like one.

>>> text = '[job]\nname = "demo"\nfrm = 2007-01-01'
>>> find_lines(text)[("job", "frm")]
3
>>> shown("placment"), shown("999900006")
("'placment'", 'a key')
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remediation.errors import UsageError

Place = tuple[int | str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_LONG_QUOTES = ('"""', "'''")

_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

_MANY_DIGITS = 5  # a key with more of them may be a number in the wrong place
_LONGEST_KEY = 40
_COMPLAINTS = {
    "missing": "is missing",
    "string_type": "must be text, in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "date_type": "must be a date like 2007-01-01, without quotes",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def as_error(error: ValidationError, model: type[BaseModel], text: str, path: Path) -> UsageError:
    """Return all faults that pydantic found in `text`, the content of `path`, as one error."""
    lines = find_lines(text)
    faults = [
        _fault(detail, model, lines, path)
        for detail in error.errors(include_url=False, include_input=False)
    ]
    return faults[0] if len(faults) == 1 else UsageError("; ".join(map(str, faults)))


def _fault(
    detail: ErrorDetails, model: type[BaseModel], lines: Mapping[Place, int], path: Path
) -> UsageError:
    place = detail["loc"]
    line = _line(place, lines)
    where = str(path) if line is None else f"{path}, line {line}"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _known_keys(model, place[:-1]), n=1)
        mend = f"did you mean '{near[0]}'?" if near else ""
        return UsageError(f"unknown {_label(place, model)}", where, mend)
    return UsageError(f"{_label(place, model)} {_complaint(detail)}", where)


def _line(place: Place, lines: Mapping[Place, int]) -> int | None:
    """Return the line of a place, or of the nearest table around it that has one."""
    for length in range(len(place), 0, -1):
        for known in (place[:length], (*place[:length], 0)):
            if known in lines:
                return lines[known]
    return None


def _complaint(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])  # one of our own checks
    return _COMPLAINTS.get(detail["type"], "is not valid").format(**context)


def _label(place: Place, model: type[BaseModel]) -> str:
    """Name a place: `'by' in [source]`, `item 2 of 'by' in [source]`, `[[archive]]`."""
    *above, last = [part for part in place if isinstance(part, str)]
    if above:
        label = f"{shown(last)} in [{'.'.join(key if _is_plain(key) else '...' for key in above)}]"
    elif get_origin(getattr(model.model_fields.get(last), "annotation", None)) is tuple:
        label = f"[[{last}]]"
    else:
        label = f"[{last}]" if _is_plain(last) else "a table"
    return f"item {place[-1] + 1} of {label}" if isinstance(place[-1], int) else label


def shown(key: str) -> str:
    """Return a key in quotes, or a word for one that may hold a value."""
    return f"'{key}'" if _is_plain(key) else "a key"


def _is_plain(key: str) -> bool:
    digits = sum(map(str.isdigit, key))
    return digits <= _MANY_DIGITS and len(key) <= _LONGEST_KEY and key.isprintable()


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that the table at a place may have."""
    for part in place:
        if isinstance(part, str):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            model = next(_models(fields[part].annotation), model)
    return [info.alias or name for name, info in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def toml_error(error: Exception, path: Path, what: str) -> UsageError:
    """Return the error of a file that is not TOML; the parser's words where they hold no digit."""
    reason = str(error)
    found = _AT.search(reason)
    where = f"{path}, line {found[1]}" if found and found[1] else str(path)
    reason = _AT.sub("", reason)
    if not found or any(map(str.isdigit, reason)):
        return UsageError(f"the {what} is not valid TOML", where)
    return UsageError(f"the {what} is not valid TOML", where, reason[:1].lower() + reason[1:])


def find_lines(text: str) -> dict[Place, int]:
    """Return the line, from 1, of every table and key of a TOML text that stands on its own line.

    Tables of an array have their index in the place, from 0. Keys of inline tables are not found:
    their place begins with one that is.
    """
    lines: dict[Place, int] = {}
    newest: dict[Place, int] = {}
    table: Place = ()
    quotes = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if quotes:
            quotes = "" if quotes in line else quotes
        elif header := _HEADER.fullmatch(line.rstrip("\r")):
            table = _enter(header[2], newest, array=header[1] == "[[")
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault((*table, *_names(assignment[1])), number)
            value = line[assignment.end() :]
            quotes = next((mark for mark in _LONG_QUOTES if value.count(mark) % 2), "")
    return lines


def _names(dotted: str) -> list[str]:
    return [key.strip("\"'") for key in re.findall(_KEY, dotted)]


def _enter(dotted: str, newest: dict[Place, int], *, array: bool) -> Place:
    """Return the place of the table that a header opens; counts tables of arrays in `newest`."""
    names = _names(dotted)
    table: Place = ()
    for position, key in enumerate(names):
        table = (*table, key)
        if array and position == len(names) - 1:
            newest[table] = newest.get(table, -1) + 1
        if table in newest:
            table = (*table, newest[table])
    return table
