from datetime import date

from remediation.app.demo import story
from remediation.app.demo.story import BREAKS, EPD_UPGRADE, OOST, PACS_MIGRATION, WEST

LINKED_DAYS = 180  # an event further away than this is linked to no period


def test_the_upgrade_that_nobody_listed_is_far_from_every_listed_event():
    listed = [b.start for b in BREAKS if b.event]
    for edge in (EPD_UPGRADE.start, EPD_UPGRADE.end):
        assert all(abs((edge - day).days) > LINKED_DAYS for day in listed)


def test_breaks_begin_and_end_on_the_first_of_a_month():
    assert {day.day for b in BREAKS for day in (b.start, b.end)} == {1}


def test_the_writing_software_changes_for_good_with_the_migration():
    before = story.software(OOST, date(2011, 6, 30))
    assert before != story.software(OOST, PACS_MIGRATION.start)
    assert story.software(OOST, date(2016, 12, 31)) == story.software(OOST, PACS_MIGRATION.start)
    assert len({story.software(WEST, month) for month in story.months()}) == 1


def test_a_file_is_stored_two_days_after_its_study_whatever_the_time_zone(monkeypatch):
    here = story.stored_ns(date(2011, 7, 1))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert story.stored_ns(date(2011, 7, 1)) == here == 1_309_694_400_000_000_000
