"""The schemas are the documentation: every column described, nothing named that could identify."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from remediation.tables import schemas

ALL = {name: value for name, value in vars(schemas).items() if isinstance(value, pa.Schema)}
PLAIN = {"PatientID", "PatientName", "PatientBirthDate", "OtherPatientIDs", "bsn", "name"}


def test_each_dataset_of_the_contract_has_its_schema():
    assert ALL.keys() == {
        "INSTANCES",
        "FINDINGS",
        "TALLIES",
        "STUDIES",
        "MIXED",
        "PLACES",
        "COVERAGE",
        "PERIODS",
        "EVENTS",
        "IDENTITIES",
        "CORRECTIONS",
        "REFUSALS",
        "FOLDERS",
        "HISTORY",
        "SURVEY",
    }


@pytest.mark.parametrize("name", ALL)
def test_every_column_says_what_it_is(name):
    for field in ALL[name]:
        words = (field.metadata or {}).get(b"description", b"").decode()
        assert re.search(r"\w{2}", words), field.name
    assert len(set(ALL[name].names)) == len(ALL[name].names)


@pytest.mark.parametrize("name", ALL)
def test_every_schema_has_its_version(name):
    assert ALL[name].metadata[b"schema_version"] == schemas.SCHEMA_VERSION.encode()


@pytest.mark.parametrize("name", ALL)
def test_no_column_is_for_a_number_a_name_or_a_birth_date(name):
    assert PLAIN.isdisjoint(ALL[name].names)


def test_coverage_has_a_column_for_every_status():
    assert set(schemas.STATUSES) <= set(schemas.COVERAGE.names)
