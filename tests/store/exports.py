"""Exports for the tests of reading the crosswalk: how old they are, and how they are read."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.tables.crosswalk import Crosswalk

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
ONE, TWO, THREE = (bsn.test_number(n) for n in (101, 102, 103))
COLUMNS = {
    "local_number": "patientnr",
    "issuer": "uitgever",
    "bsn": "bsn",
    "status": "bsn_status",
    "birth_date": "geboren",
    "sex": "geslacht",
    "family_name": "achternaam",
    "initials": "voorletters",
}
# What may not be in any message: numbers, a name, a birth date in any form.
SECRETS = (ONE, TWO, THREE, "Jansen", "1950-02-03", "19500203", "03-02-1950", "0012345", "12345")


def written(path):
    """Give a file the age of today, and return its settings."""
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    return CrosswalkSettings((path,), COLUMNS)


def read(path, **more):
    """Return the crosswalk of a file."""
    settings = replace(written(path), **more)
    return Crosswalk.read(read_crosswalk(settings, NOW), settings.spelling)


def refused(path, **more):
    """Return the message of a refused file: one line, no value of it, nothing chained."""
    with pytest.raises(UsageError) as caught:
        read(path, **more)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__cause__ is None
    bare = re.sub(re.escape(str(path.parent)), "", message)
    assert not [secret for secret in SECRETS if secret in bare]
    return message
