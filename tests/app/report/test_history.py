"""What became of manifests: read from journals and verifications, and damage told, not raised."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from remediation.app.report.history import history
from remediation.app.report.sections.made import manifests as shown
from remediation.app.report.words import Words
from remediation.model.manifest import Manifest
from remediation.store import manifests
from remediation.store.journal import Journal, Type
from remediation.tables.schemas import CORRECTIONS, REFUSALS

AT = "2026-11-23T01:20:00+00:00"


@pytest.fixture
def plan(tmp_path):
    """Return a function that saves a manifest and gives it back."""

    def save(created=AT, reasons=("homonym",), key_id="k" * 16):
        head = Manifest(
            created, created, "auteur", "", "demo", {"target": "at-rest"}, {"oost": "a"},
            {"files": 3, "studies": 2, "refused": len(reasons)}, "", key_id, "0.1.0",
        )  # fmt: skip
        rows = [
            {"StudyInstanceUID": f"2.999.{n}", "archive": "oost", "reason": reason, "instances": 1}
            for n, reason in enumerate(reasons)
        ]
        return manifests.save(
            tmp_path / "manifests",
            head,
            CORRECTIONS.empty_table(),
            pa.Table.from_pylist(rows, schema=REFUSALS),
            tmp_path / "job.toml",
        ).manifest

    return save


def run(output, manifest, name, *, command="apply", results=("applied",) * 3, complete=True):
    begin = {"command": command, "mode": "in-place", "at": AT, "manifest": manifest.digest}
    with Journal.create(output / "journal", name, begin) as journal:
        files = [{"archive": "oost", "path": "p", "result": one, "reason": ""} for one in results]
        journal.append(Type.CLOSED, {"stage": 1, "bytes": "new", "files": files})
        if complete is not None:
            journal.append(Type.END, {"complete": complete, "at": AT})


def verify(output, manifest, verdicts, part="1/1", at=AT):
    folder = output / "verifications"
    folder.mkdir(exist_ok=True)
    said = {"at": at, "slice": part, "verdicts": verdicts, "manifest": manifest.digest}
    (folder / f"{manifest.manifest_id}-{len(list(folder.iterdir()))}.json").write_text(
        json.dumps(said)
    )


def lines(found, language="nl"):
    class Facts:
        history = found

    (one,) = shown(Facts, Words.of(language)).manifests
    return one.done


def test_without_anything_there_is_nothing(tmp_path):
    found = history(tmp_path)
    assert (found.manifests, found.damaged, found.commands) == ((), (), ())
    assert not found.journal_damaged


def test_a_manifest_that_was_only_planned(plan, tmp_path):
    plan()
    found = history(tmp_path)
    assert found.manifests[0].refused == {"homonym": 1}
    assert lines(found) == ("Alleen gepland: er is niets mee geschreven.",)


def test_applied_verified_and_rolled_back(plan, tmp_path):
    made = plan()
    run(tmp_path, made, "20261123T010000Z-aaaa")
    verify(tmp_path, made, {"as-promised": 2, "content-differs": 1}, "1/2")
    run(tmp_path, made, "20261123T020000Z-bbbb", command="rollback", results=["rolled-back"] * 3)
    moment = "op 23 november 2026, 01:20 UTC"
    checked = "2 bestanden zoals beloofd, 1 bestand inhoud wijkt af"
    assert lines(history(tmp_path)) == (
        f"Toegepast in het archief {moment}: volledig (3 bestanden gecorrigeerd).",
        f"Teruggedraaid {moment}: volledig (3 bestanden teruggezet).",
        f"Gecontroleerd {moment} (deel 1/2): {checked}.",
    )


@pytest.mark.parametrize(("complete", "said"), [(False, "not complete"), (None, "still going on")])
def test_a_run_that_did_not_end_well_says_so(plan, tmp_path, complete, said):
    run(
        tmp_path, plan(), "20261123T010000Z-aaaa", results=["applied", "drifted"], complete=complete
    )
    (line,) = lines(history(tmp_path), "en")
    assert said in line
    assert "(1 file corrected, 1 file changed meanwhile)" in line.replace("applied", "corrected")


def test_the_runs_of_one_manifest_are_not_those_of_another(plan, tmp_path):
    first, second = plan(), plan("2026-11-24T01:20:00+00:00")
    run(tmp_path, first, "20261123T010000Z-aaaa")
    newest, oldest = history(tmp_path).manifests
    assert (newest.manifest.digest, newest.runs) == (second.digest, ())
    assert [one.results for one in oldest.runs] == [{"applied": 3}]


def test_an_altered_manifest_is_named_and_the_others_are_read(plan, tmp_path):
    plan()
    bad = plan("2026-11-24T01:20:00+00:00")
    path = tmp_path / "manifests" / bad.manifest_id / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"demo", b"dem0"))
    found = history(tmp_path)
    assert found.damaged == (bad.manifest_id,)
    assert len(found.manifests) == 1


def test_a_manifest_without_its_refusals_is_damaged(plan, tmp_path):
    made = plan()
    (tmp_path / "manifests" / made.manifest_id / "refusals.parquet").unlink()
    assert history(tmp_path).damaged == (made.manifest_id,)


def test_a_manifest_of_another_key_is_listed_all_the_same(plan, tmp_path):
    plan(key_id="f" * 16)
    assert history(tmp_path).damaged == ()


def test_of_many_manifests_those_that_were_used_are_shown(plan, tmp_path):
    made = [plan(f"2026-11-23T01:20:{second:02d}+00:00") for second in range(23)]
    run(tmp_path, made[0], "20261123T010000Z-aaaa")
    found = history(tmp_path)
    shown_ones = [one.manifest.digest for one in found.manifests]
    assert (len(shown_ones), found.left_off) == (20, 3)
    assert shown_ones[-1] == made[0].digest

    class Facts:
        history = found

    assert "20 van de 23" in shown(Facts, Words.of("nl")).note


def test_an_altered_journal_is_told(plan, tmp_path):
    made = plan()
    run(tmp_path, made, "20261123T010000Z-aaaa")
    (path,) = (tmp_path / "journal").iterdir()
    path.write_text(path.read_text().replace('"applied"', '"drifted"', 1))
    found = history(tmp_path)
    assert found.journal_damaged
    assert found.manifests[0].runs == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"verdicts": 3}', "\x00"])
def test_a_damaged_verification_is_told(plan, tmp_path, content):
    verify(tmp_path, plan(), {"as-promised": 3})
    (tmp_path / "verifications" / "zz.json").write_text(content)
    found = history(tmp_path)
    assert found.verification_damaged
    assert len(found.manifests[0].verifications) == 1


def test_the_last_run_of_each_command(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    for number, command in enumerate(["crawl", "flag", "crawl"]):
        said = {"command": command, "run_id": f"r{number}", "exit_code": number}
        Path(folder / f"r{number}.json").write_text(
            json.dumps(said | {"ended": f"2026-11-23T0{number}:00:00+00:00"})
        )
    (folder / "half.json").write_text('{"command"')
    found = history(tmp_path).commands
    assert [(one.command, one.run_id, one.exit_code) for one in found] == [
        ("crawl", "r2", 2),
        ("flag", "r1", 1),
    ]
