"""Whole columns judged as row by row: any table, each status, whatever its columns are made of."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import row_by_row

from remediation.model.placement import Placement
from remediation.tables.judge import FINDING_COLUMNS, INSTANCE_COLUMNS, Sources, judged
from remediation.tables.schemas import FINDINGS, INSTANCES, MIXED, PLACES, STUDIES
from remediation.tables.statuses import STATUSES, instance_status
from remediation.tables.weigh import weighed

ARCHIVES, MONTHS = ["oost", "west"], ["2010-12", "2011-01", "unknown"]
NAMES = [None, "", "Zkh. Oost", "Ziekenhuis Oost"]
SOURCES = [
    Sources(),
    Sources(rename={"Zkh. Oost": "Ziekenhuis Oost"}),
    Sources(("InstitutionName", "StationName"), {"unknown": "?"}),
]
TARGETS = [
    Placement(),
    Placement("exchange"),
    Placement("own", base="at-rest", issuer="BSN"),
    Placement("sent", base="exchange", issuer="X"),
]
KINDS = ["primary", "other", "retired", "private", "historic", "leak", "not-patient", "path"]
STABLE = ["PatientID", "OtherPatientIDsSequence.PatientID", "OtherPatientIDs"]
PLACES_SEEN = [*STABLE, "OtherPatientIDsSequence[0].PatientID"]
CREATORS, ISSUER_KINDS = ["", "MITRA"], ["bsn-oid", "bsn", "none", "other"]
DAYS = st.one_of(st.none(), st.dates(date(2009, 1, 1), date(2013, 1, 1)))


def rows(schema, **columns):
    """Return rows of some columns; the others are null."""
    nothing = dict.fromkeys(schema.names)
    return st.fixed_dictionaries(columns).map(lambda row: nothing | row)


INSTANCE = rows(
    INSTANCES,
    archive=st.sampled_from(ARCHIVES),
    study_month=st.sampled_from(MONTHS),
    path=st.text("ab\u00e9z", min_size=1, max_size=2),
    state=st.sampled_from(["read"] * 6 + ["unreadable", "not-dicom", "container"]),
    StudyInstanceUID=st.sampled_from(["1.2", "1.3", "1.10"]),
    SOPInstanceUID=st.sampled_from(["9.1", None]),
    StudyDate=DAYS,
    SeriesDate=DAYS,
    mtime_ns=st.one_of(st.none(), st.integers(10**18, 14 * 10**17), st.integers(-(10**15), 10**15)),
    InstitutionName=st.sampled_from(NAMES),
    StationName=st.sampled_from(NAMES),
    Modality=st.sampled_from(["CT", None]),
    patient_token=st.sampled_from(["t1", "t2"]),
)
ANY_FINDING = rows(
    FINDINGS,
    place=st.sampled_from(PLACES_SEEN),
    private_creator=st.sampled_from(CREATORS),
    place_kind=st.sampled_from(KINDS[:4] * 3 + KINDS),
    issuer=st.sampled_from([None, "", "BSN", "X"]),
    issuer_kind=st.sampled_from(ISSUER_KINDS),
    form=st.sampled_from(["nine", "nine", "eight", "cx"]),
    evidence=st.sampled_from(
        ["asserted", "unasserted", "asserted", "unasserted", "embedded", "invalid", "placeholder"]
    ),
    bsn_token=st.sampled_from(["a", "a", "a", "b", None]),
)
RIGHT = {"place_kind": "other", "issuer": "2.16.840.1.113883.2.4.6.3", "issuer_kind": "bsn-oid"}
RIGHT |= {"form": "nine", "evidence": "asserted", "bsn_token": "a"}
FINDING = st.one_of(ANY_FINDING, ANY_FINDING, ANY_FINDING.map(lambda row: row | RIGHT))
PLACE = rows(
    PLACES,
    archive=st.sampled_from(ARCHIVES),
    source=st.sampled_from(["unknown", "Ziekenhuis Oost", "? / ?"]),
    place=st.sampled_from(STABLE),
    private_creator=st.sampled_from(CREATORS),
    issuer_kind=st.sampled_from(ISSUER_KINDS),
    stretch=st.sampled_from([("2010-12", "2011-01"), ("2010-12", "2011-02"), ("unknown",) * 2]),
    verdict=st.sampled_from(["bsn", "not-bsn", "mixture", "unproven"]),
).map(lambda row: row | dict(zip(("start", "end"), row.pop("stretch"), strict=True)))


@st.composite
def inventories(draw):
    """Return instances, their findings (and one of nobody), and places; keys are unique."""
    instances = draw(
        st.lists(INSTANCE, max_size=12, unique_by=lambda row: (row["archive"], row["path"]))
    )
    findings = [draw(FINDING) | {"archive": "oost", "path": "nobody's", "study_month": "2011-01"}]
    for row in instances:
        own = {name: row[name] for name in ("archive", "path", "study_month", "StudyInstanceUID")}
        findings += [one | own for one in draw(st.lists(FINDING, max_size=3))]
    of = ("archive", "source", "place", "private_creator", "issuer_kind", "start")
    places = draw(st.lists(PLACE, max_size=30, unique_by=lambda row: (*(row[n] for n in of[:5]),)))
    return (
        pa.Table.from_pylist(instances, schema=INSTANCES),
        pa.Table.from_pylist(draw(st.permutations(findings)), schema=FINDINGS),
        pa.Table.from_pylist(places, schema=PLACES),
    )


def in_pieces(table):
    """Return a table as the inventory may give it: in chunks, text dictionary-encoded."""
    columns = [
        column.dictionary_encode()
        if pa.types.is_string(column.type) and name not in {"path", "SOPInstanceUID"}
        else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    whole = pa.table(columns, names=table.column_names)
    middle = table.num_rows // 2
    return pa.concat_tables([whole.slice(0, middle), whole.slice(middle)])


def told(found):
    """Return what was judged, its study rows in the order of the schema."""
    return found.statuses.to_pylist(), found.studies.to_pylist(), found.mixed.to_pylist()


def one_by_one(instances, findings, places, sources, target):
    """Return what the rule that `apply` asks just before writing says of each row."""
    dicom = {"read", "unreadable"}
    here = sources.labelled(instances)
    found = weighed(here, findings, places).to_pylist()
    return [
        instance_status(row["state"], [one for one in found if one["at"] == at], target)
        if row["state"] in dicom
        else None
        for at, row in enumerate(here.to_pylist())
    ]


@settings(max_examples=100, deadline=None)
@given(inventories(), st.sampled_from(SOURCES), st.sampled_from(TARGETS))
def test_columns_are_judged_as_rows_are(tables, sources, target):
    instances, findings, places = tables
    found = judged(instances, findings, places, sources, target)
    statuses, studies, mixed = row_by_row.judged(instances, findings, places, sources, target)
    keys = zip(instances["archive"].to_pylist(), instances["path"].to_pylist(), strict=True)
    assert found.statuses.to_pylist() == [statuses.get(key) for key in keys]
    assert found.statuses.to_pylist() == one_by_one(*tables, sources, target)
    assert found.studies.schema.equals(STUDIES, check_metadata=True)
    assert found.studies.to_pylist() == [
        {name: row[name] for name in STUDIES.names} for row in studies
    ]
    assert found.mixed.schema.equals(MIXED, check_metadata=True)
    assert found.mixed.to_pylist() == mixed
    columns = {*INSTANCE_COLUMNS, *sources.by}
    slim = in_pieces(instances.select([n for n in INSTANCES.names if n in columns]))
    again = judged(slim, in_pieces(findings.select(FINDING_COLUMNS)), places, sources, target)
    assert told(again) == told(found)


def test_the_made_tables_show_every_status():
    seen = set()

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(inventories())
    def look(tables):
        found = judged(*tables, SOURCES[1], Placement())
        seen.update(found.studies["status"].to_pylist(), found.statuses.to_pylist())

    look()
    assert seen >= {*STATUSES, "mixed"}
