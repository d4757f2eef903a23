"""The quick reader: the compiled pass where it was compiled, the Python one elsewhere.

For a crawl, which reads millions of heads and rewrites none. Both give the same spans, offset,
error and notes of any bytes; `REMEDIATION_PURE=1` in the environment keeps to Python.
"""

from __future__ import annotations

from collections.abc import Collection

from remediation.dicom.elements import KNOWN_VRS, LONG_VRS, PIXEL_GROUP, Span
from remediation.dicom.index import COMPILED
from remediation.dicom.reader import VRS, BrokenError, Reader

if COMPILED:
    from remediation.dicom import _pass

    _pass.learn({vr.encode(): vr in LONG_VRS for vr in KNOWN_VRS}, VRS)


class CompiledReader(Reader):
    """A `Reader` whose passes are compiled; each reads as the first of its reader."""

    def meta(self, start: int) -> tuple[list[Span], int]:
        """Read group 0002."""
        spans, position, error = _pass.meta(
            self.data, self.little, self.missing, self.total, self.notes, start
        )
        if error:
            raise BrokenError(error)
        return spans, position

    def data_set(
        self,
        position: int,
        *,
        explicit: bool,
        until: int = PIXEL_GROUP,
        only: Collection[int] | None = None,
    ) -> tuple[list[Span], int, str]:
        """Read the data set up to Pixel Data or the end; return spans, offset, and error."""
        return _pass.data_set(
            self.data,
            self.little,
            self.missing,
            self.total,
            self.notes,
            position,
            explicit,
            until,
            only,
        )


QuickReader = CompiledReader if COMPILED else Reader
PASS = "compiled" if COMPILED else "python"
