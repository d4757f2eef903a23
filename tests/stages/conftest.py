"""A small hospital per test: crawled, flagged, matched, planned and approved by two people."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_hospital import Hospital, copy, ready

from remediation.store.manifests import Stored


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def hospital(template: Hospital, tmp_path: Path) -> Hospital:
    """A hospital with an approved manifest, to work on."""
    return copy(template, tmp_path / "klein")


@pytest.fixture
def manifest(hospital: Hospital) -> Stored:
    return hospital.load()
