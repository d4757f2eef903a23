"""One head on its own: what it says of its patient, and whether it is right."""

from __future__ import annotations

import pytest
from builders import OID, el
from tables.heads_of import KEYS, bsn_item, file_of, local, maker, others

from remediation.dicom.header import scan
from remediation.model import bsn
from remediation.model.evidence import PlainPerson
from remediation.model.files import FileRef
from remediation.model.placement import Placement
from remediation.model.tokens import bsn_token, patient_token
from remediation.tables.heads import evidence_of_head, stands
from remediation.tables.judge import Sources

AT_REST, EXCHANGE = Placement(), Placement("exchange")
ONE, TWO = bsn.test_number(101), bsn.test_number(202)


def asked(file):
    head = scan(file, len(file))
    return maker(), FileRef("a", len(file), 0), head, file[: head.length]


def standing(*own, target=AT_REST):
    """Return the numbers that stand, conformant, in the target's place."""
    found = stands(*asked(file_of(*own)), target)
    return {number for number in (ONE, TWO) if bsn_token(KEYS, number) in found} | (
        {"other"} if found - {bsn_token(KEYS, ONE), bsn_token(KEYS, TWO)} else set()
    )


def test_a_head_tells_its_patient_uncalibrated():
    study = evidence_of_head(*asked(file_of(*local(), bsn_item(ONE), el(0x00101000, "LO", TWO))))
    assert study.groups[0].patient_token == patient_token(KEYS, "12345")
    assert (study.strong, study.seen - study.strong) == (
        {bsn_token(KEYS, ONE)},
        {bsn_token(KEYS, TWO)},
    )


def test_a_head_has_its_name_at_hand_and_knows_its_source():
    institution = el(0x00080080, "LO", "Kliniek West")
    head = asked(file_of(*local(), more=[institution], name="van den Schijn^A"))
    study = evidence_of_head(*head, Sources().label)
    assert study.groups[0].plain == PlainPerson("12345", ("SCHIJN",))
    assert (study.source, study.modality) == ("Kliniek West", "MR")
    assert "SCHIJN" not in repr(study)


def test_a_number_in_its_place_stands():
    assert standing(*local(), bsn_item(ONE)) == {ONE}
    assert standing(*local(ONE, OID), target=EXCHANGE) == {ONE}
    agreed = Placement("oud", base="at-rest", issuer="NLMINBIZA")
    assert standing(*local(), bsn_item(ONE, "NLMINBIZA"), target=agreed) == {ONE}
    assert standing(*local(), bsn_item(ONE), target=agreed) == set()


@pytest.mark.parametrize(
    "own",
    [
        local(),
        local(ONE, OID),
        [*local(), bsn_item(ONE, "NLMINBIZA")],
        [*local(), bsn_item("9999.00.006")],
        [*local(), bsn_item("999999990")],
        [*local(), others((ONE, OID), (TWO, OID))],
        [*local(), el(0x00101000, "LO", ONE)],
    ],
    ids=["bare", "primary", "spelling", "dots", "placeholder", "two numbers", "retired"],
)
def test_a_number_that_does_not_stand_right_does_not_stand(own):
    assert standing(*own) == set()


def test_a_second_number_that_is_asserted_elsewhere_is_told():
    """A private element repeats the number in another spelling of the issuer: still one."""
    own = [*local(), bsn_item(ONE), el(0x00101000, "LO", f"{ONE}^^^NLMINBIZA")]
    assert standing(*own) == {ONE}
    assert standing(*local(), bsn_item(ONE), el(0x00101000, "LO", f"{TWO}^^^NLMINBIZA")) == set()
