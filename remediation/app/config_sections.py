"""The tables of the job file: one frozen model for each, with the keys of the contract.

Checked strictly: no unknown key, no conversion between types. Dates of the job file include their
last day; paths are absolute by the time they are here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from remediation.app import config_checks as checks
from remediation.app.config_checks import Issuer, LastDay, LocalIssuer, Location, Pattern, Text

# Not pydantic's min_length: that counts only the items that are right.
Filled = AfterValidator(checks.filled)
SourceAttribute = Literal[
    "InstitutionName",
    "StationName",
    "Manufacturer",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
]


class Section(BaseModel):
    """A table of the job file: frozen, and strict about keys and types."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class JobTable(Section):
    """`[job]`: which studies (`from` and `to` by StudyDate, inclusive) and on whose account."""

    name: Text
    timezone: Annotated[str, AfterValidator(checks.zone)] = "Europe/Amsterdam"
    start: date | None = Field(default=None, alias="from")
    end: Annotated[LastDay, BeforeValidator(checks.yesterday)] = Field(default=None, alias="to")
    target_coverage: float = Field(default=0.95, gt=0, le=1)
    provisional_months: int = Field(default=2, ge=0)
    responsible: str = ""
    allow_test_numbers: bool = False


class IssuerPeriod(Section):
    """`[[archive.local_issuer_period]]`: another number space; it holds where all given keys do."""

    start: date | None = Field(default=None, alias="from")
    end: LastDay = Field(default=None, alias="to")
    institution: Text | None = None
    writing_software: Text | None = None
    number_shape: Text | None = None
    local_issuer: LocalIssuer

    @model_validator(mode="after")
    def _has_condition(self) -> IssuerPeriod:
        if not self.model_fields_set - {"local_issuer"}:
            raise ValueError(
                "needs one of from, to, institution, writing_software and number_shape"
            )
        return self


class IssuerAlias(Section):
    """`[[archive.issuer_alias]]`: what a spelling in the headers means."""

    spelling: Text
    means: Annotated[Issuer, AfterValidator(checks.means)]


class Archive(Section):
    """`[[archive]]`: a root directory, how it is laid out, and whose numbers are in it."""

    name: Annotated[str, AfterValidator(checks.name), checks.unique("archive")]
    root: Annotated[Location, AfterValidator(checks.root)]
    layout: Annotated[Text, AfterValidator(checks.layout)] | None = None
    layout_date: Literal["study", "stored"] = "study"
    local_issuer: LocalIssuer = ""
    local_issuer_period: tuple[IssuerPeriod, ...] = ()
    issuer_alias: tuple[IssuerAlias, ...] = ()


class Source(Section):
    """`[source]`: the attributes that tell sources apart, and other names for their values."""

    by: Annotated[tuple[SourceAttribute, ...], Filled] = ("InstitutionName",)
    rename: dict[str, Text] = {}


class Placement(Section):
    """`[placement]`: where the BSN should stand; `target` is a name or an absolute TOML path."""

    target: Annotated[Text, AfterValidator(checks.target)] = "at-rest"
    original_attributes: bool = True
    remove_retired: bool = False


class Bsn(Section):
    """`[bsn]`: more issuers that mean BSN, and more numbers that mean nothing (nine digits)."""

    extra_issuers: tuple[Issuer, ...] = ()
    placeholders: tuple[Annotated[str, AfterValidator(checks.number)], ...] = Field(
        default=(), repr=False
    )


class Privacy(Section):
    """`[privacy]`: the key file, and what is sealed with it."""

    key_file: Annotated[Location, AfterValidator(checks.outside)]
    seal_paths: bool = True
    escrow_recipient: Annotated[str, AfterValidator(checks.recipient)] = ""


class EventTable(Section):
    """`[[event]]`: what happened on `date`, or `from` one day `to` another, both included."""

    name: Text
    kind: Literal["pacs-migration", "epd-migration", "upgrade", "merger", "other"]
    day: date | None = Field(default=None, alias="date")
    start: date | None = Field(default=None, alias="from")
    end: LastDay = Field(default=None, alias="to")
    archive: Annotated[str, AfterValidator(checks.known_archive)] | None = None

    @model_validator(mode="after")
    def _has_date(self) -> EventTable:
        given = (self.day is not None, self.start is not None, self.end is not None)
        if given not in {(True, False, False), (False, True, True)}:
            raise ValueError("needs either 'date', or 'from' and 'to'")
        return self


class Columns(Section):
    """`columns` of `[crosswalk]`: the export's name of each of our columns."""

    local_number: Text
    issuer: Text | None = None
    bsn: Text
    status: Text
    validation: Text | None = None
    birth_date: Text
    sex: Text | None = None
    family_name: Text | None = None
    birth_name: Text | None = None
    partner_name: Text | None = None
    initials: Text | None = None
    exemption: Text | None = None
    replaced_by: Text | None = None
    valid_from: Text | None = None
    valid_to: Text | None = None


def _issuer_known(value: Columns, info: ValidationInfo) -> Columns:
    if value.issuer is None and len(checks.context(info).local_issuers) != 1:
        raise ValueError("must name an 'issuer' column: the archives have none or several issuers")
    return value


class Spelling(Section):
    """`[[crosswalk.spelling]]`: how headers write the local numbers of an issuer."""

    issuer: Annotated[LocalIssuer, checks.unique("spelling")]
    width: int = Field(default=0, ge=0, le=checks.LONGEST)
    prefix: Annotated[str, AfterValidator(checks.prefix)] = ""


class Hl7(Section):
    """`[crosswalk.hl7]`: what HL7 messages cannot say, or say in words of their own.

    Without `status`, a patient of whom PID-32 says nothing has no status, and is not written.
    """

    status: Text | None = None
    reliability: dict[str, Text] = {}
    issuers: dict[str, LocalIssuer] = {}


class CrosswalkTable(Section):
    """`[crosswalk]`: the EPD's export; `files` are absolute glob patterns.

    `columns` may be left out where all files are HL7.
    """

    files: Annotated[tuple[Pattern, ...], Filled]
    columns: Annotated[Columns, AfterValidator(_issuer_known)] | None = None
    writable_statuses: tuple[Text, ...] = ("geverifieerd",)
    writable_validations: tuple[Text, ...] = ()
    max_age_days: int = Field(default=30, ge=0)
    hl7: Hl7 = Hl7()
    spelling: tuple[Spelling, ...] = ()

    @model_validator(mode="after")
    def _can_be_read(self) -> CrosswalkTable:
        if self.columns is None and "hl7" not in self.model_fields_set:
            raise ValueError("needs 'columns', or 'hl7' where all files are HL7")
        return self


class Approver(Section):
    """`[[approver]]`: who may approve, by minisign public key."""

    name: Annotated[Text, checks.unique("approver")]
    public_key: Annotated[str, AfterValidator(checks.public_key)]


class Apply(Section):
    """`[apply]`: how many approvals, how many files at most, and what was agreed."""

    approvals: int = Field(default=1, ge=1)
    max_files: int = Field(default=10_000, ge=1)
    canary: int = Field(default=20, ge=1)
    pause_after_canary: bool = False
    in_place_statement: str = ""


class Run(Section):
    """`[run]`: how many workers, where, how fast and when.

    With a scheduler its workers do the work, and `workers` and `nice` count for nothing.
    """

    workers: int = Field(default=2, ge=1)
    nice: int = Field(default=10, ge=0, le=19)
    readers: int = Field(default=4, ge=1, le=64)
    scheduler: Annotated[str, AfterValidator(checks.scheduler)] | None = None
    scheduler_file: Location | None = None
    tls_ca: Location | None = None
    tls_cert: Location | None = None
    tls_key: Location | None = None
    wait_for_workers: int = Field(default=30, ge=1)  # seconds
    reads_per_second: float | None = Field(default=None, gt=0)
    window: Annotated[str, AfterValidator(checks.window)] | None = None

    @model_validator(mode="after")
    def _has_one_scheduler(self) -> Run:
        if self.scheduler and self.scheduler_file:
            raise ValueError("takes 'scheduler' or 'scheduler_file', not both")
        return self


class Worklists(Section):
    """`[worklists]`: what the lists for people may name."""

    vendor_examples: int = Field(default=0, ge=0, le=20)  # StudyInstanceUIDs in a line


class Output(Section):
    """`[output]`: where everything is written, and the language of reports."""

    dir: Annotated[Location, AfterValidator(checks.outside)]
    language: Literal["nl", "en"] = "nl"


class JobFile(Section):
    """The whole file. Archives come first: later tables refer to them."""

    job: JobTable
    archive: Annotated[tuple[Archive, ...], Filled]
    source: Source = Source()
    placement: Placement = Placement()
    bsn: Bsn = Bsn()
    privacy: Privacy
    event: tuple[EventTable, ...] = ()
    crosswalk: CrosswalkTable | None = None
    approver: tuple[Approver, ...] = ()
    apply: Apply = Apply()
    run: Run = Run()
    worklists: Worklists = Worklists()
    output: Output
