"""A whole file made, and corrected: correction, splice and delta in one go."""

from builders import EXPLICIT, MR, dicom, el, patient_head, pixels, with_group_lengths

from remediation.dicom.correction import correct
from remediation.dicom.delta import Suspicious, delta
from remediation.dicom.header import scan
from remediation.dicom.splice import rewritable, splice

SMALL = [el(0x00080016, "UI", MR), el(0x00280010, "US", b"\4\0")]


def file_of(own, syntax=EXPLICIT, groups=None):
    more = [el(0x00101010, "AS", "061Y"), el(0x00321060, "LO", "Schijn"), el(0x00400244, "DA", "")]
    elements = patient_head(*own, more=more)
    if groups:
        elements = with_group_lengths(elements, syntax, groups)
    return dicom(elements, syntax, tail=pixels(syntax))


def corrected(data, ordered):
    """Correct a file's head, and return the whole new file, accepted by `delta`."""
    head = scan(data, len(data))
    assert rewritable(head, len(data), MR) is None
    correction = correct(head, ordered)
    new = splice(head, correction.changes)
    assert delta(data[: head.length], new, ordered) == correction.changes.keys()
    return new + data[head.length :]


def head_bytes(own, syntax=EXPLICIT, *, lengths=False):
    elements = sorted([*SMALL, *own], key=lambda one: one.tag)
    elements = with_group_lengths(elements, syntax, (0x0010,)) if lengths else elements
    return dicom(elements, syntax, preamble=b"preamble" * 16)


def spliced(old, ordered):
    head = scan(old, len(old))
    return splice(head, correct(head, ordered).changes)


def objects(old, new, ordered):
    """Tell whether delta objects."""
    try:
        delta(old, new, ordered)
    except Suspicious:
        return True
    return False
