"""Outcomes carry words from code only, and say whether the wanted bytes are in place."""

from __future__ import annotations

import errno
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.outcomes import Outcome, Reason, Result, reason_of


@given(st.text(min_size=1).filter(lambda text: not text.replace("-", "").isalpha()))
def test_nothing_but_words_is_a_reason(text):
    with pytest.raises(ValueError, match="lower-case words"):
        Outcome(Result.FAILED, text)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_the_writer_is_one(reason):
    outcome = Outcome(Result.FAILED, reason)
    assert outcome.text == f"failed ({reason})"
    assert type(outcome.reason) is str
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_only_done_and_already_done_are_untroubled():
    untroubled = {result for result in Result if Outcome(result).untroubled}
    assert untroubled == {Result.APPLIED, Result.ALREADY_APPLIED, Result.ROLLED_BACK}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, Reason.NO_SPACE),
        (errno.EDQUOT, Reason.NO_SPACE),
        (errno.EACCES, Reason.NO_PERMISSION),
        (errno.EROFS, Reason.READ_ONLY),
        (errno.ESTALE, Reason.IO),
        (0, Reason.IO),
    ],
)
def test_an_errno_has_its_reason(number, reason):
    assert reason_of(number) is reason
