"""Progress: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import io
import sys
import time

import pytest

from remediation.app.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_counts_what_is_done(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress("crawl oost", "files", total=10) as advance:
        advance(4)
        advance(6)
    shown = sys.stderr.getvalue()
    assert "crawl oost" in shown
    assert "10/10" in shown
    assert "files" in shown


def test_elsewhere_nothing_is_printed(capsys):
    with progress("crawl oost", "files", total=10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_the_bar_is_closed_when_something_fails(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError), progress("match", "studies") as advance:
        advance(3 // 0)
    assert sys.stderr.getvalue().endswith("\n")


def test_the_bar_says_how_long_the_rest_will_take(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress("crawl oost", "files") as advance:
        now[0] += 60
        advance.share(0.25)
        advance(10)
    assert "about 25%, 03:00 left" in sys.stderr.getvalue()
