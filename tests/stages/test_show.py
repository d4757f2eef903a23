"""Show: counts first, then a few rows, values as the first digits of their tokens."""

from __future__ import annotations

import dataclasses
import json

from small_hospital import NUMBERS, STATEMENT

from remediation.stages import show


def test_the_counts_of_a_manifest_are_summed_up(hospital, manifest):
    report = show.run(manifest)
    assert report.counts == {"files": 12, "studies": 6, "refused": 0}
    assert list(report.by_rule.items()) == [("absent to at-rest", 8), ("candidate to at-rest", 4)]
    assert (report.by_archive, report.by_period) == ({"noord": 12}, {"none": 12})
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


def test_approvals_are_named(hospital, manifest):
    assert len(show.run(manifest).approvals) == 2
    assert show.run(hospital.plan(select=[("status", "absent")])).approvals == ()
