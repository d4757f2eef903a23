"""Signatures: ours and the stock program's are each other's; anything altered is refused."""

import base64
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.errors import KeyFileError, ManifestError, UsageError
from remediation.model import minisign

SECRET, PUBLIC = minisign.new_key_pair()
MESSAGE = b'{"digest": "ab"}\n'
COMMENT = "by:Tweede Persoon\tat:2026-11-23T10:00:00+00:00"
SIGNATURE = minisign.sign(SECRET, MESSAGE, COMMENT)
STOCK = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="needs the stock minisign (apt-get install minisign)"
)


def stock(folder, *arguments):
    return subprocess.run(
        ["minisign", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@STOCK
def test_the_stock_program_accepts_our_signature_and_shows_our_comment(tmp_path):
    (tmp_path / "manifest.json").write_bytes(MESSAGE)
    (tmp_path / "a.minisig").write_text(SIGNATURE)
    told = stock(tmp_path, "-Vm", "manifest.json", "-x", "a.minisig", "-P", PUBLIC)
    assert told.returncode == 0, told.stderr
    assert COMMENT in told.stdout
    (tmp_path / "manifest.json").write_bytes(MESSAGE + b" ")
    assert stock(tmp_path, "-Vm", "manifest.json", "-x", "a.minisig", "-P", PUBLIC).returncode != 0


@STOCK
def test_the_stock_program_signs_with_our_secret_key(tmp_path):
    (tmp_path / "manifest.json").write_bytes(MESSAGE)
    (tmp_path / "s.key").write_text(SECRET)
    told = stock(tmp_path, "-S", "-W", "-s", "s.key", "-m", "manifest.json", "-t", "seen by me")
    assert told.returncode == 0, told.stderr
    signature = (tmp_path / "manifest.json.minisig").read_text()
    assert minisign.verify(PUBLIC, MESSAGE, signature) == "seen by me"


@STOCK
def test_we_sign_and_verify_with_the_stock_programs_keys(tmp_path):
    assert stock(tmp_path, "-G", "-W", "-p", "p.pub", "-s", "s.key").returncode == 0
    secret = (tmp_path / "s.key").read_text()
    title, public = (tmp_path / "p.pub").read_text().splitlines()
    assert minisign.public_line_of(secret) == public
    # The program leaves out leading zeros.
    assert int(minisign.key_id_of(public), 16) == int(title.split()[-1], 16)
    (tmp_path / "m").write_bytes(MESSAGE)
    assert stock(tmp_path, "-S", "-W", "-s", "s.key", "-m", "m").returncode == 0
    comment = minisign.verify(public, MESSAGE, (tmp_path / "m.minisig").read_text())
    assert "hashed" in comment
    assert minisign.verify(public, b"x", minisign.sign(secret, b"x", "y")) == "y"


@STOCK
def test_a_stock_key_with_a_password_is_said_to_have_one(tmp_path):
    subprocess.run(
        ["minisign", "-G", "-p", "p.pub", "-s", "s.key"],
        cwd=tmp_path,
        input="a\na\n",
        text=True,
        capture_output=True,
        check=True,
    )
    with pytest.raises(KeyFileError, match="has a password"):
        minisign.public_line_of((tmp_path / "s.key").read_text())


def test_a_key_pair_has_the_shape_that_the_format_asks_for():
    title, packed = SECRET.splitlines()
    assert title.startswith("untrusted comment: ")
    assert base64.b64decode(packed)[:6] == b"Ed\0\0B2"
    assert len(base64.b64decode(packed)) == 158
    assert PUBLIC.startswith("RW")
    assert minisign.public_line_of(SECRET) == PUBLIC
    assert minisign.new_key_pair() != (SECRET, PUBLIC)


def test_a_known_signature_of_the_stock_program_verifies_without_it():
    public = "RWRTEMfPtmn8dSCSWcPKrhCq3FRJ9mzU1D2PtbIy30U8sqw3XXhnGSWe"
    signature = (
        "untrusted comment: signature from minisign secret key\n"
        "RURTEMfPtmn8dQCaun/1skUvLi4RYaKfe0dp/T4JQxFML3Ki0uDVuSJqF6uZJhrfsUcJ1siYmsKKk+148HCk"
        "xvJlDKmOcuALKgc=\n"
        "trusted comment: timestamp:1795395579\tfile:m\thashed\n"
        "JVt5Pe7f6LdrNV0h/Ycyv3EIq8KnLpg1/+xIynxAoHkQdOdutvru0Mp3ApNOwsJv2uEd3FiWO9yscacAlm9k"
        "DQ==\n"
    )
    assert minisign.verify(public, b"hi\n", signature).startswith("timestamp:1795395579")
    assert minisign.verify(public, b"hi\n", signature.replace("\n", "\r\n"))


@settings(max_examples=50)
@given(st.binary(), st.text(st.characters(exclude_categories=("C", "Z"))))
def test_what_is_signed_verifies(message, comment):
    assert minisign.verify(PUBLIC, message, minisign.sign(SECRET, message, comment)) == comment


def test_every_turned_bit_of_the_message_is_seen():
    for bit in range(len(MESSAGE) * 8):
        altered = bytearray(MESSAGE)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ManifestError):
            minisign.verify(PUBLIC, bytes(altered), SIGNATURE)


def test_every_altered_character_of_a_signature_is_seen():
    first = SIGNATURE.index("\n")  # the first line is called untrusted, and is
    for at in range(first, len(SIGNATURE)):
        for other in ("A", "\n", "=", "é"):
            altered = SIGNATURE[:at] + other + SIGNATURE[at + 1 :]
            if altered in (SIGNATURE, SIGNATURE[:-1]):
                continue
            with pytest.raises(ManifestError):
                minisign.verify(PUBLIC, MESSAGE, altered)


def test_a_signature_cut_anywhere_is_refused():
    for length in range(len(SIGNATURE) - 1):
        with pytest.raises(ManifestError):
            minisign.verify(PUBLIC, MESSAGE, SIGNATURE[:length])


def test_another_key_is_refused_also_under_the_same_key_id():
    other_secret, other = minisign.new_key_pair()
    with pytest.raises(ManifestError, match="another key"):
        minisign.verify(other, MESSAGE, SIGNATURE)
    number = base64.b64decode(PUBLIC)[2:10]
    dressed = base64.b64encode(b"Ed" + number + minisign.key_bytes_of(other)).decode()
    assert minisign.key_id_of(dressed) == minisign.key_id_of(PUBLIC)
    with pytest.raises(ManifestError, match="not by this key"):
        minisign.verify(dressed, MESSAGE, SIGNATURE)
    assert minisign.public_line_of(other_secret) == other


def test_a_comment_moved_over_from_another_signature_is_refused():
    theirs = minisign.sign(SECRET, b"another manifest", "by:Iemand Anders").splitlines()
    mixed = [*SIGNATURE.splitlines()[:2], *theirs[2:]]
    with pytest.raises(ManifestError, match="comment was altered"):
        minisign.verify(PUBLIC, MESSAGE, "\n".join(mixed) + "\n")


def test_a_signature_that_was_not_prehashed_is_refused_with_the_mend():
    lines = SIGNATURE.splitlines()
    packed = base64.b64decode(lines[1])
    lines[1] = base64.b64encode(b"Ed" + packed[2:]).decode()
    with pytest.raises(ManifestError, match="old kind"):
        minisign.verify(PUBLIC, MESSAGE, "\n".join(lines))


@pytest.mark.parametrize("comment", ["a\nb", "a\rb", "\x1b[2J", "a\u2028b", "\ud800", "x" * 5000])
def test_a_comment_that_could_break_a_line_or_a_terminal_is_not_signed(comment):
    with pytest.raises(UsageError):
        minisign.sign(SECRET, MESSAGE, comment)


def test_a_signed_comment_with_terminal_codes_is_not_shown():
    with pytest.raises(ManifestError):
        minisign.claimed_comment(SIGNATURE.replace("by:", "by:\x1b[2J"))


@pytest.mark.parametrize(
    "text", ["", "RW", "RW" + "A" * 54, "RW" + "é" * 54, PUBLIC + "A", SECRET], ids=range(6)
)
def test_what_is_not_a_public_key_is_a_usage_error_and_never_verifies(text):
    for ask in (minisign.key_id_of, minisign.key_bytes_of):
        with pytest.raises(UsageError):
            ask(text)
    with pytest.raises(ManifestError):
        minisign.verify(text, MESSAGE, SIGNATURE)


@pytest.mark.parametrize(
    "text",
    ["", "x", PUBLIC, SECRET[:-9], SECRET.splitlines()[1], SECRET + "x\n", SECRET * 2],
    ids=range(7),
)
def test_what_is_not_a_secret_key_is_refused_without_being_shown(text):
    with pytest.raises(KeyFileError) as caught:
        minisign.sign(text, MESSAGE, "")
    assert "RW" not in str(caught.value)


def test_a_secret_key_whose_public_half_is_another_s_is_refused():
    title, packed = SECRET.splitlines()
    data = base64.b64decode(packed)
    mixed = data[:94] + minisign.key_bytes_of(minisign.new_key_pair()[1]) + data[126:]
    with pytest.raises(KeyFileError):
        minisign.public_line_of(f"{title}\n{base64.b64encode(mixed).decode()}\n")
