"""The bytes of one demo file: a template, an identity, a person and a place in its study.

The only code of the package that lets pydicom write DICOM, and it makes new files only.
Source: PS3.3 C.7.1.1 (Patient), C.12.1 (SOP Common); PS3.5 section 7; PS3.10 section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.sequence import Sequence

from remediation.app.demo.people import Person
from remediation.app.demo.scenarios import Identity, Item
from remediation.app.demo.story import Site
from remediation.app.demo.templates import Template, encode
from remediation.model.issuers import BSN_OID

ROOT = "2.999.31"  # the arc that is set apart for examples: no demo UID can be anybody's
_STUDY_UID, _AFTER_STUDY_UID = 0x0020000D, 0x0020000E
_PATIENT_ID = 0x00100020


@dataclass(frozen=True, slots=True)
class Position:
    """Where a file stands: its study (UID, day, accession), series and instance number."""

    site: Site
    institution: str
    study_uid: str
    serial: int
    day: date
    series: int
    instance: int
    software: str


def study_uid(seed: int, site: Site, serial: int) -> str:
    """Return a StudyInstanceUID; its parts are short, so that no number hides in it."""
    return f"{ROOT}.{abs(seed) % 10**6}.{1 if site.archive == 'oost' else 2}.{serial}"


def file_bytes(
    template: Template, identity: Identity, person: Person, position: Position, cut: str = ""
) -> bytes:
    """Return a whole DICOM file.

    `cut` shortens it in its head: `late` a few bytes after StudyInstanceUID, `early` inside
    PatientID. Such a file cannot be read, and nobody must guess what stood behind the cut.
    """
    dataset = _dataset(template, identity, person, position)
    charset = str(dataset.get("SpecificCharacterSet", template.charset))
    elements = template.elements | encode(dataset, implicit=template.implicit, charset=charset)
    sop_instance = str(dataset.SOPInstanceUID)
    lead = b"\0" * 128 + b"DICM" + _meta(template, sop_instance, position.software)
    tags = sorted(elements)
    if not cut:
        return lead + b"".join(elements[tag] for tag in tags)
    at = _AFTER_STUDY_UID if cut == "late" else _PATIENT_ID
    whole = b"".join(elements[tag] for tag in tags if tag < at)
    return lead + whole + elements[at][:-3]


def _meta(template: Template, sop_instance: str, software: str) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = template.sop_class
    meta.MediaStorageSOPInstanceUID = sop_instance
    meta.TransferSyntaxUID = template.syntax
    meta.ImplementationClassUID = f"{ROOT}.0.{_number(software)}"
    meta.ImplementationVersionName = software
    meta.SourceApplicationEntityTitle = "DEMO"
    buffer = DicomBytesIO()
    write_file_meta_info(buffer, meta)
    return bytes(buffer.getvalue())


@cache
def _number(software: str) -> int:
    return sum(software.encode()) % 1000 + 1


def _dataset(template: Template, identity: Identity, person: Person, position: Position) -> Dataset:
    """Return the elements that every file sets anew."""
    dataset = Dataset()
    stem = f"{position.study_uid}.{position.series}"
    if not template.charset and not person.name.isascii():
        dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPInstanceUID = f"{stem}.{position.instance}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = position.study_uid, stem
    if template.framed:
        dataset.FrameOfReferenceUID = f"{position.study_uid}.0"
    for keyword in ("StudyDate", *template.dates):
        setattr(dataset, keyword, f"{position.day:%Y%m%d}")
    dataset.StudyTime = f"{8 + position.serial % 9:02d}{position.serial % 60:02d}00"
    dataset.AccessionNumber = identity.accession or f"{position.site.archive[0]}{position.serial}"
    dataset.InstitutionName = position.institution
    dataset.StationName = f"{position.site.archive}-{template.modality}1".upper()
    dataset.StudyID = str(position.serial)
    dataset.SeriesNumber, dataset.InstanceNumber = position.series, position.instance
    dataset.PatientName = person.name
    dataset.ReferringPhysicianName = ""
    dataset.PatientBirthDate, dataset.PatientSex = person.birth, person.sex
    _identify(dataset, template, identity)
    return dataset


def _identify(dataset: Dataset, template: Template, identity: Identity) -> None:
    dataset.PatientID = identity.patient_id
    if identity.issuer:
        dataset.IssuerOfPatientID = identity.issuer
    if identity.retired:
        dataset.OtherPatientIDs = list(identity.retired)
    items = [*template.others, *map(_item, identity.items)]
    if items:
        dataset.OtherPatientIDsSequence = Sequence(items)
        # Both length forms occur in real files; the template decides which one this is.
        undefined = template.implicit or template.modality == "CR"
        dataset["OtherPatientIDsSequence"].is_undefined_length = undefined
        for item in items:
            item.is_undefined_length_sequence_item = undefined
    if identity.comments:
        dataset.PatientComments = identity.comments
    if identity.nested:
        request = Dataset()
        request.RequestedProcedureDescription = f"Aanvraag voor {identity.nested}"
        dataset.RequestAttributesSequence = Sequence([request])
    if identity.historic:
        dataset.OriginalAttributesSequence = Sequence([_original(identity.historic)])
    for private in identity.private:
        block = dataset.private_block(private.group, private.creator, create=True)
        value: str | bytes = private.value
        if private.vr == "UN":  # of unknown VR, so nothing pads it for us
            value = private.value.encode() + b" " * (len(private.value) % 2)
        block.add_new(private.element, private.vr, value)


def _item(item: Item) -> Dataset:
    dataset = Dataset()
    dataset.PatientID = item.number
    if item.issuer:
        dataset.IssuerOfPatientID = item.issuer
    dataset.TypeOfPatientID = "TEXT"
    if item.qualified:
        qualifiers = Dataset()
        qualifiers.UniversalEntityID, qualifiers.UniversalEntityIDType = BSN_OID, "ISO"
        qualifiers.IdentifierTypeCode = "NNNLD"
        dataset.IssuerOfPatientIDQualifiersSequence = Sequence([qualifiers])
    return dataset


def _original(number: str) -> Dataset:
    """Return an item of OriginalAttributesSequence: a number that used to be the PatientID."""
    former = Dataset()
    former.PatientID, former.IssuerOfPatientID = number, BSN_OID
    dataset = Dataset()
    dataset.ModifiedAttributesSequence = Sequence([former])
    dataset.AttributeModificationDateTime = "20060101120000+0100"
    dataset.ModifyingSystem = "OUD"
    dataset.SourceOfPreviousValues = ""
    dataset.ReasonForTheAttributeModification = "COERCE"
    return dataset
