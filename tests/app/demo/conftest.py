"""One small demo hospital for all tests of this folder."""

import csv
from pathlib import Path

import pytest

from remediation.app.demo.build import DemoPaths, build
from remediation.app.demo.schedule import LEAST_STUDIES


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoPaths:
    return build(tmp_path_factory.mktemp("demo") / "out", LEAST_STUDIES)


@pytest.fixture(scope="session")
def rows():
    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read
