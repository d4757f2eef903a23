"""The peers: what other libraries do with the same files, each in the fastest way that it has.

A reader takes paths and gives, file by file, the texts that it saw: of selected elements, or the
digit runs in all text values. `None` where it could not read a file. A peer that is not installed
has no readers and says so.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

Seen = Sequence[str] | None
Reader = Callable[[Sequence[str]], list[Seen]]

RUN = re.compile(r"(?<![\d.])\d{8,9}(?![\d])", re.ASCII)
SELECTED = {
    "SpecificCharacterSet": 0x00080005,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "Modality": 0x00080060,
    "Manufacturer": 0x00080070,
    "InstitutionName": 0x00080080,
    "PatientName": 0x00100010,
    "PatientID": 0x00100020,
    "IssuerOfPatientID": 0x00100021,
    "PatientBirthDate": 0x00100030,
    "PatientSex": 0x00100040,
    "OtherPatientIDs": 0x00101000,
    "OtherPatientIDsSequence": 0x00101002,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
}
PATIENT_ID, OTHERS = SELECTED["PatientID"], SELECTED["OtherPatientIDsSequence"]
LAST_SELECTED = 0x0020000E
_BINARY = frozenset({"AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV"})
UNSEARCHED = _BINARY | {"SQ", "UI", "UL", "US", "UV"}


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer: its readers by name, and whether it is compiled; `lacks` where it is not there."""

    name: str
    compiled: bool = True
    selected: dict[str, Reader] = field(default_factory=dict)
    full: dict[str, Reader] = field(default_factory=dict)
    version: str = ""
    lacks: str = ""


def peers() -> list[Peer]:
    """Return every peer that the table names, those that are not there too."""
    return [_pydicom(), _dcmdump(), _gdcm(), _dicomsdl(), _fastdicom()]


def each(read: Callable[[str], Seen]) -> Reader:
    """Make a reader of many files of one for a single file."""

    def reader(paths: Sequence[str]) -> list[Seen]:
        found: list[Seen] = []
        for path in paths:
            try:
                found.append(read(path))
            except Exception:  # noqa: BLE001 - whatever a peer makes of a file that it refuses
                found.append(None)
        return found

    return reader


def _installed(module: str, package: str) -> tuple[str, str]:
    """Return the version of a package, and what it lacks to be imported."""
    try:
        importlib.import_module(module)
        return version(package), ""
    except (ImportError, PackageNotFoundError) as error:
        return "", f"not there ({type(error).__name__})"


# -- pydicom ----------------------------------------------------------------------------------


def _pydicom() -> Peer:
    from pydicom import __version__, dcmread

    def texts(dataset: Any) -> Seen:
        return [str(dataset.get(keyword, "")) for keyword in SELECTED]

    return Peer(
        "pydicom",
        compiled=False,
        selected={
            "stop_before_pixels": each(
                lambda path: texts(dcmread(path, stop_before_pixels=True, force=True))
            ),
            "specific_tags": each(
                lambda path: texts(
                    dcmread(path, specific_tags=list(SELECTED), stop_before_pixels=True, force=True)
                )
            ),
        },
        full={"iterall": each(pydicom_iterall)},
        version=__version__,
    )


def lenient_pydicom() -> None:
    """Have pydicom accept values as they are: it is fastest so. For this whole process."""
    from pydicom.config import IGNORE, settings

    settings.reading_validation_mode = IGNORE


def pydicom_iterall(path: str) -> list[str]:
    """Return the digit runs of every text value of a file, as pydicom reads it."""
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs: list[str] = []
        for element in dcmread(path, stop_before_pixels=True, force=True).iterall():
            if element.VR not in UNSEARCHED:
                runs += RUN.findall(str(element.value))
        return runs


# -- DCMTK ------------------------------------------------------------------------------------

_HEADER = re.compile(rb"^# dcmdump \(\d+/\d+\): (.*)$", re.MULTILINE)
_AT_ONCE = 5000  # paths on one command line


def _dcmdump() -> Peer:
    tool = shutil.which("dcmdump")
    if tool is None:
        return Peer("dcmdump", lacks="not there (no such command)")
    told = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
    wanted = [f"+P={tag >> 16:04x},{tag & 0xFFFF:04x}".split("=") for tag in SELECTED.values()]
    last = f"{LAST_SELECTED >> 16:04x},{LAST_SELECTED & 0xFFFF:04x}"
    selected = ["+st", last, *(word for pair in wanted for word in pair)]

    def reader(options: list[str], what: re.Pattern[str] | None) -> Reader:
        def read(paths: Sequence[str]) -> list[Seen]:
            dumps: dict[str, str] = {}
            for start in range(0, len(paths), _AT_ONCE):
                part = paths[start : start + _AT_ONCE]
                command = [tool, "-q", "+F", "+L", "+E", *options, *part]
                out = subprocess.run(command, capture_output=True, check=False).stdout
                pieces = _HEADER.split(out)
                names = (name.decode("utf-8", "surrogateescape") for name in pieces[1::2])
                dumps |= zip(names, (text.decode("latin-1") for text in pieces[2::2]), strict=True)
            found = [dumps.get(path) for path in paths]
            if what is None:
                return [None if text is None else text.splitlines() for text in found]
            return [None if text is None else what.findall(text) for text in found]

        return read

    return Peer(
        "dcmdump",
        selected={"+P, to 0020,000E": reader(selected, None)},
        full={"all, and regex": reader(["+sb", "7fe0,0010"], RUN)},
        version=told.split()[2].removeprefix("v") if len(told.split()) > 2 else "",
    )


# -- GDCM -------------------------------------------------------------------------------------


def _gdcm() -> Peer:
    found, lacks = _installed("gdcm", "python-gdcm")
    if lacks:
        return Peer("GDCM", lacks=lacks)
    import gdcm

    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    gdcm.Trace.DebugOff()
    tags = [gdcm.Tag(tag >> 16, tag & 0xFFFF) for tag in SELECTED.values()]
    simple = [tag for tag in tags if tag.GetElement() != OTHERS & 0xFFFF]  # it scans no sequences
    pixels = gdcm.Tag(0x7FE0, 0x0010)

    def scanned(paths: Sequence[str]) -> list[Seen]:
        scanner = gdcm.Scanner()
        for tag in simple:
            scanner.AddTag(tag)
        scanner.Scan(list(paths))
        return [
            [str(scanner.GetValue(path, tag)) for tag in simple] if scanner.IsKey(path) else None
            for path in paths
        ]

    def searched(path: str) -> Seen:
        reader = gdcm.Reader()
        reader.SetFileName(path)
        if not reader.ReadUpToTag(pixels):
            return None
        return RUN.findall(str(reader.GetFile().GetDataSet()))

    return Peer(
        "GDCM",
        selected={"Scanner": scanned},
        full={"read, print and regex": each(searched)},
        version=found,
    )


# -- dicomsdl ---------------------------------------------------------------------------------


def _dicomsdl() -> Peer:
    found, lacks = _installed("dicomsdl", "dicomsdl")
    if lacks:
        return Peer("dicomsdl", lacks=lacks)
    import dicomsdl

    dicomsdl.set_loglevel(dicomsdl.LogLevel.DISABLE)
    sequence = dicomsdl.VR.SQ
    unsearched = {getattr(dicomsdl.VR, vr) for vr in UNSEARCHED - {"SQ"}}

    def items(element: Any) -> Iterator[Any]:
        found = element.toSequence()
        return (found[number] for number in range(len(found) if found else 0))

    def selected(path: str) -> Seen:
        dataset = dicomsdl.open_file(path, load_until=LAST_SELECTED)
        texts = [str(dataset.getDataElement(tag).value()) for tag in SELECTED.values()]
        others = items(dataset.getDataElement(OTHERS))
        return texts + [str(item.getDataElement(PATIENT_ID).value()) for item in others]

    def searched(dataset: Any) -> list[str]:
        runs: list[str] = []
        for element in dataset:
            vr = element.vr()
            if vr == sequence:
                for item in items(element):
                    runs += searched(item)
            elif vr not in unsearched:
                runs += RUN.findall(element.toBytes().decode("latin-1"))
        return runs

    return Peer(
        "dicomsdl",
        selected={"load_until": each(selected)},
        full={
            "iterate and regex": each(
                lambda path: searched(dicomsdl.open_file(path, load_until=0x7FDFFFFF))
            )
        },
        version=found,
    )


# -- dicom-rs, by its binding fastdicom -------------------------------------------------------


def _fastdicom() -> Peer:
    found, lacks = _installed("fastdicom", "fastdicom")
    if lacks:
        return Peer("fastdicom (dicom-rs)", lacks=lacks)
    import fastdicom

    def selected(path: str) -> Seen:
        dataset = fastdicom.dcmread(path, stop_before_pixels=True)
        texts = [str(dataset.get(keyword, "")) for keyword in SELECTED]
        others = dataset.get("OtherPatientIDsSequence", None) or ()
        return texts + [str(item.get("PatientID", "")) for item in others]

    def texts(dataset: Any) -> list[str]:
        runs: list[str] = []
        for value in dataset.values():
            if isinstance(value, str):
                runs += RUN.findall(value)
            elif (
                isinstance(value, list) and value and isinstance(value[0], str | fastdicom.Dataset)
            ):
                for one in value:
                    runs += RUN.findall(one) if isinstance(one, str) else texts(one)
        return runs

    return Peer(
        "fastdicom (dicom-rs)",
        selected={"get": each(selected)},
        full={
            "values and regex": each(
                lambda path: texts(fastdicom.dcmread(path, stop_before_pixels=True))
            )
        },
        version=found,
    )
