"""Worklists: text that a spreadsheet takes as text, private, whole or not at all."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.store.worklists import safe, write_csv

BOM = b"\xef\xbb\xbf"


def cells_of(path):
    text = path.read_bytes().removeprefix(BOM).decode("utf-8")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


@pytest.mark.parametrize(
    "text", ["=cmd|'/c calc'!A1", "+31 20", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1"]
)
def test_what_begins_as_a_formula_is_quoted(text):
    assert safe(text) == "'" + text


@pytest.mark.parametrize("text", ["", "12345", "Jansen; =x", "0012", "'s-Gravenhage", 12, "a=b"])
def test_other_text_stands_as_it_is(text):
    assert safe(text) == str(text)


@given(st.text())
def test_no_cell_begins_with_the_sign_of_a_formula(text):
    assert not safe(text).lstrip().startswith(("=", "+", "-", "@"))


ROWS = st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), max_size=5)


@given(ROWS)
def test_what_is_written_comes_back_cell_by_cell(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "list.csv"
    write_csv(path, ("één", "twee"), rows)
    assert cells_of(path) == [["één", "twee"], *[[safe(cell) for cell in row] for row in rows]]


def test_a_worklist_is_private_and_opens_in_dutch_excel(tmp_path):
    path = tmp_path / "worklists" / "registratie.csv"
    write_csv(path, ("a", "b"), [("1", "2;3"), ('4"', "5\n6")])
    data = path.read_bytes()
    assert data == BOM + b'a;b\r\n1;"2;3"\r\n"4""";"5\n6"\r\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    write_csv(path, ("a",), [])
    assert path.read_bytes() == BOM + b"a\r\n"
    assert [one.name for one in path.parent.iterdir()] == ["registratie.csv"]
