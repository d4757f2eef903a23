"""Real headers to build on: sample files that come with the pydicom package, read once.

Each template keeps its file's elements as the bytes that they were, private ones included, apart
from those that every study sets anew; pixel data is cut to a corner. Nothing is downloaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.charset import convert_encodings
from pydicom.data import get_testdata_file
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from remediation.errors import RemediationError
from remediation.model import bsn

CORNER = 32  # rows and columns that are kept of native pixel data
SOURCES = (  # file, weight among the studies
    ("CT_small.dcm", 3),
    ("dicomdirtests/98892001/CT2N/6293", 3),
    ("MR_small.dcm", 2),
    ("MR_small_implicit.dcm", 3),
    ("MR_small_RLE.dcm", 2),
    ("dicomdirtests/98892003/MR1/15820", 2),
    ("dicomdirtests/77654033/CR1/6154", 4),
    ("JPEG2000.dcm", 1),
    ("examples_rgb_color.dcm", 2),
    ("examples_palette.dcm", 1),
    ("SC_rgb_small_odd_jpeg.dcm", 1),
    ("reportsi.dcm", 1),
)
DATES = ("InstanceCreationDate", "SeriesDate", "AcquisitionDate", "ContentDate")
# Set anew in every file (dates and frame of reference only where the template has them).
_SET_ANEW = """
SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID StudyDate StudyTime StudyID
AccessionNumber InstitutionName StationName PatientName PatientID IssuerOfPatientID PatientBirthDate
PatientSex OtherPatientIDs OtherPatientIDsSequence PatientComments SeriesNumber InstanceNumber
ReferringPhysicianName
"""
# What would be untrue here: of the sample's own patient, its people, or its de-identification.
_UNTRUE = """
PatientAge PatientBirthTime InstitutionAddress OperatorsName NameOfPhysiciansReadingStudy
PhysiciansOfRecord AcquisitionDateTime PatientIdentityRemoved DeidentificationMethod TypeOfPatientID
IssuerOfPatientIDQualifiersSequence OriginalAttributesSequence TimezoneOffsetFromUTC
RequestAttributesSequence
"""
_LEFT_OUT = frozenset([*_SET_ANEW.split(), *_UNTRUE.split(), *DATES])
_TEXT = frozenset({"AE", "CS", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "UN"})


@dataclass(frozen=True, slots=True)
class Template:
    """One sample file without its identity: `elements` are encoded bytes by tag.

    `others` are the items of its own OtherPatientIDsSequence; `dates` the keywords among `DATES`
    that it has; `framed` tells whether it has a FrameOfReferenceUID; `charset` is its
    SpecificCharacterSet or empty.
    """

    name: str
    syntax: str
    implicit: bool
    sop_class: str
    modality: str
    charset: str
    dates: tuple[str, ...]
    framed: bool
    others: tuple[Dataset, ...]
    elements: dict[int, bytes]


def encode(dataset: Dataset, *, implicit: bool, charset: str) -> dict[int, bytes]:
    """Return the bytes of each top-level element, little endian, by tag.

    Elements that were read and not touched are written as the bytes that they were.
    """
    encodings = convert_encodings(charset) if charset else None
    encoded = {}
    for tag in sorted(dataset.keys()):
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
        write_data_element(buffer, dataset.get_item(tag), encodings)
        encoded[int(tag)] = buffer.getvalue()
    return encoded


def load_templates() -> list[tuple[Template, int]]:
    """Return the templates with their weights.

    Raises:
        RemediationError: the installed pydicom lacks one of its sample files.
    """
    return [(_load(name), weight) for name, weight in SOURCES]


def _load(name: str) -> Template:
    found = get_testdata_file(name, download=False)
    if not isinstance(found, str) or not Path(found).is_file():
        raise RemediationError(
            "a sample file is missing", f"pydicom's {name}", "install pydicom from its wheel"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the samples have their flaws; they are wanted
        dataset = pydicom.dcmread(found)
        seen = pydicom.dcmread(found)
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        facts = {
            "sop_class": str(seen.SOPClassUID),
            "modality": str(seen.Modality),
            "charset": str(seen.get("SpecificCharacterSet", "")),
        }
        dates = tuple(keyword for keyword in DATES if keyword in seen)
        framed = "FrameOfReferenceUID" in seen
        others = tuple(seen.get("OtherPatientIDsSequence", ()))
        for element in seen:
            if element.keyword in _LEFT_OUT or any(
                _like_a_number(text) for text in _texts(element)
            ):
                del dataset[element.tag]
        if not dataset.file_meta.TransferSyntaxUID.is_compressed:
            _cut_pixels(dataset)
        implicit = dataset.file_meta.TransferSyntaxUID.is_implicit_VR
        elements = encode(dataset, implicit=implicit, charset=facts["charset"])
    return Template(
        name=name,
        syntax=syntax,
        implicit=implicit,
        dates=dates,
        framed=framed,
        others=others,
        elements=elements,
        **facts,
    )


def _texts(element: DataElement) -> Iterator[str]:
    """Yield every text value of an element, of nested ones as well."""
    if element.VR == "SQ":
        for item in element.value:
            for inner in item:
                yield from _texts(inner)
    elif element.VR in _TEXT:
        raw = element.value
        text = raw.decode("latin-1") if isinstance(raw, bytes) else str(raw)
        yield from (part.strip("[]' ") for part in text.replace(",", "\\").split("\\"))


def _like_a_number(text: str) -> bool:
    """Tell whether a text holds something that the search could take for a BSN.

    >>> _like_a_number("V3.51*P25"), _like_a_number("x 999900006"), _like_a_number("111222333")
    (False, True, True)
    """
    whole = bsn.normalise(text)
    return any(map(bsn.passes, [whole] if whole else bsn.runs(text)))


def _cut_pixels(dataset: Dataset) -> None:
    """Keep the upper left corner of native, single-frame pixel data."""
    if "PixelData" not in dataset:
        return
    rows, columns = min(CORNER, dataset.Rows), min(CORNER, dataset.Columns)
    pixel = dataset.SamplesPerPixel * dataset.BitsAllocated // 8
    line = dataset.Columns * pixel
    data = dataset.PixelData
    dataset.PixelData = b"".join(
        data[row * line : row * line + columns * pixel] for row in range(rows)
    )
    dataset.Rows, dataset.Columns = rows, columns
