"""Rewrite: one head and an order in, the proven new head out. Plan and apply call the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from remediation.dicom import deflated
from remediation.dicom.correction import Refused, correct
from remediation.dicom.delta import Suspicious, delta
from remediation.dicom.elements import Head
from remediation.dicom.splice import rewritable, splice
from remediation.model.placement import Edit, Order


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new head's bytes and the edits in it; no edits where the head was right already.

    Of a deflated file all bytes are its head.
    """

    head: bytes = field(repr=False)
    edits: tuple[Edit, ...]


def rewrite(
    head: Head, size: int, order: Order, *, raw: bytes = b"", quick: bool = False
) -> Rewritten:
    """Return the corrected head of a file of `size` bytes, accepted by `delta`.

    Args:
        head: the head.
        size: bytes of the file.
        order: what is to be written.
        raw: the head as it stands in the file; asked for where that is deflated.
        quick: let `delta` parse by the compiled pass, where there is one. For a plan: it writes
            nothing, and what is written is compared with what it promised.

    Raises:
        Refused: with a reason of `rewritable` or `correct`, or `suspicious` where `delta` objects.
    """
    sop_class = head.text(next((e for e in head.meta if e.tag == 0x00020002), None))  # noqa: PLR2004
    reason = rewritable(head, size, sop_class, raw)
    if reason:
        raise Refused(reason)
    old = raw if head.deflated else head.data[: head.length]
    correction = correct(head, order)
    if not correction.changes:
        return Rewritten(old, ())
    new = splice(head, correction.changes)
    if head.deflated:
        new = deflated.closed(raw, head, new)
        if not new:
            raise Refused("deflated-unproven")
    try:
        changed = delta(old, new, order, quick=quick)
    except Suspicious as error:
        raise Refused("suspicious") from error
    if changed != correction.changes.keys():
        raise Refused("suspicious")
    return Rewritten(new, correction.edits)
