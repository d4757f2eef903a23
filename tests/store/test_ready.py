"""Ready: what a process must see before it works, and what it takes for something else."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace

import pytest

from remediation.errors import KeyFileError, ShareError
from remediation.store import ready as ready_module
from remediation.store.keys import load_key_file, new_key_file
from remediation.store.ready import ready_for

NAME = "JANSEN^A 999900006"


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A key, an archive whose folder is called after a patient, and no output folder yet."""
    monkeypatch.setattr(ready_module, "_PAUSE_S", 0.01)
    new_key_file(tmp_path / "own.key")
    (tmp_path / "share" / NAME).mkdir(parents=True)
    return tmp_path


def asking(scene, **changes):
    key_file = scene / "own.key"
    given = {"roots": [scene / "share"], "output": scene / "deep/out"} | changes
    return ready_for(key_file, load_key_file(key_file).key_id, **given)


def test_where_the_run_began_everything_is_ready_and_nothing_stays(scene):
    with asking(scene) as ready:
        ready()
        ready()
        (sign,) = (scene / "deep/out").iterdir()
        assert sign.stat().st_mode & 0o777 == 0o600
    assert list((scene / "deep/out").iterdir()) == []


def test_the_question_travels_without_key_and_names_and_is_the_same_after(scene):
    secret = (scene / "own.key").read_text().strip()
    with asking(scene) as ready:
        sent = pickle.dumps(ready)
        back = pickle.loads(sent)
        back()
    assert (back, hash(back)) == (ready, hash(ready))
    for word in (secret, "JANSEN", "999900006"):
        assert word.encode() not in sent
        assert word not in repr(ready)


def test_another_key_is_told_and_so_is_none(scene):
    with asking(scene) as ready:
        with pytest.raises(KeyFileError, match="another key than the run's"):
            replace(ready, key_id="0" * 16)()
        (scene / "own.key").unlink()
        with pytest.raises(KeyFileError, match="no key file"):
            ready()


def test_an_empty_folder_where_the_share_should_be_is_told(scene):
    with asking(scene) as ready:
        shutil.rmtree(scene / "share")
        with pytest.raises(ShareError, match="the archive root is missing"):
            ready()
        (scene / "share").mkdir()
        with pytest.raises(ShareError, match="the archive root is not the run's") as caught:
            ready()
    assert "JANSEN" not in str(caught.value)


def test_a_share_in_which_things_come_and_go_is_the_same_share(scene):
    for year in range(2000, 2020):
        (scene / "share" / str(year)).mkdir()
    with asking(scene) as ready:
        (scene / "share" / NAME).rmdir()
        (scene / "share" / "new").mkdir()
        ready()


def test_an_archive_that_is_empty_is_known_by_nothing(scene):
    (scene / "share" / NAME).rmdir()
    (scene / "share" / ".snapshot").mkdir()
    with asking(scene) as ready:
        assert ready.roots == ((scene / "share", ()),)
        ready()


def test_an_output_folder_of_the_same_name_is_told(scene):
    with asking(scene) as ready:
        shutil.rmtree(scene / "deep")
        with pytest.raises(ShareError, match="the output folder is not the run's"):
            ready()
        (scene / "deep/out").mkdir(parents=True)
        with pytest.raises(ShareError, match="the output folder is not the run's"):
            ready()


def test_an_output_folder_that_cannot_be_written_is_told(scene, monkeypatch):
    def full(_path):
        raise OSError(28, "No space left on device")

    with asking(scene) as ready:
        monkeypatch.setattr(ready_module, "_lay", full)
        with pytest.raises(ShareError, match="the output folder cannot be written"):
            ready()
    with pytest.raises(ShareError, match="cannot be written, No space left"), asking(scene):
        pytest.fail("there is no sign to look for")


def test_an_archive_that_is_away_is_told_before_anyone_is_asked(scene):
    with pytest.raises(ShareError, match="missing"), asking(scene, roots=[scene / "none"]):
        pytest.fail("nobody is asked")
