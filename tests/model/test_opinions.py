"""Opinions: which results second readers are asked about, and what comes of it."""

from __future__ import annotations

import pytest

from remediation.model.opinions import DISAGREES, ONE_IN, SILENT, Opinions

FILES = [f"noord\n{number}" for number in range(1000)]


class Reader:
    """Says what it was told to, and remembers of which new heads it was asked."""

    def __init__(self, *says):
        self.says, self.asked = list(says), []

    def __call__(self, _old, new):
        self.asked.append(new)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


def ask(opinions, files=FILES, study="een"):
    return [opinions.objection(study, one, b"old", one.encode()) for one in files]


def test_the_first_result_of_each_study_is_read_and_a_sample_of_the_others():
    reader = Reader(True)
    opinions = Opinions((reader,), "zaad")
    assert set(ask(opinions)) == {""}
    ask(opinions, ["a", "b"], study="twee")
    assert reader.asked[0] == FILES[0].encode()
    assert b"a" in reader.asked
    assert len(FILES) / ONE_IN / 2 < len(reader.asked) < len(FILES) / ONE_IN * 2
    assert opinions.counts()["agreed"] == len(reader.asked)
    assert sum(opinions.counts().values()) == len(FILES) + 2


def test_the_sample_is_the_seeds_and_no_other():
    readers = [Reader(True) for _ in range(3)]
    for reader, seed in zip(readers, ("een", "een", "twee"), strict=True):
        ask(Opinions((reader,), seed))
    assert readers[0].asked == readers[1].asked
    assert readers[0].asked != readers[2].asked


def test_where_the_first_gives_no_opinion_the_next_is_read():
    reader = Reader(None, None, True)
    ask(Opinions((reader,), "zaad"), FILES[:5])
    assert reader.asked[:3] == [one.encode() for one in FILES[:3]]


@pytest.mark.parametrize("says", [(True, False), (False, True), (None, False)])
def test_one_reader_that_objects_is_enough(says):
    opinions = Opinions(tuple(map(Reader, says)))
    assert ask(opinions, ["a"]) == [DISAGREES]
    assert ask(opinions, ["a"]) == [DISAGREES], "nor is it written when it comes by again"
    assert opinions.counts() == {"objected": 1}


def test_without_an_opinion_a_result_is_held_back_only_where_every_one_is_asked_for():
    for every, silent_is_no, said in ((False, True, ""), (True, True, SILENT), (True, False, "")):
        opinions = Opinions((Reader(None),), every=every, silent_is_no=silent_is_no)
        assert ask(opinions, ["a"]) == [said]
        assert opinions.counts() == {"no-opinion": 1}
    assert ask(Opinions((Reader(None), Reader(True)), every=True), ["a"]) == [""]


def test_what_was_rehearsed_is_not_read_again():
    reader = Reader(True)
    opinions = Opinions((reader,), every=True)
    ask(opinions)
    ask(opinions)
    assert len(reader.asked) == len(FILES)
