"""Draws from a share: their chances, what they pass over, and what is read."""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter

import pytest
from tables.heads_of import file_of

from remediation.model.draws import Cell, Start
from remediation.store import sampling
from remediation.store.sampling import TRIES, Sampler

ALL = Cell("all", (Start(()),))
DRAWS = 400


def study(root, folder, uid, files=1):
    (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(files):
        path = root / folder / f"{number}.dcm"
        path.write_bytes(file_of(uid=uid, instance=f"{uid}.{number}"))


@pytest.fixture
def sampler(tmp_path):
    return Sampler(tmp_path, lambda: None)


def drawn(sampler, count=DRAWS, cell=ALL):
    return [sampler.take(cell, str(number)) for number in range(count)]


def test_the_chance_of_a_draw_is_how_often_it_comes(sampler, tmp_path):
    study(tmp_path, "A/one", "1.1")
    for number in range(4):
        study(tmp_path, f"B/{number}", f"1.2.{number}", files=2)
    (tmp_path / "readme").write_text("no")
    found = drawn(sampler, 3000)
    counted = Counter(one.path for one in found if one.is_instance)
    chances = {one.path: one.leaf.chances[-1] for one in found if one.is_instance}
    # Three ways out of the root: two folders, and its files together.
    assert chances["A/one/0.dcm"] == pytest.approx(1 / 3)
    assert chances["B/0/0.dcm"] == pytest.approx(1 / 3 / 4 / 2)
    for path, chance in chances.items():
        tried = counted[path] / len(found)
        assert tried == pytest.approx(chance, abs=5 * (chance / len(found)) ** 0.5)
    assert found[0].leaf.chances[0] == 1.0


def test_starts_of_a_cell_share_its_draws(sampler, tmp_path):
    for day in ("04", "05"):
        study(tmp_path, f"2011/07/{day}/S", f"1.{day}")
    cell = Cell("2011-07", (Start(("2011", "07", "04")), Start(("2011", "07", "05"))))
    found = drawn(sampler, 50, cell)
    assert {one.leaf.chances for one in found} == {(0.5, 0.5, 0.5)}
    assert {one.path[:10] for one in found} == {"2011/07/04", "2011/07/05"}
    assert {one.leaf.depth for one in found} == {1}


def test_a_shallow_start_is_drawn_from_without_its_folders(sampler, tmp_path):
    study(tmp_path, "", "1.1")
    study(tmp_path, "below", "1.2")
    assert {one.path for one in drawn(sampler, 20, Cell("", (Start((), shallow=True),)))} == {
        "0.dcm"
    }


def test_the_same_seed_draws_the_same_file(sampler, tmp_path):
    for number in range(9):
        study(tmp_path, f"{number}", f"1.{number}", files=3)
    other = Sampler(tmp_path, lambda: None)
    paths = [one.path for one in drawn(sampler, 30)]
    assert paths == [one.path for one in drawn(other, 30)]
    assert len(set(paths)) > 5


def test_files_that_are_no_dicom_are_passed_over_within_a_folder(sampler, tmp_path):
    study(tmp_path, "S", "1.1")
    for number in range(TRIES - 1):
        (tmp_path / "S" / f"thumb{number}.jpg").write_bytes(b"\xff\xd8 no dicom")
    found = drawn(sampler, 20)
    assert {one.path for one in found} == {"S/0.dcm"}
    assert max(len(one.tried) for one in found) > 1


def test_folders_without_any_file_end_a_draw(sampler, tmp_path):
    (tmp_path / "empty/deeper").mkdir(parents=True)
    one = sampler.take(ALL, "1")
    assert (one.leaf, one.seen, one.tried, one.path, one.is_instance) == (None, None, (), "", False)


def test_no_link_is_followed_not_even_one_that_came_after_the_listing(sampler, tmp_path):
    outside = tmp_path.with_name(tmp_path.name + "-outside")
    study(outside, "", "1.9")
    study(tmp_path, "S", "1.1")
    (tmp_path / "away").symlink_to(outside)
    (tmp_path / "S" / "link.dcm").symlink_to(outside / "0.dcm")
    assert {one.path for one in drawn(sampler, 40)} == {"S/0.dcm"}
    (tmp_path / "S" / "0.dcm").unlink()
    (tmp_path / "S" / "0.dcm").symlink_to(outside / "0.dcm")
    late = sampler.take(ALL, "1")
    assert (late.seen.state, late.is_instance) == ("not-dicom", False)


def test_what_was_read_is_not_read_again(sampler, tmp_path, monkeypatch):
    study(tmp_path, "S", "1.1")
    first = sampler.take(ALL, "1")
    sampler.read.update(first.tried)
    monkeypatch.setattr(sampling, "_see", lambda *_: pytest.fail("read again"))
    again = sampler.take(ALL, "2")
    assert again.is_instance
    assert (again.path, again.seen.head) == ("S/0.dcm", None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_an_unreadable_instance(sampler, tmp_path):
    study(tmp_path, "S", "1.1")
    (tmp_path / "S/0.dcm").chmod(0)
    one = sampler.take(ALL, "1")
    assert (one.seen.state, one.seen.error, one.is_instance) == (
        "unreadable",
        "no-permission",
        True,
    )


def test_a_file_that_is_gone_by_now_is_unreadable(sampler, tmp_path):
    study(tmp_path, "S", "1.1")
    sampler.folders.listing(("S",))
    (tmp_path / "S/0.dcm").unlink()
    assert sampler.take(ALL, "1").seen.state == "unreadable"


def test_the_first_instance_of_a_container_stands_for_it(sampler, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("readme.txt", "no")
        file.writestr("S/1", file_of(uid="1.7"))
    (tmp_path / "study.zip").write_bytes(packed.getvalue())
    one = sampler.take(ALL, "1")
    assert (one.path, one.seen.state, one.seen.inside) == ("study.zip", "read", "study.zip")
    assert one.seen.head is not None
    (tmp_path / "study.zip").write_bytes(packed.getvalue()[:20])
    assert not Sampler(tmp_path, lambda: None).take(ALL, "1").is_instance


# --- pairs: which folder is one study's -----------------------------------------------------------


def pairs_of(sampler, cell=ALL):
    votes = Counter()
    for number in range(30):
        taken = sampler.take(cell, str(number))
        found, reads = sampler.pairs(taken, f"{number}/beside")
        assert reads >= len(found)
        votes.update(found)
    return votes


def test_pairs_part_higher_and_higher_up_to_another_study(sampler, tmp_path):
    for number in range(3):
        for series in "ab":
            study(tmp_path, f"S{number}/{series}", f"1.{number}", files=2)
    votes = pairs_of(sampler)
    assert votes == {(2, 2, True): 30, (2, 1, True): 30, (2, 0, False): 30}


def test_files_of_several_studies_in_one_folder_part_there(sampler, tmp_path):
    for number in range(40):
        (tmp_path / f"{number}.dcm").write_bytes(file_of(uid=f"1.{number}"))
    assert pairs_of(sampler) == {(0, 0, False): 30}


def test_a_folder_with_one_way_out_tells_nothing(sampler, tmp_path):
    study(tmp_path, "P/S", "1.1")
    assert pairs_of(sampler) == {}


def test_a_file_that_names_no_study_is_held_against_nothing(sampler, tmp_path):
    (tmp_path / "broken.dcm").write_bytes(bytes(128) + b"DICM" + b"\2\0\0\0UL\4")
    one = sampler.take(ALL, "1")
    assert one.is_instance
    assert sampler.pairs(one, "1") == ([], 0)
