"""Scenarios for the job file: what it means, and what is said of one with faults."""

import pickle
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from job_texts import FULL, MINIMAL, PUBLIC_KEY, changed

from remediation.app.config import load_job
from remediation.app.config_sections import JobFile
from remediation.errors import UsageError
from remediation.model.crosswalk import SpellingRule
from remediation.model.events import Event
from remediation.store.crosswalk_files import read_crosswalk


def test_what_is_required_is_enough_and_the_rest_has_the_defaults_of_the_contract(load, tmp_path):
    job = load(MINIMAL)
    assert (job.name, job.start, job.end, job.timezone) == ("demo", None, None, "Europe/Amsterdam")
    assert (job.target_coverage, job.provisional_months) == (0.95, 2)
    assert (job.responsible, job.allow_test_numbers) == ("", False)
    (archive,) = job.archives
    assert (archive.layout, archive.layout_date, archive.local_issuer) == (None, "study", "")
    assert (archive.local_issuer_period, archive.issuer_alias) == ((), ())
    assert (job.source.by, job.source.rename) == (("InstitutionName",), {})
    placement = job.placement
    assert (placement.target, placement.original_attributes) == ("at-rest", True)
    assert placement.remove_retired is False
    assert (job.bsn.extra_issuers, job.bsn.placeholders) == ((), ())
    assert (job.privacy.seal_paths, job.privacy.escrow_recipient) == (True, "")
    assert (job.events, job.crosswalk, job.approvers) == ((), None, ())
    assert (job.apply.approvals, job.apply.max_files, job.apply.canary) == (1, 10_000, 20)
    assert (job.apply.pause_after_canary, job.apply.in_place_statement) == (False, "")
    assert (job.run.workers, job.run.scheduler, job.run.reads_per_second) == (2, None, None)
    assert job.run.window is None
    assert job.output.language == "nl"
    assert (job.path, job.folder) == (tmp_path / "job.toml", tmp_path)


def test_every_key_of_the_contract_is_known(load):
    job = load(FULL)
    assert (job.start, job.end) == (date(2007, 1, 1), date(2015, 12, 31))
    (archive,) = job.archives
    assert archive.layout == "{yyyy}/{mm}/{dd}"
    (period,) = archive.local_issuer_period
    assert (period.start, period.end) == (date(2007, 1, 1), date(2010, 12, 31))
    assert period.local_issuer == "ZKH-OUD"
    (alias,) = archive.issuer_alias
    assert (alias.spelling, alias.means) == ("OOST_HIS", "ZKH-OOST")
    assert job.source.rename == {"Zkh. Oost": "Ziekenhuis Oost"}
    assert job.local_issuers == {"ZKH-OOST", "ZKH-OUD"}
    assert (job.approvers[0].name, job.approvers[0].public_key) == ("Tweede Persoon", PUBLIC_KEY)
    assert job.apply.approvals == 2
    assert (job.run.scheduler, job.run.reads_per_second) == ("tls://head-node:8786", 500)
    assert job.run.window == "20:00-06:00"


def test_crosswalk_defaults(load):
    text = changed("writable_statuses", "#")
    text = changed("writable_validations", "#", changed("max_age_days", "#", text))
    crosswalk = load(text).crosswalk
    assert crosswalk.writable_statuses == ("geverifieerd",)
    assert crosswalk.writable_validations == ()
    assert crosswalk.max_age_days == 30


def test_paths_are_seen_from_the_job_file_wherever_one_stands(load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load(FULL)
    job = load_job(Path("job.toml"))
    assert job.archives[0].root == tmp_path / "archive/oost"
    assert job.privacy.key_file == tmp_path / "keys/demo.key"
    assert job.output.dir == tmp_path / "out/demo"
    assert job.crosswalk.files == (tmp_path / "epd/*.csv",)
    assert job.path == tmp_path / "job.toml"


def test_absolute_paths_and_dots_are_kept_and_taken_out(load, tmp_path):
    text = changed('root = "archive/oost"', f'root = "{(tmp_path / "share").as_posix()}"')
    job = load(changed('"keys/demo.key"', '"../keys/./demo.key"', text))
    assert job.archives[0].root == tmp_path / "share"
    assert job.privacy.key_file == tmp_path.parent / "keys/demo.key"


def test_a_job_is_frozen_and_reaches_another_process(load):
    job = load(FULL)
    assert pickle.loads(pickle.dumps(job)) == job
    with pytest.raises(AttributeError):
        job.name = "other"
    with pytest.raises(ValueError, match="frozen"):
        job.apply.max_files = 1


def test_yesterday_is_the_day_before_today(load):
    text = changed("to = 2015-12-31", 'to = "yesterday"')
    assert load(text, date(2026, 3, 1)).end == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("zone", "end"), [("Pacific/Kiritimati", date(2026, 6, 1)), ("Etc/GMT+12", date(2026, 5, 31))]
)
def test_yesterday_is_that_of_the_time_zone(load, monkeypatch, zone, end):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 6, 1, 11, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr("remediation.app.config_checks.datetime", Clock)
    text = changed("to = 2015-12-31", 'to = "yesterday"').replace("Europe/Amsterdam", zone)
    # At 11:00 UTC it is 2 June in Kiritimati already, and 31 May at the date line's other side.
    assert load(text).end == (end if zone.startswith("Pacific") else date(2026, 5, 30))


def test_events_are_half_open_for_the_model(load):
    text = changed("date = 2011-07-01", "from = 2011-07-01\nto = 2011-07-03")
    text += '\n[[event]]\nname = "Fusie"\nkind = "merger"\ndate = 2012-01-01\n'
    assert load(text).model_events() == (
        Event("PACS-migratie", "pacs-migration", date(2011, 7, 1), date(2011, 7, 4), "oost"),
        Event("Fusie", "merger", date(2012, 1, 1), date(2012, 1, 2), None),
    )


def test_crosswalk_settings_are_what_the_reader_needs(load, tmp_path):
    job = load(FULL)
    crosswalk = job.crosswalk_settings()
    assert crosswalk.files == (tmp_path / "epd/*.csv",)
    assert crosswalk.columns["partner_name"] == "partnernaam"
    assert "valid_to" not in crosswalk.columns
    assert crosswalk.default_issuer == ""
    assert crosswalk.spelling == (SpellingRule("ZKH-OOST", 7, ""),)
    assert crosswalk.max_age_days == 30


def test_a_single_local_issuer_is_the_default_of_the_crosswalk(load):
    text = FULL.replace('local_issuer = "ZKH-OUD"', 'local_issuer = "ZKH-OOST"')
    text = changed('issuer = "uitgever", ', "", text)
    settings = load(text).crosswalk_settings()
    assert settings.default_issuer == "ZKH-OOST"
    assert "issuer" not in settings.columns


HL7 = """
[crosswalk.hl7]
status = "geverifieerd"
reliability = { UA = "niet" }
issuers = { HIS1 = "ZKH-OOST" }
"""


def test_what_hl7_messages_cannot_say_comes_from_the_job_file(load):
    assert load(FULL).crosswalk_settings().hl7.status == ""
    settings = load(FULL + HL7).crosswalk_settings()
    assert (settings.hl7.status, settings.hl7.reliability) == ("geverifieerd", {"UA": "niet"})
    assert (settings.hl7.issuers, settings.hl7.timezone) == (
        {"HIS1": "ZKH-OOST"},
        "Europe/Amsterdam",
    )
    assert settings.extra_issuers == load(FULL).bsn.extra_issuers


def test_where_all_files_are_hl7_no_columns_are_needed(load):
    job = load(MINIMAL + '[crosswalk]\nfiles = ["epd/*.hl7"]\n' + HL7)
    assert job.crosswalk_settings().columns == {}


def test_without_a_crosswalk_the_rest_works_and_asking_for_it_says_so(load):
    with pytest.raises(UsageError, match=r"no \[crosswalk\]"):
        load(MINIMAL).crosswalk_settings()


def test_a_folder_that_looks_like_a_pattern_is_no_pattern(tmp_path):
    folder = tmp_path / "job[1]*"
    (folder / "epd").mkdir(parents=True)
    (folder / "job.toml").write_text(FULL, encoding="utf-8")
    names = load_job(folder / "job.toml").crosswalk_settings().columns.values()
    (folder / "epd" / "a.csv").write_text(f"{';'.join(names)}\n{';'.join('x' for _ in names)}\n")
    settings = load_job(folder / "job.toml").crosswalk_settings()
    assert [len(rows) for rows in read_crosswalk(settings, datetime.now(UTC))] == [1]


def test_an_archive_is_found_by_name(load):
    job = load(FULL)
    assert job.archive("oost") is job.archives[0]
    with pytest.raises(UsageError, match="it has oost"):
        job.archive("west")


def test_archives_beside_each_other_are_fine(load):
    text = FULL + '\n[[archive]]\nname = "oost-2"\nroot = "archive/oost-2"\n'
    assert [archive.name for archive in load(text).archives] == ["oost", "oost-2"]


def test_an_issuer_that_only_the_crosswalk_names_is_ours(load):
    text = FULL.replace('issuer = "ZKH-OOST"\nwidth', 'issuer = "ZKH-WEST"\nwidth')
    text = changed('means = "ZKH-OOST"', 'means = "ZKH-WEST"', text)
    job = load(text)
    assert job.archives[0].issuer_alias[0].means == "ZKH-WEST"
    assert "ZKH-WEST" not in job.local_issuers


def test_a_placement_file_is_a_path(load, tmp_path):
    job = load(changed('target = "at-rest"', 'target = "own/placement.toml"'))
    assert job.placement.target == str(tmp_path / "own/placement.toml")
    assert load(changed('"at-rest"', '"exchange"')).placement.target == "exchange"


def test_placeholders_are_nine_digits_and_not_shown(load):
    job = load(changed("placeholders = []", 'placeholders = ["12345678", "9999.00.006"]'))
    assert job.bsn.placeholders == ("012345678", "999900006")
    assert "012345678" not in repr(job)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load_job(path).name == "demo"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"# \xff", "not UTF-8"), (b"#" * (1 << 20) + b"#", "over a megabyte")],
)
def test_what_is_no_job_file_is_refused(tmp_path, content, message):
    path = tmp_path / "job.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_job(path)


def test_a_job_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no such job file .*remediation init"):
        load_job(tmp_path / "job.toml")
    with pytest.raises(UsageError, match="not a file"):
        load_job(tmp_path)


def test_a_job_file_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "job.toml").write_text(MINIMAL)
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(UsageError, match=r"cannot be read .*Permission denied"):
        load_job(tmp_path / "job.toml")


def test_the_job_file_has_a_json_schema_in_the_words_of_the_file():
    schema = JobFile.model_json_schema()
    assert set(schema["required"]) == {"job", "archive", "privacy", "output"}
    assert "from" in schema["$defs"]["JobTable"]["properties"]
