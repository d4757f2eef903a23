"""Placements and orders: only sound ones exist, and none prints its number."""

import pytest

from remediation.model.bsn import PLACEHOLDERS, test_number
from remediation.model.placement import AT_REST, CLOSED_LIST, EXCHANGE, Order, Placement

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
