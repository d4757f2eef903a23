"""Match: studies and crosswalk in, identities out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import MatchRules, StudyEvidence
from remediation.model.identity import Identity, Matcher
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.inventory import Inventory
from remediation.tables.evidence import INSTANCE_COLUMNS, evidence
from remediation.tables.judge import Sources
from remediation.tables.schemas import IDENTITIES, INVENTORY, PLACES, STUDIES


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What to match, and by which rules."""

    output: Path
    rules: MatchRules
    roots: dict[str, Path]
    sources: Sources = field(default_factory=Sources)


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Studies per outcome and per reason."""

    outcomes: dict[str, int]
    reasons: dict[str, int]


def run(
    options: MatchOptions, crosswalk: Crosswalk, keys: Keys, *, advance: Advance = silent
) -> MatchReport:
    """Write identities.

    Raises:
        DatasetError: `flag` has not run, or with another key.
    """
    inventory = Inventory(options.output, keys.key_id, INVENTORY)
    inventory.require()
    studies, places = (
        datasets.read(options.output / f"{name}.parquet", schema, keys.key_id, "remediation flag")
        for name, schema in (("studies", STUDIES), ("places", PLACES))
    )
    instances = inventory.instances({*INSTANCE_COLUMNS, *options.sources.by})
    matcher = Matcher(crosswalk, keys, options.rules)
    found: list[tuple[StudyEvidence, Identity]] = []
    for one in evidence(instances, inventory.findings(), places, studies, options.sources):
        found.append((one, matcher.resolve(one)))
        advance(1)
    rows = [_row(study, identity) for study, identity in found]
    table = pa.Table.from_pylist(rows, schema=IDENTITIES)
    datasets.write(options.output / "identities.parquet", table, keys.key_id)
    return MatchReport(
        dict(sorted(Counter(identity.outcome for _, identity in found).items())),
        dict(sorted(Counter(i.reason for _, i in found if i.reason).items())),
    )


def _row(study: StudyEvidence, identity: Identity) -> dict[str, Any]:
    return {
        "StudyInstanceUID": study.study,
        "archive": study.archive,
        "outcome": identity.outcome,
        "reason": identity.reason,
        "bsn_token": identity.bsn_token,
        "value_source": "crosswalk" if identity.bsn_token else None,
        "evidence": identity.evidence,
        "local_issuer": identity.entry.issuer if identity.bsn_token and identity.entry else None,
        "local_token": identity.local_token,
        "warnings": list(identity.warnings),
        "exemption": identity.exemption,
    }
