"""Match: studies and crosswalk in, identities and a worklist out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from remediation.dicom.locate import person
from remediation.model import bsn
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import MatchRules, StudyEvidence
from remediation.model.files import FileRef, resolved
from remediation.model.identity import Identity, Matcher
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.archive import see
from remediation.store.inventory import Inventory
from remediation.store.worklists import write_csv
from remediation.tables.evidence import INSTANCE_COLUMNS, evidence
from remediation.tables.judge import Sources
from remediation.tables.schemas import IDENTITIES, INVENTORY, PLACES, STUDIES

# What the registration desk can settle; the rest is for others.
_DESK = frozenset(
    {
        "no-number",
        "not-verified",
        "invalid-number",
        "placeholder-number",
        "two-numbers",
        "shared-number",
        "no-crosswalk-entry",
    }
)
_HEADINGS = ("lokaal nummer", "uitgever", "archief", "reden", "studies", "eerste studie")


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What to match, and by which rules."""

    output: Path
    rules: MatchRules
    roots: dict[str, Path]
    sources: Sources = field(default_factory=Sources)


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Studies per outcome and per reason; `heads_read` for the worklist."""

    outcomes: dict[str, int]
    reasons: dict[str, int]
    worklist: Path
    heads_read: int


def run(
    options: MatchOptions, crosswalk: Crosswalk, keys: Keys, *, advance: Advance = silent
) -> MatchReport:
    """Write identities and the registration desk's worklist.

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
    desk = _Desk(options, crosswalk, keys, inventory)
    worklist = desk.write(found)
    return MatchReport(
        dict(sorted(Counter(identity.outcome for _, identity in found).items())),
        dict(sorted(Counter(i.reason for _, i in found if i.reason).items())),
        worklist,
        desk.heads_read,
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


class _Desk:
    """The registration desk's list: patients first whose number holds up the most studies."""

    def __init__(
        self, options: MatchOptions, crosswalk: Crosswalk, keys: Keys, inventory: Inventory
    ) -> None:
        self.options, self.crosswalk, self.keys = options, crosswalk, keys
        self.inventory = inventory
        self.heads_read = 0

    def write(self, found: list[tuple[StudyEvidence, Identity]]) -> Path:
        held_up: dict[tuple[str, str, str], list[tuple[StudyEvidence, Identity]]] = defaultdict(
            list
        )
        for study, identity in found:
            reason = identity.reason or next(iter(identity.warnings), "")
            if reason in _DESK:
                patient = next((g.patient_token or "" for g in study.groups), "")
                held_up[study.archive, patient, reason].append((study, identity))
        paths = self._paths(studies[0] for studies in held_up.values())
        rows = [
            (
                *self._who(studies[0], paths),
                archive,
                reason,
                len(studies),
                min(s.study for s, _ in studies),
            )
            for (archive, _, reason), studies in held_up.items()
        ]
        rows.sort(key=lambda row: (-int(row[4]), row[2], row[5]))
        path = self.options.output / "worklists" / "registratie.csv"
        write_csv(path, _HEADINGS, rows)
        return path

    def _paths(
        self, wanted: Iterable[tuple[StudyEvidence, Identity]]
    ) -> dict[tuple[str, str], str]:
        """Return a readable file of each study that has no row: its header is read again."""
        studies = [study.study for study, identity in wanted if identity.entry is None]
        here = ds.field("StudyInstanceUID").isin(studies) & (ds.field("state") == "read")
        columns = ["archive", "StudyInstanceUID", "path"]
        rows = self.inventory.instances(columns, here).to_pylist() if studies else []
        return {(row["archive"], row["StudyInstanceUID"]): row["path"] for row in reversed(rows)}

    def _who(
        self, one: tuple[StudyEvidence, Identity], paths: dict[tuple[str, str], str]
    ) -> tuple[str, str]:
        study, identity = one
        if identity.entry:
            number, issuer = self.crosswalk.spelled(identity.entry), identity.entry.issuer
            known = bsn.normalise(number) or ""
            return "" if self.crosswalk.by_bsn(known) else number, issuer
        number = self._from_header(study, paths.get((study.archive, study.study)))
        return number, next((g.issuer for g in study.groups), "")

    def _from_header(self, study: StudyEvidence, path: str | None) -> str:
        """Read one header again: of this patient the inventory knows a token only."""
        root = self.options.roots.get(study.archive)
        if path is None or root is None:
            return ""
        self.heads_read += 1
        seen = see(root, FileRef(resolved(path, self.keys), 0, 0))
        number = person(seen.head).patient_id if seen.head else ""
        whole = bsn.normalise(number)
        # A number that may be a BSN is not for a list: the desk looks the study up.
        return "" if any(map(bsn.passes, [whole] if whole else bsn.runs(number))) else number
