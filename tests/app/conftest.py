"""Loading a job file, or being refused; and a job of which `flag` has found something."""

import re
from datetime import date

import pytest
from app.report.conftest import Hospital, broken_decade

from remediation.app.config import load_job
from remediation.errors import UsageError
from remediation.store.keys import load_key_file, new_key_file

JOB = """\
[job]
name = "mooi"
responsible = "PACS-beheer (test)"
[[archive]]
name = "oost"
root = "oost"
local_issuer = "ZKH-OOST"
[privacy]
key_file = "keys/mooi.key"
[[event]]
name = "PACS-migratie"
kind = "pacs-migration"
date = 2011-07-01
[output]
dir = "uit"
"""


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a job file and loads it."""

    def write_and_load(text, today=None):
        path = tmp_path / "job.toml"
        path.write_text(text, encoding="utf-8")
        return load_job(path, today)

    return write_and_load


@pytest.fixture
def refused(load):
    """Return a function that gives the message of a job file with faults, its path left out."""

    def message_of(text, today=None):
        with pytest.raises(UsageError) as caught:
            load(text, today)
        assert caught.value.exit_code == 2
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        message = str(caught.value)
        assert "\n" not in message
        return re.sub(r"[^\s(]*job\.toml", "job.toml", message.replace("\\", "/"))

    return message_of


class Told(Hospital):
    """A hospital with a job file."""

    @property
    def job(self):
        return self.output.parent / "job.toml"


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "oost").mkdir()
    (tmp_path / "keys").mkdir()
    new_key_file(tmp_path / "keys/mooi.key")
    (tmp_path / "job.toml").write_text(JOB)
    return Told(tmp_path / "uit", load_key_file(tmp_path / "keys/mooi.key").key_id)


@pytest.fixture
def broken(told):
    """A source with one period, near an event that made it worse."""
    broken_decade(told)
    told.periods[-1] |= {"start_low": date(2011, 6, 29), "start_high": date(2011, 7, 3)}
    told.effect()
    told.place("OtherPatientIDsSequence.PatientID", 120, 100, 99)
    told.write()
    return told
