"""Worklists: who can settle what, and how much of it a person can read."""

from __future__ import annotations

from remediation.model import reasons

# What the registration desk can settle in the EPD by itself; the rest is for others.
DESK = tuple(name for name, one in reasons.ALL.items() if one.settled_by == reasons.DESK)
# Header and EPD may be of two patients; the loudest first.
MIXUPS = ("header-disagrees", "birth-date-clash", "name-clash", "sex-clash")
MOST = 5_000  # lines of one list
