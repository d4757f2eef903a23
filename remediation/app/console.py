"""The console: data to stdout, messages to stderr, one JSON document where it is asked for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

JOB = click.argument("job", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")


def emit(report: Any, lines: Iterable[str], *, as_json: bool, **extra: Any) -> None:
    """Print a report: as one JSON document, or as lines for people."""
    if as_json:
        said = dataclasses.asdict(report) if dataclasses.is_dataclass(report) else dict(report)  # type: ignore[arg-type]
        click.echo(json.dumps(said | extra, default=_plain, indent=2, ensure_ascii=False))
        return
    for line in lines:
        click.echo(line)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value)


def counts(title: str, found: Mapping[str, int]) -> Iterable[str]:
    """Yield lines of aligned counts under a title; none where there is nothing."""
    if found:
        yield title
        width = max(len(f"{count:,}") for count in found.values())
        yield from (f"  {count:>{width},}  {name}" for name, count in found.items())


def note(text: str) -> None:
    """Tell the user something, on stderr."""
    click.echo(text, err=True)
