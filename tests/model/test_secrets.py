"""Tokens, sealed text, keyed digests and undo bytes: equal where they must be, shut otherwise."""

import base64
import copy
import hashlib
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import DatasetError, KeyFileError
from remediation.model.bsn import test_number
from remediation.model.secrets import SEALED, Keys

HEX = "4f" * 32
KEYS = Keys.from_hex(HEX)
OTHER = Keys.from_hex("50" * 32)
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(ANY_TEXT, st.lists(ANY_TEXT), ANY_TEXT, st.lists(ANY_TEXT))
def test_tokens_are_equal_exactly_where_kind_and_parts_are(kind_a, parts_a, kind_b, parts_b):
    same = (kind_a, parts_a) == (kind_b, parts_b)
    assert (KEYS.token(kind_a, *parts_a) == KEYS.token(kind_b, *parts_b)) is same


def test_moving_a_character_between_parts_gives_another_token():
    lists = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("2:ab1:c",), ()]
    assert len({KEYS.token("birth-date", *parts) for parts in lists}) == len(lists)


def test_lone_surrogates_do_not_collide_with_the_letter_that_they_spell():
    assert KEYS.token("path", "\udcc3\udca9") != KEYS.token("path", "é")
    assert KEYS.unseal(KEYS.seal("\udcc3\udca9")) == "\udcc3\udca9"


def test_a_token_is_32_hex_digits_of_one_key_and_not_a_bare_hash():
    number = test_number(7)
    token = KEYS.token("bsn", number)
    assert len(token) == 32
    assert set(token) <= set("0123456789abcdef")
    assert token != OTHER.token("bsn", number)
    assert token != KEYS.token("patient", number)
    bare = {hashlib.sha256(text.encode()).hexdigest()[:32] for text in (number, f"bsn{number}")}
    assert token not in bare


def test_the_derivation_stays_as_it_is_or_every_inventory_on_disk_is_lost():
    zero = Keys.from_hex("00" * 32)
    assert zero.key_id == "c5803a3464af1ced"
    assert zero.token("bsn", "1", "23") == "6fb42df8046f1e954d374e77606ae296"
    assert zero.seal("pad/één.dcm") == "sealed:Le50xRtpatEYDKInEhdWQjfr5JhtLt1v9MIYZnc="
    assert (
        zero.digest(b"head") == "de35a83934ead6a1ab7f4af3f6901cd5f5fc44a4d59c5506b20022369b8114bd"
    )
    assert (
        zero.decrypt(
            bytes.fromhex("fd461e3a9c92b0694f178d72cd8435dec48bb4234e6dc616a005ea57b96dab"), b"c"
        )
        == b"old"
    )


def test_tokens_come_by_the_ten_thousand_a_second():
    start = time.perf_counter()
    for number in range(20_000):
        KEYS.token("bsn", f"{number:09d}")
    assert time.perf_counter() - start < 2


def test_the_case_of_the_digits_does_not_make_another_key():
    assert Keys.from_hex("AB" * 32).key_id == Keys.from_hex("ab" * 32).key_id


@pytest.mark.parametrize("text", ["", "4f" * 31, "4f" * 33, "g" * 64, HEX + "\n", "\uff14" * 64])
def test_what_is_not_a_key_is_refused_without_being_repeated(text):
    with pytest.raises(KeyFileError) as caught:
        Keys.from_hex(text)
    assert not text or text not in str(caught.value)


@given(ANY_TEXT)
def test_sealed_text_opens_again_and_is_the_same_each_time(text):
    sealed = KEYS.seal(text)
    assert sealed.startswith(SEALED)
    assert sealed == KEYS.seal(text)
    assert KEYS.unseal(sealed) == text


def test_sealed_text_does_not_open_with_another_key():
    with pytest.raises(KeyFileError) as caught:
        OTHER.unseal(KEYS.seal("DOE^JANE"))
    assert caught.value.exit_code == 12
    assert OTHER.key_id in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "a/b.dcm", "sealed", "sealed:!!", "sealed:abc", "sealed:é", "sealed: QUJD"]
)
def test_text_that_was_never_sealed_is_said_to_be_damaged(text):
    with pytest.raises(DatasetError):
        KEYS.unseal(text)


@given(st.binary(), st.integers(min_value=0))
def test_sealed_bytes_cut_or_made_up_never_open(data, cut):
    real = base64.b64decode(KEYS.seal("DOE^JANE").removeprefix(SEALED))
    for forged in (data, real[: cut % len(real)], flip(real, cut % (len(real) * 8))):
        with pytest.raises(KeyFileError):
            KEYS.unseal(SEALED + base64.b64encode(forged).decode())


@given(st.lists(st.binary()))
def test_a_running_digest_equals_the_digest_of_the_whole(pieces):
    running = KEYS.digester()
    for piece in pieces:
        running.update(piece)
    whole = b"".join(pieces)
    assert running.hexdigest() == KEYS.digest(whole) == KEYS.digest(memoryview(whole))
    assert KEYS.digest(whole) != OTHER.digest(whole)
    assert KEYS.digest(whole) != hashlib.sha256(whole).hexdigest()


@given(st.binary(), st.binary())
def test_undo_bytes_open_with_the_key_and_the_context_only(data, context):
    closed = KEYS.encrypt(data, context)
    assert len(closed) == len(data) + 28
    assert closed != KEYS.encrypt(data, context)
    assert KEYS.decrypt(closed, context) == data
    for keys, where in ((OTHER, context), (KEYS, context + b"x")):
        with pytest.raises(KeyFileError):
            keys.decrypt(closed, where)


def test_undo_bytes_with_any_bit_turned_or_any_length_cut_never_open():
    closed = KEYS.encrypt(b"old head", b"file 1")
    forged = [flip(closed, bit) for bit in range(len(closed) * 8)]
    forged += [closed[:length] for length in range(len(closed))]
    for data in forged:
        with pytest.raises(KeyFileError):
            KEYS.decrypt(data, b"file 1")


def test_the_key_shows_itself_in_no_repr_and_no_pickle():
    assert repr(KEYS) == str(KEYS) == f"Keys({KEYS.key_id})"
    assert KEYS.key_id not in HEX
    assert not hasattr(KEYS, "__dict__")
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="loads the key file itself"):
            carry(KEYS)


def test_each_run_has_keys_of_its_own_that_are_made_again_from_the_key_file():
    keys = Keys.from_hex("11" * 32)
    one, two = keys.of_run({"run_key": "r1"}), keys.of_run({"run_key": "r2"})
    again = Keys.from_hex("11" * 32).of_run({"run_key": "r1"})
    assert again.unseal(one.seal("pad")) == "pad"
    assert again.decrypt(one.encrypt(b"oud", b"c"), b"c") == b"oud"
    for other in (two, keys):
        with pytest.raises(KeyFileError):
            other.unseal(one.seal("pad"))
        with pytest.raises(KeyFileError):
            other.decrypt(one.encrypt(b"oud", b"c"), b"c")


def test_a_journal_of_before_there_were_keys_of_a_run_opens_with_the_jobs():
    keys = Keys.from_hex("11" * 32)
    assert keys.of_run({"command": "apply"}) is keys


def test_with_the_secrets_of_runs_alone_no_token_of_the_job_can_be_made():
    keys = Keys.from_hex("11" * 32)
    nobody = Keys.from_hex("22" * 32).opened_by(lambda begin: keys.run_secret(begin["run_key"]))
    assert nobody.escrowed
    assert not keys.escrowed
    run = nobody.of_run({"run_key": "r1"})
    assert run.unseal(keys.of_run({"run_key": "r1"}).seal("pad")) == "pad"
    tokens = {one.token("bsn", "1") for one in (keys, nobody, run)}
    assert len(tokens) == 3
    for one in (nobody, run):
        assert keys.run_secret("r1").hex() not in repr(one)
