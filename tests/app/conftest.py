"""Loading a job file, or being refused."""

import re

import pytest

from remediation.app.config import load_job
from remediation.errors import UsageError


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
