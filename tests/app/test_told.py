"""`places` and `periods` alike: one document, bad input in a line, no number in anything."""

from __future__ import annotations

import json
from datetime import date

import click
import pyarrow.parquet as pq
from app.hospital_line import call
from app.report.conftest import cause

from remediation.app.cli import cli
from remediation.model import bsn
from remediation.store.keys import new_key_file

NUMBER = bsn.test_number(7)
COMMANDS = (("places",), ("periods", "list"), ("periods", "explain"))


def every(told):
    for words in COMMANDS:
        yield (*words, told.job, *(["a0"] if words[-1] == "explain" else []))


def test_one_json_document_each(broken, capsys):
    found = {}
    for line in every(broken):
        said = call(capsys, *line, "--json")
        assert (said.code, said.err) == (0, "")
        found[line[-2] if "explain" in line else line[-1]] = json.loads(said.out)
    listed = json.loads(call(capsys, "periods", "list", broken.job, "--json").out)
    assert listed["periods"][0]["start"] == "2011-07-01"
    assert listed["periods"][0]["period_id"] == broken.periods[0]["period_id"]
    assert listed["events"][0]["verdict"] == "worse"
    assert listed["false_discovery_rate"] == 0.05
    one = json.loads(call(capsys, "periods", "explain", broken.job, "a0", "--json").out)
    assert one["event"]["verdict"] == "worse"
    assert any("OtherPatientIDs" in sentence for sentence in one["told"])


def test_the_commands_of_periods_explain_themselves(capsys):
    for name, command in cli.commands["periods"].commands.items():
        said = call(capsys, "periods", name, "--help")
        assert (said.code, said.err) == (0, "")
        assert max(map(len, said.out.splitlines())) <= 100
        assert not command.get_short_help_str(80).endswith("...")
        options = [one for one in command.params if isinstance(one, click.Option)]
        assert all(one.help for one in options)
        assert {one.envvar for one in options} >= {f"REMEDIATION_PERIODS_{name.upper()}_PLOT"}


def test_before_flag_each_names_it(told, capsys):
    told.file().write("crawl")
    for line in every(told):
        said = call(capsys, *line)
        assert said.code == 1
        assert "run `remediation flag` first" in said.line


def test_another_key_is_refused(broken, capsys):
    key = broken.output.parent / "keys/mooi.key"
    key.unlink()
    new_key_file(key)
    for line in every(broken):
        said = call(capsys, *line)
        assert said.code == 12
        assert "another key" in said.line


def test_what_an_older_version_wrote_is_refused_with_the_mend(broken, capsys, tmp_path):
    lines = {
        "places": [("places", broken.job)],
        "periods": [("periods", "list", broken.job), ("periods", "explain", broken.job, "a0")],
        "events": [("periods", "list", broken.job)],
        "coverage": [("periods", "list", broken.job, "--plot", tmp_path / "x.svg")],
        "studies": [("report", broken.job)],
    }
    for name, commands in lines.items():
        path = broken.output / f"{name}.parquet"
        whole = path.read_bytes()
        table = pq.read_table(path)
        older = {**table.schema.metadata, b"schema_version": b"2"}
        pq.write_table(table.replace_schema_metadata(older), path)
        for command in commands:
            said = call(capsys, *command)
            assert (name, said.code) == (name, 1)
            assert said.line.endswith("run `remediation flag` again")
            assert "another schema version" in said.line
        path.write_bytes(whole)


def test_a_damaged_dataset_is_refused(broken, capsys):
    for name in ("places", "periods"):
        (broken.output / f"{name}.parquet").write_bytes(b"PAR1")
    for line in every(broken):
        said = call(capsys, *line)
        assert said.code == 1
        assert "damaged" in said.line


def test_one_study_and_everything_unreadable(told, capsys, tmp_path):
    told.study(status="unreadable").write()
    assert call(capsys, "places", told.job).out == "No place is like that.\n"
    said = call(capsys, "periods", "list", told.job, "--plot", tmp_path / "x.svg")
    assert said.code == 0
    assert said.out.startswith("No broken periods")
    assert call(capsys, "report", told.job).code == 0


HOSTILE = ("=cmd|'/c calc'!A1", "<script>alert(1)</script>", "Zkh\u202e\x1b[31mO", "{0}", "$x^2$")


def test_no_number_comes_out_and_foreign_text_is_washed(told, capsys, tmp_path):
    spelled = f"{NUMBER[:4]}.{NUMBER[4:6]}.{NUMBER[6:]}"
    names = (NUMBER, f"Zkh {NUMBER}", spelled, *HOSTILE)
    for name in names:
        told.study(count=3, source=name)
        changes = [cause(one, name, f"x{name}") for one in ("place", "StationName")]
        told.period(
            date(2011, 3, 2),
            date(2011, 3, 20),
            source=name,
            event=name,
            event_kind=name,
            causes=changes,
            dominant_status=name,
        )
        told.effect(event=name, event_kind=name, source=name, verdict=name)
        told.place(name, 9, 9, 9, source=name, private_creator=name, verdict="bsn")
    told.write()
    job = told.job.read_text().replace("PACS-migratie", f"Wissel {NUMBER}")
    told.job.write_text(job)
    everything = ""
    for at in range(len(names)):
        plot = tmp_path / f"{at}.svg"
        said = call(
            capsys, "periods", "explain", told.job, told.periods[at]["period_id"], "--plot", plot
        )
        assert said.code == 0
        everything += said.out + plot.read_text()
        everything += call(
            capsys, "periods", "explain", told.job, told.periods[at]["period_id"], "--json"
        ).out
    for line in (("places",), ("periods", "list")):
        for more in ((), ("--json",), ("--lang", "nl")):
            said = call(capsys, *line, told.job, *more)
            assert said.code == 0
            everything += said.out
    call(capsys, "periods", "list", told.job, "--plot", tmp_path / "all.svg")
    everything += (tmp_path / "all.svg").read_text()
    assert NUMBER not in everything
    assert spelled not in everything
    assert "(withheld)" in everything
    assert "\x1b" not in everything
    assert "\u202e" not in everything
    assert call(capsys, "places", told.job, "--source", "geen").code == 2
    assert NUMBER not in call(capsys, "places", told.job, "--source", "geen").err
