"""Acceptances on disk: signed where the job asks for it, taken back for good, and every cheat."""

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from remediation.errors import ManifestError, UsageError
from remediation.model import minisign
from remediation.model.acceptances import Acceptance, StudyFacts, rule_of
from remediation.store import acceptances
from remediation.store.acceptances import Acceptances

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECOND, THIRD, STRANGER = "Tweede Persoon", "Derde Persoon", "Vreemde Eend"
KEYS = {name: minisign.new_key_pair() for name in (SECOND, THIRD, STRANGER)}
APPROVERS = {name: KEYS[name][1] for name in (SECOND, THIRD)}
STUDY = "1.2.3"
FACTS = StudyFacts("oost", STUDY)
REASON = "unconfirmed-person"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "uit" / "acceptances"


def accept(folder, name, *, signed=True, by_key_of=None, at=AT, **changes):
    key = KEYS[by_key_of or name]
    said = {"why": "nagevraagd bij de balie", "reason": REASON, "study": STUDY} | changes
    one = Acceptance(name, at, key=key[1] if signed else "", **said)
    return acceptances.write(folder, one, key[0] if signed else None)


def holds(folder, approvers=APPROVERS, required=2):
    return Acceptances.load(folder, approvers, required, AT).holds(REASON, FACTS)


def refused(folder, match, approvers=APPROVERS, required=2):
    with pytest.raises(ManifestError, match=match) as caught:
        holds(folder, approvers, required)
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)


def test_two_named_people_with_their_keys_are_enough(folder):
    assert not holds(folder)
    accept(folder, SECOND)
    assert not holds(folder)
    accept(folder, THIRD)
    assert holds(folder)


def test_two_people_without_keys_are_enough_only_where_no_key_is_asked_for(folder):
    accept(folder, SECOND, signed=False)
    accept(folder, THIRD, signed=False)
    assert holds(folder, {}, 1)
    refused(folder, "not signed", {}, 2)
    refused(folder, "not signed")


def test_a_rule_is_read_back_as_it_was_written(folder):
    rule = rule_of(["StationName=CT 1", "archive=oost"], REASON)
    for name in (SECOND, THIRD):
        accept(folder, name, study="", rule=rule)
    found = Acceptances.load(folder, APPROVERS, 2, AT)
    assert found.rules == ((REASON, rule),)
    assert found.holds(REASON, replace(FACTS, station="CT 1"))


@pytest.mark.skipif(shutil.which("minisign") is None, reason="needs the stock minisign")
def test_anybody_can_check_it_with_the_stock_program(folder):
    path = accept(folder, SECOND)
    said = subprocess.run(
        ["minisign", "-Vm", path, "-P", KEYS[SECOND][1]], capture_output=True, text=True, check=True
    )
    assert f"accepts:{path.stem}\tby:{SECOND}" in said.stdout


# --- taken back -----------------------------------------------------------------------------------


def test_withdrawn_it_counts_no_more_though_one_record_of_it_is_taken_away(folder):
    first = accept(folder, SECOND)
    accept(folder, THIRD)
    assert holds(folder)
    record = acceptances.withdraw(folder, first.stem, THIRD, AT)
    assert not holds(folder)
    record.unlink()
    assert not holds(folder), "the job's state remembers it"
    accept(folder, SECOND, at=AT + timedelta(seconds=1))
    assert holds(folder), "accepted anew"


def test_a_record_in_the_folder_is_enough_where_the_state_is_gone(folder):
    for name in (SECOND, THIRD):
        path = accept(folder, name)
    acceptances.withdraw(folder, path.stem, THIRD, AT)
    shutil.rmtree(folder.parent / "state")
    assert not holds(folder)


def test_what_is_not_there_cannot_be_withdrawn(folder):
    accept(folder, SECOND)
    for wrong in ("0" * 16, "", "../x"):
        with pytest.raises(UsageError, match="no such acceptance"):
            acceptances.withdraw(folder, wrong, THIRD, AT)


def test_a_withdrawn_one_is_listed_as_that(folder):
    path = accept(folder, STRANGER)
    refused(folder, "not an approver")
    acceptances.withdraw(folder, path.stem, SECOND, AT)
    [(one, withdrawn)] = acceptances.read(folder, APPROVERS, 2, AT)
    assert (one.by, withdrawn) == (STRANGER, True)


# --- cheats ---------------------------------------------------------------------------------------


def test_one_key_for_two_people_is_refused_or_counts_once(folder):
    accept(folder, SECOND)
    path = accept(folder, THIRD, by_key_of=SECOND)
    refused(folder, "not this approver's key")
    assert not holds(folder, {}, 2)
    path.unlink()
    accept(folder, SECOND.upper(), by_key_of=SECOND, why="nog eens")
    assert not holds(folder)


def test_every_changed_byte_of_a_record_or_its_signature_is_noticed(folder):
    accept(folder, SECOND)
    path = accept(folder, THIRD)
    signature = path.with_name(path.name + ".minisig")
    for torn, step in ((path, 1), (signature, 5)):
        whole = torn.read_bytes()
        free = whole.index(b"\n") + 1 if torn == signature else 0  # a comment that nobody signs
        for at in range(free, len(whole), step):
            torn.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            refused(folder, "altered|not an|not signed|other key|another key")
        torn.write_bytes(whole)
    assert holds(folder)


def test_a_missing_signature_or_another_records_is_noticed(folder):
    first, other = accept(folder, SECOND), accept(folder, THIRD)
    signatures = [path.with_name(path.name + ".minisig") for path in (first, other)]
    shutil.copy(signatures[0], signatures[1])
    refused(folder, "altered")
    signatures[1].unlink()
    refused(folder, "regular file")


def test_a_record_under_another_name_or_made_by_hand_is_refused(folder):
    path = accept(folder, SECOND)
    said = json.loads(path.read_text())
    path.rename(path.with_name("0" * 16 + ".json"))
    refused(folder, "altered")
    (folder / ("0" * 16 + ".json")).unlink()
    for wrong in ({"reason": "birth-date-clash"}, {"study": ""}, {"rule": {"x": "y"}}, {"at": "x"}):
        path.write_text(json.dumps(said | wrong))
        refused(folder, "not an acceptance")
    for text in ("", "[]", "{}", "[" * 9999, "\xff"):
        path.write_text(text)
        refused(folder, "not an acceptance")


def test_one_of_the_future_or_by_a_stranger_stops_the_run(folder):
    accept(folder, SECOND, at=AT + timedelta(hours=1))
    refused(folder, "future")
    shutil.rmtree(folder)
    accept(folder, STRANGER)
    refused(folder, "not an approver")
