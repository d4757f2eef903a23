"""The DICOM files that ship inside the pydicom package: real headers, there wherever tests run."""

from functools import cache
from pathlib import Path

import pydicom.data

ROOT = Path(pydicom.data.__file__).parent
SUFFIXES = {"", ".dcm"}


@cache
def files():
    """Return the path below pydicom's data folder of every file that may be DICOM."""
    every = (path for path in sorted(ROOT.rglob("*")) if path.is_file())
    chosen = (path for path in every if path.suffix in SUFFIXES and path.name != "README")
    return tuple(str(path.relative_to(ROOT)) for path in chosen)


@cache
def read(name):
    return (ROOT / name).read_bytes()
