"""Shared by all tests: a private state folder, and a demo hospital gone half the line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remediation.app.config import load_job
from remediation.app.demo.build import build
from remediation.app.wiring import Session
from remediation.stages import crawl, flag, match


@pytest.fixture(scope="session", autouse=True)
def _private_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Locks of the tests lie in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMEDIATION_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo hospital, crawled, flagged and matched. Read it; `demo_copy` is for writing."""
    out = tmp_path_factory.mktemp("demo") / "demo"
    build(out, studies=1200)
    session = Session.open(load_job(out / "job.toml"))
    for archive in session.job.archives:
        crawl.run(session.crawl_options(archive.name))
    flag.run(session.flag_options())
    crosswalk = session.crosswalk()
    match.run(session.match_options(), crosswalk, session.keys)
    session.worklists(crosswalk)
    return out


@pytest.fixture
def demo_copy(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo hospital to work on, times kept."""
    out = tmp_path / "demo"
    shutil.copytree(demo, out, copy_function=shutil.copy2)
    return out


@pytest.fixture
def session_of() -> Callable[[Path], Session]:
    """Open the job of a demo folder."""

    def open_session(out: Path) -> Session:
        return Session.open(load_job(out / "job.toml"))

    return open_session


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus of real files beside the checkout, where it is there."""
    folder = Path(os.environ.get("REMEDIATION_CORPUS", Path(__file__).parents[2] / "shared/corpus"))
    if not folder.is_dir():
        pytest.skip("the corpus of real files is not beside this checkout (REMEDIATION_CORPUS)")
    return folder
