"""Hypothesis strategies for heads whose identity elements stand in any order of right and wrong.

`heads()` gives a whole file of any form that may be rewritten, `orders()` what is to be written.
"""

from __future__ import annotations

import random

from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    OID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    pixels,
    private,
    qualifiers,
    with_group_lengths,
)
from hypothesis import strategies as st
from placement_cases import (
    BSN,
    BSN_ITEM,
    DOTTED,
    EXTRA_BACK,
    EXTRA_FRONT,
    INVALID,
    ISSUER,
    LOCAL,
    LOCAL_QUALIFIERS,
    MINE,
    OTHER_BSN,
    order,
    original,
    original_item,
    others,
    retired,
)

from remediation.model.placement import AT_REST, EXCHANGE, Placement

SYNTAXES = [EXPLICIT, IMPLICIT, JPEG, BIG, DEFLATED]
NUMBERS = st.sampled_from(
    [LOCAL, BSN, DOTTED, f"{BSN}^^^NLMINBIZA^NNNLD", INVALID, OTHER_BSN, "", None]
)
ISSUERS = st.sampled_from([None, "", ISSUER, "OOST_HIS", OID, "NLMINBIZA", "ZKH-ELDERS"])
KINDS = st.sampled_from([None, "", "TEXT", "RFID"])
DESCRIBED = st.sampled_from(
    [
        None,
        None,
        qualifiers(),
        qualifiers(undefined=True),
        LOCAL_QUALIFIERS,
        el(0x00100024, "SQ", []),
    ]
)
GROUPS = st.builds(identity, NUMBERS, ISSUERS, KINDS, DESCRIBED)
PRIMARIES = st.builds(identity, st.sampled_from([LOCAL, LOCAL, BSN]), ISSUERS, KINDS, DESCRIBED)
FRONT = st.sampled_from([[], [EXTRA_FRONT]])
BACK = st.sampled_from([[], [EXTRA_BACK], [el(0x00400036, "SQ", [item()], undefined=True)]])


@st.composite
def items(draw):
    return item(*draw(FRONT), *draw(GROUPS), *draw(BACK), undefined=draw(st.booleans()))


@st.composite
def heads(draw, syntaxes=SYNTAXES, large=()):
    """A whole file; `large` is put into it as it is."""
    own = draw(PRIMARIES | PRIMARIES | GROUPS)
    if draw(st.booleans()):
        own.append(others(*draw(st.lists(items(), max_size=4)), undefined=draw(st.booleans())))
    if draw(st.booleans()):
        values = draw(st.lists(st.sampled_from([LOCAL, BSN, DOTTED, OTHER_BSN, ""]), max_size=3))
        own.append(retired("\\".join(values)))
    if draw(st.booleans()):
        former = [original_item(MINE, "COERCE")] * draw(st.integers(0, 2))
        own.append(original(*former, undefined=draw(st.booleans())))
    more = draw(
        st.sampled_from([[], private(0x0029, "SCHIJN", (1, "UN", [BSN_ITEM])), [EXTRA_BACK]])
    )
    syntax = draw(st.sampled_from(syntaxes))
    elements = patient_head(*own, more=[*more, *large])
    if draw(st.booleans()):
        elements = with_group_lengths(elements, syntax)
    return dicom(elements, syntax, tail=draw(st.sampled_from([b"", pixels(syntax)])))


@st.composite
def orders(draw):
    """An order for a placement of the job, or of the hospital's own."""
    base = draw(st.sampled_from([AT_REST, EXCHANGE]))
    settings = {
        "qualifiers": draw(st.booleans()),
        "original_attributes": draw(st.booleans()),
        "remove_retired": draw(st.booleans()),
    }
    if draw(st.booleans()):
        return order(placement=Placement(base, **settings))
    settings["beside_retired"] = not settings["remove_retired"] and draw(st.booleans())
    settings["issuer"] = draw(st.sampled_from([OID, "NLMINBIZA", f"&{OID}&ISO"]))
    settings["typed"] = base == AT_REST or draw(st.booleans())
    return order(placement=Placement("eigen", base=base, version="2", **settings))


def bulk(size):
    """Return elements that make a head large: a long value, and a sequence of many items."""
    noise = random.Random(size).randbytes(size)
    many = [item(el(0x00081150, "UI", "1.2.3"), undefined=n % 3 == 0) for n in range(size // 200)]
    return [el(0x00081199, "SQ", many), el(0x00420011, "OB", noise)]
