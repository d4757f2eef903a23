"""Paths as text that can be written and read back, and the dates that a layout gives them."""

from __future__ import annotations

import os
import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import KeyFileError
from remediation.model.files import Layout, escaped, resolved, stored, unescaped
from remediation.model.secrets import Keys

KEYS = Keys.from_hex("5a" * 32)
ODD = [
    b"a\xff",
    b"a\\xff",
    b"\\",
    b"\\x5c",
    b"\\x5cx5c",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"new\nline",
]
NAMES = st.binary(max_size=30) | st.lists(st.sampled_from(ODD), max_size=4).map(b"".join)


@given(NAMES)
def test_any_bytes_come_back(name):
    path = os.fsdecode(name)
    assert unescaped(escaped(path)) == path
    escaped(path).encode()  # clean text: no lone surrogates


@given(NAMES, NAMES)
def test_different_paths_stay_different(one, other):
    one, other = os.fsdecode(one), os.fsdecode(other)
    assert (escaped(one) == escaped(other)) == (one == other)


@given(st.text("abc/é.- 09\n", max_size=20))
def test_plain_paths_are_written_as_they_are(path):
    assert escaped(path) == path


@given(NAMES, st.booleans())
def test_what_is_stored_is_resolved(name, seal):
    path = os.fsdecode(name)
    kept = stored(path, KEYS, seal=seal)
    assert kept.startswith("sealed:") == seal
    assert resolved(kept, KEYS) == path


def test_a_file_whose_name_looks_sealed_is_no_sealed_text():
    for path in ("sealed:x/y.dcm", "sealed:"):
        kept = stored(path, KEYS, seal=False)
        assert resolved(kept, KEYS) == path
        assert not kept.startswith("sealed:")


def test_a_sealed_path_shows_nothing_and_needs_its_key():
    kept = stored("2011/07/JANSEN_19500203.dcm", KEYS, seal=True)
    assert re.fullmatch(r"sealed:[A-Za-z0-9+/=]+", kept)
    assert kept == stored("2011/07/JANSEN_19500203.dcm", KEYS, seal=True)
    with pytest.raises(KeyFileError):
        resolved(kept, Keys.from_hex("5b" * 32))


def span(template, path):
    found = Layout(template).span(path.split("/"))
    return found and tuple(day.isoformat() for day in found)


def test_folders_tell_the_days_that_they_hold():
    assert span("{yyyy}/{mm}/{dd}", "2011") == ("2011-01-01", "2011-12-31")
    assert span("{yyyy}/{mm}/{dd}", "2011/02") == ("2011-02-01", "2011-02-28")
    assert span("{yyyy}/{mm}/{dd}", "2012/02") == ("2012-02-01", "2012-02-29")
    assert span("{yyyy}/{mm}/{dd}", "2011/07/04") == ("2011-07-04", "2011-07-04")
    assert span("{yyyy}/{mm}/{dd}", "2011/07/04/S00012/series") == ("2011-07-04", "2011-07-04")
    assert span("{yyyymmdd}", "20110704/x") == ("2011-07-04", "2011-07-04")
    assert span("studies-{yyyy}{mm}/d{dd}", "studies-201107/d04") == ("2011-07-04", "2011-07-04")


@pytest.mark.parametrize(
    "path", ["incoming", "2011/13", "2011/07/32", "2011/02/30", "0000", "20110", "2011 ", "٢٠١١"]
)
def test_folders_that_are_no_dates_tell_nothing(path):
    assert span("{yyyy}/{mm}/{dd}", path) is None


def test_without_a_layout_nothing_is_told():
    assert span("", "2011/07/04") is None
    assert Layout("{yyyy}/{mm}").span([]) is None


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.integers(1, 3))
def test_a_day_lies_within_the_span_of_its_folders(day, depth):
    text = day.isoformat()
    parts = [text[:4], text[5:7], text[8:]][:depth]
    first, last = Layout("{yyyy}/{mm}/{dd}").span(parts)
    assert first <= day <= last
    if first > date.min:
        before = (first - timedelta(days=1)).isoformat()
        assert not before.startswith("-".join(parts)), "the span begins with the folder"
