"""Scenarios for finding the line of a key in a job file."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from remediation.app.config_errors import find_lines, shown


def test_tables_keys_and_arrays_have_their_line():
    text = """\
# a comment
[job]
name = "x"  # name = "y"

[[archive]]
name = "a"
[[archive.issuer_alias]]
means = "x"
[[archive]]
name = "b"
[archive.extra]
deep.er = 1
[[archive.issuer_alias]]
  means = 'y'
[[archive.issuer_alias]]
"spelling" = "z"
"""
    assert find_lines(text) == {
        ("job",): 2,
        ("job", "name"): 3,
        ("archive", 0): 5,
        ("archive", 0, "name"): 6,
        ("archive", 0, "issuer_alias", 0): 7,
        ("archive", 0, "issuer_alias", 0, "means"): 8,
        ("archive", 1): 9,
        ("archive", 1, "name"): 10,
        ("archive", 1, "extra"): 11,
        ("archive", 1, "extra", "deep", "er"): 12,
        ("archive", 1, "issuer_alias", 0): 13,
        ("archive", 1, "issuer_alias", 0, "means"): 14,
        ("archive", 1, "issuer_alias", 1): 15,
        ("archive", 1, "issuer_alias", 1, "spelling"): 16,
    }


def test_text_of_several_lines_holds_no_keys():
    text = '[apply]\nin_place_statement = """\n[run]\nworkers = 1\n"""\ncanary = """x"""\nmax = 3\n'
    assert find_lines(text) == {
        ("apply",): 1,
        ("apply", "in_place_statement"): 2,
        ("apply", "canary"): 6,
        ("apply", "max"): 7,
    }


def test_keys_that_may_be_values_are_not_shown():
    assert shown("max_files") == "'max_files'"
    assert {shown(key) for key in ("123456", "a" * 41, "a\nb", "")} == {"a key", "''"}


@given(st.text(alphabet="[]=.\"'#ab1 \n\r", max_size=60))
def test_any_text_is_searched(text):
    for place, line in find_lines(text).items():
        assert place
        assert 1 <= line <= text.count("\n") + 1


names = st.sampled_from(["a", "b", "c"])


@given(st.dictionaries(names, st.dictionaries(names, st.integers(0, 9), min_size=1), min_size=1))
def test_every_key_of_plain_tables_is_found(data):
    text = "".join(
        f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for table, keys in data.items()
    )
    assert tomllib.loads(text) == data
    lines = text.split("\n")
    found = find_lines(text)
    for table, keys in data.items():
        assert lines[found[(table,)] - 1] == f"[{table}]"
        for key, value in keys.items():
            assert lines[found[(table, key)] - 1] == f"{key} = {value}"
