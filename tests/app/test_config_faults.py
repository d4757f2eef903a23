"""Scenarios for job files with faults: what is said of each, and what never is."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from job_texts import FULL, MINIMAL, PUBLIC_KEY, changed

from remediation.errors import UsageError
from remediation.model import bsn

NUMBER = bsn.test_number(77)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target =", "tarket =", "'tarket' in [placement] (L): did you mean 'target'?"),
        ("[placement]", "[placment]", "unknown [placment] (L): did you mean 'placement'?"),
        ("from = 2007", "frm = 2007", "unknown 'frm' in [job] (L): did you mean 'from'?"),
        ("layout_date", "layout_dat", "'layout_dat' in [archive] (L): did you mean 'layout_date'?"),
        ("sex = ", "sexe = ", "unknown 'sexe' in [crosswalk.columns] (L): did you mean 'sex'?"),
        ("workers = 2", "zzz = 2", "unknown 'zzz' in [run] (L)"),
        ("workers = 2", 'workers = "2"', "'workers' in [run] must be a whole number"),
        ("workers = 2", "workers = true", "'workers' in [run] must be a whole number"),
        ("workers = 2", "workers = 0", "'workers' in [run] must be at least 1"),
        ("seal_paths = true", "seal_paths = 1", "must be true or false"),
        ("target_coverage = 0.95", "target_coverage = 95", "must be at most 1.0"),
        ("target_coverage = 0.95", "target_coverage = nan", "must be a finite number"),
        ("target_coverage = 0.95", 'target_coverage = "0.95"', "must be a number"),
        ("reads_per_second = 500", "reads_per_second = 0", "must be more than 0"),
        ("from = 2007-01-01", 'from = "2007-01-01"', "must be a date like 2007-01-01"),
        ("from = 2007-01-01", "from = 2007-01-01T00:00:00", "must be a date like 2007-01-01"),
        ("to = 2015-12-31", 'to = "today"', "'to' in [job] must be a date"),
        ("from = 2007-01-01", 'from = "yesterday"', "'from' in [job] must be a date"),
        ("to = 2015-12-31", "to = 2006-12-31", "'to' in [job] is before 'from' (L)"),
        ("to = 2010-12-31", "to = 2006-12-31",
         "'to' in [archive.local_issuer_period] is before 'from' (L)"),
        ("date = 2011-07-01", "from = 2011-07-02\nto = 2011-07-01",
         "'to' in [event] is before 'from'"),
        ("date = 2011-07-01", "", "item 1 of [[event]] needs either 'date', or 'from' and 'to'"),
        ("date = 2011-07-01", "from = 2011-07-02", "needs either 'date', or 'from' and 'to'"),
        ("date = 2011-07-01", "to = 2011-07-02", "needs either 'date', or 'from' and 'to'"),
        ("date = 2011-07-01", "date = 2011-07-01\nto = 2011-07-02", "needs either 'date'"),
        ("from = 2007-01-01\nto = 2010-12-31\n", "", "needs one of from, to, institution"),
        ('"Europe/Amsterdam"', '"Europe/Amsterdm"', "must be a time zone like Europe/Amsterdam"),
        ('"Europe/Amsterdam"', '"../zone"', "must be a time zone like Europe/Amsterdam"),
        ('"Europe/Amsterdam"', '"Europe"', "must be a time zone like Europe/Amsterdam"),
        ('name = "demo"', 'name = " "', "must be one line of printable text, not empty"),
        ("{mm}", "{month}", "knows the placeholders {yyyy}, {mm} and {dd} only"),
        ("{mm}", "{mm", "knows the placeholders {yyyy}, {mm} and {dd} only"),
        ("{mm}", "{yyyy}", "needs {yyyy}, or {yyyy} and {mm}, or all three"),
        ("{yyyy}/{mm}/", "", "needs {yyyy}, or {yyyy} and {mm}, or all three"),
        ("{yyyy}/{mm}/{dd}", "flat", "needs {yyyy}, or {yyyy} and {mm}, or all three"),
        ("{yyyy}/", "/{yyyy}/", "must be folders below the root"),
        ("{yyyy}/", "../{yyyy}/", "must be folders below the root"),
        ('layout_date = "study"', 'layout_date = "Study"', "must be 'study' or 'stored'"),
        ('local_issuer = "ZKH-OOST"', 'local_issuer = "ZKH-ÖOST"', "must be ASCII"),
        ('local_issuer = "ZKH-OOST"', f'local_issuer = "{"A" * 65}"', "at most 64 characters"),
        ('local_issuer = "ZKH-OOST"', r"local_issuer = 'ZKH\OOST'", "without a backslash"),
        ('local_issuer = "ZKH-OOST"', 'local_issuer = ""', "not empty"),
        ('local_issuer = "ZKH-OOST"', 'local_issuer = "foreign"', "cannot mean BSN"),
        ('local_issuer = "ZKH-OOST"', 'local_issuer = "NLMINBIZA"', "cannot mean BSN"),
        ('local_issuer = "ZKH-OUD"', 'local_issuer = "2.16.840.1.113883.2.4.6.3"', "cannot mean"),
        ('means = "ZKH-OOST"', 'means = "ZKH-WEST"', "must be a local_issuer of this file"),
        ('means = "ZKH-OOST"', 'means = "forein"', "must be a local_issuer of this file"),
        ('["InstitutionName"]', '["InstitutionNaam"]', "item 1 of 'by' in [source] must be"),
        ('["InstitutionName"]', "[]", "'by' in [source] must not be empty"),
        ('["InstitutionName"]', '"InstitutionName"', "'by' in [source] must be a list"),
        ('"Ziekenhuis Oost"', "3", "'Zkh. Oost' in [source.rename] must be text"),
        ('target = "at-rest"', 'target = "at rest"', "must be 'at-rest', 'exchange' or the path"),
        ("extra_issuers = []", r"extra_issuers = ['a\b']", "item 1 of 'extra_issuers' in [bsn]"),
        ("placeholders = []", 'placeholders = ["1234567"]', "must be a number of eight or nine"),
        ("placeholders = []", "placeholders = [123456782]", "must be text"),
        ('key_file = "keys/demo.key"', "key_file = 3", "'key_file' in [privacy] must be a path"),
        ('key_file = "keys/demo.key"', 'key_file = ""', "must be a path"),
        ('key_file = "keys/demo.key"', 'key_file = "a\\u0000b"', "must be a path"),
        ("keys/demo.key", "archive/oost/demo.key", "must not lie in the root of an archive"),
        ('dir = "out/demo"', 'dir = "archive/oost"', "must not lie in the root of an archive"),
        ('escrow_recipient = ""', 'escrow_recipient = "x"', "must be an age recipient"),
        ('kind = "pacs-migration"', 'kind = "PACS"', "'kind' in [event] must be 'pacs-migration'"),
        ('archive = "oost"', 'archive = "west"', "must be the name of an [[archive]]"),
        ('archive = "oost"', 'archive = "Oost"', "must be the name of an [[archive]]"),
        ('["epd/*.csv"]', "[]", "'files' in [crosswalk] must not be empty"),
        ('["epd/*.csv"]', '"epd/*.csv"', "'files' in [crosswalk] must be a list"),
        ('bsn = "bsn", ', "", "'bsn' in [crosswalk.columns] is missing (L)"),
        ('issuer = "uitgever", ', "", "'columns' in [crosswalk] must name an 'issuer' column"),
        ("max_age_days = 30", "max_age_days = -1", "must be at least 0"),
        (
            "max_age_days = 30",
            'max_age_days = 30\nhl7 = { issuers = { A = "NLMINBIZA" } }',
            "cannot mean BSN",
        ),
        ("width = 7", "width = 65", "must be at most 64"),
        ("width = 7", r"prefix = 'A\'", "must be at most 16 ASCII characters"),
        ("width = 7", 'prefix = "A "', "must be at most 16 ASCII characters"),
        (PUBLIC_KEY, "RW...", "must be a minisign public key"),
        (PUBLIC_KEY, PUBLIC_KEY[:-4], "must be a minisign public key"),
        (PUBLIC_KEY, "A" * 56, "must be a minisign public key"),
        ("approvals = 2", "approvals = 0", "must be at least 1"),
        ("tls://head-node:8786", "tcp://head-node:8786", "must be tls://host:port"),
        ("tls://head-node:8786", "tls://head-node", "must be tls://host:port"),
        ("tls://head-node:8786", "tls://head-node:x", "must be tls://host:port"),
        ("tls://head-node:8786", "tls://[::1", "must be tls://host:port"),
        ("20:00-06:00", "20:00-24:00", "must be two different times"),
        ("20:00-06:00", "20:00-20:00", "must be two different times"),
        ('language = "nl"', 'language = "de"', "must be 'nl' or 'en'"),
        ("[run]", "[[run]]", "[run] must be a table"),
        ("[[event]]", "[event]", "[[event]] must be a list"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_key_and_line(refused, old, new, message):
    # The line is the key's, or, where a table as a whole is at fault, that of its head above.
    before = FULL[: FULL.index(old)].count("\n") + 1
    told = refused(changed(old, new))
    line = re.search(r"\(job\.toml, line (\d+)\)", told)
    assert message in told.replace(line[0], "(L)")
    assert before - 3 <= int(line[1]) <= before + 1
    assert told.count("job.toml") == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('name = "demo"\n', "'name' in [job] is missing (job.toml, line 1)"),
        ('[privacy]\nkey_file = "keys/demo.key"\n', "[privacy] is missing (job.toml)"),
        ('key_file = "keys/demo.key"\n', "'key_file' in [privacy] is missing (job.toml, line 6)"),
        (
            '[[archive]]\nname = "oost"\nroot = "archive/oost"\n',
            "[[archive]] is missing (job.toml)",
        ),
        ('root = "archive/oost"\n', "'root' in [archive] is missing (job.toml, line 3)"),
        ('dir = "out/demo"\n', "'dir' in [output] is missing (job.toml, line 8)"),
    ],
)
def test_what_is_required_is_asked_for(refused, line, message):
    assert refused(changed(line, "", MINIMAL)) == message


@pytest.mark.parametrize("name", ["oost/1", "", ".", "öst", "a b", "a\\n", "a" * 65])
def test_an_archive_is_called_what_can_be_a_folder(refused, name):
    told = refused(changed('name = "oost"', f'name = "{name}"', MINIMAL))
    assert told.startswith("'name' in [archive] may hold letters, digits, - and _ only")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[[archive]]\nname = "Oost"\nroot = "b"\n', "'name' in [archive] is the same"),
        ('[[archive]]\nname = "b"\nroot = "archive/oost"\n', "lies in the root of another"),
        ('[[archive]]\nname = "b"\nroot = "archive/oost/b"\n', "lies in the root of another"),
        ('[[archive]]\nname = "b"\nroot = "archive"\n', "lies in the root of another"),
        (f'[[approver]]\nname = "tweede persoon"\npublic_key = "{PUBLIC_KEY[:-1]}E"\n', "the same"),
        (f'[[approver]]\nname = "Derde"\npublic_key = "{PUBLIC_KEY}"\n', "the same as in an"),
        (f'[[approver]]\nname = "Derde"\npublic_key = "RWQB{PUBLIC_KEY[4:]}"\n', "the same as in"),
        ('[[crosswalk.spelling]]\nissuer = "ZKH-OOST"\nwidth = 8\n', "the same as in an earlier"),
    ],
)
def test_what_must_differ_differs(refused, table, message):
    told = refused(f"{FULL}\n{table}")
    assert message in told
    assert int(re.search(r"line (\d+)", told)[1]) > FULL.count("\n")


def test_every_fault_is_told_at_once(refused):
    text = changed("workers = 2", 'workers = "two"')
    text = changed("target =", "tarket =", text)
    text = changed("to = 2015-12-31", "to = 2001-01-01", text)
    text = changed('[output]\ndir = "out/demo"', "[output]", text)
    told = refused(text).split("; ")
    assert len(told) == 4
    assert sum("did you mean 'target'?" in fault for fault in told) == 1
    assert all("job.toml, line" in fault for fault in told)


def test_a_job_file_of_nothing_asks_for_the_four_required_tables(refused):
    assert refused("").split("; ") == [
        f"{table} is missing (job.toml)"
        for table in ("[job]", "[[archive]]", "[privacy]", "[output]")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[job]\nname = demo\n",
            "the job file is not valid TOML (job.toml, line 2): invalid value",
        ),
        ("[job]\nfrom = 2007-02-30\n", "(job.toml, line 2): invalid date or datetime"),
        ("[job]\n[job]\n", "the job file is not valid TOML (job.toml, line 2)"),
        (f"[job]\n{NUMBER} = 1\n{NUMBER} = 2\n", "not valid TOML (job.toml, line 3)"),
        ('[job]\nname = "', "the job file is not valid TOML (job.toml): unterminated string"),
        (f"a = {'9' * 5000}", "the job file is not valid TOML (job.toml)"),
        (f"a = {'[' * 5000}", "the job file is not valid TOML (job.toml)"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(refused, text, message):
    told = refused(text)
    assert message in told
    assert NUMBER not in told


def test_a_number_that_serves_as_a_key_is_not_shown(refused):
    told = refused(changed("[run]", f"[run]\n{NUMBER} = 1") + f'\n["{NUMBER}"]\n"{NUMBER}x" = 1\n')
    assert NUMBER not in told
    assert "unknown a key in [run]" in told
    told = refused(changed('"Ziekenhuis Oost"', "3").replace("Zkh. Oost", NUMBER))
    assert NUMBER not in told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_value_is_ever_in_a_message(load, data):
    """Put a number wherever a value stands: it is taken, or refused without being shown."""
    lines = FULL.splitlines()
    for at in data.draw(st.sets(st.integers(0, len(lines) - 1), min_size=1, max_size=4)):
        key = lines[at].partition("=")[0]
        shape = data.draw(st.sampled_from(["{}", '"{}"', '["{}"]', "[{}]", '{{ x = "{}" }}']))
        if "=" in lines[at]:
            lines[at] = f"{key}= {shape.format(NUMBER)}"
    try:
        shown = repr(load("\n".join(lines)).name == NUMBER)
    except UsageError as error:
        shown = str(error)
    assert NUMBER not in shown
