"""What a worker does with a task, and what it says of it; in this process."""

from __future__ import annotations

import asyncio
import os
import time
from types import SimpleNamespace

import pytest

from remediation.app import hand
from remediation.app.crew import Crew
from remediation.app.hand import Answer, Task, Unfit, asked, at_ease, told, versions, work
from remediation.app.where import Where
from remediation.errors import KeyFileError, RemediationError, ShareError

CANARY = "JANSEN 999900006"
NO_SPILL = SimpleNamespace(
    memory_limit=1, memory_target_fraction=False, memory_spill_fraction=False
)


class Asked:
    """Counts how often it is asked; raises while it has something to raise."""

    def __init__(self, *errors):
        self.errors, self.times = list(errors), 0

    def __call__(self):
        self.times += 1
        if self.errors:
            raise self.errors.pop(0)


def task(function=abs, argument=-1, ready=at_ease, wanted=None, nice=0):
    return Task(function, argument, ready, wanted or versions(), nice)


def test_a_process_is_asked_until_it_is_ready_and_then_no_more():
    ready = Asked(KeyFileError("no key file", "own.key"), OSError(CANARY))
    first, second, *rest = [work(task(ready=ready)) for _ in range(5)]
    assert isinstance(first, Unfit)
    assert isinstance(first.error, KeyFileError)
    assert second.error.what == "a worker failed (OSError)"
    assert rest == [1, 1, 1]
    assert ready.times == 3


def test_other_versions_are_not_ready():
    said = work(task(wanted=("Python 2.7", "remediation 0.0.1")))
    assert said.error.what == f"other versions: {', '.join(versions())}"
    assert said.error.mend == "install Python 2.7, remediation 0.0.1"


def test_what_a_task_raises_comes_without_words_causes_or_contexts():
    def fail(words):
        try:
            {}[words]
        except KeyError as error:
            raise ShareError("a share is away", "there", "mount it") from error

    for function in (fail, int):
        with pytest.raises(RemediationError) as caught:
            work(task(function, CANARY))
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert "JANSEN" not in repr(caught.value)
    with pytest.raises(ShareError, match="a share is away"):
        work(task(fail, CANARY))


def test_a_task_shows_nothing_of_itself():
    assert repr(task(int, CANARY)) == str(task(int, CANARY)) == "<task>"


def test_an_error_without_a_place_is_told_as_well():
    assert told(ValueError(CANARY)).where == ""


def test_an_answer_says_what_is_wrong_and_whether_it_spills(monkeypatch):
    def answer(ready, **memory):
        worker = SimpleNamespace(memory_manager=SimpleNamespace(**vars(NO_SPILL) | memory))
        return asyncio.run(asked(ready, versions(), worker))

    assert answer(at_ease) == Answer(os.uname().nodename, spills=False, error=None)
    assert answer(at_ease, memory_spill_fraction=0.7).spills
    assert not answer(at_ease, memory_spill_fraction=0.7, memory_limit=None).spills
    assert isinstance(answer(Asked(ShareError("away"))).error, ShareError)
    monkeypatch.setattr(hand, "_ANSWER_S", 0.01)
    assert answer(lambda: time.sleep(0.2)).error.what == "a share does not answer"


class Client:
    """Workers that say what they are told to."""

    status = "running"

    def __init__(self, answers):
        self.answers = answers

    def wait_for_workers(self, _count, **_more):
        if not self.answers:
            raise TimeoutError

    def run(self, *_arguments, **_more):
        return self.answers

    def nthreads(self):
        return dict.fromkeys(self.answers, 2)


def gathered(**answers):
    crew = Crew(Client(answers), Where(scheduler="tls://head:1", patience=5), at_ease)
    crew.gather()
    return crew


def test_all_are_asked_and_the_first_refusal_counts(capsys):
    fine = Answer("node1", spills=False, error=None)
    wrong = Answer("node2", spills=False, error=KeyFileError("another key", "own.key", "mend"))
    assert gathered(a=fine, b=fine).threads == 4
    with pytest.raises(KeyFileError) as caught:
        gathered(a=fine, b=wrong, c=ModuleNotFoundError(CANARY))
    assert str(caught.value) == (
        "another key (and 1 more workers) (the worker on node2: own.key): mend"
    )
    with pytest.raises(RemediationError, match=r"cannot be asked \(ModuleNotFoundError\) \(c\)"):
        gathered(a=fine, c=ModuleNotFoundError(CANARY))
    assert gathered(a=fine, gone=OSError()).threads == 4, "it left meanwhile"
    assert capsys.readouterr().err == ""


def test_workers_that_may_spill_are_a_warning(capsys):
    spilling = Answer("node1", spills=True, error=None)
    gathered(a=spilling, b=spilling)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: 2 workers may spill to disk")
