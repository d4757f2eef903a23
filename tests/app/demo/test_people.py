from remediation.app.demo.people import Registry
from remediation.app.demo.story import OOST, WEST
from remediation.model import bsn


def test_people_share_nothing_that_identifies_them():
    registry = Registry(7)
    people = [registry.person(WEST) for _ in range(1000)]
    for facts in (
        {p.number for p in people},
        {p.birth for p in people},
        {p.local["west"] for p in people},
    ):
        assert len(facts) == 1000


def test_numbers_are_test_numbers_that_pass():
    registry = Registry(3)
    for person in (registry.person(OOST) for _ in range(300)):
        assert bsn.is_test_number(person.number)
        assert bsn.passes(person.number)


def test_about_one_in_eleven_nine_digit_local_numbers_passes_by_chance():
    registry = Registry(5)
    local = [registry.local(WEST, plain=False) for _ in range(5500)]
    assert {len(number) for number in local} == {9}
    assert any(number.startswith("0") for number in local)
    assert not any(map(bsn.is_test_number, local))
    assert 400 < sum(map(bsn.passes, local)) < 600


def test_a_local_number_passes_or_fails_where_that_is_asked():
    registry = Registry(5)
    for wanted in (True, False):
        made = [registry.local(WEST, passing=wanted) for _ in range(50)]
        assert {bsn.passes(number) for number in made} == {wanted}


def test_the_same_seed_makes_the_same_people():
    first, again, other = ([Registry(s).person(OOST) for _ in range(1)] for s in (1, 1, 2))
    assert first == again != other


def test_names_fit_iso_ir_100():
    registry = Registry(7)
    names = [registry.person(OOST).name for _ in range(500)]
    assert all(name.encode("latin-1") for name in names)
    assert any(not name.isascii() for name in names)
    assert any("-" in name for name in names)
    assert any(name.startswith(("van ", "de ")) for name in names)
