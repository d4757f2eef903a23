"""The columns against plain dictionaries: the same answers, in the same order, for every export."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables.plain_crosswalk import PlainCrosswalk

from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.crosswalk import Entry, Rows, SpellingRule
from remediation.model.secrets import Keys
from remediation.model.tokens import bsn_token, patient_token
from remediation.tables import crosswalk as lookups
from remediation.tables import crosswalk_build as build
from remediation.tables.crosswalk import Crosswalk

KEYS = Keys.from_hex("5a" * 32)
NUMBERS = [bsn.test_number(n) for n in (1, 2)] + ["999999990", "123456789"]
LOCALS, ISSUERS = ["", "1", "01", "2", "3"], ["", "OOST", "WEST"]
RULES = [SpellingRule("OOST", 3, "A")]

entries = st.builds(
    Entry,
    st.sampled_from(ISSUERS),
    st.sampled_from(LOCALS),
    st.sampled_from(["", *NUMBERS]),
    status=st.sampled_from(["", "ja", "Ja"]),
    validation=st.sampled_from(["", "wid"]),
    birth_date=st.sampled_from(["", "19500203", "19610506"]),
    sex=st.sampled_from(["", "F"]),
    family_names=st.sampled_from([(), ("JANSEN",), ("JANSENVRIES", "JANSEN", "VRIES"), ("ÅÄ",)]),
    initials=st.sampled_from(["", "AB"]),
    exemption=st.sampled_from(["", "pasgeborene"]),
    replaced_by=st.sampled_from(["", "1", "2"]),
    valid_from=st.sampled_from(["", "20100101"]),
    valid_to=st.sampled_from(["", "20091231", "20150101"]),
) | st.builds(
    Entry,
    st.sampled_from(ISSUERS),
    st.sampled_from(LOCALS),
    st.sampled_from(["zie dossier", "1234", "12345678901"]),
    well_formed=st.just(False),
)
exports = st.lists(entries, max_size=10)


def both(rows, rules=()):
    """Return the crosswalk and the plain one; where the one refuses, so does the other."""
    try:
        plain = PlainCrosswalk(rows, rules)
    except UsageError as error:
        message = str(error)
    else:
        return Crosswalk.of(rows, rules), plain
    with pytest.raises(UsageError) as caught:
        Crosswalk.of(rows, rules)
    assert str(caught.value) == message
    return None


def hold_alike(crosswalk, plain):
    """Assert that every question has the same answer."""
    assert crosswalk.entries == plain.entries
    assert [one.place for one in crosswalk.entries] == [one.place for one in plain.entries]
    assert (len(crosswalk), crosswalk.duplicates) == (len(plain.entries), plain.duplicates)
    assert crosswalk.two_numbers == plain.two_numbers
    assert crosswalk.shared_numbers == plain.shared_numbers
    assert crosswalk.issuers == {entry.issuer for entry in plain.entries}
    for number in ["", "x", "00000000x", *NUMBERS]:
        assert crosswalk.by_bsn(number) == plain.by_bsn(number)
        for issuer in ISSUERS:
            shared = (issuer, number) in plain.shared_numbers
            assert crosswalk.is_shared(issuer, number) == shared
    for issuer in ISSUERS:
        for local in [*LOCALS, "A", "A001", "A01"]:
            found = plain.by_local(issuer, local)
            assert crosswalk.by_local(issuer, local) == found
            two = (issuer, local) in plain.two_numbers
            assert crosswalk.has_two_numbers(issuer, local) == two
            written = [
                one for one in plain.entries if (one.issuer, one.local_number) == (issuer, local)
            ]
            assert crosswalk.by_plain(issuer, local) == tuple(written if issuer and local else ())
    for entry in plain.entries:
        assert crosswalk.homonyms(entry) == plain.homonyms(entry)


def tokens_hold_alike(crosswalk, plain, keys):
    """Assert that the tokens of a key lead to the same rows."""
    tokens = crosswalk.tokens(keys)
    for number in NUMBERS:
        assert tokens.bsn(bsn_token(keys, number)) == plain.by_bsn(number)
    for issuer in ISSUERS:
        for local in [*LOCALS, "A001"]:
            assert tokens.local(issuer, patient_token(keys, local)) == plain.by_local(issuer, local)


@settings(deadline=None)
@given(exports, st.sampled_from([(), RULES]))
def test_columns_answer_as_dictionaries_do(rows, rules):
    if found := both(rows, rules):
        hold_alike(*found)
        tokens_hold_alike(*found, KEYS)


class LikeKeys:
    """Keys whose tokens all begin alike: what is found must be told apart by the rest."""

    key_id = "alike"

    def token(self, kind, *parts):
        return "0" * 16 + KEYS.token(kind, *parts)[:16]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exports, st.sampled_from([(), RULES]))
def test_texts_of_one_hash_are_never_taken_for_each_other(monkeypatch, rows, rules):
    for module in (build, lookups):
        monkeypatch.setattr(module, "local_hash", lambda *_: b"12345678")
        monkeypatch.setattr(module, "name_code", lambda _: 7)
    if found := both(rows, rules):
        crosswalk, plain = found
        # Of one hash, the whole is counted too low; what matching asks row by row is exact.
        monkeypatch.setattr(Crosswalk, "shared_numbers", plain.shared_numbers)
        hold_alike(crosswalk, plain)
        tokens_hold_alike(crosswalk, plain, LikeKeys())


@given(exports)
def test_former_are_the_rows_that_a_number_took_the_place_of(rows):
    crosswalk = Crosswalk.of(rows)
    kept = crosswalk.entries
    for issuer in ISSUERS:
        for local in LOCALS:
            former = [
                one
                for one in kept
                if one.issuer
                and one.local_number
                and local
                and (one.issuer, one.replaced_by) == (issuer, local)
            ]
            assert crosswalk.former(issuer, local) == tuple(former)


@given(exports, st.integers(1, 4))
def test_batches_give_what_the_whole_gives(rows, size):
    def cells(some):
        names = {
            "issuer": "issuer",
            "local_number": "local_number",
            "bsn": "bsn",
            "status": "status",
        }
        return {ours: [getattr(one, theirs) for one in some] for ours, theirs in names.items()}

    whole = [Rows(cells(rows), range(1, len(rows) + 1), "epd.csv line", "csv")]
    parts = [
        Rows(
            cells(rows[at : at + size]),
            range(at + 1, min(at + size, len(rows)) + 1),
            "epd.csv line",
            "csv",
        )
        for at in range(0, len(rows), size)
    ]
    one, other = Crosswalk.read(whole), Crosswalk.read(parts)
    assert one.entries == other.entries
    assert [e.place for e in one.entries] == [e.place for e in other.entries]


# --- messages -------------------------------------------------------------------------------------


def messages(*said, kind="hl7"):
    """Return a batch of messages: local number, status, time, and the message's number."""
    locals_, statuses, times, numbers = zip(*said, strict=True)
    cells = {"issuer": ["OOST"] * len(said), "local_number": locals_, "status": statuses}
    return Rows(cells, numbers, "a.hl7 message", kind, times)


def kept(*batches):
    return [(e.local_number, e.status) for e in Crosswalk.read(batches).entries]


def test_a_later_message_takes_the_place_of_earlier_ones():
    assert kept(messages(("1", "a", 5, 1), ("1", "b", 3, 2), ("2", "c", 1, 3))) == [
        ("1", "a"),
        ("2", "c"),
    ]
    assert kept(messages(("1", "a", 5, 1)), messages(("1", "b", 9, 2))) == [("1", "b")]


def test_rows_of_one_message_stay_together():
    assert kept(messages(("1", "a", 5, 1), ("1", "b", 5, 1))) == [("1", "a"), ("1", "b")]
    assert kept(messages(("1", "a", 5, 1), ("1", "b", 5, 1), ("1", "c", 5, 2))) == [("1", "c")]


def test_rows_of_tables_are_beside_messages_and_not_replaced_by_them():
    table = Rows({"issuer": ["OOST"], "local_number": ["1"], "status": ["t"]}, [2], "a line", "csv")
    for batches in ([table, messages(("1", "a", 5, 1), ("1", "b", 6, 2))],):
        assert kept(*batches) == [("1", "t"), ("1", "b")]
        assert sorted(kept(*reversed(batches))) == [("1", "b"), ("1", "t")]


def test_patients_without_a_number_are_no_messages_of_one_patient():
    assert kept(messages(("", "a", 5, 1), ("", "b", 6, 2))) == [("", "a"), ("", "b")]


# --- bounds and showing ---------------------------------------------------------------------------


def test_a_column_of_words_with_too_many_of_them_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setattr(build, "MANY_WORDS", 3)
    rows = [Entry("OOST", str(n), "", status=bsn.test_number(n)) for n in range(5)]
    with pytest.raises(UsageError, match="column for status") as caught:
        Crosswalk.of(rows)
    assert bsn.test_number(1) not in str(caught.value)


def test_nothing_that_holds_rows_shows_them():
    secret = Entry("OOST", "4711", NUMBERS[0], family_names=("JANSEN",), birth_date="19500203")
    batch = Rows({"bsn": [NUMBERS[0]], "local_number": ["4711"]}, [2], "epd.csv line", "csv")
    crosswalk = Crosswalk.of([secret])
    columns = crosswalk.columns
    shown = f"{crosswalk!r}{columns!r}{crosswalk.entries!r}{crosswalk.tokens(KEYS)!r}{batch!r}"
    assert shown.startswith("<crosswalk of 1 rows><1 rows of a crosswalk><1 entries>")
    assert not any(word in shown for word in ("4711", NUMBERS[0], "JANSEN", "19500203"))


def test_entries_are_a_sequence():
    rows = [Entry("OOST", str(n), "") for n in range(4)]
    found = Crosswalk.of(rows).entries
    assert (found[1], found[-1], found[1:3]) == (rows[1], rows[3], tuple(rows[1:3]))
    assert (list(found), rows[2] in found, found == rows[:3]) == (rows, True, False)
    with pytest.raises(IndexError):
        found[4]


def test_rows_take_few_bytes_each():
    rows = [
        Entry("OOST", f"{n:08}", bsn.test_number(n % 9000), status="ja", birth_date="19500203")
        for n in range(20_000)
    ]
    columns = Crosswalk.of(rows).columns
    arrays = [*columns.codes.values(), columns.number, columns.flags, columns.line]
    arrays += [columns.local_hash, columns.name_counts, columns.name_codes]
    size = sum(array.nbytes for array in arrays) + sum(t.nbytes for t in columns.texts.values())
    assert size / len(rows) < 80
    assert columns.codes["status"].dtype == np.uint8
