"""Match: studies and crosswalk in, identities out, batch by batch.

The inventory has no names. Where header and EPD could be one typing error apart, the header is read
again: once for a patient and a spelling, by threads that read ahead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from remediation.errors import DatasetError
from remediation.model.crosswalk import Crosswalk
from remediation.model.evidence import MatchRules, StudyEvidence
from remediation.model.identity import Identity, Matcher
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.model.washing import shown_words
from remediation.store import datasets
from remediation.store.again import Names
from remediation.store.batches import Batches
from remediation.store.inventory import Inventory
from remediation.tables.codes import encoded
from remediation.tables.evidence import (
    FINDING_COLUMNS,
    INSTANCE_COLUMNS,
    STUDY_COLUMNS,
    evidence,
)
from remediation.tables.judge import Sources
from remediation.tables.schemas import IDENTITIES, INVENTORY, PLACES, STUDIES

BATCH_ROWS = 250_000  # instances; a study is an object here, which takes more than a row
_PLAIN = pa.schema([STUDIES.field(name) for name in STUDY_COLUMNS])
_FLAG = "remediation flag"
_Batch = tuple[pa.Table, pa.Table]


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """What to match, by which rules, and how heads are read again: `readers` threads, at a pace."""

    output: Path
    rules: MatchRules
    roots: dict[str, Path]
    sources: Sources = field(default_factory=Sources)
    readers: int = 4
    pace: Callable[[], None] = lambda: None
    batch_rows: int = BATCH_ROWS


@dataclass(frozen=True, slots=True)
class MatchReport:
    """Studies per outcome, per reason, per warning, and of the exempt ones per word of the EPD.

    `heads_read` headers were read again for a name.
    """

    outcomes: dict[str, int]
    reasons: dict[str, int]
    warnings: dict[str, int]
    exemptions: dict[str, int]
    heads_read: int


def run(
    options: MatchOptions, crosswalk: Crosswalk, keys: Keys, *, advance: Advance = silent
) -> MatchReport:
    """Write identities.

    Raises:
        DatasetError: `flag` has not run, or not since the last crawl; or with another key.
        ShareError: the disk is full.
    """
    inventory = Inventory(options.output, keys.key_id, INVENTORY)
    inventory.require()
    work = _Work(options, inventory, crosswalk, keys)
    with datasets.stream(
        options.output / "identities.parquet", IDENTITIES, keys.key_id
    ) as identities:
        for table in work.tables(advance):
            identities(table)
        work.complete()
    return work.report()


class _Work:
    """One run: what it has counted, and the names that it has read."""

    def __init__(
        self, options: MatchOptions, inventory: Inventory, crosswalk: Crosswalk, keys: Keys
    ) -> None:
        self.options, self.inventory, self.keys = options, inventory, keys
        self.matcher = Matcher(crosswalk, keys, options.rules)
        # Of the whole export, as few studies may be of rows with a word.
        self.words = shown_words(crosswalk.words("exemption"))
        path = options.output / "places.parquet"
        self.places = datasets.read(path, PLACES, keys.key_id, _FLAG)
        self.studies = options.output / "studies.parquet"
        self.names = Names(options.roots, keys, options.readers, options.pace)
        self.counts = {name: Counter[str]() for name in ("outcomes", "reasons", "warnings")}
        self.exemptions = Counter[str]()

    def tables(self, advance: Advance) -> Iterator[pa.Table]:
        """Yield the identities of each batch of studies, in order of archive and date."""
        columns = list(dict.fromkeys([*INSTANCE_COLUMNS, "StudyDate", *self.options.sources.by]))
        batches = Batches.of(self.inventory, self.options.batch_rows)
        for instances, findings in _one_ahead(batches.whole_studies(columns, FINDING_COLUMNS)):
            studies = self._studies(instances)
            found = list[tuple[StudyEvidence, Identity]]()
            for one in evidence(instances, findings, self.places, studies, self.options.sources):
                found.append((one, self.matcher.resolve(one)))
                advance(1)
            self._read_again(found)
            found = [(one, self._washed(identity)) for one, identity in found]
            for _, identity in found:
                self._count(identity)
            yield pa.Table.from_pylist([_row(*one) for one in found], schema=IDENTITIES)

    def _studies(self, instances: pa.Table) -> pa.Table:
        """Return the studies of these instances, as `flag` judged them."""
        archives = encoded(instances["archive"]).dictionary
        uids = encoded(instances["StudyInstanceUID"]).dictionary
        days = pc.min_max(instances["StudyDate"]).as_py()
        day = pc.field("StudyDate")
        where = pc.field("archive").isin(archives) & pc.field("StudyInstanceUID").isin(uids)
        if days["min"] is not None:
            # Held in the footer of each group of rows: those of other years are not read.
            where &= day.is_null() | ((day >= days["min"]) & (day <= days["max"]))
        found = datasets.read_rows(
            self.studies, STUDIES, self.keys.key_id, _FLAG, columns=STUDY_COLUMNS, where=where
        )
        order = ("archive", "StudyDate", "StudyInstanceUID")
        return found.cast(_PLAIN).sort_by([(name, "ascending") for name in order])

    def complete(self) -> None:
        """Raise unless each study that `flag` judged has been matched."""
        matched = self.counts["outcomes"].total()
        if matched != datasets.rows_in(self.studies, _FLAG):
            raise DatasetError(
                "studies.parquet is not of this inventory",
                str(self.studies),
                f"run `{_FLAG}` again",
            )

    def _washed(self, identity: Identity) -> Identity:
        """Return an identity with no more of the EPD's free word than may be shown."""
        word = identity.exemption
        return replace(identity, exemption=self.words[word]) if word else identity

    def _count(self, identity: Identity) -> None:
        self.counts["outcomes"][identity.outcome] += 1
        if identity.reason:
            self.counts["reasons"][identity.reason] += 1
        self.counts["warnings"].update(identity.warnings)
        if identity.outcome == "exempt":
            self.exemptions[identity.exemption or ""] += 1

    def report(self) -> MatchReport:
        """Return what was counted."""
        told = {name: dict(sorted(found.items())) for name, found in self.counts.items()}
        return MatchReport(
            **told,
            exemptions=dict(sorted(self.exemptions.items())),
            heads_read=self.names.heads_read,
        )

    def _read_again(self, found: list[tuple[StudyEvidence, Identity]]) -> None:
        """Give those another identity where the header's own words give one."""
        asking = [n for n, (_, identity) in enumerate(found) if identity.asks]
        self.names.read((found[n][0].archive, group) for n in asking for group in found[n][1].asks)
        for n in asking:
            study = found[n][0]
            groups = tuple(
                replace(group, plain=self.names.of(study.archive, group)) for group in study.groups
            )
            found[n] = study, self.matcher.resolve(replace(study, groups=groups))


def _one_ahead(batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """Yield these while the next one is read: Arrow leaves the other core to Python."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (now := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield now


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
