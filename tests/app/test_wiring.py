"""Wiring: what a job file says reaches the stage that it is for."""

from __future__ import annotations

import dataclasses
import getpass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import get_args

import pytest
from job_texts import FULL, MINIMAL, changed

from remediation.app.config import load_job
from remediation.app.config_sections import SourceAttribute
from remediation.app.wiring import Session, _months_before
from remediation.errors import KeyFileError, UsageError
from remediation.model.evidence import ArchiveIssuers, IssuerPeriod
from remediation.model.files import Layout
from remediation.model.pacing import Hours, Window
from remediation.model.placement import Placement
from remediation.store.keys import new_key_file
from remediation.tables.tallies import SOURCE_COLUMNS


@pytest.fixture
def opened(tmp_path):
    """Open a session of a job text; archive, key and export are laid down beside it."""
    (tmp_path / "archive/oost").mkdir(parents=True)
    (tmp_path / "keys").mkdir()
    new_key_file(tmp_path / "keys/demo.key")

    def session(text=FULL):
        path = tmp_path / "job.toml"
        path.write_text(text, encoding="utf-8")
        return Session.open(load_job(path))

    return session


def test_a_session_needs_the_key_of_its_job(opened, tmp_path):
    assert len(opened(MINIMAL).keys.key_id) == 16
    (tmp_path / "keys/demo.key").unlink()
    with pytest.raises(KeyFileError):
        opened(MINIMAL)


def test_crawl_gets_the_archive_and_the_range_of_the_job(opened, tmp_path):
    session = opened()
    options = session.crawl_options("oost")
    assert options.archive.root == tmp_path / "archive/oost"
    assert (options.archive.layout, options.archive.prunes) == ("{yyyy}/{mm}/{dd}", True)
    assert Layout(options.archive.layout).span(["2011"]) is not None
    assert (options.start, options.end) == (date(2007, 1, 1), date(2015, 12, 31))
    assert not options.partial
    assert not options.fresh
    assert options.output == tmp_path / "out/demo"
    assert (options.key_id, options.at) == (session.keys.key_id, session.now)
    assert options.seal_paths


def test_a_range_on_the_command_line_makes_a_crawl_partial(opened):
    options = opened().crawl_options("oost", start=date(2010, 1, 1))
    assert (options.start, options.end, options.partial) == (
        date(2010, 1, 1),
        date(2015, 12, 31),
        True,
    )
    assert opened().crawl_options("oost", end=date(2010, 1, 1)).partial


def test_folders_of_another_date_do_not_prune(opened):
    session = opened(changed('layout_date = "study"', 'layout_date = "stored"'))
    assert not session.crawl_options("oost").archive.prunes
    assert opened(MINIMAL).crawl_options("oost").archive.layout == "", "nor does no layout"


def test_an_archive_that_is_not_in_the_job_is_refused(opened):
    with pytest.raises(UsageError):
        opened().crawl_options("zuid")


def test_the_hospitals_own_spellings_reach_crawl_match_and_plan(opened):
    text = changed("extra_issuers = []", 'extra_issuers = ["BSN-BUREAU"]')
    session = opened(changed("placeholders = []", 'placeholders = ["999900006"]', text))
    assert session.rules().extra_issuers == ("BSN-BUREAU",)
    assert session.rules().placeholders == ("999900006",)
    assert session.crawl_options("oost").rules == session.rules()
    assert session.match_rules().placeholders == {"999900006"}
    assert session.plan_options().extra_issuers == ("BSN-BUREAU",)
    assert session.plan_options().placeholders == ("999900006",)


def test_issuers_of_archives_reach_match_and_plan(opened):
    session = opened()
    wanted = ArchiveIssuers(
        "ZKH-OOST",
        (IssuerPeriod("ZKH-OUD", date(2007, 1, 1), date(2010, 12, 31)),),
        {"OOST_HIS": "ZKH-OOST"},
    )
    assert session.archives() == {"oost": wanted}
    assert session.match_rules().archives == session.plan_options().archives == {"oost": wanted}
    assert session.match_rules().writable_statuses == {"geverifieerd"}
    assert not session.match_rules().allow_test_numbers


def test_a_job_without_a_crosswalk_cannot_match(opened):
    with pytest.raises(UsageError, match="crosswalk"):
        opened(MINIMAL).match_options()


def test_sources_and_events_reach_flag(opened):
    options = opened().flag_options()
    assert options.sources.label({"InstitutionName": "Zkh. Oost"}) == "Ziekenhuis Oost"
    (event,) = options.events
    assert (event.name, event.start, event.archive) == ("PACS-migratie", date(2011, 7, 1), "oost")
    assert (options.placement, options.target_coverage) == (Placement(), 0.95)
    assert (options.start, options.end) == (date(2007, 1, 1), date(2015, 12, 31))


def test_every_attribute_that_may_name_a_source_is_counted_by():
    assert set(get_args(SourceAttribute)) == set(SOURCE_COLUMNS)


def test_the_last_months_are_provisional(opened):
    session = dataclasses.replace(opened(), now=datetime(2026, 1, 31, tzinfo=UTC))
    assert session.flag_options().provisional_from == date(2025, 11, 1)


@pytest.mark.parametrize(
    ("months", "first"), [(0, date(2026, 1, 1)), (1, date(2025, 12, 1)), (25, date(2023, 12, 1))]
)
def test_months_are_counted_back_over_the_year(months, first):
    assert _months_before(date(2026, 1, 31), months) == first


def test_the_placement_is_the_jobs_or_the_one_that_is_asked_for(opened):
    session = opened(changed("remove_retired = false", "remove_retired = true"))
    assert session.placement(None) == Placement("at-rest", remove_retired=True)
    assert session.placement("exchange") == Placement("exchange", remove_retired=True)
    options = session.plan_options(target="exchange")
    assert options.placement == session.placement("exchange")
    with pytest.raises(UsageError, match="at-rest or exchange"):
        session.placement("elsewhere")


def test_a_plan_has_an_author_and_a_time_in_utc(opened):
    session = opened()
    assert session.plan_options().author == getpass.getuser()
    summer = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    options = session.plan_options(author="Anna", at=summer, periods=["p"], select=[("a", "b")])
    assert (options.author, options.at) == ("Anna", datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert options.at.tzinfo is UTC
    assert (options.periods, options.select) == (("p",), (("a", "b"),))
    assert (options.max_files, options.responsible) == (10_000, "PACS-beheer")


def test_options_hold_no_key(opened, tmp_path):
    session = opened()
    secret = (tmp_path / "keys/demo.key").read_text().strip()
    for options in (session.crawl_options("oost"), session.flag_options(), session.match_options()):
        assert secret not in repr(options)
    assert secret not in repr(session)


def test_a_crawl_is_as_polite_as_the_job_says(opened):
    options = opened().crawl_options("oost")
    assert (options.reads_per_second, options.readers) == (500, 4)
    assert options.hours == Hours(Window(time(20), time(6)), "Europe/Amsterdam")
    assert opened(MINIMAL).crawl_options("oost").hours == Hours(None, "Europe/Amsterdam")


def test_an_escrow_recipient_that_is_none_is_refused_and_named(opened):
    recipient = f'escrow_recipient = "age1{"q" * 58}"'
    with pytest.raises(UsageError, match="escrow_recipient"):
        opened(changed('escrow_recipient = ""', recipient))
