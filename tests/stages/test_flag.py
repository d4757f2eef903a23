"""Flag: from an inventory to statuses, places, coverage and periods, headers alone."""

from __future__ import annotations

from datetime import date

import pytest
from builders import OID, el
from stages.share import ONE, Share
from tables.heads_of import bsn_item, file_of, local

from remediation.errors import DatasetError, KeyFileError
from remediation.model import bsn
from remediation.model.events import Event
from remediation.model.placement import EXCHANGE, Placement
from remediation.store import datasets
from remediation.store.keys import new_key_file
from remediation.tables.judge import Sources
from remediation.tables.schemas import COVERAGE, EVENTS, MIXED, PERIODS, PLACES, STUDIES, TALLIES

SCHEMAS = {
    "studies": STUDIES,
    "mixed": MIXED,
    "places": PLACES,
    "coverage": COVERAGE,
    "periods": PERIODS,
    "events": EVENTS,
}


@pytest.fixture
def share(tmp_path):
    return Share(tmp_path / "share")


def table(share, name):
    path = share.output / f"{name}.parquet"
    return datasets.read(path, SCHEMAS[name], share.keys.key_id, "remediation flag").to_pylist()


def test_without_an_inventory_there_is_nothing_to_flag(share):
    with pytest.raises(DatasetError, match="remediation crawl"):
        share.flag()


def test_an_inventory_of_another_key_is_refused_and_nothing_is_written(share):
    share.put("a")
    share.crawl()
    share.key_file.unlink()
    new_key_file(share.key_file)
    with pytest.raises(KeyFileError, match="another key"):
        share.flag()
    assert not list(share.output.glob("*.parquet"))


def test_one_study_is_flagged(share):
    share.put("a/1", uid="1.2.3")
    share.put("a/2", uid="1.2.3", own=[*local(), bsn_item(ONE)], instance="1.2.3.2")
    share.crawl()
    report = share.flag()
    assert (report.studies, report.statuses, report.periods) == (1, {"conformant": 1}, 0)
    assert report.demoted == ()
    (study,) = table(share, "studies")
    assert (study["StudyInstanceUID"], study["instances"], study["source"]) == (
        "1.2.3",
        2,
        "unknown",
    )
    (month,) = table(share, "coverage")
    assert (month["studies"], month["conformant"], month["coverage"]) == (1, 1, 1.0)
    assert {row["place"] for row in table(share, "places")} == {
        "PatientID",
        "OtherPatientIDsSequence.PatientID",
    }
    assert table(share, "periods") == []


def test_an_archive_in_which_nothing_can_be_read_is_flagged(share):
    for n in range(5):
        share.put(f"{n}", file_of(*local(), uid=f"1.{n}", broken=True))
    share.crawl()
    report = share.flag()
    assert report.statuses == {"unreadable": 5}
    (month,) = table(share, "coverage")
    assert (month["studies"], month["unreadable"], month["coverage"]) == (5, 5, 0.0)


def test_other_files_are_no_studies(share):
    share.put("Thumbs.db", b"x" * 500)
    share.put("a.zip", b"PK\x03\x04")
    share.crawl()
    assert share.flag().studies == 0


def test_flagging_twice_gives_the_same(share):
    for n in range(6):
        share.put(f"{n}", uid=f"1.{n}")
    share.crawl()
    first = share.flag(), {path.name: path.read_bytes() for path in share.output.glob("*.parquet")}
    again = share.flag(), {path.name: path.read_bytes() for path in share.output.glob("*.parquet")}
    assert again == first
    assert first[1].keys() == {f"{name}.parquet" for name in SCHEMAS}


def test_a_range_leaves_out_what_lies_beyond_it_but_nothing_undated(share):
    for n, day in enumerate(("20100101", "20110704", "20120101", "99999999")):
        share.put(f"{n}", uid=f"1.{n}", day=day)
    share.crawl()
    assert share.flag(start=date(2011, 1, 1), end=date(2011, 12, 31)).studies == 2
    months = {row["study_month"] for row in table(share, "coverage")}
    assert months == {"2011-07", "unknown"}


def scattered(share):
    """Put studies on the share: of several months, some of their files undated or unlike others."""
    days = ("20110704", "20110804", "99999999", "20120101")
    for n in range(24):
        study, file = n % 7, n // 7
        own = [*local(), bsn_item(ONE)] if (n % 5) else local()
        day = days[study % 3] if file else days[(study + 1) % 4]
        share.put(f"{n:02}", uid=f"1.{study}", day=day, own=own, instance=f"1.{study}.{n}")


@pytest.mark.parametrize("rows", [1, 5, 12])
def test_batches_of_any_size_give_the_same_whatever_studies_they_divide(share, rows):
    scattered(share)
    share.crawl()
    report = share.flag()
    whole = {name: table(share, name) for name in SCHEMAS}
    assert report.statuses["mixed"] > 1
    assert len({row["study_month"] for row in whole["studies"]}) > 1
    assert share.flag(batch_rows=rows) == report
    for name in SCHEMAS:
        assert sorted(map(repr, table(share, name))) == sorted(map(repr, whole[name])), name


def test_studies_come_in_order_and_mixed_tells_which_instances_differ(share):
    scattered(share)
    share.crawl()
    share.flag()
    studies, mixed = table(share, "studies"), table(share, "mixed")
    of = ("archive", "study_month", "StudyInstanceUID")
    assert studies == sorted(studies, key=lambda row: [row[name] for name in of])
    for study in studies:
        own = [row["status"] for row in mixed if row["StudyInstanceUID"] == study[of[2]]]
        told = {one["status"]: one["instances"] for one in study["statuses"]}
        assert sum(told.values()) == study["instances"]
        if study["status"] == "mixed":
            assert told == {status: own.count(status) for status in own}
            assert len(told) > 1
        else:
            assert (own, list(told)) == ([], [study["status"]])
    assert all(row["SOPInstanceUID"] and share.keys.unseal(row["path"]) for row in mixed)


def test_an_inventory_that_breaks_half_way_leaves_what_flag_wrote_before(share):
    scattered(share)
    share.crawl()
    share.flag(batch_rows=1)
    before = {path.name: path.read_bytes() for path in share.output.glob("*.parquet")}
    part = max((share.inventory.folder / "findings").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:60])
    with pytest.raises(DatasetError, match="damaged"):
        share.flag(batch_rows=1)
    left = {path.name: path.read_bytes() for path in share.output.iterdir() if path.is_file()}
    assert {name: data for name, data in left.items() if name in before} == before
    assert not [name for name in left if name.endswith(".tmp")]


def test_files_that_were_written_long_after_their_studies_are_told(share):
    share.put("a", uid="1.1", day="20110310")
    share.put("b", uid="1.2", day="20050318")
    share.put("c", uid="1.3", day="20120101")
    share.crawl()
    share.flag()
    ages = {row["StudyInstanceUID"]: row["file_age"] for row in table(share, "studies")}
    assert ages == {"1.1": "month", "1.2": "later", "1.3": "earlier"}, "files of 13 March 2011"


def test_the_target_decides_what_is_conformant(share):
    share.put("a", uid="1.1", own=[*local(), bsn_item(ONE)])
    share.put("b", uid="1.2", own=local(ONE, OID))
    share.crawl()
    assert share.flag().statuses == {"conformant": 1, "misplaced": 1}
    by_uid = {row["StudyInstanceUID"]: row["status"] for row in table(share, "studies")}
    share.flag(placement=Placement(EXCHANGE))
    turned = {row["StudyInstanceUID"]: row["status"] for row in table(share, "studies")}
    assert by_uid == {"1.1": "conformant", "1.2": "misplaced"}
    assert turned == {"1.1": "misplaced", "1.2": "conformant"}


def test_the_last_months_are_provisional(share):
    for n, day in enumerate(("20110704", "20110804")):
        share.put(f"{n}", uid=f"1.{n}", day=day)
    share.crawl()
    share.flag(provisional_from=date(2011, 8, 1))
    assert [row["provisional"] for row in table(share, "coverage")] == [False, True]


def test_sources_are_named_and_renamed(share):
    for n, name in enumerate(("Zkh. Oost", "Ziekenhuis Oost", "")):
        texts = [el(0x00080080, "LO", name), el(0x00081010, "SH", "CT1")]
        share.put(f"{n}", uid=f"1.{n}", own=[*local(), *texts])
    share.crawl()
    rename = {"Zkh. Oost": "Ziekenhuis Oost"}
    share.flag(sources=Sources(rename=rename))
    assert sorted({row["source"] for row in table(share, "studies")}) == [
        "Ziekenhuis Oost",
        "unknown",
    ]
    share.flag(sources=Sources(("InstitutionName", "StationName"), rename))
    sources = {row["source"] for row in table(share, "places")}
    assert sources == {"Ziekenhuis Oost / CT1", "unknown / CT1"}


def test_tallies_without_rows_get_their_source_column():
    labelled = Sources().labelled(TALLIES.empty_table())
    assert labelled.column_names == [*TALLIES.names, "source"]


def archive_of(share, months, make):
    """Put ten studies in each month; `make` gives the identity by month."""
    for month in months:
        for n in range(10):
            own = make(month, bsn.test_number(month * 10 + n))
            name = f"{2008 + month // 12}{month % 12 + 1:02d}"
            share.put(f"{name}/{n}", file_of(*own, uid=f"1.{name}.{n}", day=f"{name}04"))


def test_a_stretch_of_broken_months_is_a_period_with_its_event(share):
    def make(month, number):
        broken = 12 <= month < 20
        return local() if broken else [*local(), bsn_item(number)]

    archive_of(share, range(32), make)
    share.crawl()
    migration = Event("Migratie", "pacs-migration", date(2009, 1, 10), date(2009, 1, 11), "oost")
    assert share.flag(events=(migration,)).periods == 1
    (period,) = table(share, "periods")
    assert (period["start"], period["end"]) == (date(2009, 1, 1), date(2009, 9, 1))
    assert (period["event"], period["dominant_status"], period["coverage"]) == (
        "Migratie",
        "absent",
        0,
    )
    assert (period["coverage_before"], period["coverage_after"]) == (1.0, 1.0)


def test_a_field_whose_issuer_is_not_believed_is_told(share):
    def make(month, number):
        return [*local(), bsn_item(number if int(number) % 10 == 0 else f"{int(number[4:]):09d}")]

    archive_of(share, range(8), make)
    share.crawl()
    report = share.flag()
    assert report.demoted == ("oost / unknown / OtherPatientIDsSequence.PatientID",)
    assert "conformant" not in report.statuses


def test_dates_that_cannot_be_are_counted_and_take_no_part_in_periods(share):
    for n, day in enumerate(("19000101", "20991231", "20110704", "99999999")):
        share.put(f"{n}", uid=f"1.{n}", day=day)
    share.crawl()
    report = share.flag(today=date(2026, 11, 25))
    assert (report.studies, report.improbable, report.periods) == (4, 2, 0)
    months = {row["study_month"] for row in table(share, "coverage")}
    assert months == {"1900-01", "2099-12", "2011-07", "unknown"}


def test_events_get_verdicts_and_one_outside_the_data_says_so(share):
    share.put("a", uid="1.1", own=[*local(), bsn_item(ONE)])
    share.crawl()
    events = (
        Event("Vroeger", "other", date(1999, 1, 1), date(1999, 1, 2), None),
        Event("Elders", "upgrade", date(2011, 7, 1), date(2011, 7, 2), "west"),
    )
    assert share.flag(events=events).events == {"no-studies": 1}
    (row,) = table(share, "events")
    assert (row["event"], row["verdict"], row["change"]) == ("Vroeger", "no-studies", None)
