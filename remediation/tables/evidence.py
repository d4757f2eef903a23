"""Evidence per study: rows of instances and findings in, what `identity` judges out.

A study has a dozen files that say the same of their patient: these are one group before anything
of them is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remediation.model.evidence import PatientGroup, PlainPerson, StudyEvidence
from remediation.model.person import sex
from remediation.model.places import IDENTIFIER_KINDS
from remediation.model.tokens import PersonTokens
from remediation.tables.codes import Numbers, distinct, encoded, integers, kept, numbers, one_of
from remediation.tables.judge import Sources
from remediation.tables.weigh import STRONG, weigh, weighed

Row = Mapping[str, Any]
INSTANCE_COLUMNS = (
    "archive",
    "path",
    "state",
    "StudyInstanceUID",
    "InstitutionName",
    "ImplementationVersionName",
    "IssuerOfPatientID",
    "issuer_kind",
    "patient_token",
    "other_ids",
    "patient_id_shape",
    "birth_date_token",
    "name_tokens",
    "initials_tokens",
    "PatientSex",
)
FINDING_COLUMNS = (
    "archive",
    "study_month",
    "path",
    "place",
    "private_creator",
    "place_kind",
    "issuer_kind",
    "evidence",
    "bsn_token",
)
# Columns of STUDIES: what `flag` made of a study, and what rules of acceptances look at.
STUDY_COLUMNS = (
    "archive",
    "StudyInstanceUID",
    "StudyDate",
    "status",
    "unreadable",
    "source",
    "StationName",
    "Modality",
)
_SEEN = STRONG | {"candidate"}
_OF_FIRST = ("InstitutionName", "ImplementationVersionName", "patient_id_shape")
_OF_PATIENT = (
    "patient_token",
    "IssuerOfPatientID",
    "issuer_kind",
    "birth_date_token",
    "PatientSex",
)
_LISTS = ("other_ids", "name_tokens", "initials_tokens")


def evidence(
    instances: pa.Table,
    findings: pa.Table,
    places: pa.Table,
    studies: pa.Table,
    sources: Sources,
) -> Iterator[StudyEvidence]:
    """Yield the evidence of each study of `studies`, in its order.

    Args:
        instances: INSTANCES, at least `INSTANCE_COLUMNS` and the source's; those of other studies
            are left out. Text may be dictionary-encoded, here and below.
        findings: FINDINGS of the same files, at least `FINDING_COLUMNS`.
        places: PLACES, the calibration.
        studies: STUDIES, at least `STUDY_COLUMNS`.
        sources: what a source is.
    """
    of = _studies_of(studies, instances)
    usable = (of >= 0) & one_of(instances["state"], {"read"})
    here, of = kept(instances, usable), of[usable]
    own = kept(findings, one_of(findings["place_kind"], IDENTIFIER_KINDS))
    found = weighed(sources.labelled(here), own, places)
    found = kept(found, one_of(found["weight"], _SEEN) & ~one_of(found["bsn_token"], {None, ""}))
    groups = _groups(here, of, found)
    strong, seen = _numbers(of, found)
    first = _firsts_of(of, studies.num_rows)
    facts = _taken(here.select(_OF_FIRST), first).to_pylist()
    for n, (study, fact) in enumerate(zip(studies.to_pylist(), facts, strict=True)):
        yield _study(study, fact, groups.get(n, ()), strong.get(n), seen.get(n))


def _study(
    study: Row,
    fact: Row,
    groups: tuple[PatientGroup, ...],
    strong: set[str] | None,
    seen: set[str] | None,
) -> StudyEvidence:
    return StudyEvidence(
        archive=study["archive"],
        study=study["StudyInstanceUID"],
        day=study["StudyDate"],
        status=study["status"],
        unreadable=study["unreadable"],
        groups=groups,
        strong=frozenset(strong or ()),
        seen=frozenset(seen or ()),
        institution=fact["InstitutionName"] or "",
        writing_software=fact["ImplementationVersionName"] or "",
        shape=fact["patient_id_shape"] or "",
        source=study["source"] or "",
        station=study["StationName"] or "",
        modality=study["Modality"] or "",
    )


def _studies_of(studies: pa.Table, instances: pa.Table) -> Numbers:
    """Return the row of each instance's study; -1 for none."""
    of = np.full(instances.num_rows, -1, dtype=np.int64)
    for archive in encoded(studies["archive"]).dictionary.to_pylist():
        own, others = (one_of(table["archive"], {archive}) for table in (instances, studies))
        uids = encoded(kept(instances.select(["StudyInstanceUID"]), own)["StudyInstanceUID"])
        known = kept(studies.select(["StudyInstanceUID"]), others)["StudyInstanceUID"]
        rows = np.append(np.flatnonzero(others), -1)
        hits = integers(pc.index_in(uids.dictionary, known.cast(pa.string())))
        of[own] = rows[np.append(hits, -1)[numbers(uids)]]
    return of


def _firsts_of(of: Numbers, studies: int) -> Numbers:
    """Return the first row of each study; -1 for none."""
    first = np.full(studies, -1, dtype=np.int64)
    first[of[::-1]] = np.arange(len(of))[::-1]
    return first


def _taken(table: pa.Table, rows: Numbers) -> pa.Table:
    """Return these rows, all null where the row is -1."""
    return table.take(pa.array(rows, mask=rows < 0))


def _numbers(of: Numbers, found: pa.Table) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """Return the tokens of each study that are vouched for, and all of them."""
    study, strong = of[integers(found["at"])], one_of(found["weight"], STRONG)
    keys = (pa.array(study), pa.array(strong.astype(np.int8)), found["bsn_token"])
    _, first = distinct(found.num_rows, keys)
    tokens = found["bsn_token"].take(pa.array(first)).to_pylist()
    sure: dict[int, set[str]] = defaultdict(set)
    seen: dict[int, set[str]] = defaultdict(set)
    for n, is_strong, token in zip(
        study[first].tolist(), strong[first].tolist(), tokens, strict=True
    ):
        seen[n].add(token)
        if is_strong:
            sure[n].add(token)
    return sure, seen


def _groups(here: pa.Table, of: Numbers, found: pa.Table) -> dict[int, tuple[PatientGroup, ...]]:
    """Return the groups of each study: its instances that say the same of their patient."""
    primary = np.flatnonzero(one_of(found["place_kind"], {"primary"}))
    which = np.full(len(of), -1, dtype=np.int64)
    which[integers(found["at"])[primary][::-1]] = primary[::-1]
    said = _taken(found.select(["bsn_token", "weight"]), which)
    keys = [
        pa.array(of),
        *(here[name] for name in _OF_PATIENT),
        *(_text(here[name]) for name in _LISTS),
        *said.columns,
    ]
    _, first = distinct(len(of), keys)
    rows = pa.array(first)
    told = here.select([*_OF_PATIENT, *_LISTS, "path"]).take(rows).to_pylist()
    numbers_ = said.take(rows).to_pylist()
    by_study: dict[int, tuple[PatientGroup, ...]] = {}
    for n, row, number in zip(of[first].tolist(), told, numbers_, strict=True):
        group, others = _group(row, number), by_study.get(n, ())
        if group not in others:  # empty and missing, or two words for one sex
            by_study[n] = (*others, group)
    return by_study


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return lists as texts that are equal where the lists are."""
    if pa.types.is_struct(column.type.value_type):
        lists = column.combine_chunks()
        ids = lists.flatten()
        coded = (numbers(encoded(pc.struct_field(ids, n))) for n in ("issuer", "issuer_kind"))
        parts = [*(pa.array(codes).cast(pa.string()) for codes in coded)]
        tokens = pc.struct_field(ids, "token").cast(pa.string())
        whole = pc.binary_join_element_wise(
            *parts, tokens, ":", null_handling="replace", null_replacement=""
        )
        sizes = integers(pc.list_value_length(lists), 0)
        ends = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
        column = pa.chunked_array([pa.ListArray.from_arrays(ends, whole)])
    return pc.binary_join(column, ",")  # tokens have no comma


def _group(row: Row, number: Row) -> PatientGroup:
    return PatientGroup(
        patient_token=row["patient_token"],
        issuer=row["IssuerOfPatientID"] or "",
        issuer_kind=row["issuer_kind"] or "none",
        other_ids=tuple(
            (one["issuer"] or "", one["issuer_kind"], one["token"])
            for one in row["other_ids"] or ()
        ),
        person=PersonTokens(
            row["birth_date_token"],
            frozenset(row["name_tokens"] or ()),
            tuple(row["initials_tokens"] or ()),
        ),
        sex=sex(row["PatientSex"] or ""),
        primary_bsn_token=number["bsn_token"],
        primary_is_strong=number["weight"] in STRONG,
        path=row["path"],
    )


def evidence_of_one(
    row: Row, findings: Sequence[Row], plain: PlainPerson | None = None, source: str = ""
) -> StudyEvidence:
    """Return the evidence of one head alone, uncalibrated: for the check just before writing.

    `plain` is what the head says of the person, for names that are written differently.
    """
    found = [
        {**one, "weight": weigh({**one, "source": ""}, {})}
        for one in findings
        if one["place_kind"] in IDENTIFIER_KINDS and one["bsn_token"]
    ]
    found = [one for one in found if one["weight"] in _SEEN]
    primary = (one for one in found if one["place_kind"] == "primary")
    group = _group(row, next(primary, {"bsn_token": None, "weight": None}))
    study = {"status": "", "unreadable": 0, "source": source} | {
        name: row[name]
        for name in ("archive", "StudyInstanceUID", "StudyDate", "StationName", "Modality")
    }
    return _study(
        study,
        row,
        (replace(group, plain=plain),) if row["state"] == "read" else (),
        {one["bsn_token"] for one in found if one["weight"] in STRONG},
        {one["bsn_token"] for one in found},
    )
