"""Selection: what a plan is about, by whole columns."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from remediation.errors import UsageError
from remediation.tables.schemas import IDENTITIES, PERIODS, STUDIES
from remediation.tables.selection import SELECTABLE, Numbered, chosen, parsed, selected

TOKEN = "0123456789abcdef" * 2


def study(uid, **more):
    said = {"archive": "oost", "StudyInstanceUID": uid, "StudyDate": date(2011, 7, 4)}
    said |= {"study_month": "2011-07", "source": "Oost", "Modality": "CT", "instances": 3}
    said |= {"status": "absent", "places": [], "patient_token": TOKEN}
    return said | {"file_date": date(2011, 7, 5)} | more


def studies(*rows):
    return pa.Table.from_pylist(list(rows), schema=STUDIES)


SOME = studies(
    study("1", status="misplaced", places=["PatientID", "OtherPatientIDs"]),
    study("2", archive="west", StudyDate=None, study_month="unknown", source="West"),
    study("3", Modality="MR", instances=12, patient_token="f" * 32),
)

CASES = {
    ("archive", "west"): {"2"},
    ("StudyInstanceUID", "3"): {"3"},
    ("StudyDate", "2011-07-04"): {"1", "3"},
    ("study_month", "unknown"): {"2"},
    ("source", "Oost"): {"1", "3"},
    ("Modality", "MR"): {"3"},
    ("instances", "12"): {"3"},
    ("status", "misplaced"): {"1"},
    ("places", "OtherPatientIDs"): {"1"},
    ("patient_token", TOKEN): {"1", "2"},
}


@pytest.mark.parametrize("pair", CASES)
def test_every_key_selects(pair):
    flags = selected(SOME, parsed([pair]))
    assert set(SOME.filter(pa.array(flags))["StudyInstanceUID"].to_pylist()) == CASES[pair]


def test_each_key_that_is_named_has_its_case():
    assert {key for key, _ in CASES} == set(SELECTABLE)


def test_of_one_key_any_value_will_do_and_of_two_both_must():
    both = parsed([("Modality", "MR"), ("Modality", "CT"), ("archive", "oost")])
    assert selected(SOME, both).tolist() == [True, False, True]


WRONG = {
    "PatientID": ("PatientID", "123456782"),
    "month": ("study_month", "2011-7"),
    "day": ("StudyDate", "4 juli"),
    "status": ("status", "afwezig"),
    "count": ("instances", "veel"),
    "token": ("patient_token", "123456782"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_selected_is_one_line_with_the_mend_and_without_the_value(name):
    with pytest.raises(UsageError) as caught:
        parsed([WRONG[name]])
    text = str(caught.value)
    assert "\n" not in text
    assert "--select" in text
    assert WRONG[name][1] not in text
    assert caught.value.mend


def identity(uid, outcome="resolved", **more):
    said = {"archive": "oost", "StudyInstanceUID": uid, "outcome": outcome, "reason": ""}
    return said | {"warnings": [], "bsn_token": "b", "local_issuer": "Z", "local_token": "l"} | more


def identities(*rows):
    return pa.Table.from_pylist(list(rows), schema=IDENTITIES)


def periods(*rows):
    said = [
        {"period_id": name, "archive": "oost", "source": "Oost", "axis": "study", **days}
        for name, days in rows
    ]
    return pa.Table.from_pylist(said, schema=PERIODS).to_pylist()


JULY = ("july", {"start": date(2011, 7, 1), "end": date(2011, 8, 1)})
FOURTH = ("fourth", {"start": date(2011, 7, 4), "end": date(2011, 7, 5)})


def test_a_study_lies_in_the_first_period_that_holds_it():
    who = identities(identity("1"), identity("2", archive="west"), identity("3"))
    found = chosen(SOME, who, periods(JULY, FOURTH), {}, frozenset())
    told = dict(
        zip(found["StudyInstanceUID"].to_pylist(), found["period_id"].to_pylist(), strict=True)
    )
    assert told == {"1": "july", "2": None, "3": "july"}
    assert chosen(SOME, who, periods(JULY, FOURTH), {}, frozenset({"fourth"})).num_rows == 0
    assert chosen(SOME, who, periods(FOURTH, JULY), {}, frozenset({"fourth"})).num_rows == 2


def test_a_study_that_was_not_matched_is_not_chosen():
    found = chosen(SOME, identities(identity("3")), [], {}, frozenset())
    assert found["StudyInstanceUID"].to_pylist() == ["3"]


def test_why_a_study_is_not_resolved_is_its_reason_or_its_first_warning():
    who = identities(
        identity("1", "refused", reason="no-number", warnings=["homonym"]),
        identity("3", "conformant", warnings=["not-verified", "homonym"]),
        identity("2", "refused", archive="west", reason=None),
    )
    found = chosen(SOME, who, [], {}, frozenset())
    told = zip(found["StudyInstanceUID"].to_pylist(), found["why"].to_pylist(), strict=True)
    assert dict(told) == {"1": "no-number", "3": "not-verified", "2": "not-resolved"}


def test_instances_find_their_study_whatever_archive_has_the_same_uid():
    own = studies(study("1"), study("1", archive="west"), study("2"))
    numbered = Numbered(own)
    instances = pa.table(
        {
            "archive": ["west", "oost", "oost", "noord", "west"],
            "StudyInstanceUID": ["1", "2", "1", "1", None],
        }
    )
    assert numbered.of(instances).tolist() == [1, 2, 0, -1, -1]
    assert numbered.of(instances.slice(0, 0)).tolist() == []
    assert Numbered(own.slice(0, 0)).of(instances).tolist() == [-1] * 5
