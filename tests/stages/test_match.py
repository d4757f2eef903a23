"""Match: identities for every study, and a worklist for the registration desk."""

from __future__ import annotations

import csv
import io

import pytest
from builders import OID
from model.people import RULES, entry
from stages.share import ONE, TWO, Share
from tables.heads_of import bsn_item, file_of, local

from remediation.errors import DatasetError, KeyFileError
from remediation.model import bsn
from remediation.model.crosswalk import Crosswalk
from remediation.model.tokens import bsn_token, patient_token
from remediation.stages import match
from remediation.store import datasets
from remediation.store.keys import load_key_file, new_key_file
from remediation.tables.schemas import IDENTITIES

THREE = bsn.test_number(303)
ALIKE = {"names": "Schijn", "initials": "A"}  # as the headers of these tests say


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def run(share, *rows, keys=None, **more):
    options = match.MatchOptions(share.output, RULES, {share.name: share.root})
    return match.run(options, Crosswalk(rows), keys or share.keys, **more)


def look(share):
    share.crawl()
    share.flag()


def put(share, uid, *own, **more):
    """Put one study of one file; other studies are of people born on other days."""
    share.put(uid, file_of(*own, uid=uid, **more))


def identities(share):
    path = share.output / "identities.parquet"
    rows = datasets.read(path, IDENTITIES, share.keys.key_id, "remediation match").to_pylist()
    return {row["StudyInstanceUID"]: row for row in rows}


def worklist(share):
    data = (share.output / "worklists" / "registratie.csv").read_bytes()
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def reasons(share):
    return [row[3] for row in worklist(share)[1:]]


# --- identities -----------------------------------------------------------------------------------


def test_each_study_gets_its_outcome_and_each_outcome_is_counted(share):
    put(share, "1.1", *local("101"))
    put(share, "1.2", *local("102"), bsn_item(TWO), birth="19510101")
    put(share, "1.3", *local("103"), birth="19520101")
    put(share, "1.4", *local("104"), birth="19530101")
    put(share, "1.5", *local("105"))
    look(share)
    told = []
    report = run(
        share,
        entry("101", ONE, **ALIKE),
        entry("102", TWO, birth_date="19510101", **ALIKE),
        entry("103", THREE, birth_date="19610506", **ALIKE),
        entry("104", "", birth_date="19530101", exemption="buitenlander", **ALIKE),
        advance=told.append,
    )
    assert report.outcomes == {"conformant": 1, "exempt": 1, "refused": 2, "resolved": 1}
    assert report.reasons == {"birth-date-clash": 1, "exempt": 1, "no-crosswalk-entry": 1}
    assert told == [1] * 5
    assert {uid: (row["outcome"], row["reason"]) for uid, row in identities(share).items()} == {
        "1.1": ("resolved", ""),
        "1.2": ("conformant", ""),
        "1.3": ("refused", "birth-date-clash"),
        "1.4": ("exempt", "exempt"),
        "1.5": ("refused", "no-crosswalk-entry"),
    }
    assert identities(share)["1.4"]["exemption"] == "buitenlander"


def test_a_resolved_study_tells_where_its_number_comes_from(share):
    put(share, "1.1", *local("101"))
    look(share)
    run(share, entry("101", ONE, **ALIKE))
    row = identities(share)["1.1"]
    assert row["bsn_token"] == bsn_token(share.keys, ONE)
    assert row["local_token"] == patient_token(share.keys, "101")
    assert (row["value_source"], row["local_issuer"]) == ("crosswalk", "ZKH-OOST")
    assert (row["evidence"], row["warnings"], row["exemption"]) == ("absent", [], None)


def test_an_identity_that_is_refused_names_no_number(share):
    put(share, "1.1", *local("101"))
    look(share)
    run(share, entry("101", ONE, status="?", **ALIKE))
    row = identities(share)["1.1"]
    assert (row["reason"], row["bsn_token"], row["local_token"]) == ("not-verified", None, None)
    assert (row["value_source"], row["local_issuer"]) == (None, None)


def test_matching_twice_gives_the_same_whatever_the_order_of_the_export(share):
    rows = [
        entry(f"10{n}", bsn.test_number(n), birth_date=f"195{n}0203", **ALIKE) for n in range(6)
    ]
    for n in range(6):
        put(share, f"1.{n}", *local(f"10{n}"), birth=f"195{n}0203")
    look(share)
    first = run(share, *rows, entry("103", "", **ALIKE)), identities(share), worklist(share)
    assert (
        run(share, entry("103", "", **ALIKE), *rows[::-1]),
        identities(share),
        worklist(share),
    ) == first


def test_before_flag_there_is_nothing_to_match(share):
    with pytest.raises(DatasetError, match="remediation crawl"):
        run(share)
    put(share, "1.1", *local())
    share.crawl()
    with pytest.raises(DatasetError, match="remediation flag"):
        run(share)


def test_another_key_is_refused(share, tmp_path):
    put(share, "1.1", *local())
    look(share)
    new_key_file(tmp_path / "other.key")
    with pytest.raises(KeyFileError, match="another key"):
        run(share, keys=load_key_file(tmp_path / "other.key"))
    assert not (share.output / "identities.parquet").exists()


def test_an_archive_without_studies_is_matched(share):
    look(share)
    report = run(share, entry())
    assert (report.outcomes, report.reasons, report.heads_read) == ({}, {}, 0)
    assert len(worklist(share)) == 1


# --- the worklist ---------------------------------------------------------------------------------


def test_the_desk_gets_what_it_can_settle_those_that_hold_up_most_first(share):
    for n in range(3):
        put(share, f"1.1.{n}", *local("101"))
    put(share, "1.2", *local("102"), birth="19510101")
    for n in range(2):
        put(share, f"1.3.{n}", *local("999"), birth="19520101")
    put(share, "1.4", *local("104"), birth="19530101")
    look(share)
    report = run(
        share,
        entry("101", ONE, status="niet geverifieerd", **ALIKE),
        entry("102", "", birth_date="19510101", **ALIKE),
        entry("104", THREE, birth_date="19530101", sex="M", **ALIKE),
    )
    assert worklist(share) == [
        ["lokaal nummer", "uitgever", "archief", "reden", "studies", "eerste studie"],
        ["101", "ZKH-OOST", "oost", "not-verified", "3", "1.1.0"],
        ["999", "ZKH-OOST", "oost", "no-crosswalk-entry", "2", "1.3.0"],
        ["102", "ZKH-OOST", "oost", "no-number", "1", "1.2"],
    ]
    assert report.heads_read == 1, "one header of a patient without a row"
    assert report.worklist == share.output / "worklists" / "registratie.csv"
    assert "sex-clash" in report.reasons, "a possible mix-up is not the desk's to settle"


def test_the_worklist_is_private(share):
    put(share, "1.1", *local("101"))
    look(share)
    path = run(share, entry("101", "", **ALIKE)).worklist
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_warning_for_a_conformant_study_is_the_desks_as_well(share):
    put(share, "1.1", *local("101"), bsn_item(ONE))
    look(share)
    report = run(share, entry("101", "", **ALIKE))
    assert (report.outcomes, identities(share)["1.1"]["warnings"]) == (
        {"conformant": 1},
        ["no-number"],
    )
    assert reasons(share) == ["no-number"]


PRIMARIES = {
    "asserted": local(ONE, OID),
    "bare": local(ONE, None),
    "dots": local("9999.00.006", None),
    "eight digits": local("12345672", None),
    "in text": local(f"PAT {ONE}", None),
    "CX": local(f"{ONE}^^^ZKH", None),
}


@pytest.mark.parametrize("form", PRIMARIES)
def test_a_patient_id_that_may_be_a_bsn_is_not_listed(share, form):
    put(share, "1.1", *PRIMARIES[form])
    look(share)
    run(share)
    ((number, *_, reason, _, study),) = worklist(share)[1:]
    assert (number, reason, study) == ("", "no-crosswalk-entry", "1.1")


def test_an_export_that_has_a_bsn_for_a_local_number_does_not_put_it_on_the_list(share):
    put(share, "1.1", *local(ONE, None))
    put(share, "1.2", *local("123456780"), birth="19510101")
    look(share)
    rows = [
        entry(ONE, ONE, status="?", **ALIKE),
        entry("123456780", TWO, status="?", birth_date="19510101", **ALIKE),
    ]
    run(share, *rows)
    assert [(row[0], row[5]) for row in worklist(share)[1:]] == [("", "1.1"), ("123456780", "1.2")]


def test_a_local_number_that_looks_like_a_formula_is_quoted(share):
    put(share, "1.1", *local("=1+1", None))
    look(share)
    run(share)
    assert worklist(share)[1][0] == "'=1+1"


def test_a_file_that_is_gone_since_the_crawl_leaves_its_number_empty(share):
    put(share, "1.1", *local("999"))
    look(share)
    (share.root / "1.1").unlink()
    assert run(share).heads_read == 1
    assert worklist(share)[1][0] == ""


def test_an_archive_that_the_job_no_longer_names_is_not_read(share):
    put(share, "1.1", *local("999"))
    look(share)
    options = match.MatchOptions(share.output, RULES, {})
    report = match.run(options, Crosswalk([]), share.keys)
    assert (report.heads_read, worklist(share)[1][0]) == (0, "")


def test_the_header_that_is_read_again_is_one_that_could_be_read(share):
    share.put("a", file_of(*local("999"), uid="1.1", broken=True))
    share.put("b", file_of(*local("999"), uid="1.1"))
    look(share)
    run(share)
    assert reasons(share) == [], "the study is unreadable first"
    share.put("a", file_of(*local("999"), uid="1.1", instance="1.1.5"))
    look(share)
    run(share)
    assert worklist(share)[1][:2] == ["999", "ZKH-OOST"]


def test_the_demos_worklist_holds_no_number_of_the_demo(demo, session_of):
    """Every BSN of the export, and every one that the headers carry, is looked for."""
    session = session_of(demo)
    text = (session.output / "worklists" / "registratie.csv").read_text(encoding="utf-8-sig")
    numbers = {entry.bsn for entry in session.crosswalk().entries if len(entry.bsn) == 9}
    assert len(numbers) > 500
    assert len(text.splitlines()) > 30
    assert not [number for number in numbers if number in text]
