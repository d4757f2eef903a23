"""Placements and orders: only sound ones exist, and none prints its number."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.errors import ManifestError
from remediation.model.bsn import PLACEHOLDERS, test_number
from remediation.model.issuers import BSN_OID
from remediation.model.placement import (
    ACTIONS,
    AT_REST,
    CLOSED_LIST,
    EXCHANGE,
    Edit,
    Order,
    Placement,
)

NUMBER, AT = test_number(3), "20260102030405.000000+0000"


def order(bsn=NUMBER, at=AT, **more):
    return Order(bsn, "ZKH-OOST", frozenset(), Placement(), at, **more)


def test_at_rest_with_everything_kept_is_the_default():
    default = Placement()
    assert (default.target, default.qualifiers) == (AT_REST, True)
    assert default.original_attributes
    assert not default.remove_retired


def test_a_placement_is_one_of_two():
    assert Placement(EXCHANGE).target == "exchange"
    with pytest.raises(ValueError, match="at-rest or exchange"):
        Placement("at rest")


def test_a_built_in_placement_is_its_own_base():
    assert (Placement().base, Placement(EXCHANGE).base) == (AT_REST, EXCHANGE)
    assert Placement(EXCHANGE, base=EXCHANGE) == Placement(EXCHANGE)


@pytest.mark.parametrize("target", [AT_REST, EXCHANGE])
@pytest.mark.parametrize(
    "other",
    [
        {"version": "2"},
        {"issuer": "NLMINBIZA"},
        {"beside_retired": True},
        {"digest": "0" * 64},
    ],
)
def test_a_built_in_name_cannot_stand_for_something_else(target, other):
    with pytest.raises(ValueError, match="built-in"):
        Placement(target, **other)
    turned = EXCHANGE if target == AT_REST else AT_REST
    with pytest.raises(ValueError, match="built-in"):
        Placement(target, base=turned)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"base": ""}, "made on the base"),
        ({"base": "nowhere"}, "made on the base"),
        ({"target": ""}, "name and a version"),
        ({"target": "pacs noord"}, "name and a version"),
        ({"target": "../x"}, "name and a version"),
        ({"version": ""}, "name and a version"),
        ({"version": "v" * 33}, "name and a version"),
        ({"issuer": ""}, "issuer to write"),
        ({"issuer": " X"}, "issuer to write"),
        ({"issuer": "A\\B"}, "issuer to write"),
        ({"issuer": "\xd6"}, "issuer to write"),
        ({"issuer": "A\n"}, "issuer to write"),
        ({"issuer": "Z" * 65}, "issuer to write"),
        ({"beside_retired": True, "remove_retired": True}, "OtherPatientIDs"),
        ({"typed": False}, "TypeOfPatientID"),
    ],
)
def test_a_placement_that_contradicts_itself_does_not_exist(said, fault):
    with pytest.raises(ValueError, match=fault):
        Placement(**{"target": "pacs-noord", "base": AT_REST, "version": "1"} | said)


def test_where_number_and_local_number_stand_follows_from_the_base():
    rest = Placement("noord", base=AT_REST, beside_retired=True)
    assert (rest.bsn_places, rest.local_place) == (
        ("OtherPatientIDsSequence", "OtherPatientIDs"),
        "PatientID",
    )
    assert (rest.conformant_kind, rest.conformant_issuer) == ("other", BSN_OID)
    assert not rest.primary_is_bsn
    assert not rest.conformant_is_right, "OtherPatientIDs has no status of its own"
    sent = Placement("noord", base=EXCHANGE, issuer="NLMINBIZA")
    assert (sent.bsn_places, sent.local_place) == (("PatientID",), "OtherPatientIDsSequence")
    assert (sent.conformant_kind, sent.conformant_issuer) == ("primary", "NLMINBIZA")
    assert sent.primary_is_bsn
    assert sent.conformant_is_right


OWN = st.builds(
    Placement,
    target=st.just("noord"),
    base=st.sampled_from([AT_REST, EXCHANGE]),
    version=st.sampled_from(["1", "2026-11"]),
    qualifiers=st.booleans(),
    original_attributes=st.booleans(),
    remove_retired=st.booleans(),
    issuer=st.sampled_from([BSN_OID, "NLMINBIZA"]),
    digest=st.sampled_from(["", "ab" * 32]),
)


@given(OWN | st.builds(Placement, st.sampled_from([AT_REST, EXCHANGE]), st.booleans()))
def test_a_placement_comes_back_from_what_a_manifest_records(placement):
    assert Placement.recorded(asdict(placement)) == placement


def test_older_manifests_name_fewer_settings():
    assert Placement.recorded({"target": "exchange", "qualifiers": False}) == Placement(
        EXCHANGE, qualifiers=False
    )


@pytest.mark.parametrize(
    "said",
    [
        {"target": "elsewhere"},
        {"target": "at-rest", "base": "exchange"},
        {"target": "at-rest", "qualifiers": 1},
        {"target": "at-rest", "qualifiers": "yes"},
        {"target": None},
        {"target": "at-rest", "places": []},
    ],
)
def test_a_record_of_something_else_is_refused(said):
    with pytest.raises(ManifestError, match="placement"):
        Placement.recorded(said)


def test_an_edit_has_an_action_of_the_closed_list():
    assert {"set", "add", "remove", "move", "append"} == ACTIONS
    assert Edit("PatientID", "move", "header").token_of == ""
    for action, source in (("erase", "header"), ("set", "somewhere"), ("", "")):
        with pytest.raises(ValueError, match="closed lists"):
            Edit("PatientID", action, source)


@pytest.mark.parametrize(
    "number", ["999900007", "99990006", "", "0999900006", *sorted(PLACEHOLDERS)]
)
def test_no_order_for_a_number_that_fails_or_stands_for_none(number):
    with pytest.raises(ValueError, match="elfproef") as raised:
        order(number)
    assert not number or number not in str(raised.value)


def test_the_hospitals_own_placeholders_are_not_ordered_either():
    with pytest.raises(ValueError, match="placeholder"):
        order(placeholders=(NUMBER,))


@pytest.mark.parametrize(
    "at", ["", "20260102", "20260102030405", "20260102030405+01:00", "2026-01-02T03:04:05+0100"]
)
def test_the_time_of_an_order_is_a_moment_with_utc_offset(at):
    with pytest.raises(ValueError, match="UTC offset"):
        order(at=at)


@pytest.mark.parametrize("at", [AT, "20260102030405+0100", "20260102030405.1-0500"])
def test_moments_are_taken_as_they_are(at):
    assert order(at=at).at == at


def test_an_order_never_shows_its_number():
    assert NUMBER not in repr(order())
    assert NUMBER not in f"{order()}"


def test_the_closed_list_is_the_seven_attributes():
    names = {f"{tag:08x}" for tag in CLOSED_LIST}
    assert names == {
        "00100020", "00100021", "00100022", "00100024", "00101000", "00101002", "04000561",
    }  # fmt: skip
