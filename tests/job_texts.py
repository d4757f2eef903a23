"""Job files for tests: the shortest that loads, and one with every key of the contract."""

PUBLIC_KEY = "RWQ" + "A" * 53

MINIMAL = """\
[job]
name = "demo"
[[archive]]
name = "oost"
root = "archive/oost"
[privacy]
key_file = "keys/demo.key"
[output]
dir = "out/demo"
"""

# Every key of the contract, in its order.
FULL = f"""\
[job]
name = "demo"
from = 2007-01-01
to = 2015-12-31
timezone = "Europe/Amsterdam"
target_coverage = 0.95
provisional_months = 2
responsible = "PACS-beheer"
allow_test_numbers = false

[[archive]]
name = "oost"
root = "archive/oost"
layout = "{{yyyy}}/{{mm}}/{{dd}}"
layout_date = "study"
local_issuer = "ZKH-OOST"

[[archive.local_issuer_period]]
from = 2007-01-01
to = 2010-12-31
local_issuer = "ZKH-OUD"

[[archive.issuer_alias]]
spelling = "OOST_HIS"
means = "ZKH-OOST"

[source]
by = ["InstitutionName"]
[source.rename]
"Zkh. Oost" = "Ziekenhuis Oost"

[placement]
target = "at-rest"
original_attributes = true
remove_retired = false

[bsn]
extra_issuers = []
placeholders = []

[privacy]
key_file = "keys/demo.key"
seal_paths = true
escrow_recipient = ""

[[event]]
name = "PACS-migratie"
kind = "pacs-migration"
date = 2011-07-01
archive = "oost"

[crosswalk]
files = ["epd/*.csv"]
columns = {{ local_number = "patientnr", issuer = "uitgever", bsn = "bsn", status = "bsn_status", \
validation = "wid_status", birth_date = "geboortedatum", sex = "geslacht", \
family_name = "achternaam", birth_name = "geboortenaam", partner_name = "partnernaam", \
initials = "voorletters", exemption = "uitzondering", replaced_by = "vervangen_door" }}
writable_statuses = ["geverifieerd"]
writable_validations = []
max_age_days = 30
[[crosswalk.spelling]]
issuer = "ZKH-OOST"
width = 7

[[approver]]
name = "Tweede Persoon"
public_key = "{PUBLIC_KEY}"

[apply]
approvals = 2
max_files = 10000
canary = 20
pause_after_canary = false
in_place_statement = ""

[run]
workers = 2
scheduler = "tls://head-node:8786"
reads_per_second = 500
window = "20:00-06:00"

[output]
dir = "out/demo"
language = "nl"
"""


def changed(old: str, new: str, text: str = FULL) -> str:
    """Return a job file with one thing changed, the first that reads `old`."""
    assert old in text, f"the job file has no {old!r}"
    return text.replace(old, new, 1)
