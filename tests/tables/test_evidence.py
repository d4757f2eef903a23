"""From rows to what identity judges: groups of instances, numbers, and what is left out."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from builders import OID, el, item
from tables.heads_of import KEYS, SOURCES, bsn_item, file_of, local, others, rows_of, tables

from remediation.model import bsn
from remediation.model.placement import Placement
from remediation.model.tokens import bound_tokens, bsn_token, patient_token
from remediation.tables.evidence import evidence, evidence_of_one
from remediation.tables.judge import judged

ONE, TWO = bsn.test_number(101), bsn.test_number(202)


def evidence_of(*files):
    """Return the evidence of the studies of these files, by StudyInstanceUID."""
    instances, found, places = tables([(f"{n}", data) for n, data in enumerate(files)])
    studies = judged(instances, found, places, SOURCES, Placement()).studies
    return {one.study: one for one in evidence(instances, found, places, studies, SOURCES)}


def single(*files):
    (study,) = evidence_of(*files).values()
    return study


def test_a_study_is_told_with_its_day_status_and_source():
    file = file_of(*local(), bsn_item(ONE), el(0x00080080, "LO", "Ziekenhuis Oost"))
    study = single(file)
    assert (study.archive, study.day, study.status) == ("oost", date(2011, 7, 4), "conformant")
    assert (study.institution, study.shape, study.unreadable) == ("Ziekenhuis Oost", "99999", 0)


def test_a_group_holds_the_patient_as_tokens():
    (group,) = single(file_of(*local(), others(("W9", "KL-WEST")), sex="O")).groups
    assert group.patient_token == patient_token(KEYS, "12345")
    assert (group.issuer, group.issuer_kind, group.sex) == ("ZKH-OOST", "other", "")
    assert group.other_ids == (("KL-WEST", "other", patient_token(KEYS, "W9")),)
    assert single(file_of(*local(), sex="F")).groups[0].sex == "F"
    assert group.person == bound_tokens(KEYS, "12345", "19500203", ["SCHIJN"], "A")


def test_instances_that_say_the_same_of_the_patient_are_one_group():
    files = [file_of(*local(), instance=f"1.{n}") for n in range(3)]
    assert len(single(*files).groups) == 1
    assert len(single(*files, file_of(*local(), birth="19500204")).groups) == 2
    assert len(single(*files, file_of(*local("67"))).groups) == 2


def test_numbers_that_are_vouched_for_are_strong_and_all_are_seen():
    study = single(file_of(*local(), bsn_item(ONE), el(0x00101000, "LO", TWO)))
    assert study.strong == {bsn_token(KEYS, ONE)}
    assert study.seen == {bsn_token(KEYS, ONE), bsn_token(KEYS, TWO)}


@pytest.mark.parametrize(
    "own",
    [
        [el(0x00104000, "LT", ONE)],
        [el(0x00081010, "SH", ONE)],
        [bsn_item("999999990")],
        [bsn_item("999900007")],
        [el(0x04000561, "SQ", [item(el(0x04000550, "SQ", [item(*local(ONE, OID))]))])],
    ],
    ids=["comment", "station", "placeholder", "invalid", "former value"],
)
def test_what_is_no_number_of_the_patient_here_and_now_is_not_seen(own):
    study = single(file_of(*local(), *own))
    assert (study.strong, study.seen) == (set(), set())


def test_a_primary_number_is_strong_where_its_issuer_says_so():
    (group,) = single(file_of(*local(ONE, OID))).groups
    assert (group.primary_bsn_token, group.primary_is_strong) == (bsn_token(KEYS, ONE), True)
    (group,) = single(file_of(*local(ONE, None))).groups
    assert (group.primary_bsn_token, group.primary_is_strong) == (bsn_token(KEYS, ONE), False)
    (group,) = single(file_of(*local())).groups
    assert (group.primary_bsn_token, group.primary_is_strong) == (None, False)


def test_a_primary_number_is_strong_where_its_field_is_calibrated():
    files = [file_of(*local(bsn.test_number(n), None), uid=f"1.{n}") for n in range(60)]
    assert {one.groups[0].primary_is_strong for one in evidence_of(*files).values()} == {True}


def test_an_unreadable_instance_is_counted_and_says_nothing_of_the_patient():
    study = single(file_of(*local()), file_of(*local("67"), bsn_item(ONE), broken=True))
    assert (study.unreadable, len(study.groups), study.seen) == (1, 1, set())
    study = single(file_of(*local(), broken=True))
    assert (study.unreadable, study.groups) == (1, ())


def test_studies_do_not_mix():
    found = evidence_of(
        file_of(*local(), uid="1.1"), file_of(*local("67"), bsn_item(ONE), uid="1.2")
    )
    assert found["1.1"].seen == set()
    assert found["1.2"].groups[0].patient_token == patient_token(KEYS, "67")


def test_one_head_alone_gives_the_same_evidence_as_in_its_study():
    file = file_of(*local(), bsn_item(ONE), el(0x00101000, "LO", TWO))
    row, found = rows_of(file)
    alone, whole = evidence_of_one(row, found), single(file)
    assert (alone.groups, alone.strong, alone.seen) == (whole.groups, whole.strong, whole.seen)
    assert (alone.unreadable, alone.day, alone.shape) == (0, whole.day, whole.shape)


def test_groups_are_those_that_looking_at_each_instance_gives():
    """Columns against rows: every way in which instances of a study can differ."""
    ways = [
        {},
        {"sex": "M"},
        {"sex": ""},
        {"birth": "19500204"},
        {"birth": ""},
        {"name": "Anders^A"},
        {"name": ""},
        {"name": "Schijn^Anna Bea"},
        {"own": local("67")},
        {"own": local("12345", "KL-WEST")},
        {"own": local("12345", None)},
        {"own": [*local(), others(("W9", "KL-WEST"))]},
        {"own": [*local(), others(("W9", "KL-WEST"), ("W8", "KL-WEST"))]},
        {"own": [*local(), others(("W9", ""))]},
        {"own": local(ONE, OID)},
        {"own": local(ONE, None)},
    ]
    files = []
    for n, way in enumerate([*ways, *ways[::-1]]):
        said = dict(way)
        own = said.pop("own", local())
        files.append(file_of(*own, instance=f"1.{n}", **said))
    found = single(*files).groups
    alone = [evidence_of_one(*rows_of(file)).groups[0] for file in files]
    assert list(found) == list(dict.fromkeys(alone))
    assert len(found) == len(ways)


def test_a_group_knows_a_file_of_its_own():
    files = [file_of(*local(), instance=f"1.{n}") for n in range(2)]
    (group,) = single(*files).groups
    assert KEYS.unseal(group.path) in {"0", "1"}


def test_a_study_tells_what_rules_of_acceptances_look_at():
    file = file_of(*local(), el(0x00080080, "LO", "Kliniek West"), el(0x00081010, "SH", "CT1"))
    facts = single(file).facts()
    assert (facts.archive, facts.study, facts.day) == ("oost", single(file).study, date(2011, 7, 4))
    assert (facts.source, facts.station, facts.modality) == ("Kliniek West", "CT1", "MR")


def test_studies_of_two_archives_with_one_uid_do_not_mix():
    files = [(f"{n}", file_of(*local(f"{n}"), uid="1.1")) for n in range(2)]
    instances, found, places = tables(files)
    named = pa.array(["oost", "west"])
    instances = instances.set_column(0, "archive", named)
    assert instances.schema.names[0] == "archive"
    studies = judged(instances, found, places, SOURCES, Placement()).studies
    each = list(evidence(instances, found, places, studies, SOURCES))
    tokens = {one.archive: one.groups[0].patient_token for one in each}
    assert tokens == {"oost": patient_token(KEYS, "0"), "west": patient_token(KEYS, "1")}
