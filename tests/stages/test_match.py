"""Match: identities for every study."""

from __future__ import annotations

import pytest
from model.people import RULES, entry
from stages.share import ONE, TWO, Share
from tables.heads_of import bsn_item, file_of, local

from remediation.errors import DatasetError, KeyFileError
from remediation.model import bsn
from remediation.model.tokens import bsn_token, patient_token
from remediation.stages import match
from remediation.store import datasets
from remediation.store.keys import load_key_file, new_key_file
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.schemas import IDENTITIES

THREE = bsn.test_number(303)
ALIKE = {"names": "Schijn", "initials": "A"}  # as the headers of these tests say


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def run(share, *rows, keys=None, **more):
    options = match.MatchOptions(share.output, RULES, {share.name: share.root})
    return match.run(options, Crosswalk.of(rows), keys or share.keys, **more)


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
    first = run(share, *rows, entry("103", "", **ALIKE)), identities(share)
    again = run(share, entry("103", "", **ALIKE), *rows[::-1]), identities(share)
    assert again == first


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
    assert (report.outcomes, report.reasons) == ({}, {})


def test_a_warning_for_a_conformant_study_is_the_desks_as_well(share):
    put(share, "1.1", *local("101"), bsn_item(ONE))
    look(share)
    report = run(share, entry("101", "", **ALIKE))
    assert (report.outcomes, identities(share)["1.1"]["warnings"]) == (
        {"conformant": 1},
        ["no-number"],
    )
