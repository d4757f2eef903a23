"""What a method says of one history: its periods, in days since 1970-01-01, half-open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.periods.histories import History


@dataclass(frozen=True, slots=True)
class Edge:
    """A day at which a period begins or ends; `low` to `high` are the days it may be on."""

    day: int
    kind: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A period."""

    start: Edge
    end: Edge
    event: str | None = None


Method = Callable[[History], list[Found]]
