"""What holds for every export and every header: order means nothing, and nobody is mixed up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model.people import (
    KEYS,
    ONE,
    OOST,
    THREE,
    TWO,
    VERIFIED,
    WEST,
    entry,
    exchanged,
    head,
    matcher,
    other_id,
    study,
)

from remediation.model import bsn
from remediation.model.person import family_names
from remediation.model.tokens import bsn_token, patient_token

# Three people, two of them namesakes, and few values: so rows and headers meet, and nearly agree.
PEOPLE = (
    {"local": "1", "number": ONE, "birth": "19500203", "names": "Jansen", "initials": "AB"},
    {"local": "2", "number": TWO, "birth": "19500203", "names": "Berg-Jansen", "initials": "AC"},
    {"local": "3", "number": THREE, "birth": "19610506", "names": "Anders", "initials": "A"},
)
VALUES = {
    "local": ["", "1", "2", "3"],
    "number": [ONE, TWO, THREE, "", "999900007", "999999990"],
    "birth": ["", "19500203", "19610506"],
    "names": ["", "Jansen", "Janssen", "Berg-Jansen", "Anders"],
    "initials": ["", "A", "AB", "AC"],
    "sex": ["", "M", "F"],
    "issuer": [OOST, WEST],
    "status": [VERIFIED, "?"],
    "exemption": ["", "pasgeborene"],
    "replaced_by": ["", "1", "2", "3"],
    "valid_from": ["", "20110704", "20110705"],
    "valid_to": ["", "20110703", "20110704"],
}


def nearly(said, names):
    """Return what is said with at most two of the named values changed."""
    changes = st.lists(
        st.sampled_from(names).flatmap(
            lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name]))
        ),
        max_size=2,
    )
    return changes.map(lambda pairs: said | dict(pairs))


def row_of(said):
    """Return a row that says this."""
    said = dict(said)
    local, number, birth = said.pop("local"), said.pop("number"), said.pop("birth")
    return entry(local, number, birth_date=birth, **said)


ROWS = st.sampled_from(PEOPLE).flatmap(lambda said: nearly(said, list(VALUES))).map(row_of)


@st.composite
def heads(draw):
    """Return a header in plain text and as evidence, under a local number or under a BSN."""
    said = draw(
        st.sampled_from(PEOPLE).flatmap(
            lambda said: nearly(
                said | {"sex": "F", "issuer": OOST},
                ["local", "number", "birth", "names", "initials", "sex", "issuer"],
            )
        )
    )
    plain = {name: said[name] for name in ("birth", "names", "initials", "sex")}
    if draw(st.integers(0, 3)) or said["number"] not in {ONE, TWO, THREE}:
        return said, head(said["local"], issuer=said["issuer"], **plain)
    items = [other_id(local) for local in draw(st.lists(st.sampled_from("123"), max_size=2))]
    return said, exchanged(said["number"], *items, **plain)


STUDIES = st.builds(
    lambda groups, strong, status: (
        [said for said, _ in groups],
        study(*(group for _, group in groups), strong=strong, status=status),
    ),
    st.one_of(st.lists(heads(), min_size=1, max_size=1), st.lists(heads(), min_size=2, max_size=2)),
    st.lists(st.sampled_from([ONE, TWO]), max_size=1),
    st.sampled_from(["absent", "absent", "conformant"]),
)
EXPORTS = st.lists(ROWS, max_size=3).map(lambda more: [*map(row_of, PEOPLE), *more])


def told(matcher_, evidence):
    """Return all that an identity says, its row aside."""
    return replace(matcher_.resolve(evidence), entry=None)


@settings(max_examples=150, deadline=None)
@given(EXPORTS, STUDIES, st.randoms(use_true_random=False))
def test_the_order_of_the_export_means_nothing(rows, drawn, random):
    _, evidence = drawn
    shuffled = random.sample(rows, len(rows))
    one, other = matcher(*rows), matcher(*shuffled)
    assert told(one, evidence) == told(other, evidence)
    for number in (ONE, TWO):
        where = bsn_token(KEYS, number), OOST, patient_token(KEYS, "1")
        assert one.confirm(evidence, *where) == other.confirm(evidence, *where)


@settings(max_examples=300, deadline=None)
@given(EXPORTS, STUDIES)
def test_what_resolves_is_of_a_person_who_agrees_in_plain_text(rows, drawn):
    """Birth date, a name and, among namesakes, initials agree; the sex does not contradict."""
    patients, evidence = drawn
    found = matcher(*rows).resolve(evidence)
    if found.bsn_token is None:
        return
    row = found.entry
    assert (row.status, found.bsn_token) == (VERIFIED, bsn_token(KEYS, row.bsn))
    for said in patients:
        assert said["birth"]
        assert said["birth"] == row.birth_date
        assert set(family_names(said["names"])) & set(row.family_names)
        assert "" in (said["sex"], row.sex) or said["sex"] == row.sex
        for other in rows:
            alike = other.birth_date == row.birth_date
            alike &= bool(set(other.family_names) & set(row.family_names))
            if alike and other.bsn != row.bsn and bsn.passes(other.bsn):
                assert said["initials"]
                assert other.initials
                assert not other.initials.startswith(said["initials"])


@settings(max_examples=150, deadline=None)
@given(EXPORTS, STUDIES)
def test_what_resolves_now_may_be_written_now(rows, drawn):
    """The check before writing knows one head only; it agrees where nothing has changed."""
    _, evidence = drawn
    one = matcher(*rows)
    found = one.resolve(evidence)
    if found.bsn_token is None:
        return
    for group in evidence.groups:
        alone = replace(evidence, groups=(group,))
        where = found.bsn_token, found.entry.issuer, found.local_token
        assert one.confirm(alone, *where) is None


# --- an export with every kind of mistake, against the truth --------------------------------------

FAMILIES = ["Proefsma", "Nepstra", "Schijnveld", "Verzinhuizen", "Mockinga", "Droomwoud"]


class Town:
    """A few thousand people at two hospitals, and what the EPD exports of them.

    Both hospitals count from the same number; birth dates and names are few, so that many people
    are namesakes.
    """

    def __init__(self, seed, size=1500):
        self.random = Random(seed)
        numbers = self.random.sample(range(9000), size)
        self.people = [self._person(n, bsn.test_number(drawn)) for n, drawn in enumerate(numbers)]
        self.rows = list(self.people)

    def _person(self, n, number):
        local, issuer = str(10_000 + n // 2), (OOST, WEST)[n % 2]
        return entry(
            local,
            number,
            issuer,
            names=self.random.choice(FAMILIES),
            birth_date=f"19{self.random.randrange(40, 60)}07{self.random.randrange(10, 25)}",
            sex=self.random.choice("MF"),
            initials="".join(self.random.sample("ABCDE", self.random.choice((1, 2, 2, 3)))),
        )

    def some(self, share):
        """Yield places of rows to spoil."""
        yield from self.random.sample(range(len(self.people)), int(len(self.people) * share))

    def spoil(self):
        """Make the mistakes of real exports; each row goes on saying one person's data."""
        for n in self.some(0.03):  # local numbers of two rows change places
            m = self.random.randrange(len(self.people))
            one, two = self.rows[n], self.rows[m]
            self.rows[n] = replace(one, local_number=two.local_number, issuer=two.issuer)
            self.rows[m] = replace(two, local_number=one.local_number, issuer=one.issuer)
        for n in self.some(0.03):
            self.rows[n] = replace(self.rows[n], local_number=self._turned(n, "local_number"))
        for n in self.some(0.03):
            self.rows[n] = replace(self.rows[n], bsn=self._turned(n, "bsn"))
        for n in self.some(0.03):  # the same number under another's local number, or issuer
            self.rows.append(replace(self.rows[n], local_number=str(10_000 + n // 3)))
            self.rows.append(replace(self.rows[n], issuer=OOST))
        for n in self.some(0.03):  # a merge that never was
            self.rows[n] = replace(self.rows[n], replaced_by=str(10_000 + n // 3), bsn="")
        self.rows += [replace(self.rows[n], status="?") for n in self.some(0.02)]
        self.random.shuffle(self.rows)

    def _turned(self, n, name):
        text = getattr(self.rows[n], name)
        at = self.random.randrange(len(text) - 1)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]

    def headers(self):
        """Yield each person with a header of theirs; now and then something is missing in it."""
        for person in self.people:
            said = {
                "birth": person.birth_date,
                "names": person.family_names[0],
                "sex": person.sex,
                "initials": person.initials[: self.random.choice((0, 1, 1, 3, 3, 3))],
            }
            for name in said:
                if self.random.random() < 0.02:
                    said[name] = ""
            yield person, study(head(person.local_number, issuer=person.issuer, **said))


def test_exports_full_of_mistakes_give_nobody_anothers_number():
    reasons = Counter()
    for seed in range(3):
        town = Town(seed)
        town.spoil()
        held = matcher(*town.rows)
        for person, evidence in town.headers():
            found = held.resolve(evidence)
            reasons[found.reason] += 1
            assert found.bsn_token in {None, bsn_token(KEYS, person.bsn)}
    assert reasons[""] > reasons.total() / 3, "most of the export is right"
    assert reasons.keys() >= {
        "no-crosswalk-entry",
        "two-numbers",
        "birth-date-clash",
        "name-clash",
        "sex-clash",
        "invalid-number",
        "no-number",
        "not-verified",
        "shared-number",
        "unconfirmed-person",
        "homonym",
    }


@pytest.mark.parametrize("seed", range(2))
def test_without_mistakes_only_namesakes_and_missing_facts_stop_writing(seed):
    town = Town(seed, 600)
    held = matcher(*town.rows)
    reasons = Counter(held.resolve(evidence).reason for _, evidence in town.headers())
    assert reasons.keys() == {"", "homonym", "unconfirmed-person"}
