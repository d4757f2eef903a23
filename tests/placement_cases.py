"""Golden cases: what a header says before, the order, and what it says after, element by element.

`before` and `after` are the elements of the closed list; `former` is what the new item of
OriginalAttributesSequence keeps. Every case goes through each syntax that may be rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass

from builders import OID, El, It, el, identity, item, qualifiers

from remediation.model.bsn import test_number
from remediation.model.placement import Order, Placement

BSN, OTHER_BSN = test_number(0), test_number(1)
INVALID, NOBODY = "999900007", "999999990"
DOTTED = "9999.00.006"
LOCAL, ISSUER = "0012345", "ZKH-OOST"
AT = "20260102030405.000000+0000"
COERCE, CORRECT = "COERCE", "CORRECT"

MINE = identity(LOCAL, ISSUER)
BSN_ITEM = item(*identity(BSN, OID, "TEXT", qualifiers()))
FOREIGN_ITEM = item(*identity("E-77", "ZKH-ELDERS", "TEXT"))
LOCAL_ITEM = item(*identity(LOCAL, ISSUER, "TEXT"))
LOCAL_QUALIFIERS = qualifiers("2.16.528.1.1007.3.3.9999", "PI")
NO_OTHERS = el(0x00101002, "SQ", b"")
EXTRA_FRONT, EXTRA_BACK = el(0x00080080, "LO", "Zkh. Schijn"), el(0x00380010, "LO", "OPN 7")


def others(*items, undefined=False):
    return el(0x00101002, "SQ", list(items), undefined=undefined)


def retired(text):
    return el(0x00101000, "LO", text)


def original_item(former, reason, *, undefined=False):
    """Return the item that keeps former values, as the standard describes it."""
    return item(
        el(0x04000550, "SQ", [item(*former)]),
        el(0x04000562, "DT", AT),
        el(0x04000563, "LO", "REMEDIATION"),
        el(0x04000564, "LO", ""),
        el(0x04000565, "CS", reason),
        undefined=undefined,
    )


def original(*items, undefined=False):
    return el(0x04000561, "SQ", list(items), undefined=undefined)


def order(
    bsn=BSN,
    issuer=ISSUER,
    at=AT,
    *,
    spellings=(ISSUER, "OOST_HIS"),
    extra=(),
    placement=None,
    **settings,
):
    """Return an order for a placement, or for one with these settings."""
    placement = placement or Placement(**settings)
    return Order(bsn, issuer, frozenset(spellings), placement, at, extra)


DEFAULT = order()


@dataclass(frozen=True)
class Case:
    name: str
    before: tuple[El, ...]
    after: tuple[El, ...]
    former: tuple[El, ...] = ()
    reason: str = COERCE
    order: Order = DEFAULT
    kept: tuple[It, ...] = ()  # items of OriginalAttributesSequence that stand there already

    @property
    def result(self):
        """The elements that are to stand in the new head."""
        if not self.order.placement.original_attributes:
            return [*self.after, *([original(*self.kept)] if self.kept else [])]
        return [*self.after, original(*self.kept, original_item(self.former, self.reason))]

    @property
    def given(self):
        return [*self.before, *([original(*self.kept)] if self.kept else [])]


def case(name, before, after, former=(), reason=COERCE, *, kept=(), **ordered):
    return Case(name, tuple(before), tuple(after), tuple(former), reason, order(**ordered), kept)


PRIMARY_BSN = identity(BSN, OID, "TEXT", qualifiers())
NO_KIND, NO_QUALIFIERS = el(0x00100022, "CS", b""), el(0x00100024, "SQ", b"")
ODD = el(0x00100020, "LO", b"00\xe9 1\0")
