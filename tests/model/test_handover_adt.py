"""The messages that are handed over, read back by another library."""

from __future__ import annotations

from dataclasses import replace

import hl7
import pytest
from handing_over import ABOUT, FILE, NUMBER, OTHER_NUMBER, STUDY, study
from hypothesis import given
from hypothesis import strategies as st

from remediation.model.handover import CannotSayError
from remediation.model.handover_adt import AdtBatch, cx


def batch(*patients):
    form = AdtBatch(ABOUT)
    text = form.begin() + "".join(form.some(one) for one in patients) + form.end()
    assert "\n" not in text
    return hl7.parse_batch(text), text


def only(*studies):
    [message] = batch(studies)[0]
    return message


def identifiers(field):
    """Return (number, authority, kind) of each repetition of a CX field."""
    return [(str(one[0]), str(one[3]), str(one[4])) for one in field]


BOTH = [("70123", "ZKH-NOORD", "PI"), (NUMBER, "NLMINBIZA", "NNNLD")]


def test_a_patient_gets_the_bsn_beside_the_local_number():
    message = only(STUDY)
    assert str(message.segment("MSH")[9]) == "ADT^A08^ADT_A01"
    assert str(message.segment("MSH")[12]) == "2.5"
    assert str(message.segment("MSH")[11]) == "T"
    assert str(message.segment("EVN")[1]) == "A08"
    assert identifiers(message.segment("PID")[3]) == BOTH
    assert [str(one[0]) for one in message] == ["MSH", "EVN", "PID", "PV1"]


def test_nothing_but_identifiers_is_told_of_the_patient():
    pid = only(STUDY).segment("PID")
    assert [n for n, field in enumerate(pid) if str(field)] == [0, 1, 3]


def test_one_message_a_patient_in_a_batch_that_counts_them():
    other = study(bsn=OTHER_NUMBER, local_number="70124")
    found, text = batch([STUDY, study(study="1.2.4")], [other])
    assert len(list(found)) == 2
    assert str(found.header[11]) == ABOUT.manifest_id
    assert str(found.trailer[1]) == "2"
    ids = [str(message.segment("MSH")[10]) for message in found]
    assert len(set(ids)) == 2
    assert max(map(len, ids)) <= 20
    assert text.endswith("BTS|2\r")


def test_a_local_number_that_was_replaced_is_merged_into_the_new_one():
    message = only(study(survivor="80001", survivor_known=True))
    assert str(message.segment("MSH")[9]) == "ADT^A40^ADT_A39"
    assert identifiers(message.segment("PID")[3]) == [("80001", "ZKH-NOORD", "PI"), BOTH[1]]
    assert identifiers(message.segment("MRG")[1]) == [BOTH[0]]


def test_a_new_number_that_the_export_does_not_list_is_a_change_of_identifier():
    message = only(study(survivor="80001"))
    assert str(message.segment("MSH")[9]) == "ADT^A47^ADT_A30"
    assert identifiers(message.segment("MRG")[1]) == [BOTH[0]]


@pytest.mark.parametrize(
    ("issuer", "told"),
    [("", NUMBER), ("2.16.840.1.113883.2.4.6.3", cx(NUMBER, "NLMINBIZA", "NNNLD"))],
)
def test_a_bsn_that_stood_as_patient_id_is_an_identifier_no_more(issuer, told):
    swapped = replace(FILE, former=(NUMBER, issuer))
    message = only(study(swapped, swapped))
    assert str(message.segment("MSH")[9]) == "ADT^A47^ADT_A30"
    assert str(message.segment("MRG")[1]) == told
    assert identifiers(message.segment("PID")[3]) == BOTH


def test_two_patients_are_never_told_as_one():
    with pytest.raises(CannotSayError, match="two-numbers"):
        AdtBatch(ABOUT).some([STUDY, study(bsn=OTHER_NUMBER)])


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_whatever_a_number_or_issuer_holds_it_comes_back(value):
    if not value.strip():
        return
    form = AdtBatch(ABOUT)
    message = hl7.parse(form.some([study(local_number=value, local_issuer=f"Z{value}")]))
    first = message.segment("PID")[3][0]
    assert hl7.parse("MSH|^~\\&|\r").unescape(str(first[0])) == value
    assert hl7.parse("MSH|^~\\&|\r").unescape(str(first[3])) == f"Z{value}"
    assert len(message) == 4


def test_an_end_of_segment_in_a_value_is_none_in_the_message():
    message = only(study(local_number="7\rPID|2"))
    assert [str(one[0]) for one in message] == ["MSH", "EVN", "PID", "PV1"]
