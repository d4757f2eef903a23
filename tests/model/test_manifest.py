"""The manifest as a value: its digest, and the one form in which it is accepted."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import ManifestError
from remediation.model.manifest import (
    ID_LENGTH,
    Manifest,
    Parent,
    Review,
    canonical,
    content_digest,
    from_json,
    to_json,
)

EDITS = [{"attribute": "PatientID", "action": "set", "value_source": "crosswalk", "token": "aa"}]
CORRECTIONS = [
    {"archive": "oost", "path": "sealed:1", "size": 10, "edits": EDITS, "period_id": None},
    {"archive": "oost", "path": "sealed:2", "size": 20, "edits": EDITS, "period_id": "p1"},
]
REFUSALS = [{"StudyInstanceUID": "1.2.3", "archive": "west", "reason": "homonym", "instances": 2}]
PLAIN = Manifest(
    created="2026-11-23T01:00:00+00:00",
    expires="2027-02-21T01:00:00+00:00",
    author="Eerste Persoon",
    responsible="PACS-beheer",
    job="demo",
    placement={"target": "at-rest", "qualifiers": True},
    archives={"oost": "0a1b"},
    counts={"files": 2, "studies": 2, "refused": 1},
    in_place_statement="afgesproken met “leverancier” ë",
    key_id="0011223344556677",
    tool_version="0.1.0",
    selection=("period=p1",),
    job_file="../../job.toml",
)
REVIEW = Review(
    by="Tweede Persoon",
    at="2026-11-24T10:00:00+00:00",
    why="hoort bij een andere afspraak",
    excluded=("1.2.3",),
    only_periods=("p1",),
    studies=2,
    files=3,
)
PARENT = Parent("0" * ID_LENGTH, "0" * 64)
MANIFEST = replace(PLAIN, digest=content_digest(PLAIN, CORRECTIONS, REFUSALS))


def digest(manifest=MANIFEST, corrections=CORRECTIONS, refusals=REFUSALS):
    return content_digest(manifest, corrections, refusals)


def test_the_digest_ignores_the_order_of_rows_and_of_keys():
    turned = [dict(reversed(row.items())) for row in reversed(CORRECTIONS)]
    assert digest(corrections=turned) == digest()
    assert digest(replace(MANIFEST, placement=dict(reversed(PLAIN.placement.items())))) == digest()


def test_the_digest_does_not_count_itself():
    assert digest(replace(MANIFEST, digest="")) == digest() == MANIFEST.digest


CHANGES = {
    **dict.fromkeys(("created", "expires", "author", "responsible", "job"), "other"),
    **dict.fromkeys(("in_place_statement", "key_id", "tool_version", "job_file"), "other"),
    "placement": {"target": "exchange", "qualifiers": True},
    "archives": {"oost": "0a1c"},
    "counts": {"files": 3, "studies": 2, "refused": 1},
    "selection": ("period=p2",),
    "not_done": (),
    "parent": PARENT,
    "reviews": (REVIEW,),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_digest_changes_with_every_field(name):
    assert digest(replace(MANIFEST, **{name: CHANGES[name]})) != digest()


def test_every_field_is_among_these():
    assert {field.name for field in fields(Manifest)} == CHANGES.keys() | {"digest"}


@pytest.mark.parametrize("name", CORRECTIONS[0])
def test_the_digest_changes_with_every_value_of_a_row(name):
    for value in ("other", None, 11, [], [{**EDITS[0], "token": "ab"}]):
        if value != CORRECTIONS[0][name]:
            assert digest(corrections=[CORRECTIONS[0] | {name: value}, CORRECTIONS[1]]) != digest()


def test_the_digest_changes_with_a_row_left_out_doubled_or_moved():
    assert digest(corrections=CORRECTIONS[:1]) != digest()
    assert digest(corrections=[*CORRECTIONS, CORRECTIONS[0]]) != digest()
    assert digest(refusals=[]) != digest()
    moved = content_digest(MANIFEST, [*CORRECTIONS, *REFUSALS], [])
    assert moved != digest()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_different_values_have_different_canonical_forms(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical(one) == canonical(other)) == same
    assert canonical(one).isascii()
    assert b"\n" not in canonical(one), "rows are joined by line ends"


def test_a_manifest_is_read_back_as_it_was():
    text = to_json(MANIFEST)
    assert from_json(text) == MANIFEST
    assert json.loads(text)["manifest_id"] == MANIFEST.manifest_id == MANIFEST.digest[:ID_LENGTH]


def test_a_reviewed_manifest_is_read_back_as_it_was():
    reviewed = replace(PLAIN, parent=PARENT, reviews=(REVIEW, replace(REVIEW, by="Derde Persoon")))
    reviewed = replace(reviewed, digest=digest(reviewed))
    assert from_json(to_json(reviewed)) == reviewed


@pytest.mark.parametrize("name", [field.name for field in fields(Review)])
def test_the_digest_changes_with_everything_that_a_review_says(name):
    other = (
        9
        if name in {"studies", "files"}
        else ("9",)
        if name in {"excluded", "only_periods"}
        else "other"
    )
    changed = replace(REVIEW, **{name: other})
    assert digest(replace(PLAIN, reviews=(changed,))) != digest(replace(PLAIN, reviews=(REVIEW,)))


def test_a_manifest_that_was_not_reviewed_says_nothing_of_reviews():
    """Manifests that were made, and perhaps applied, before there were any stay as they are."""
    assert not {"parent", "reviews"} & json.loads(to_json(MANIFEST)).keys()
    for key, empty in (("parent", None), ("reviews", [])):
        said = json.loads(to_json(MANIFEST)) | {key: empty}
        with pytest.raises(ManifestError):
            from_json(json.dumps(said, sort_keys=True, indent=2).encode() + b"\n")


def test_any_altered_byte_is_refused_or_belies_the_digest():
    """A changed letter of a name is JSON as good as before: then the digest no longer fits."""
    text = to_json(MANIFEST)
    for at, byte in enumerate(text):
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, ord("0"), ord('"'), ord(" ")} - {byte}:
            altered = text[:at] + bytes([other]) + text[at + 1 :]
            try:
                read = from_json(altered)
            except ManifestError:
                continue
            assert digest(read) != read.digest, altered


@pytest.mark.parametrize("at", [0, 1, -1, len(to_json(MANIFEST)) // 2])
def test_a_byte_less_or_more_is_refused(at):
    text = to_json(MANIFEST)
    for altered in (text[:at], text[:at] + b" " + text[at:], text + b"\n", b"\xef\xbb\xbf" + text):
        with pytest.raises(ManifestError):
            from_json(altered)


NO_MANIFESTS = (
    b"",
    b"null",
    b"[]",
    b"3",
    b'"manifest"',
    b"{}",
    b"\xff\xfe{}",
    b'{"manifest_id": "x"}',
    b"[" * 100_000,
    *(
        json.dumps(json.loads(to_json(MANIFEST)) | {name: value}).encode()
        for name in (
            *("digest", "selection", "counts", "not_done", "manifest_id", "surplus"),
            *("parent", "reviews"),
        )
        for value in (None, 5, "x", [5], {})
    ),
)


@pytest.mark.parametrize("number", range(len(NO_MANIFESTS)))
def test_whatever_else_is_refused_in_one_line(number):
    with pytest.raises(ManifestError) as caught:
        from_json(NO_MANIFESTS[number])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5
