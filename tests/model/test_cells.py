"""Cells: whatever text goes in, a spreadsheet takes it for text, and a reader gets it back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.cells import line, safe


@pytest.mark.parametrize("text", ["=cmd", "+1", "-1", "@SUM", " =1", "\t=1", "\r=1", "\n"])
def test_what_looks_like_a_formula_is_quoted(text):
    assert safe(text) == "'" + text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_every_cell_comes_back(cells):
    (row,) = csv.reader(io.StringIO(line(["x", *cells]), newline=""), delimiter=";")
    assert row == ["x", *map(safe, cells)]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
