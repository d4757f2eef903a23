"""Who may approve: the rules alone, without files."""

import base64
from datetime import UTC, datetime

import pytest

from remediation.errors import ManifestError, UsageError
from remediation.model.approvals import Approval, Rules, distinct, fold_name, same_person
from remediation.model.minisign import key_bytes_of, new_key_pair

ONE, TWO = new_key_pair()[1], new_key_pair()[1]
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def rules(*, author_key=None, approvers=None, required=1):
    return Rules("Eerste Persoon", author_key, approvers or {}, required)


def under_another_id(line):
    return base64.b64encode(b"Ed" + b"otherkey" + key_bytes_of(line)).decode()


@pytest.mark.parametrize(
    "name",
    [
        "Eerste Persoon",
        "eerste persoon",
        " EERSTE\tPERSOON ",
        "Eerste\u00a0Persoon",
        "Eer\u00adste Per\u200bsoon",
        "\uff25erste Persoon",
    ],
)
def test_the_author_does_not_get_past_by_spelling_the_name_otherwise(name):
    with pytest.raises(ManifestError, match="by the author"):
        rules().check(name, ONE, "a")


def test_accents_and_initials_make_another_person():
    assert not same_person("René Jansen", "Rene Jansen")
    assert not same_person("A. Jansen", "B. Jansen")
    assert fold_name("") == ""


def test_the_authors_key_cannot_approve_under_another_name_or_key_id():
    for line in (ONE, under_another_id(ONE)):
        with pytest.raises(ManifestError, match="author's key"):
            rules(author_key=ONE).check("Tweede Persoon", line, "a")
    rules(author_key=ONE).check("Tweede Persoon", TWO, "a")


@pytest.mark.parametrize(
    "asked", [rules(required=2), rules(approvers={"Tweede Persoon": TWO})], ids=["two", "named"]
)
def test_an_unsigned_approval_is_for_jobs_that_ask_for_no_more(asked):
    rules().check("Tweede Persoon", None, "a")
    with pytest.raises(ManifestError, match="not signed"):
        asked.check("Tweede Persoon", None, "a")


def test_where_approvers_are_named_name_and_key_must_both_be_theirs():
    asked = rules(approvers={"Tweede Persoon": TWO, "Derde Persoon": ONE})
    asked.check("tweede  persoon", TWO, "a")
    with pytest.raises(ManifestError, match="not this approver's key"):
        asked.check("Tweede Persoon", ONE, "a")
    with pytest.raises(ManifestError, match="not an approver"):
        asked.check("Vierde Persoon", TWO, "a")


def test_a_key_of_the_job_that_is_none_is_the_jobs_fault():
    with pytest.raises(UsageError):
        rules(approvers={"Tweede Persoon": "RWnothing"}).check("Tweede Persoon", TWO, "a")


def test_one_person_and_one_key_count_once():
    first = Approval("Tweede Persoon", AT, ONE)
    same_name = Approval("tweede persoon", AT, TWO)
    same_key = Approval("Derde Persoon", AT, under_another_id(ONE))
    another = Approval("Vierde Persoon", AT, TWO)
    unsigned = [Approval("A", AT, None), Approval("B", AT, None)]
    assert distinct([first, same_name, same_key]) == [first]
    assert distinct([first, another]) == [first, another]
    assert distinct(unsigned) == unsigned
