"""Heads that are read again: each once, from files and from containers; names stay in memory."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest
from tables.heads_of import KEYS, file_of, local

from remediation.model.evidence import PatientGroup, PlainPerson
from remediation.model.files import INSIDE, stored
from remediation.model.tokens import bound_tokens, patient_token
from remediation.store.again import Names, read_again


def group(path, number="101", names=("SCHIJN",)):
    return PatientGroup(
        patient_token=patient_token(KEYS, number),
        issuer="ZKH-OOST",
        issuer_kind="other",
        other_ids=(),
        person=bound_tokens(KEYS, number, "", names, ""),
        sex="",
        path=stored(path, KEYS, seal=True),
    )


@pytest.fixture
def root(tmp_path):
    for n in range(20):
        (tmp_path / f"{n}.dcm").write_bytes(file_of(*local(f"1{n:02}"), name="Schijn^A"))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("a.dcm", file_of(*local("777"), name="Schijn^A"))
    (tmp_path / "broken").write_bytes(b"no DICOM")
    return tmp_path


@pytest.mark.parametrize("readers", [1, 4])
def test_each_head_comes_with_its_index(root, readers):
    paths = [f"{n}.dcm" for n in range(20)] + [f"all.zip{INSIDE}a.dcm", "gone", "broken"]
    asked = []
    found = dict(read_again(root, paths, readers, lambda: asked.append(1)))
    assert found.keys() == set(range(23))
    assert [found[n].head is not None for n in range(23)] == [True] * 21 + [False] * 2
    assert len(asked) == 23, "a share is asked at the pace of the job"


def test_a_root_that_is_not_there_gives_nothing(tmp_path):
    assert list(read_again(tmp_path / "elsewhere", ["a"], 2)) == []


def test_a_name_is_known_once_it_was_read(root):
    names = Names({"oost": root}, KEYS)
    one = group("1.dcm")
    assert names.of("oost", one) is None
    names.read([("oost", one), ("oost", replace(one, sex="F"))])
    assert names.of("oost", one) == PlainPerson("101", ("SCHIJN",))
    assert names.heads_read == 1
    names.read([("oost", one)])
    assert names.heads_read == 1, "the same words of the same patient are not read twice"
    assert names.of("west", one) is None


def test_a_head_of_somebody_else_or_of_other_words_is_not_taken(root):
    names = Names({"oost": root}, KEYS)
    wrong = [group("1.dcm", number="999"), group("2.dcm", "102", names=("ANDERS",)), group("gone")]
    names.read(("oost", one) for one in wrong)
    assert [names.of("oost", one) for one in wrong] == [None] * 3
    assert names.heads_read == 3


def test_an_archive_without_a_root_is_not_read():
    names = Names({}, KEYS)
    names.read([("oost", group("1.dcm"))])
    assert names.heads_read == 0


def test_names_are_not_shown(root):
    names = Names({"oost": root}, KEYS)
    names.read([("oost", group("1.dcm"))])
    assert "SCHIJN" not in repr(names)
