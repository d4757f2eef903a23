"""The frame of a sample: cells by layout, and folders as a share shows them."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date

import pytest

from remediation.errors import ShareError
from remediation.model.draws import Start
from remediation.model.files import Layout
from remediation.store import frame
from remediation.store.frame import BESIDE, WHOLE, Folders, Listing, cells

DAYS = "{yyyy}/{mm}/{dd}"


def put(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path, lambda: None)


def cells_of(folders, layout, outside=lambda _folder: False):
    found = defaultdict(set)
    for name, start in cells(folders, Layout(layout), outside):
        found[name].add(start)
    return dict(found)


def test_without_a_layout_the_root_is_the_one_cell(folders, tmp_path):
    put(tmp_path, "2011/07/04/a")
    assert cells_of(folders, "") == {WHOLE: {Start(())}}
    assert not folders.listed, "and nothing is listed for it"


def test_with_a_layout_months_are_cells_and_what_lies_beside_it_is_one_more(folders, tmp_path):
    put(tmp_path, "2011/07/04/S/a", "2011/07/05/S/a", "2011/08/01/S/a")
    put(tmp_path, "incoming/x/a", "2011/extra/a", "readme", "2011/07/note", "2011/02/31/a")
    assert cells_of(folders, DAYS) == {
        "2011-07": {Start(("2011", "07", "04")), Start(("2011", "07", "05"))},
        "2011-08": {Start(("2011", "08", "01"))},
        BESIDE: {
            Start(("incoming",)),
            Start(("2011", "extra")),
            Start((), shallow=True),
            Start(("2011", "07"), shallow=True),
            Start(("2011", "02", "31")),
        },
    }
    # The day's own folders are left for the draws.
    assert folders.listed == {(), ("2011",), ("2011", "07"), ("2011", "08"), ("2011", "02")}


def test_years_are_cells_where_the_layout_tells_no_months(folders, tmp_path):
    put(tmp_path, "data/2011/a", "data/2012/a")
    found = cells_of(folders, "data/{yyyy}")
    assert found == {"2011": {Start(("data", "2011"))}, "2012": {Start(("data", "2012"))}}


def test_folders_outside_the_range_are_not_opened(folders, tmp_path):
    put(tmp_path, "2010/07/04/a", "2011/07/04/a")
    layout = Layout(DAYS)
    found = cells_of(folders, DAYS, lambda folder: layout.span(folder)[1] < date(2011, 1, 1))
    assert set(found) == {"2011-07"}
    assert ("2010",) not in folders.listed


def test_links_devices_snapshots_and_our_own_names_are_left_out(folders, tmp_path):
    put(tmp_path, "b/a", "a", ".snapshot/hourly/a", ".remediation-r1-0.new")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "folder-link").symlink_to(tmp_path / "b")
    os.mkfifo(tmp_path / "pipe")
    assert folders.listing(()) == Listing(("b",), ("a",))


def test_names_stand_in_their_order_whatever_the_server_gives(folders, tmp_path, monkeypatch):
    put(tmp_path, *(f"{letter}/x" for letter in "dbca"), "z", "y")
    assert folders.listing(()) == Listing(("a", "b", "c", "d"), ("y", "z"))


def test_a_folder_that_cannot_be_listed_is_lost_and_the_root_is_an_error(folders, tmp_path):
    assert folders.listing(("gone",)) == Listing((), ())
    assert folders.lost == {("gone",)}
    with pytest.raises(ShareError, match="cannot be read"):
        Folders(tmp_path / "unmounted", lambda: None).listing(())


def test_a_folder_is_listed_once_and_paced(tmp_path):
    put(tmp_path, "a/x")
    turns = []
    folders = Folders(tmp_path, lambda: turns.append(1))
    for _ in range(3):
        folders.listing(())
    assert len(turns) == 1
    folders.forget()
    folders.listing(())
    assert len(turns) == 2


def test_memory_is_bounded_but_for_the_folder_that_all_draws_come_through(tmp_path, monkeypatch):
    monkeypatch.setattr(frame, "_KEPT", 20)
    put(tmp_path, *(f"{number:02}/{file}" for number in range(30) for file in "ab"))
    turns = []
    folders = Folders(tmp_path, lambda: turns.append(1))
    for number in range(30):
        folders.listing(())
        folders.listing((f"{number:02}",))
    assert len(turns) == 31, "the root, of thirty names, was listed once"
    assert folders._names <= 30 + 20
    assert len(folders._kept) < 15
