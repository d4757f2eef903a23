"""Encrypted files: only the recipient reads them, and nothing plain or half done is ever there."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import RemediationError, UsageError
from remediation.store import encrypted, primitives
from remediation.store.encrypted import Recipient, write_encrypted
from remediation.store.files import IoError, SyncError

IDENTITY = pyrage.x25519.Identity.generate()
TO = Recipient.parse(str(IDENTITY.to_public()))
SECRET = b"nummer 123456782"


def ignore(_written) -> None:
    """Record nothing."""


def opened(path: Path, identity=IDENTITY) -> bytes:
    return pyrage.decrypt(path.read_bytes(), [identity])


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(st.lists(st.binary(max_size=40)))
@settings(max_examples=25, deadline=None)
def test_what_went_in_piece_by_piece_comes_out(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("uit") / "a.age"
    write_encrypted(path, TO, pieces, ignore)
    assert opened(path) == b"".join(pieces)


def test_the_file_is_for_its_owner_alone_and_says_what_it_is(tmp_path):
    before = os.umask(0)
    try:
        written = write_encrypted(tmp_path / "a.age", TO, [SECRET], ignore)
    finally:
        os.umask(before)
    path = tmp_path / "a.age"
    assert path.stat().st_mode & 0o777 == 0o600
    assert written.size == path.stat().st_size
    assert SECRET not in path.read_bytes()
    assert left(tmp_path) == ["a.age"]


def test_another_key_does_not_open_it_and_neither_does_ours_what_was_cut_off(tmp_path):
    path = tmp_path / "a.age"
    write_encrypted(path, TO, [SECRET * 10_000], ignore)
    with pytest.raises(pyrage.DecryptError):
        opened(path, pyrage.x25519.Identity.generate())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(pyrage.DecryptError):
        opened(path)


@pytest.mark.skipif(not shutil.which("age"), reason="NOT TRIED: age is not installed")
def test_the_stock_tool_opens_it_with_the_right_key_only(tmp_path):
    keys = [tmp_path / "mijn.txt", tmp_path / "ander.txt"]
    for key in keys:
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    public = keys[0].read_text().split("public key: ")[1].split()[0]
    data = SECRET * 100_000
    write_encrypted(tmp_path / "a.age", Recipient.parse(public), [data], ignore)
    tried = [
        subprocess.run(
            ["age", "-d", "-i", key, tmp_path / "a.age"], capture_output=True, check=False
        )
        for key in keys
    ]
    assert tried[0].stdout == data
    assert tried[1].returncode != 0
    assert tried[1].stdout == b""


# --- recipients -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="NOT TRIED: ssh-keygen is missing")
def test_an_ssh_key_is_a_recipient_and_its_comment_is_not_recorded(tmp_path, kind):
    key = tmp_path / "sleutel"
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "iemand@ergens", "-f", str(key)]
    subprocess.run(command, check=True)
    to = Recipient.parse(key.with_suffix(".pub").read_text())
    assert to.text.startswith(f"ssh-{kind} ")
    assert "iemand" not in to.text
    write_encrypted(tmp_path / "a.age", to, [SECRET], ignore)
    assert opened(tmp_path / "a.age", pyrage.ssh.Identity.from_buffer(key.read_bytes())) == SECRET


@pytest.mark.parametrize(
    "text", ["", "age1xyz", "iemand", "ssh-rsa", "ssh-rsa AAAA", "ecdsa-sha2-nistp256 AAAA", "\0"]
)
def test_what_is_no_public_key_is_refused_and_not_repeated(text):
    with pytest.raises(UsageError, match="not a recipient") as caught:
        Recipient.parse(text)
    assert not text.strip("\0") or text not in str(caught.value).replace("ssh-rsa ...", "")


def test_a_secret_key_is_no_recipient_and_is_not_repeated():
    with pytest.raises(UsageError, match="secret key") as caught:
        Recipient.parse(str(IDENTITY))
    assert str(IDENTITY) not in str(caught.value)


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_file_that_is_there_is_not_replaced(tmp_path):
    path = tmp_path / "a.age"
    path.write_bytes(b"van iemand")
    with pytest.raises(UsageError, match="already"):
        write_encrypted(path, TO, [SECRET], ignore)
    assert path.read_bytes() == b"van iemand"
    assert left(tmp_path) == ["a.age"]


@pytest.mark.parametrize("there", [False, True])
def test_on_a_share_without_hard_links_it_is_renamed_and_replaces_nothing(
    tmp_path, monkeypatch, there
):
    def no_links(*_arguments):
        raise IoError("a second name cannot be given", number=errno.EPERM)

    monkeypatch.setattr(primitives, "link", no_links)
    path = tmp_path / "a.age"
    if there:
        path.write_bytes(b"van iemand")
        with pytest.raises(UsageError, match="already"):
            write_encrypted(path, TO, [SECRET], ignore)
        assert path.read_bytes() == b"van iemand"
    else:
        write_encrypted(path, TO, [SECRET], ignore)
        assert opened(path) == SECRET
    assert left(tmp_path) == ["a.age"]


class OwnError(Exception):
    """What a caller may raise."""


@pytest.mark.parametrize("error", [OwnError, KeyboardInterrupt, IoError])
@pytest.mark.parametrize("after", [0, 1, 100_000])
def test_an_error_while_the_pieces_are_made_comes_out_as_it_is(tmp_path, error, after):
    def pieces():
        yield SECRET * after
        raise error("op")

    with pytest.raises(error):
        write_encrypted(tmp_path / "a.age", TO, pieces(), ignore)
    assert left(tmp_path) == []


@pytest.mark.parametrize("when", range(6))
def test_a_write_that_fails_is_never_passed_over(tmp_path, monkeypatch, when):
    # The library clears its last buffer without telling of an error: without our own look, a full
    # disk would leave a file that cannot be opened.
    calls = 0

    def full(_descriptor, _data):
        nonlocal calls
        calls += 1
        if calls > when:
            raise IoError("a file cannot be written", number=errno.ENOSPC)

    monkeypatch.setattr(encrypted, "write_all", full)
    with pytest.raises(IoError, match="cannot be written"):
        write_encrypted(tmp_path / "a.age", TO, [SECRET * 50_000], ignore)
    assert left(tmp_path) == []


@pytest.mark.parametrize("after", [0, 1])
def test_what_may_not_be_durable_is_taken_away(tmp_path, monkeypatch, after):
    whole, calls = os.fsync, 0

    def failing(descriptor):
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(errno.EIO, "")
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(SyncError):
        write_encrypted(tmp_path / "a.age", TO, [SECRET], ignore)
    assert left(tmp_path) == []


def test_there_is_no_file_before_there_is_a_record_nor_where_there_is_none(tmp_path):
    path = tmp_path / "a.age"

    def record(written):
        assert not path.exists()
        assert written.size > 0
        raise OwnError

    with pytest.raises(OwnError):
        write_encrypted(path, TO, [SECRET], record)
    assert left(tmp_path) == []


def test_an_error_of_the_library_does_not_tell_what_it_says(tmp_path, monkeypatch):
    def broken(*_arguments):
        raise pyrage.EncryptError(SECRET.decode())

    monkeypatch.setattr(pyrage, "encrypt_io", broken)
    with pytest.raises(RemediationError, match="could not be encrypted") as caught:
        write_encrypted(tmp_path / "a.age", TO, [SECRET], ignore)
    assert SECRET.decode() not in str(caught.value)
    assert left(tmp_path) == []


def test_memory_does_not_grow_with_the_file(tmp_path):
    piece = SECRET * 1000
    write_encrypted(tmp_path / "a.age", TO, [piece] * 10, ignore)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_encrypted(tmp_path / "b.age", TO, (piece for _ in range(5000)), ignore)  # 80 MB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
