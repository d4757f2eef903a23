"""Rendering: the pages' templates, with what all of them escape, split and measure alike."""

from __future__ import annotations

import re
from typing import Any

_ID_PART = 4  # an id is shown in parts, so that a page never holds a long run of digits


def rendered(name: str, content: dict[str, Any]) -> str:
    """Return a template with its content filled in; a value that is missing is an error."""
    # Heavy libraries are loaded when a page is made, not when the command line starts.
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    environment = Environment(
        loader=PackageLoader("remediation.app.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )

    def parts(text: str) -> Markup:
        found = re.findall(f".{{1,{_ID_PART}}}", text)
        return Markup("<wbr>").join(escape(part) for part in found)

    def css(value: float) -> str:
        return f"{value:.2f}%"

    environment.filters |= {"parts": parts, "css": css, "drawing": Markup}
    return environment.get_template(name).render(**content)
