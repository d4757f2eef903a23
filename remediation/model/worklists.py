"""Worklists: who can settle what, and how much of it a person can read."""

from __future__ import annotations

# What the registration desk can settle in the EPD; the rest is for others.
DESK = (
    "no-crosswalk-entry",
    "outside-validity",
    "no-number",
    "not-verified",
    "invalid-number",
    "placeholder-number",
    "two-numbers",
    "shared-number",
)
# Header and EPD may be of two patients; the loudest first.
MIXUPS = ("header-disagrees", "birth-date-clash", "name-clash", "sex-clash")
MOST = 5_000  # lines of one list
