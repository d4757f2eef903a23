"""The demo hospital's job file and keys."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

from remediation.app.demo.epd import COLUMNS, VERIFIED
from remediation.app.demo.story import (
    END,
    FIRST,
    MERGED_FROM,
    MERGER,
    OOST,
    PACS_MIGRATION,
    WEST,
)
from remediation.model.minisign import new_key_pair

KEY_NAME = "demo.key"
APPROVERS = ("Demo Goedkeurder Een", "Demo Goedkeurder Twee")
STATEMENT = (
    "DEMO: kunstmatige archieven zonder PACS; er is geen leverancier en er valt niets af te spreken"
)

_JOB = """\
# The demo hospital. Everything in it is drawn from a seed; the numbers are test numbers.
[job]
name = "demo"
from = {first}
to = {last}
timezone = "Europe/Amsterdam"
target_coverage = 0.95
provisional_months = 2
responsible = "PACS-beheer (demo)"
allow_test_numbers = true

[[archive]]
name = "{oost.archive}"
root = "archive/{oost.archive}"
layout = "{{yyyy}}/{{mm}}/{{dd}}"
layout_date = "study"
local_issuer = "{oost.issuer}"
[[archive.issuer_alias]]
spelling = "OOST_HIS"
means = "{oost.issuer}"
[[archive.issuer_alias]]
spelling = "IMPORT"
means = "ignore"
[[archive.issuer_alias]]
spelling = "ZKH-ELDERS"
means = "foreign"

[[archive]]
name = "{west.archive}"
root = "archive/{west.archive}"
local_issuer = "{west.issuer}"
[[archive.issuer_alias]]
spelling = "ZKH-ELDERS"
means = "foreign"
# What this importer stored may carry a number of either hospital.
[[archive.local_issuer_period]]
writing_software = "IMPORT_1"
local_issuer = "{oost.issuer}"
[[archive.local_issuer_period]]
writing_software = "IMPORT_1"
local_issuer = "{west.issuer}"

[source]
by = ["InstitutionName"]
[source.rename]
"{oost.renamed}" = "{oost.institution}"

[placement]
target = "at-rest"
original_attributes = true

[privacy]
key_file = "keys/{key_name}"

[[event]]
name = "{pacs.event}"
kind = "pacs-migration"
date = {pacs.start}
archive = "{oost.archive}"

[[event]]
name = "{merger.event}"
kind = "merger"
date = {merged}

[crosswalk]
files = ["epd/*.csv"]
columns = {{ {columns} }}
writable_statuses = ["{verified}"]
max_age_days = 0
[[crosswalk.spelling]]
issuer = "{oost.issuer}"
width = {oost.digits}

{approvers}
[apply]
approvals = 2
in_place_statement = "{statement}"

[run]
workers = 2

[output]
dir = "."
language = "nl"
"""


def approver_key_name(number: int) -> str:
    """Return the file name of an approver's secret key, counted from 1."""
    return f"approver-{number}.key"


def write_keys(folder: Path, seed: int) -> list[tuple[str, str]]:
    """Write the key file (drawn from the seed) and the approvers' secret keys (random).

    Returns:
        The name and the public line of each approver.
    """
    secret = hashlib.sha256(f"remediation demo {seed}".encode()).hexdigest()
    _write_secret(folder / KEY_NAME, secret + "\n")
    approvers = []
    for number, name in enumerate(APPROVERS, 1):
        secret, public = new_key_pair()
        _write_secret(folder / approver_key_name(number), secret)
        approvers.append((name, public))
    return approvers


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def job_text(approvers: list[tuple[str, str]]) -> str:
    """Return the job file; `approvers` are names and public lines."""
    return _JOB.format(
        first=FIRST,
        key_name=KEY_NAME,
        last=END - timedelta(days=1),
        oost=OOST,
        west=WEST,
        pacs=PACS_MIGRATION,
        merger=MERGER,
        merged=MERGED_FROM,
        columns=", ".join(f'{key} = "{column}"' for key, column in COLUMNS.items()),
        verified=VERIFIED,
        approvers="\n".join(
            f'[[approver]]\nname = "{name}"\npublic_key = "{public}"\n'
            for name, public in approvers
        ),
        statement=STATEMENT,
    )
