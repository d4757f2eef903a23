"""Kinds of header: real samples made into templates, with gaps of fixed length for what varies.

A template is a list of pieces, bytes or the name of a gap; filling it is one join. pydicom makes
the templates, once for each sample and place of the number; the code under test has no part in it.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

UID_ROOT = "1.2.826.0.1.3680043.9.7777."
# Each stands in a template where the value of a file comes, and nowhere else.
GAPS = {
    "study": f"{UID_ROOT}10000000001",
    "series": f"{UID_ROOT}20000000001",
    "instance": f"{UID_ROOT}30000000001",
    "day": "18991231",
    "patient": "PAT-GAP-10",
    "number": "NR-GAP-09",
}
_PIECES = re.compile(b"|".join(re.escape(gap.encode()) for gap in GAPS.values()))
_NAMES = {gap.encode(): name for name, gap in GAPS.items()}
# Where the number stands, study by study; in the first it takes the place of PatientID itself.
PLACES = (
    *("PatientID", "OtherPatientIDsSequence", "none", "OtherPatientIDsSequence", "PatientComments"),
    *("PatientID", "OtherPatientIDs", "none", "private", "nested"),
)
PIXELS = 0x7FE00010
MOST = 512 * 1024  # a sample whose head is larger is left out: it would be most of the archive
_PLAIN = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
_DEFLATED = frozenset(
    {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)
_CUT = frozenset({"rtplan_truncated.dcm"})
_PRIVATE = 0x3333


class LeftOutError(Exception):
    """Why a sample makes no template."""


@dataclass(frozen=True, slots=True)
class Template:
    """A file with gaps: `pieces` are bytes or the name of a gap, `head` the bytes before pixels."""

    source: str
    place: str
    pieces: tuple[bytes | str, ...]
    head: int

    def filled(self, values: dict[str, bytes]) -> bytes:
        """Return the file's bytes; each value has the length of its gap."""
        return b"".join(p if isinstance(p, bytes) else values[p] for p in self.pieces)


def sources(corpus: Path | None) -> list[tuple[str, Path]]:
    """Return every sample's name and path: pydicom's own, and those of the corpus where it is."""
    from samples import ROOT, files

    found = [(f"pydicom/{name}", ROOT / name) for name in files()]
    if corpus is not None:
        every = (path for path in sorted(corpus.rglob("*")) if path.is_file())
        found += [
            (f"corpus/{path.relative_to(corpus)}", path)
            for path in every
            if path.suffix in {"", ".dcm"} and path.parts[len(corpus.parts)] != "LICENSES"
        ]
    return found


def templates(corpus: Path | None) -> tuple[dict[str, list[Template]], dict[str, str]]:
    """Return the templates of each kind, in the order of `PLACES`, and why samples were left out.

    A kind is a transfer syntax with a list of top-level tags: slices of one series are one kind.
    """
    kinds: dict[str, list[Template]] = {}
    left_out: dict[str, str] = {}
    met: set[tuple[object, ...]] = set()
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        for name, path in sources(corpus):
            data = path.read_bytes()
            try:
                _whole(path)
                signature = _new(_signature(data), met)
                made = [_template(name, data, place) for place in PLACES]
            except LeftOutError as reason:
                left_out[name] = str(reason)
            except Exception as error:  # noqa: BLE001 - the samples are damaged in many ways
                left_out[name] = f"pydicom: {type(error).__name__}"
            else:
                met.add(signature)
                kinds[name] = made
    return kinds, left_out


def _read(data: bytes) -> FileDataset:
    dataset = pydicom.dcmread(BytesIO(data), force=True)
    if len(dataset) < 8 and data[128:132] != b"DICM":  # some text file, read by force
        raise LeftOutError("not DICOM, or hardly")
    return dataset


def _syntax(dataset: FileDataset) -> str:
    stated = dataset.file_meta.get("TransferSyntaxUID") if dataset.file_meta else None
    if stated:
        return str(stated)
    implicit, little = dataset.original_encoding
    if implicit:
        return str(ImplicitVRLittleEndian)
    return str(ExplicitVRLittleEndian if little else ExplicitVRBigEndian)


def _signature(data: bytes) -> tuple[object, ...]:
    dataset = _read(data)
    if dataset.file_meta and dataset.file_meta.get("MediaStorageSOPClassUID", "").endswith(
        "10008.1.3.10"
    ):
        raise LeftOutError("DICOMDIR")
    if _syntax(dataset) in _DEFLATED:
        raise LeftOutError("deflated")
    return (_syntax(dataset), *(int(tag) for tag in dataset.keys()))  # noqa: SIM118 - tags


def _whole(path: Path) -> None:
    if path.name in _CUT:
        raise LeftOutError("it ends inside a sequence: nothing can stand behind that")


def _new(signature: tuple[object, ...], met: set[tuple[object, ...]]) -> tuple[object, ...]:
    if signature in met:
        raise LeftOutError("of a kind that is there already")
    return signature


def _template(source: str, data: bytes, place: str) -> Template:
    dataset = _read(data)
    syntax = _syntax(dataset)
    dataset.StudyInstanceUID = GAPS["study"]
    dataset.SeriesInstanceUID = GAPS["series"]
    dataset.SOPInstanceUID = GAPS["instance"]
    dataset.StudyDate = GAPS["day"]
    dataset.PatientID = GAPS["patient"]
    _plant(dataset, place)
    _cut_pixels(dataset, 16_384 + (len(data) * 7919) % 45_056)
    meta = dataset.file_meta or FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPInstanceUID = GAPS["instance"]
    dataset.file_meta = meta
    dataset.preamble = dataset.preamble or bytes(128)
    out = BytesIO()
    implicit, little = dataset.original_encoding
    form = {"implicit_vr": implicit, "little_endian": little} if syntax in _PLAIN else {}
    dcmwrite(out, dataset, **form)
    written = out.getvalue()
    head = _head_length(written)
    if head > MOST:
        raise LeftOutError(f"a head of {head // 1024} KiB")
    return Template(source, place, _pieces(written, place), head)


def _plant(dataset: Dataset, place: str) -> None:
    number = GAPS["number"]
    for keyword in ("OtherPatientIDs", "OtherPatientIDsSequence", "PatientComments"):
        if keyword in dataset:
            del dataset[keyword]
    if place == "PatientID":
        dataset.IssuerOfPatientID = "NLMINBIZA"
    elif place == "OtherPatientIDsSequence":
        item = Dataset()
        item.PatientID, item.IssuerOfPatientID = number, "NLMINBIZA"
        item.TypeOfPatientID = "TEXT"
        dataset.OtherPatientIDsSequence = Sequence([item])
    elif place == "OtherPatientIDs":
        dataset.OtherPatientIDs = number
    elif place == "PatientComments":
        dataset.PatientComments = f"BSN {number} gecontroleerd"
    elif place == "private":
        block = dataset.private_block(_PRIVATE, "BENCH 1.0", create=True)
        block.add_new(1, "LO", number)
    elif place == "nested":
        item = Dataset()
        item.ScheduledProcedureStepDescription = f"zie {number}"
        dataset.RequestAttributesSequence = Sequence([item])


def _cut_pixels(dataset: Dataset, size: int) -> None:
    """Cut pixel data, or repeat it, to `size` bytes; encapsulated, it becomes one fragment."""
    if PIXELS not in dataset:
        return
    old = dataset[PIXELS]
    value = bytes(old.value or b"")
    if not value:
        return
    size -= size % 2
    value = (value * (size // len(value) + 1))[:size]
    if old.is_undefined_length:
        item = b"\xfe\xff\x00\xe0"
        value = item + bytes(4) + item + size.to_bytes(4, "little") + value
    fresh = DataElement(PIXELS, "OB" if old.is_undefined_length else "OW", value)
    fresh.is_undefined_length = old.is_undefined_length
    dataset[PIXELS] = fresh


def _head_length(data: bytes) -> int:
    stream = BytesIO(data)
    pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    return stream.tell()


def _pieces(data: bytes, place: str) -> tuple[bytes | str, ...]:
    pieces: list[bytes | str] = []
    position = 0
    for gap in _PIECES.finditer(data):
        pieces += [data[position : gap.start()], _NAMES[gap[0]]]
        position = gap.end()
    pieces.append(data[position:])
    wanted = {"study", "series", "instance", "day", "patient"}
    if place not in {"PatientID", "none"}:
        wanted.add("number")
    if {piece for piece in pieces if isinstance(piece, str)} != wanted:
        raise LeftOutError("what was set is not found again")
    return tuple(pieces)
