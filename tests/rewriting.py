"""A whole file made, and corrected: correction, splice and delta in one go."""

from builders import EXPLICIT, MR, dicom, el, patient_head, pixels, with_group_lengths

from remediation.dicom.correction import correct
from remediation.dicom.delta import delta
from remediation.dicom.header import scan
from remediation.dicom.splice import rewritable, splice


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
