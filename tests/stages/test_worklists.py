"""Worklists: who has to settle what; local numbers where they are for, a BSN nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from builders import OID, el
from model.people import ARCHIVES, RULES, entry
from stages.share import ONE, TWO, Share
from tables.heads_of import bsn_item, file_of, local

from remediation.errors import DatasetError
from remediation.model import bsn
from remediation.model.evidence import ArchiveIssuers
from remediation.stages import match, worklists
from remediation.store import datasets
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.schemas import PERIODS

THREE = bsn.test_number(303)
ALIKE = {"names": "Schijn", "initials": "A"}  # as the headers of these tests say


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def put(share, uid, *own, **more):
    """Put one study of one file; other studies are of people born on other days."""
    share.put(uid, file_of(*own, uid=uid, **more))


def look(share):
    share.crawl()
    share.flag()


def options(share, **changes):
    plain = worklists.WorklistOptions(share.output, {share.name: share.root}, dict(ARCHIVES))
    return replace(plain, **changes)


def lists(share, *rows, **changes):
    crosswalk, keys = Crosswalk.of(rows), share.keys
    rules = replace(RULES, archives=changes.get("archives", RULES.archives))
    matching = match.MatchOptions(share.output, rules, {share.name: share.root})
    match.run(matching, crosswalk, keys)
    return worklists.run(options(share, **changes), crosswalk, keys)


def desk(share, *rows, **changes):
    return lists(share, *rows, **changes).desk.rows


# --- the registration desk ------------------------------------------------------------------------


def test_the_desk_gets_what_it_can_settle_those_that_hold_up_most_first(share):
    for n in range(3):
        put(share, f"1.1.{n}", *local("101"))
    put(share, "1.2", *local("102"), birth="19510101")
    for n in range(2):
        put(share, f"1.3.{n}", *local("999"), birth="19520101")
    put(share, "1.4", *local("104"), birth="19530101")
    look(share)
    found = lists(
        share,
        entry("101", ONE, status="niet geverifieerd", **ALIKE),
        entry("102", "", birth_date="19510101", **ALIKE),
        entry("104", THREE, birth_date="19530101", sex="M", **ALIKE),
    )
    told = [(one.number, one.issuer, one.reason, one.studies) for one in found.desk.rows]
    assert told == [
        ("101", "ZKH-OOST", "not-verified", 3),
        ("999", "ZKH-OOST", "no-crosswalk-entry", 2),
        ("102", "ZKH-OOST", "no-number", 1),
    ]
    first = found.desk.rows[0]
    assert (first.archive, first.example, first.right) == ("oost", "1.1.0", 0)
    assert found.heads_read == 1, "one header of a patient without a row"
    assert [one.reason for one in found.mixups.rows] == ["sex-clash"], "not the desk's to settle"


def test_a_line_tells_the_first_and_the_last_study(share):
    for n, day in enumerate(["20110705", "", "20090301"]):
        put(share, f"1.1.{n}", *local("101"), day=day)
    look(share)
    (one,) = desk(share, entry("101", "", **ALIKE))
    assert (one.studies, one.first, one.last) == (3, date(2009, 3, 1), date(2011, 7, 5))


def test_a_patient_without_a_dated_study_has_no_dates(share):
    put(share, "1.1", *local("101"), day="")
    look(share)
    (one,) = desk(share, entry("101", "", **ALIKE))
    assert (one.first, one.last) == (None, None)


def test_a_warning_for_a_conformant_study_is_the_desks_as_well(share):
    put(share, "1.1", *local("101"), bsn_item(ONE))
    look(share)
    (one,) = desk(share, entry("101", "", **ALIKE))
    assert (one.reason, one.right) == ("no-number", 1)


def test_what_is_left_out_is_counted(share):
    for n in range(4):
        put(share, f"1.{n}", *local(f"10{n}"))
    look(share)
    found = lists(share, most=3).desk
    assert ([one.number for one in found.rows], found.left_out) == (["100", "101", "102"], 1)


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
    (one,) = desk(share)
    assert (one.number, one.reason, one.example) == ("", "no-crosswalk-entry", "1.1")


def test_of_a_patient_id_that_is_a_bsn_the_desk_gets_the_local_number(share):
    put(share, "1.1", *local(ONE, OID))
    look(share)
    rows = [
        entry("7101", ONE, "KL-WEST", status="?", **ALIKE),
        entry("101", ONE, status="?", **ALIKE),
    ]
    (one,) = desk(share, *rows)
    assert (one.number, one.issuer, one.reason) == ("101", "ZKH-OOST", "not-verified")


def test_an_export_that_has_a_bsn_for_a_local_number_does_not_put_it_on_the_list(share):
    put(share, "1.1", *local(ONE, None))
    put(share, "1.2", *local("123456780"), birth="19510101")
    look(share)
    rows = [
        entry(ONE, ONE, status="?", **ALIKE),
        entry("123456780", TWO, status="?", birth_date="19510101", **ALIKE),
    ]
    assert [(o.number, o.example) for o in desk(share, *rows)] == [
        ("", "1.1"),
        ("123456780", "1.2"),
    ]


def test_the_issuer_is_looked_up_as_matching_does_it(share):
    put(share, "1.1", *local("101", "OUD-HIS"))
    put(share, "1.2", *local("102", "ELDERS"), birth="19510101")
    look(share)
    archives = {"oost": ArchiveIssuers("ZKH-OOST", alias={"OUD-HIS": "KL-WEST"})}
    rows = [
        entry("101", "", "KL-WEST", **ALIKE),
        entry("101", "", **ALIKE),
        entry("102", "", "ELDERS", birth_date="19510101", **ALIKE),
    ]
    found = {one.number: one.issuer for one in desk(share, *rows, archives=archives)}
    assert found == {"101": "KL-WEST", "102": "ELDERS"}


def test_a_file_that_is_gone_since_the_crawl_leaves_its_number_empty(share):
    put(share, "1.1", *local("999"))
    look(share)
    (share.root / "1.1").unlink()
    found = lists(share)
    assert (found.heads_read, found.desk.rows[0].number) == (1, "")


def test_an_archive_that_the_job_no_longer_names_is_not_read(share):
    put(share, "1.1", *local("999"))
    look(share)
    found = lists(share, roots={})
    assert (found.heads_read, found.desk.rows[0].number) == (0, "")


def test_the_header_that_is_read_again_is_one_that_could_be_read(share):
    share.put("a", file_of(*local("999"), uid="1.1", broken=True))
    share.put("b", file_of(*local("999"), uid="1.1"))
    look(share)
    assert desk(share) == (), "the study is unreadable first"
    share.put("a", file_of(*local("999"), uid="1.1", instance="1.1.5"))
    look(share)
    (one,) = desk(share)
    assert (one.number, one.issuer) == ("999", "ZKH-OOST")


def test_a_line_does_not_show_its_number_when_it_is_printed(share):
    put(share, "1.1", *local("7654321"))
    look(share)
    assert "7654321" not in repr(lists(share))


# --- possible mix-ups -----------------------------------------------------------------------------


def test_possible_mix_ups_come_loudest_first(share):
    put(share, "1.1", *local("101"), birth="19510101")
    put(share, "1.2", *local("101"), birth="19510101")
    put(share, "1.3", *local("102"), bsn_item(TWO))
    put(share, "1.4", *local("103"), bsn_item(THREE, "NLMINBIZA"))
    look(share)
    found = lists(
        share,
        entry("101", ONE, **ALIKE),
        entry("102", ONE, **ALIKE),
        entry("103", TWO, **ALIKE),
    )
    told = [(one.number, one.reason, one.studies, one.right) for one in found.mixups.rows]
    assert told == [
        ("102", "header-disagrees", 1, 1),
        ("103", "header-disagrees", 1, 0),
        ("101", "birth-date-clash", 2, 0),
    ]
    assert found.desk.rows == ()


# --- leaks ----------------------------------------------------------------------------------------


def test_leaks_are_counted_by_place_and_source_without_values(share):
    comment = el(0x00104000, "LT", f"BSN {ONE}")
    for n in range(2):
        share.put(f"a{n}", file_of(*local("101"), comment, uid="1.1", instance=f"1.1.{n}"))
    put(share, "1.2", *local("102"), comment)
    put(share, "1.3", *local("103"), bsn_item(TWO))
    look(share)
    found = lists(share).leaks
    (row,) = found.rows
    assert row == {
        "place": "PatientComments",
        "private_creator": "",
        "place_kind": "leak",
        "archive": "oost",
        "source": row["source"],
        "findings": 3,
        "studies": 2,
    }
    assert ONE not in repr(found)


# --- the vendor -----------------------------------------------------------------------------------


def period(share, start, end, **more):
    said = {"period_id": "p1", "archive": share.name, "source": "unknown", "axis": "study"}
    table = pa.Table.from_pylist([said | {"start": start, "end": end} | more], schema=PERIODS)
    datasets.write(share.output / "periods.parquet", table, share.keys.key_id)


def test_the_vendor_gets_periods_with_what_stands_where(share):
    for n in range(2):
        put(share, f"1.1.{n}", *local(f"10{n}"), bsn_item(ONE, "NLMINBIZA"))
    put(share, "1.2", *local("102"))
    put(share, "1.3", *local("103"), bsn_item(TWO))
    put(share, "1.4", *local("104"), day="20120101")
    look(share)
    period(share, date(2011, 7, 1), date(2011, 8, 1), source=_source(share))
    rows = lists(share).vendor.rows
    told = [(one["status"], one["place"], one["bsn_issuer"], one["studies"]) for one in rows]
    assert told == [
        ("wrong-issuer", "OtherPatientIDsSequence.PatientID", "NLMINBIZA", 2),
        ("absent", "", "", 1),
    ]
    assert {(one["first"], one["last"]) for one in rows} == {(date(2011, 7, 4),) * 2}
    assert {one["period_id"] for one in rows} == {"p1"}
    assert [one["examples"] for one in rows] == [[], []]
    rows = lists(share, examples=1).vendor.rows
    assert [one["examples"] for one in rows] == [["1.1.0"], ["1.2"]]


def _source(share):
    studies = share.output / "studies.parquet"
    from remediation.tables.schemas import STUDIES

    table = datasets.read(studies, STUDIES, share.keys.key_id, "remediation flag")
    return table["source"][0].as_py()


# --- what must have run before --------------------------------------------------------------------


def test_before_match_there_are_no_lists(share):
    put(share, "1.1", *local())
    look(share)
    with pytest.raises(DatasetError, match="remediation match"):
        worklists.run(options(share), Crosswalk.of([]), share.keys)


def test_an_archive_without_studies_has_empty_lists(share):
    look(share)
    found = lists(share, entry())
    assert (found.desk.rows, found.mixups.rows, found.leaks.rows, found.vendor.rows) == ((),) * 4
    assert found.heads_read == 0
