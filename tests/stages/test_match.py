"""Match: identities for every study."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from builders import el
from model.people import RULES, entry
from stages.share import AT, ONE, TWO, Share
from tables.heads_of import bsn_item, file_of, local

from remediation.app.demo.canaries import artefacts, leaks
from remediation.errors import DatasetError, KeyFileError
from remediation.model import bsn
from remediation.model.acceptances import Acceptance, Accepted, rule_of
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


# --- names that are read again --------------------------------------------------------------------


def named(share, uid, name, local_number="101", **more):
    share.put(uid, file_of(*local(local_number), uid=uid, name=name, **more))


def outcomes(share):
    return {uid: (row["outcome"], row["reason"]) for uid, row in identities(share).items()}


JANSEN = {"names": "Jansen", "initials": "A"}


def test_a_typing_error_is_told_from_another_name_by_the_header_itself(share):
    named(share, "1.1", "Janssen^A")
    named(share, "1.2", "Pietersen^A", "102", birth="19510101")
    named(share, "1.3", "Jansen^A", "103", birth="19520101")
    look(share)
    report = run(
        share,
        entry("101", ONE, **JANSEN),
        entry("102", TWO, birth_date="19510101", **JANSEN),
        entry("103", THREE, birth_date="19520101", **JANSEN),
    )
    assert outcomes(share) == {
        "1.1": ("refused", "name-close"),
        "1.2": ("refused", "name-clash"),
        "1.3": ("resolved", ""),
    }
    assert report.heads_read == 2, "a name that agrees is not read"


def test_one_header_is_read_for_a_patient_and_a_spelling(share):
    for n in range(3):
        named(share, f"1.{n}", "Janssen^A", instance=f"1.{n}.1")
    named(share, "1.9", "Jasnen^A")
    look(share)
    report = run(share, entry("101", ONE, **JANSEN))
    assert (report.reasons, report.heads_read) == ({"name-close": 4}, 2)


def test_where_nothing_can_come_of_it_no_header_is_read(share):
    named(share, "1.1", "Janssen^A", birth="19610506")
    named(share, "1.2", "Janssen^A", "102")
    look(share)
    report = run(share, entry("101", ONE, **JANSEN))
    assert report.reasons == {"birth-date-clash": 1, "no-crosswalk-entry": 1}
    assert report.heads_read == 0


@pytest.mark.parametrize("how", ["gone", "changed", "no root"])
def test_a_header_that_is_not_what_was_crawled_leaves_the_clash(share, how):
    named(share, "1.1", "Pietersen^A")
    look(share)
    if how == "gone":
        (share.root / "1.1").unlink()
    if how == "changed":
        named(share, "1.1", "Janssen^A")
    roots = {} if how == "no root" else {share.name: share.root}
    options = match.MatchOptions(share.output, RULES, roots)
    report = match.run(options, Crosswalk.of([entry("101", ONE, **JANSEN)]), share.keys)
    assert report.reasons == {"name-clash": 1}
    assert report.heads_read == (0 if how == "no root" else 1)


def test_a_missing_archive_root_leaves_the_clash(share):
    named(share, "1.1", "Janssen^A")
    look(share)
    share.root.rename(share.folder / "elsewhere")
    report = run(share, entry("101", ONE, **JANSEN))
    assert (report.reasons, report.heads_read) == ({"name-clash": 1}, 0)


def test_a_name_inside_a_zip_is_read_there(share):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("a.dcm", file_of(*local("101"), uid="1.1", name="Janssen^A"))
    share.put("all.zip", held.getvalue())
    look(share)
    report = run(share, entry("101", ONE, **JANSEN))
    assert (report.reasons, report.heads_read) == ({"name-close": 1}, 1)


def test_what_two_people_accepted_is_resolved_with_a_warning(share):
    named(share, "1.1", "Janssen^A")
    named(share, "1.2", "Jasnen^A")
    look(share)
    said = [
        Acceptance(f"{who} Persoon", AT, "typefout", "name-close", study="1.1")
        for who in ("Een", "Twee")
    ]
    rules = replace(RULES, accepted=Accepted.of(said))
    options = match.MatchOptions(share.output, rules, {share.name: share.root})
    report = match.run(options, Crosswalk.of([entry("101", ONE, **JANSEN)]), share.keys)
    assert outcomes(share) == {"1.1": ("resolved", ""), "1.2": ("refused", "name-close")}
    assert identities(share)["1.1"]["warnings"] == ["name-close"]
    assert identities(share)["1.1"]["bsn_token"] == bsn_token(share.keys, ONE)
    assert report.warnings == {"name-close": 1}


def test_a_rule_holds_by_source_and_station_as_flag_saw_them(share):
    station = [el(0x00081010, "SH", "CT1"), el(0x00080080, "LO", "Kliniek West")]
    share.put("1.1", file_of(*local("101"), more=station, uid="1.1", birth=""))
    share.put("1.2", file_of(*local("101"), uid="1.2", birth=""))
    look(share)
    rule = rule_of(["StationName=CT1", "source=Kliniek West"], "unconfirmed-person")
    said = [
        Acceptance(f"{who} Persoon", AT, "oud toestel", "unconfirmed-person", rule=rule)
        for who in ("Een", "Twee")
    ]
    rules = replace(RULES, accepted=Accepted.of(said))
    options = match.MatchOptions(share.output, rules, {share.name: share.root})
    match.run(options, Crosswalk.of([entry("101", ONE, **ALIKE)]), share.keys)
    assert outcomes(share) == {"1.1": ("resolved", ""), "1.2": ("refused", "unconfirmed-person")}


def test_no_name_that_was_read_is_written_anywhere(share):
    named(share, "1.1", "Janssen^A")
    look(share)
    run(share, entry("101", ONE, **JANSEN))
    for path in share.output.rglob("*"):
        if path.is_file():
            assert b"anssen" not in path.read_bytes().lower()
            assert ONE.encode() not in path.read_bytes()


# --- whole inventories ----------------------------------------------------------------------------


def test_batches_of_any_size_give_the_same_identities(share):
    for n in range(12):
        day, uid = f"2011{n % 12 + 1:02}04", f"1.{n}"
        named(share, uid, "Schijn^A", f"1{n:02}", day=day, birth=f"19500{n % 9 + 1}03")
    share.put("split", file_of(*local("100"), uid="1.0", day="20120504", instance="1.0.9"))
    look(share)
    rows = [
        entry(f"1{n:02}", bsn.test_number(n), birth_date=f"19500{n % 9 + 1}03", **ALIKE)
        for n in range(12)
    ]
    found = []
    for size in (1, 5, 1000):
        options = match.MatchOptions(share.output, RULES, {}, batch_rows=size)
        report = match.run(options, Crosswalk.of(rows), share.keys)
        found.append((report, identities(share)))
    assert found[0] == found[1] == found[2]
    assert found[0][1].keys() == {f"1.{n}" for n in range(12)}


def test_a_crawl_since_flag_is_not_matched(share):
    put(share, "1.1", *local("101"))
    look(share)
    (share.root / "1.1").unlink()
    share.crawl()
    with pytest.raises(DatasetError, match="run `remediation flag` again"):
        run(share, entry("101", ONE, **ALIKE))
    assert not (share.output / "identities.parquet").exists()


def test_exempt_studies_are_counted_by_the_epds_words(share):
    for n in range(3):
        put(share, f"1.{n}", *local(f"10{n}"), birth=f"195{n}0101")
    look(share)
    rows = [
        entry(f"10{n}", "", birth_date=f"195{n}0101", exemption=word, **ALIKE)
        for n, word in enumerate(("pasgeborene", "buitenlander", "buitenlander"))
    ]
    assert run(share, *rows).exemptions == {"buitenlander": 2, "pasgeborene": 1}


def test_a_column_of_something_else_is_not_printed_as_exemptions(share):
    for n in range(31):
        put(share, f"1.{n}", *local(f"1{n:02}"), birth=f"19{n + 30}0101")
    look(share)
    rows = [
        entry(f"1{n:02}", "", birth_date=f"19{n + 30}0101", exemption=f"reden {n}", **ALIKE)
        for n in range(31)
    ]
    assert run(share, *rows).exemptions == {"(too many different words)": 31}


WRONG_COLUMNS = {"number": ONE, "grouped": "9999.00.006", "birth date": "03-02-1950"}


@pytest.mark.parametrize("column", WRONG_COLUMNS)
def test_a_number_or_a_date_in_place_of_an_exemption_is_nowhere(share, column):
    put(share, "1.1", *local("101"))
    put(share, "1.2", *local("102"), bsn_item(TWO), birth="19510101")
    look(share)
    word = WRONG_COLUMNS[column]
    report = run(
        share,
        entry("101", "", exemption=word, **ALIKE),
        entry("102", "", birth_date="19510101", exemption=word, **ALIKE),
    )
    assert report.exemptions == {"(digits)": 1}
    assert {row["exemption"] for row in identities(share).values()} == {"(digits)"}
    assert word not in repr(report)
    assert leaks(artefacts(share.output), [ONE, bsn.normalise(word) or TWO], [word]) == []


def test_a_column_of_names_is_told_by_the_export_however_few_studies_are_exempt(share):
    put(share, "1.1", *local("101"))
    look(share)
    others = [
        entry(f"2{n:02}", "", birth_date=f"19{n + 30}0101", exemption=f"Schijn-{n}", **ALIKE)
        for n in range(31)
    ]
    report = run(share, entry("101", "", exemption="Schijnpersoon", **ALIKE), *others)
    assert report.exemptions == {"(too many different words)": 1}
    assert identities(share)["1.1"]["exemption"] == "(too many different words)"
    assert leaks(artefacts(share.output), [], ["Schijnpersoon"]) == []
