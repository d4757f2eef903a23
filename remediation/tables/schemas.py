"""The schemas: one per dataset, every column described; the schema is the documentation.

DICOM attributes keep their keyword as column name, our own columns are snake_case. No column holds
a BSN, a name or a birth date: `*_token` columns are keyed HMACs.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = "3"
# What these lack is null in what they hold: `container` came with version 2, the dates beside
# StudyDate with 3. What `flag` makes is made again in no time, so it is not read when older.
OLDER_VERSIONS = ("1", "2")
_TEXT, _INT, _REAL = pa.string(), pa.int64(), pa.float64()
_TEXTS = pa.list_(_TEXT)

OTHER_ID = pa.struct([("issuer", _TEXT), ("issuer_kind", _TEXT), ("token", _TEXT)])
IDENTIFIER = pa.struct(
    [("place", _TEXT), ("private_creator", _TEXT), ("issuer_kind", _TEXT), ("shape", _TEXT)]
)
EDIT = pa.struct(
    [("attribute", _TEXT), ("action", _TEXT), ("value_source", _TEXT), ("token", _TEXT)]
)
CAUSE = pa.struct(
    [
        ("signal", _TEXT),
        ("before", _TEXT),
        ("inside", _TEXT),
        ("strength", _REAL),
        ("edge", _TEXT),
    ]
)
STATUS_COUNT = pa.struct([("status", _TEXT), ("instances", _INT)])
STEP = pa.struct(
    [("start", pa.date32()), ("end", pa.date32()), ("studies", _INT), ("conformant", _INT)]
)


def _schema(
    *columns: tuple[str, pa.DataType, str], older: tuple[str, ...] = OLDER_VERSIONS
) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, metadata={"description": what}) for name, kind, what in columns],
        metadata={"schema_version": SCHEMA_VERSION, "older_versions": " ".join(older)},
    )


_ARCHIVE = ("archive", _TEXT, "name of the archive in the job file")
_PATH = ("path", _TEXT, "path relative to the archive root, sealed unless the job says otherwise")
_STUDY = ("StudyInstanceUID", _TEXT, "StudyInstanceUID; `unreadable-…` where none could be read")
_MONTH = ("study_month", _TEXT, "month of the study, YYYY-MM, or `unknown`")
_SOURCE = ("source", _TEXT, "where the studies come from: the job's source attributes, joined")
_PLACE = ("place", _TEXT, "keyword path; private elements as (gggg,xxee)")
_CREATOR = ("private_creator", _TEXT, "private creator of the place's element, empty if public")
_KIND = ("issuer_kind", _TEXT, "bsn-oid | bsn (another spelling) | none | other")

INSTANCES = _schema(
    _ARCHIVE,
    _MONTH,
    _PATH,
    ("container", _TEXT, "path of the zip, tar or gz that holds it, sealed alike; null for none"),
    ("size", _INT, "bytes"),
    ("mtime_ns", _INT, "modification time, nanoseconds since 1970"),
    ("state", _TEXT, "read | unreadable | not-dicom | dicomdir | container"),
    ("error", _TEXT, "why it could not be read, from a closed list; empty if it could"),
    ("TransferSyntaxUID", _TEXT, "as in the file, or as inferred where there is none"),
    ("SOPClassUID", _TEXT, "SOPClassUID"),
    ("SOPInstanceUID", _TEXT, "SOPInstanceUID"),
    _STUDY,
    ("SeriesInstanceUID", _TEXT, "SeriesInstanceUID"),
    ("StudyDate", pa.date32(), "date of the study, from study_date_source"),
    ("study_date_source", _TEXT, "attribute that gave the date, `path`, or empty for none"),
    ("SeriesDate", pa.date32(), "SeriesDate; null for none, or an impossible one"),
    ("InstanceCreationDate", pa.date32(), "InstanceCreationDate; null likewise"),
    ("Modality", _TEXT, "Modality"),
    ("Manufacturer", _TEXT, "Manufacturer"),
    ("ManufacturerModelName", _TEXT, "ManufacturerModelName"),
    ("InstitutionName", _TEXT, "InstitutionName"),
    ("StationName", _TEXT, "StationName"),
    ("ImplementationClassUID", _TEXT, "software that wrote the file"),
    ("ImplementationVersionName", _TEXT, "software that wrote the file, its version"),
    ("SourceApplicationEntityTitle", _TEXT, "sending AE title"),
    ("SpecificCharacterSet", _TEXT, "SpecificCharacterSet"),
    ("IssuerOfPatientID", _TEXT, "issuer of the primary PatientID, as it stands"),
    ("issuer_kind", _TEXT, "kind of the primary issuer, qualifiers and CX text included"),
    ("patient_token", _TEXT, "keyed token of PatientID alone, trimmed"),
    ("other_ids", pa.list_(OTHER_ID), "items of OtherPatientIDsSequence: issuer, kind, token"),
    ("identifiers", pa.list_(IDENTIFIER), "filled identifier places: other|well-formed|passing"),
    ("patient_id_shape", _TEXT, "PatientID with digits as 9 and letters as A"),
    ("birth_date_token", _TEXT, "keyed token of PatientBirthDate, bound to PatientID"),
    ("name_tokens", _TEXTS, "keyed tokens of family names, bound to PatientID"),
    ("initials_tokens", _TEXTS, "keyed tokens of the first 1..n initials, bound to PatientID"),
    ("PatientSex", _TEXT, "M | F | O or empty"),
    ("head_length", _INT, "bytes before Pixel Data; of a deflated file all"),
    ("head_digest", _TEXT, "keyed digest of the head"),
    ("run_id", _TEXT, "the crawl that read the file"),
    ("crawled_at", pa.timestamp("us", "UTC"), "when it was read"),
)

FINDINGS = _schema(
    _ARCHIVE,
    _MONTH,
    _PATH,
    _STUDY,
    _PLACE,
    _CREATOR,
    ("place_kind", _TEXT, "primary|other|retired|private|historic|leak|not-patient|path"),
    ("issuer", _TEXT, "issuer of the place, as it stands"),
    _KIND,
    ("form", _TEXT, "nine | eight | grouped | prefixed | cx | embedded"),
    ("evidence", _TEXT, "asserted | unasserted | embedded | invalid | placeholder"),
    ("bsn_token", _TEXT, "keyed token of the nine digits"),
)

_COUNTS = (
    ("values", _INT, "values at that place, counted once per study"),
    ("well_formed", _INT, "of these, numbers of eight or nine digits, placeholders left out"),
    ("passing", _INT, "of these, numbers that pass the elfproef"),
)

TALLIES = _schema(
    _ARCHIVE,
    _MONTH,
    ("InstitutionName", _TEXT, "source column"),
    ("StationName", _TEXT, "source column"),
    ("Manufacturer", _TEXT, "source column"),
    ("ImplementationVersionName", _TEXT, "source column"),
    ("SourceApplicationEntityTitle", _TEXT, "source column"),
    _PLACE,
    _CREATOR,
    _KIND,
    *_COUNTS,
)

FOLDERS = _schema(
    ("folder", _TEXT, "path relative to the archive root, sealed"),
    ("digest", _TEXT, "keyed digest of the listing"),
    ("listing", pa.binary(), "name, size, mtime and kind of each file, compressed and sealed"),
)

HISTORY = pa.schema(
    [
        *INSTANCES,
        *_schema(
            ("superseded", _TEXT, "changed | vanished: why the row no longer holds"),
            ("superseded_by", _TEXT, "the crawl that found so"),
        ),
    ],
    metadata=INSTANCES.metadata,
)

# What an inventory is made of, and what it keeps for the next crawl.
INVENTORY = {
    "instances": INSTANCES,
    "findings": FINDINGS,
    "tallies": TALLIES,
    "folders": FOLDERS,
    "history": HISTORY,
}

STUDIES = _schema(
    _ARCHIVE,
    _STUDY,
    ("StudyDate", pa.date32(), "date of the study"),
    _MONTH,
    _SOURCE,
    ("Modality", _TEXT, "first Modality of the study"),
    ("instances", _INT, "files of the study"),
    ("unreadable", _INT, "files of the study that could not be read"),
    ("status", _TEXT, "the status that all instances share, else `mixed`"),
    ("places", _TEXTS, "places with a BSN (asserted or calibrated), most frequent first"),
    ("place", _TEXT, "the first of places"),
    ("bsn_issuer", _TEXT, "issuer beside the BSN, as it stands, most frequent first; empty: none"),
    ("statuses", pa.list_(STATUS_COUNT), "instances by status, most frequent first"),
    ("historic", pa.bool_(), "a number stands in OriginalAttributesSequence"),
    ("leaks", _INT, "findings outside the identifier places"),
    ("patient_token", _TEXT, "token of the first PatientID"),
    ("patient_id_shape", _TEXT, "shape of the first PatientID"),
    ("IssuerOfPatientID", _TEXT, "first issuer"),
    ("ImplementationVersionName", _TEXT, "software that wrote the first instance"),
    ("SourceApplicationEntityTitle", _TEXT, "AE title that sent the first instance"),
    ("InstitutionName", _TEXT, "first institution"),
    ("Manufacturer", _TEXT, "first manufacturer"),
    ("StationName", _TEXT, "first station"),
    ("TransferSyntaxUID", _TEXT, "first transfer syntax"),
    ("SeriesDate", pa.date32(), "first SeriesDate"),
    ("InstanceCreationDate", pa.date32(), "first InstanceCreationDate"),
    ("file_date", pa.date32(), "day (UTC) the first file was last modified"),
    ("file_age", _TEXT, "file_date after StudyDate: month | year | later | earlier; null unknown"),
    older=(),
)

MIXED = _schema(
    _ARCHIVE,
    _MONTH,
    _STUDY,
    ("SOPInstanceUID", _TEXT, "SOPInstanceUID"),
    _PATH,
    ("status", _TEXT, "status of this instance"),
    older=(),
)

PLACES = _schema(
    _ARCHIVE,
    _SOURCE,
    _PLACE,
    _CREATOR,
    _KIND,
    ("start", _TEXT, "first month of the segment, YYYY-MM, or `unknown`"),
    ("end", _TEXT, "month after the last of the segment, YYYY-MM, or `unknown`"),
    *_COUNTS,
    ("pass_rate", _REAL, "passing / well_formed"),
    ("low", _REAL, "lower bound of the pass rate (Wilson, 95 %)"),
    ("high", _REAL, "upper bound of the pass rate (Wilson, 95 %)"),
    ("probability", _REAL, "P(BSN | passes), averaged over what the pass rate may be"),
    ("verdict", _TEXT, "bsn | mixture | not-bsn | unproven"),
    older=(),
)

STATUSES = (
    "conformant",
    "misplaced",
    "candidate",
    "wrong_issuer",
    "invalid",
    "placeholder",
    "absent",
    "mixed",
    "conflict",
    "unreadable",
)

COVERAGE = _schema(
    _ARCHIVE,
    _SOURCE,
    _MONTH,
    ("studies", _INT, "studies of the month"),
    *((status, _INT, f"studies with status {status.replace('_', '-')}") for status in STATUSES),
    ("coverage", _REAL, "conformant / studies"),
    ("low", _REAL, "lower bound (Wilson, 95 %)"),
    ("high", _REAL, "upper bound (Wilson, 95 %)"),
    ("provisional", pa.bool_(), "one of the last months: numbers are verified late"),
    ("improbable", pa.bool_(), "before 1970 or after today: in no period and no plot"),
    older=(),
)

STUDY, FILE = "study", "file"  # axes of periods

PERIODS = _schema(
    ("period_id", _TEXT, "from the period's content"),
    _ARCHIVE,
    _SOURCE,
    ("axis", _TEXT, "what its days are: study (StudyDate) | file (file_date of late files)"),
    ("start", pa.date32(), "first day"),
    ("end", pa.date32(), "day after the last"),
    ("start_kind", _TEXT, "jump | drift | first: the data begin there"),
    ("start_low", pa.date32(), "earliest first day (95 %); null where nothing changed"),
    ("start_high", pa.date32(), "latest first day (95 %); null likewise"),
    ("end_kind", _TEXT, "jump | drift | open (data end) | stopped (source ends) | provisional"),
    ("end_low", pa.date32(), "earliest end (95 %); null where nothing changed"),
    ("end_high", pa.date32(), "latest end (95 %); null likewise"),
    ("studies", _INT, "studies inside"),
    ("coverage", _REAL, "conformant / studies inside"),
    ("coverage_before", _REAL, "in the stretch before; null if there is none"),
    ("coverage_after", _REAL, "in the stretch after; null if there is none"),
    ("low", _REAL, "lower bound inside (Wilson, 95 %)"),
    ("high", _REAL, "upper bound inside (Wilson, 95 %)"),
    ("dispersion", _REAL, "variance of months over what chance alone gives"),
    ("p_value", _REAL, "chance of such a stretch somewhere in a flat history"),
    ("q_value", _REAL, "the same, held against all sources (false discovery rate)"),
    ("steps", pa.list_(STEP), "stretches of one coverage inside"),
    ("dominant_status", _TEXT, "most frequent status inside that is not conformant"),
    ("written_start", pa.date32(), "first day its files were written, where a rewrite broke them"),
    ("written_end", pa.date32(), "day after the last; null where none did"),
    ("written_share", _REAL, "share of its broken studies in files of those days; null likewise"),
    ("event", _TEXT, "nearest event within 180 days of an edge; null for none"),
    ("event_kind", _TEXT, "its kind; null for none"),
    ("event_start", pa.date32(), "its first day: two events may have one name; null for none"),
    ("event_distance_days", _INT, "days from that edge; null for none"),
    ("causes", pa.list_(CAUSE), "what changed: signal, before, inside, strength, edge"),
    older=(),
)

EVENTS = _schema(
    ("event", _TEXT, "name in the job file"),
    ("event_kind", _TEXT, "its kind"),
    _ARCHIVE,
    _SOURCE,
    ("start", pa.date32(), "first day of the event"),
    ("end", pa.date32(), "day after its last"),
    ("studies_before", _INT, "studies in the window before"),
    ("coverage_before", _REAL, "conformant / studies there; null without studies"),
    ("studies_in", _INT, "studies in the event's own window"),
    ("coverage_in", _REAL, "conformant / studies there; null without studies"),
    ("studies_after", _INT, "studies in the window after"),
    ("coverage_after", _REAL, "conformant / studies there; null without studies"),
    ("change", _REAL, "coverage after - before; null without studies"),
    ("low", _REAL, "lower bound of the change (95 %, overdispersion included)"),
    ("high", _REAL, "upper bound of the change"),
    ("p_value", _REAL, "chance of such a change where there is none"),
    ("q_value", _REAL, "the same, held against all events and sources (false discovery rate)"),
    ("verdict", _TEXT, "worse | better | passing | no-effect | unclear | no-studies"),
    ("periods", _TEXTS, "period_id of the broken periods that are linked to it"),
    older=(),
)

IDENTITIES = _schema(
    _STUDY,
    _ARCHIVE,
    ("outcome", _TEXT, "resolved | conformant | refused | exempt"),
    ("reason", _TEXT, "from a closed list; empty where resolved or conformant"),
    ("bsn_token", _TEXT, "token of the number that the crosswalk vouches for; null for none"),
    ("value_source", _TEXT, "where the number comes from: crosswalk"),
    ("evidence", _TEXT, "confirmed where header and crosswalk agree, else the header's"),
    ("local_issuer", _TEXT, "issuer of the local number that resolved; null for none"),
    ("local_token", _TEXT, "token of the local number that resolved; null for none"),
    ("warnings", _TEXTS, "reasons that do not stop this study"),
    ("exemption", _TEXT, "the crosswalk's word for it; null for none"),
)

CORRECTIONS = _schema(
    _ARCHIVE,
    _PATH,
    _STUDY,
    ("SOPInstanceUID", _TEXT, "SOPInstanceUID"),
    ("size", _INT, "bytes at plan"),
    ("mtime_ns", _INT, "modification time at plan"),
    ("head_length", _INT, "bytes before Pixel Data; of a deflated file all"),
    ("head_digest", _TEXT, "keyed digest of the head at plan"),
    ("result_length", _INT, "bytes before Pixel Data after the correction"),
    ("result_digest", _TEXT, "keyed digest of the head after the correction"),
    ("edits", pa.list_(EDIT), "attribute, action, value_source, token"),
    ("bsn_token", _TEXT, "token of the number that is written"),
    ("local_issuer", _TEXT, "local issuer that is written or checked"),
    ("local_token", _TEXT, "token of the crosswalk's local number; null where keyed by BSN"),
    ("rule", _TEXT, "status of the instance and what is done about it"),
    ("period_id", _TEXT, "period the study lies in; null for none"),
)

REFUSALS = _schema(
    _STUDY,
    _ARCHIVE,
    ("reason", _TEXT, "from a closed list"),
    ("instances", _INT, "files of the study"),
)

SURVEY = _schema(
    ("scope", _TEXT, "what the row is about: month (of one source) | year | archive | all"),
    ("archive", _TEXT, "name of the archive in the job file; null for scope all"),
    ("source", _TEXT, "where the studies come from; null but for scope month"),
    ("study_month", _TEXT, "YYYY-MM, or `unknown`; null but for scope month"),
    ("study_year", _TEXT, "YYYY, or `unknown`; null for scopes archive and all"),
    ("studies", _INT, "studies drawn, each counted once"),
    *(
        (status, _INT, f"of these, status {status.replace('_', '-')} by what was drawn of them")
        for status in STATUSES
    ),
    (
        "coverage",
        _REAL,
        "estimated share of conformant studies: weighted by 1 / chance to be drawn",
    ),
    ("low", _REAL, "lower bound (Wilson, 95 %, with the effective number of studies)"),
    ("high", _REAL, "upper bound (Wilson, 95 %, with the effective number of studies)"),
    ("effective", _REAL, "studies of equal chance that would tell as much (Kish, linearised)"),
    ("design_effect", _REAL, "studies / effective: 1 where all had the same chance"),
    ("stands_for", _REAL, "sum of the weights: about how many studies there are; a rough figure"),
    ("complete", pa.bool_(), "as many studies as asked for were drawn, or nearly all there are"),
)
