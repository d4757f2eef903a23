"""Cells made comparable by the column are what they are one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from remediation.model import bsn, person
from remediation.model.crosswalk import Rows
from remediation.tables.crosswalk import Crosswalk
from remediation.tables.crosswalk_cells import passing
from remediation.tables.crosswalk_quality import quality

nine = st.integers(0, 999_999_999).map(lambda n: f"{n:09}")
numbers = nine | st.sampled_from([*bsn.PLACEHOLDERS, *map(bsn.test_number, range(5))])
texts = numbers | st.sampled_from(["", "1234.56.782", "BSN 12345678", "1234567", "²²²²²²²²²", "x"])
names = st.sampled_from(["", "Jansen", "de Vries", "Jansen-de Vries", "Müller", "Baby", "van de"])


@given(st.lists(numbers))
def test_the_elfproef_of_many_is_that_of_each(drawn):
    values = np.array([int(number) for number in drawn], np.int32)
    assert passing(values).tolist() == [bsn.passes(number) for number in drawn]


@given(st.lists(texts, min_size=1, max_size=5))
def test_numbers_are_what_the_model_makes_of_each(drawn):
    cells = {"bsn": drawn, "local_number": [str(n) for n in range(len(drawn))]}
    rows = Rows(cells, range(1, len(drawn) + 1), "a line", "csv")
    crosswalk = Crosswalk.read([rows])
    for text, entry in zip(drawn, crosswalk.entries, strict=True):
        normal = bsn.normalise(text)
        assert (entry.bsn, entry.well_formed) == (normal or text, normal is not None)
    found = quality(crosswalk)
    well = [number for text in drawn if (number := bsn.normalise(text))]
    assert found.placeholders == sum(map(bsn.is_placeholder, well))
    assert found.test_numbers == sum(map(bsn.is_test_number, well))
    assert found.without_number == drawn.count("")


@given(st.lists(st.tuples(names, names, names, st.sampled_from(["3-2-1950", "?", ""])), min_size=1))
def test_names_and_dates_are_what_the_model_makes_of_each(drawn):
    own, birth, partner, dates = zip(*drawn, strict=True)
    cells = {"family_name": own, "birth_name": birth, "partner_name": partner, "birth_date": dates}
    cells["local_number"] = [str(n) for n in range(len(drawn))]
    crosswalk = Crosswalk.read([Rows(cells, range(1, len(drawn) + 1), "a line", "csv")])
    for (*three, date), entry in zip(drawn, crosswalk.entries, strict=True):
        parts = (part for name in three for part in person.family_names(name))
        assert entry.family_names == tuple(dict.fromkeys(parts))
        assert entry.birth_date == person.birth_date(date)
