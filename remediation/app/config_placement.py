"""A hospital's own placement: TOML in, a frozen Placement out, or one error with every fault.

Only attributes of the closed list can be named, and only so that neither number is lost: the BSN
stands once with its issuer, the local number stands where its base has it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationError, ValidationInfo

from remediation.app import config_checks as checks
from remediation.app import config_toml
from remediation.app.config import Job
from remediation.app.config_errors import as_error
from remediation.app.config_sections import Section
from remediation.dicom.search import passing
from remediation.errors import UsageError
from remediation.model import issuers
from remediation.model.placement import (
    AT_REST,
    BUILT_IN,
    EXCHANGE,
    Placement,
    is_name,
    is_version,
)

_WHAT = "placement file"
_BSN_PLACE = {AT_REST: "OtherPatientIDsSequence", EXCHANGE: "PatientID"}
_LOCAL_PLACE = {AT_REST: "PatientID", EXCHANGE: "OtherPatientIDsSequence"}
_RETIRED = "OtherPatientIDs"


@dataclass(frozen=True, slots=True)
class _Context:
    """What the check of one key needs to know of the others, and of the job.

    Attributes:
        base: the built-in placement that the file names; None where it names none.
        removes: the file takes the BSN out of OtherPatientIDs.
        extra: spellings that mean BSN in this job.
    """

    base: str | None
    removes: bool
    extra: tuple[str, ...]


def _context(info: ValidationInfo) -> _Context:
    assert isinstance(info.context, _Context), "placement files are read by load_placement"
    return info.context


def _no_number(value: str) -> str:
    if any(passing(value, ())):
        raise ValueError("must not hold a number that could be a BSN")
    return value


def _name(value: str) -> str:
    if value in BUILT_IN:
        raise ValueError("must be another name than that of a built-in placement")
    if not is_name(value):
        raise ValueError("may hold letters, digits, - and _ only, a letter first, 32 at most")
    return value


def _version(value: str) -> str:
    if not is_version(value):
        raise ValueError("may hold letters, digits, dots, - and _ only, 32 at most")
    return value


def _places(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    said = _context(info)
    if not value:
        raise ValueError("must not be empty: the BSN would stand nowhere")
    if len(set(value)) != len(value):
        raise ValueError("must name each attribute once")
    if _RETIRED in value and said.removes:
        raise ValueError("cannot name OtherPatientIDs while 'remove_retired' takes the BSN out")
    if said.base is None:
        return value
    with_issuer, local = _BSN_PLACE[said.base], _LOCAL_PLACE[said.base]
    if local in value:
        raise ValueError(f"cannot name {local} on this base: the local number would be lost there")
    if with_issuer not in value:
        raise ValueError(
            f"must name {with_issuer} on this base: OtherPatientIDs has no issuer to say BSN"
        )
    return value


def _issuer(value: str, info: ValidationInfo) -> str:
    if issuers.kind(value, _context(info).extra) not in issuers.ASSERTING:
        raise ValueError(
            "must be an issuer that is known to mean BSN: the OID, NLMINBIZA, or one of "
            "'extra_issuers' in the job file"
        )
    return value


def _typed(value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's order
    if not value and _context(info).base == AT_REST:
        raise ValueError("must be true on this base: an item of OtherPatientIDsSequence needs it")
    return value


def _local(value: str, info: ValidationInfo) -> str:
    base = _context(info).base
    if base is not None and value != _LOCAL_PLACE[base]:
        raise ValueError(f"must be {_LOCAL_PLACE[base]} on this base: else the number is lost")
    return value


class PlacementTable(Section):
    """`[placement]`: what it is called, what it is made on, and what else becomes of a header."""

    name: Annotated[str, AfterValidator(_name), AfterValidator(_no_number)]
    version: Annotated[str, AfterValidator(_version), AfterValidator(_no_number)]
    base: Literal["at-rest", "exchange"]
    original_attributes: bool = True
    remove_retired: bool = False


class BsnTable(Section):
    """`[bsn]`: in which attributes the BSN stands, and what stands beside it."""

    places: Annotated[
        tuple[Literal["PatientID", "OtherPatientIDsSequence", "OtherPatientIDs"], ...],
        AfterValidator(_places),
    ] = ()
    issuer: Annotated[checks.Issuer, AfterValidator(_issuer), AfterValidator(_no_number)] = (
        issuers.BSN_OID
    )
    type_of_patient_id: Annotated[bool, AfterValidator(_typed)] = True
    qualifiers: bool = True


class LocalNumberTable(Section):
    """`[local_number]`: in which attribute the local number stands."""

    place: (
        Annotated[Literal["PatientID", "OtherPatientIDsSequence"], AfterValidator(_local)] | None
    ) = None


class PlacementFile(Section):
    """The whole file."""

    placement: PlacementTable
    bsn: BsnTable = BsnTable()
    local_number: LocalNumberTable = LocalNumberTable()


def load_placement(path: Path, extra_issuers: tuple[str, ...] = ()) -> Placement:
    """Read a placement file.

    Args:
        path: the file.
        extra_issuers: spellings that mean BSN, by the job file.

    Raises:
        UsageError: the file cannot be read, is not TOML, or has faults: all of them in one
            message, each with key and line where they can be had, none with a value.
    """
    raw = config_toml.read(path, _WHAT, "see jobs/placements for one")
    text = config_toml.decoded(raw, path, _WHAT)
    data = config_toml.parsed(text, path, _WHAT)
    try:
        said = PlacementFile.model_validate(data, context=_context_of(data, extra_issuers))
    except ValidationError as error:
        # Not chained: pydantic keeps the values that it refused.
        raise as_error(error, PlacementFile, text, path) from None
    table = said.placement
    return Placement(
        target=table.name,
        base=table.base,
        version=table.version,
        issuer=said.bsn.issuer,
        typed=said.bsn.type_of_patient_id,
        qualifiers=said.bsn.qualifiers,
        beside_retired=_RETIRED in said.bsn.places,
        original_attributes=table.original_attributes,
        remove_retired=table.remove_retired,
        digest=hashlib.sha256(raw).hexdigest(),
    )


def _context_of(data: dict[str, Any], extra_issuers: tuple[str, ...]) -> _Context:
    table = data.get("placement")
    table = table if isinstance(table, dict) else {}
    base = table.get("base")
    known = base if isinstance(base, str) and base in BUILT_IN else None
    return _Context(known, table.get("remove_retired") is True, extra_issuers)


def placement_of(job: Job, target: str | None = None) -> Placement:
    """Return a job's target placement, or the one that is asked for by name or path.

    Raises:
        UsageError: it is not known, its file has faults, or the job file contradicts its file.
    """
    section = job.placement
    name = target or section.target
    if name in BUILT_IN:
        return Placement(
            name,
            original_attributes=section.original_attributes,
            remove_retired=section.remove_retired,
        )
    if not name.endswith(".toml"):
        raise UsageError(
            "the target placement is not known",
            "--target",
            "use at-rest or exchange, or the path of a placement file (.toml)",
        )
    placement = load_placement(Path(name), job.bsn.extra_issuers)
    for key in ("original_attributes", "remove_retired"):
        said = target is None and key in section.model_fields_set
        if said and getattr(section, key) is not getattr(placement, key):
            raise UsageError(
                f"'{key}' in [placement] says otherwise than the placement file",
                str(job.path),
                "say it in the placement file alone",
            )
    return placement
