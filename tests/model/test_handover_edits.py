"""Edits: what dcmodify is told turns one identity into the other; what it cannot say is refused."""

import re

import pytest
from handing_over import data, item, sequence, text
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.handover import OTHERS, PATIENT_ID, RETIRED, CannotSayError, Node
from remediation.model.handover_edits import edits

_STEP = re.compile(r"\(([0-9a-f]{4}),([0-9a-f]{4})\)(?:\[(\d+)\])?")
_SEQUENCES = {OTHERS, 0x00100024, 0x04000561, 0x04000550}


def told(old, new):
    """Return a data set after the edits, by a small dcmodify of our own."""
    there = _loose(old)
    arguments = list(edits(old, new))
    for option, argument in zip(arguments[::2], arguments[1::2], strict=True):
        path, sign, value = argument.partition("=")
        steps = [(int(g + e, 16), n and int(n)) for g, e, n in _STEP.findall(path)]
        assert "".join(m[0] for m in _STEP.finditer(path)) == path.replace("].(", "](")
        at = there
        for tag, number in steps[:-1]:
            items = at.setdefault(tag, [])
            items += [{} for _ in range(number + 1 - len(items))]
            at = items[number]
        tag, number = steps[-1]
        if option == "-e" and number == "":
            del at[tag]
        elif option == "-e":
            del at[tag][number]
        elif number != "":
            assert number == len(at.setdefault(tag, []))
            at[tag].append({})
        else:
            assert bool(sign) is (tag not in _SEQUENCES)
            at[tag] = value if sign else []
    return there


def _loose(nodes):
    return {
        tag: [_loose(one) for one in node.items] if node.vr == "SQ" else node.text
        for tag, node in nodes.items()
    }


leaf = st.text("abc123 .=[]()", max_size=5)


def data_sets(depth=2):
    texts = st.dictionaries(st.sampled_from([PATIENT_ID, 0x00100021, 0x00100022, RETIRED]), leaf)
    made = texts.map(lambda values: {tag: text(tag, value) for tag, value in values.items()})
    if not depth:
        return made
    items = st.lists(data_sets(depth - 1), max_size=3)
    nested = st.dictionaries(st.sampled_from(sorted(_SEQUENCES)), items, max_size=2)
    return st.builds(
        lambda flat, deep: {**flat, **{t: sequence(t, *one) for t, one in deep.items()}},
        made,
        nested,
    )


@given(data_sets(), data_sets())
def test_the_edits_lead_from_one_data_set_to_the_other(old, new):
    try:
        found = told(old, new)
    except CannotSayError:
        return  # an item would have to go between two others
    assert found == _loose(new)


@given(data_sets())
def test_nothing_is_told_of_what_is_the_same(nodes):
    assert list(edits(nodes, nodes)) == []


def test_items_that_stay_are_not_touched():
    mine, yours, bsn = item("1", "A"), item("2", "B"), item("3", "C")
    old = data(sequence(OTHERS, bsn, mine, bsn, yours))
    new = data(sequence(OTHERS, item("4", "C"), mine, yours))
    arguments = list(edits(old, new))
    assert arguments == [
        *("-i", "(0010,1002)[0].(0010,0020)=4"),
        *("-e", "(0010,1002)[2]"),
    ]


@pytest.mark.parametrize(
    "node",
    [
        text(PATIENT_ID, b"\x01", plain=False),
        Node(PATIENT_ID, "UN", b"70", (), False),
        sequence(OTHERS, data(text(PATIENT_ID, "\n", plain=False))),
    ],
)
def test_what_is_no_plain_text_cannot_be_said(node):
    with pytest.raises(CannotSayError, match="dcmodify-cannot-say"):
        list(edits({}, {node.tag: node}))


def test_what_stands_already_may_be_anything():
    odd = Node(0x00100022, "UN", b"\x01", (), False)
    old, new = data(odd), data(odd, text(PATIENT_ID, "7"))
    assert list(edits(old, new)) == ["-i", "(0010,0020)=7"]
    assert list(edits(new, data(text(PATIENT_ID, "7")))) == ["-e", "(0010,0022)"]
