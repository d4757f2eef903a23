"""Show: counts first, then a few rows, values as the first digits of their tokens."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import timedelta

import pytest
from small_hospital import APPROVERS, NUMBERS, STATEMENT

from remediation.errors import ManifestError
from remediation.model.running import utc_now
from remediation.stages import show
from remediation.store import datasets
from remediation.store.standing import counted
from remediation.tables.schemas import STUDIES


def test_the_counts_of_a_manifest_are_summed_up(hospital, manifest):
    report = show.run(manifest)
    assert report.counts == {"files": 12, "studies": 6, "refused": 0}
    assert list(report.by_rule.items()) == [("absent to at-rest", 8), ("candidate to at-rest", 4)]
    assert (report.by_archive, report.by_period) == ({"noord": 12}, {"none": 12})
    assert report.by_source == {"noord: unknown": 12}
    assert report.by_month == {"2011-07": 12}
    assert report.left_out == ()
    assert (report.target, report.author) == ("at-rest", "Anna Auteur")
    assert report.in_place_statement == STATEMENT
    assert report.refused == {}
    assert report.digest.startswith(report.manifest_id)
    assert any("PACS" in line for line in report.not_done)


def test_refusals_are_counted_by_reason_the_most_frequent_first(hospital):
    for person in (1, 3, 5):
        hospital.edit_export(f"70{person};", f"79{person};")
    hospital.edit_export(f"{NUMBERS[4]};geverifieerd", f"{NUMBERS[4]};onbekend")
    hospital.look()
    report = show.run(hospital.plan())
    assert list(report.refused.items()) == [("no-crosswalk-entry", 3), ("not-verified", 1)]


def test_as_many_rows_are_shown_as_asked_for(manifest):
    assert len(show.run(manifest).rows) == 10
    assert len(show.run(manifest, limit=3).rows) == 3
    assert show.run(manifest, limit=0).rows == ()
    assert len(show.run(manifest, limit=99).rows) == 12


def test_a_row_tells_what_is_done_and_shows_no_whole_token(manifest):
    (row, *_) = show.run(manifest).rows
    (token,) = {r["bsn_token"] for r in manifest.corrections.slice(0, 1).to_pylist()}
    assert row["edits"][0] == (
        f"add OtherPatientIDsSequence.PatientID from crosswalk (token {token[:8]}…)"
    )
    text = json.dumps(dataclasses.asdict(show.run(manifest, limit=99)))
    assert token not in text
    assert "sealed:" not in text
    assert not [number for number in NUMBERS if number in text]


def test_every_kind_of_change_is_told_with_an_example_and_a_token_that_is_cut_off(manifest):
    kinds = show.run(manifest, limit=0).kinds
    assert [(one.rule, one.files, one.studies) for one in kinds] == [
        ("absent to at-rest", 8, 4),
        ("candidate to at-rest", 4, 2),
    ]
    first, kept = kinds[0].changes
    assert (first.place, first.before, first.after, first.source) == (
        *("OtherPatientIDsSequence.PatientID", "absent", "bsn"),
        "crosswalk",
    )
    assert (kept.attribute, kept.before, kept.after) == (
        "OriginalAttributesSequence",
        "kept",
        "item",
    )
    tokens = {row["bsn_token"] for row in manifest.corrections.to_pylist()}
    assert len(first.token) == 8
    assert any(token.startswith(first.token) for token in tokens)


def test_items_of_a_sequence_that_differ_in_their_number_only_are_one_kind(hospital):
    report = show.run(hospital.plan(target="exchange"))
    assert len({kind.rule for kind in report.kinds}) == len(report.kinds)


@pytest.mark.parametrize("fault", ["gone", "damaged", "key"])
def test_without_the_studies_source_and_month_are_left_out_and_that_is_said(
    hospital, manifest, fault
):
    path = hospital.output / "studies.parquet"
    if fault == "damaged":
        path.write_bytes(b"PAR1")
    elif fault == "key":
        datasets.write(path, STUDIES.empty_table(), "00" * 8)
    else:
        path.unlink()
    report = show.run(manifest)
    assert (report.by_source, report.by_month) == ({}, {})
    assert len(report.left_out) == 1
    assert report.left_out[0].startswith("source and month: studies.parquet ")
    assert report.counts["files"] == 12


def test_a_manifest_that_lies_elsewhere_is_shown_by_itself(hospital, manifest, tmp_path):
    elsewhere = tmp_path / "a" / "b" / manifest.folder.name
    shutil.copytree(manifest.folder, elsewhere)
    report = show.run(hospital.load(elsewhere))
    assert report.left_out == ("source and month: studies.parquet is not there",)
    assert show.run(hospital.load(elsewhere), output=hospital.output).left_out == ()


# --- how it stands --------------------------------------------------------------------------------


def conditions(hospital, manifest):
    return hospital.session().apply_options("out", manifest, out=hospital.out).conditions


def states(hospital, manifest, **more):
    report = show.run(manifest, conditions=conditions(hospital, manifest), **more)
    return [(one.by, one.state) for one in report.approvals]


def test_approvals_are_named(hospital, manifest):
    found = show.run(manifest).approvals
    assert [(one.by, one.signed, one.state) for one in found] == [
        (name, True, "unchecked") for name in APPROVERS[:2]
    ]
    assert states(hospital, manifest) == [(name, "counts") for name in APPROVERS[:2]]
    assert show.run(hospital.plan(select=[("status", "absent")])).approvals == ()


def test_an_approval_that_does_not_count_says_why(hospital, manifest):
    hospital.approve(manifest, APPROVERS[2:])
    path = manifest.folder / "approvals" / "dirk-derde.minisig"
    shutil.copy(path, path.with_name("zomaar.minisig"))
    path.write_text("zomaar iets")
    hospital.edit(APPROVERS[1], "Iemand Anders")
    found = show.run(manifest, conditions=conditions(hospital, manifest)).approvals
    said = {(one.state, one.why) for one in found}
    assert ("refused", "not an approver of this job") in said
    assert ("refused", "not an approval of this tool") in said
    assert [one.by for one in found if one.state == "counts"] == [APPROVERS[0], APPROVERS[2]]


def test_while_one_approval_is_not_good_none_counts_as_apply_sees_it(hospital, manifest):
    def good(now=None):
        asked = conditions(hospital, manifest)
        return counted(show.run(manifest, conditions=asked, now=now).approvals)

    assert good() == 2
    assert good(utc_now() - timedelta(days=1)) == 0, "approvals of the future"
    assert good(utc_now() - timedelta(minutes=5)) == 2, "clocks differ a little"
    (manifest.folder / "approvals" / "zomaar.minisig").write_text("zomaar iets")
    assert good() == 0
    with pytest.raises(ManifestError, match="not an approval"):
        hospital.apply(manifest)


def test_the_same_person_twice_is_told_as_one(hospital, manifest):
    path = manifest.folder / "approvals" / "bea-bekijker.minisig"
    shutil.copy(path, path.with_name("zomaar.minisig"))
    assert sorted(state for _, state in states(hospital, manifest)) == [
        "counts",
        "counts",
        "refused",
    ]


def test_approvals_from_before_a_rollback_count_no_more(hospital, manifest):
    hospital.apply(manifest)
    assert show.run(manifest).spent
    hospital.rollback(manifest)
    report = show.run(manifest, conditions=conditions(hospital, manifest))
    assert not report.spent
    assert {one.state for one in report.approvals} == {"refused"}


def test_one_that_has_expired_says_so(manifest):
    assert not show.run(manifest).expired
    assert show.run(manifest, now=utc_now() + timedelta(days=91)).expired
