"""The list of reasons: its page, and what `schema reasons` says."""

from __future__ import annotations

import json
from pathlib import Path

from app.hospital_line import call

import remediation
from remediation.app.reasons import page
from remediation.model.reasons import ACCEPTABLE, ALL, HARD, REASONS

PAGE = Path(remediation.__file__).parent / "docs" / "reasons.md"


def test_the_page_is_what_the_list_makes():
    """Made anew by writing `page()` there."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_reason_has_a_line_that_says_what_to_do():
    text = page()
    assert REASONS.keys() == ALL.keys()
    for name, one in ALL.items():
        assert text.count(f"| `{name}` | {one.means} |") == 1
        assert one.settled_by
        assert one.mend


def test_schema_reasons_lists_them_in_order(capsys):
    lines = call(capsys, "schema", "reasons").out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(ALL)
    assert all(one.mend in line for one, line in zip(ALL.values(), lines[1::2], strict=True))
    said = json.loads(call(capsys, "schema", "reasons", "--json").out)["reasons"]
    assert {name for name, one in said.items() if one["acceptable"]} == ACCEPTABLE
    assert {name for name, one in said.items() if one["refuses_conformant"]} == HARD
