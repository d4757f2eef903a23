"""What the fuzzer checks holds of its seeds, and of some damage to them, without atheris."""

import random

import pytest

from fuzz.checks import check
from fuzz.seeds import seeds

SEEDS = dict(seeds())


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_is_read_into_rows(name):
    check(SEEDS[name])


@pytest.mark.parametrize("name", [name for name in SEEDS if len(SEEDS[name]) < 8000])
def test_a_damaged_seed_is_read_into_rows(name):
    drawn = random.Random(name)
    for _ in range(10):
        data = bytearray(SEEDS[name])
        for _ in range(drawn.randint(1, 6)):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        check(bytes(data[: drawn.randint(1, len(data))]))
