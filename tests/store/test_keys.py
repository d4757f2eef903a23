"""The key file: made once, guarded, and refused where others could have had a hand in it."""

import os
import stat
import threading

import pytest

from remediation.errors import KeyFileError, ShareError, UsageError
from remediation.store.keys import load_key_file, new_key_file, write_secret

ROOT_ONLY = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root: chown to another user"
)


def guarded(path, text, mode=0o600):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def refusal(path):
    with pytest.raises(KeyFileError) as caught:
        load_key_file(path)
    message = str(caught.value)
    assert caught.value.exit_code == 12
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_new_key_file_loads_and_has_the_key_id_that_was_told(tmp_path):
    path = tmp_path / "a.key"
    key_id = new_key_file(path)
    assert load_key_file(path).key_id == key_id
    assert len(key_id) == 16
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 65
    assert key_id not in path.read_text()


def test_two_new_keys_differ(tmp_path):
    assert new_key_file(tmp_path / "a") != new_key_file(tmp_path / "b")


def test_a_wide_umask_does_not_open_a_new_key_to_others(tmp_path):
    before = os.umask(0)
    try:
        new_key_file(tmp_path / "a.key")
    finally:
        os.umask(before)
    load_key_file(tmp_path / "a.key")


def test_a_key_file_is_never_overwritten_nor_a_link_followed(tmp_path):
    path = tmp_path / "a.key"
    new_key_file(path)
    before = path.read_bytes()
    link = tmp_path / "dangling.key"
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(UsageError):
            new_key_file(taken)
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_key_in_a_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(ShareError, match="cannot be made"):
        new_key_file(tmp_path / "none" / "a.key")


def test_a_full_disk_leaves_no_half_key(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ShareError, match="No space left"):
        write_secret(tmp_path / "a.key", "text\n")
    assert list(tmp_path.iterdir()) == []


def test_read_only_to_its_owner_is_good_too(tmp_path):
    assert load_key_file(guarded(tmp_path / "k", "AB" * 32 + "\n", 0o400)).key_id


def test_a_missing_key_file_says_how_to_make_one(tmp_path):
    assert "remediation key new" in refusal(tmp_path / "none.key")
    assert refusal(tmp_path / "none" / "none.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o700, 0o601, 0o000, 0o1600])
def test_every_other_mode_is_refused_and_named(tmp_path, mode):
    path = guarded(tmp_path / "k", "ab" * 32 + "\n", mode)
    message = refusal(path)
    if os.geteuid() == 0 or mode & 0o400:
        assert f"{mode:04o}" in message
        assert "chmod 600" in message


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "ab" * 32,
        "ab" * 32 + "\r\n",
        "ab" * 32 + "\n\n",
        " " + "ab" * 32 + "\n",
        "ab" * 31 + "\n",
        "zz" * 32 + "\n",
        "ab" * 32 + "\n" + "cd" * 32 + "\n",
        b"\xff" * 64 + b"\n",
        "٣" * 64 + "\n",
        "ab" * 100_000,
    ],
)
def test_anything_but_64_digits_and_a_newline_is_refused_unseen(tmp_path, content):
    message = refusal(guarded(tmp_path / "k", content))
    assert "abab" not in message
    assert "zzzz" not in message


def test_a_link_to_a_key_file_is_refused(tmp_path):
    new_key_file(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    assert "link" in refusal(tmp_path / "link")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "k").mkdir(mode=0o700)
    assert "not a regular file" in refusal(tmp_path / "k")


def test_a_pipe_is_refused_at_once_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "k", 0o600)
    told = []
    waiting = threading.Thread(target=lambda: told.append(refusal(tmp_path / "k")), daemon=True)
    waiting.start()
    waiting.join(timeout=5)
    assert "not a regular file" in told[0]


@ROOT_ONLY
def test_another_users_key_file_is_refused(tmp_path):
    path = guarded(tmp_path / "k", "ab" * 32 + "\n")
    os.chown(path, 12345, -1)
    assert "another user" in refusal(path)
