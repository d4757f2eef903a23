"""Inline: an SVG file in; the same drawing as part of a page out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

_DROPPED = {"metadata", "style"}
_REFERENCE = re.compile(r"(url\(#|^#)([^)]+)")
_DIGITS = re.compile(r"(\d\.\d\d)\d+")
_FAMILY = re.compile(r"font-family: [^;]*;? ?")


def inline(drawn: str, name: str, said: tuple[str, str], roles: Mapping[str, str]) -> str:
    """Return a drawing as part of a page: nothing points outside, ids and colours are the page's.

    Args:
        drawn: an SVG file as matplotlib writes it.
        name: what its ids begin with, so that they are its own on the page.
        said: its title and its description.
        roles: per variable of the page the colour in the drawing that it replaces.
    """
    root = ET.fromstring(drawn)  # noqa: S314 - drawn by ourselves a moment ago
    for element in list(root.iter()):
        for child in list(element):
            if _local(child.tag) in _DROPPED:
                element.remove(child)
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {found[2] for value in values for found in _REFERENCE.finditer(value)}
    ids = {old: f"{name}-{number}" for number, old in enumerate(sorted(used))}
    for element in root.iter():
        element.tag = _local(element.tag)
        kept = {_local(key): value for key, value in element.attrib.items()}
        if kept.get("id") not in ids:
            kept.pop("id", None)
        element.attrib = {
            key: ids[value] if key == "id" else _attribute(value, ids, roles)
            for key, value in kept.items()
        }
    root.attrib = {
        "class": "plot",
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-text",
    }
    for place, (tag, text) in enumerate(zip(("title", "desc"), said, strict=True)):
        told = ET.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'text'}"})
        told.text = text
        root.insert(place, told)
    return ET.tostring(root, encoding="unicode")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attribute(value: str, ids: Mapping[str, str], roles: Mapping[str, str]) -> str:
    """Rename what is referred to, shorten numbers, leave fonts to the page, and name colours."""
    value = _REFERENCE.sub(lambda found: found[1] + ids[found[2]], value)
    value = _FAMILY.sub("", _DIGITS.sub(r"\1", value))
    for role, colour in roles.items():
        value = value.replace(colour, f"var(--{role})")
    return value
