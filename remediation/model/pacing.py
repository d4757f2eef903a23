"""Pacing: how fast a crawl may ask a share, and at what hours of the day.

>>> night = Window.parse("20:00-06:00")
>>> night.wait(time(23, 30)), night.wait(time(5, 59)), night.wait(time(19, 0))
(0, 0, 3600)
>>> Window.parse("08:00-18:00").wait(time(18, 0))
50400
"""

from __future__ import annotations

import threading
import time as clock
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

_DAY_S = 24 * 60 * 60


def _seconds(moment: time) -> int:
    return (moment.hour * 60 + moment.minute) * 60 + moment.second


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the day in which files may be read, half-open; it may go over midnight."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read `20:00-06:00`.

        >>> Window.parse("20:00-06:00")
        Window(start=datetime.time(20, 0), end=datetime.time(6, 0))
        """
        start, _, end = text.partition("-")
        return cls(time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))

    def wait(self, moment: time) -> int:
        """Return how many seconds it is until the window is open; 0 while it is."""
        now, start, end = (_seconds(one) for one in (moment, self.start, self.end))
        inside = start <= now < end if start < end else now >= start or now < end
        return 0 if inside else (start - now) % _DAY_S


@dataclass(frozen=True, slots=True)
class Hours:
    """A window on the clock of a time zone; None: at any hour."""

    window: Window | None = None
    zone: str = "UTC"

    def wait(self, now: datetime) -> int:
        """Return how many seconds it is, at `now`, until work may go on."""
        local = now.astimezone(ZoneInfo(self.zone))
        return self.window.wait(local.time().replace(tzinfo=None)) if self.window else 0


@dataclass(slots=True)
class Pace:
    """Holds the readers of one process to a number of files a second; 0: as fast as it goes."""

    per_second: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> None:
        """Wait for the next turn. Turns that nobody took are not made up for."""
        if not self.per_second:
            return
        with self._lock:
            now = clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + 1 / self.per_second
        if turn > now:
            clock.sleep(turn - now)
