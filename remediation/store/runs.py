"""What was done with a manifest: its journals, read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from remediation.model.secrets import Keys
from remediation.store.files import guarded
from remediation.store.intents import Bytes, Intent, Kind, StudyLog, study_logs
from remediation.store.journal import Record, Type, journals, read


@dataclass(frozen=True, slots=True)
class Run:
    """One journal: what it said at its beginning, and its records."""

    run_id: str
    begin: dict[str, Any]
    records: tuple[Record, ...]

    @property
    def complete(self) -> bool:
        """Whether it came to its end with every file as wanted."""
        return any(r.type is Type.END and r.body.get("complete") for r in self.records)

    @property
    def end(self) -> str:
        """When it ended (ISO 8601), or empty."""
        return next((str(r.body.get("at", "")) for r in self.records if r.type is Type.END), "")


def runs_of(output: Path, digest: str) -> Iterator[Run]:
    """Yield the runs of a manifest, oldest first.

    Raises:
        DatasetError: a journal is damaged.
    """
    found = []
    for path in journals(output / "journal"):
        records = read(path)
        begin = dict(records[0].body) if records else {}
        if begin.get("manifest") == digest:
            found.append(Run(path.stem, begin, records))
    # A clock can be set back, and names of one second have no order.
    yield from sorted(found, key=lambda run: int(run.begin.get("number", 0)))


def next_number(output: Path) -> int:
    """Return a number above that of every earlier run; ask for it while the archives are locked."""
    return 1 + max(map(_number, journals(output / "journal")), default=0)


def _number(path: Path) -> int:
    with guarded("a journal cannot be read", path.name), path.open("rb") as file:
        line = file.readline()
    try:
        return int(json.loads(line)["number"])
    except (ValueError, KeyError, TypeError):  # cut off before it said anything
        return 0


def applied(runs: Iterable[Run], keys: Keys) -> list[StudyLog]:
    """Return the studies whose new bytes stand, with the intents that can take them back."""
    standing: dict[str, dict[tuple[str, bytes], Intent]] = {}
    logs: dict[str, StudyLog] = {}
    for run in runs:
        for log in study_logs(run.records, keys):
            files = {(i.place.archive, i.place.relative): i for i in log.intents}
            if log.kind is Kind.APPLY and log.stands_new:
                standing.setdefault(log.study, {}).update(files)
                logs[log.study] = log
            elif log.kind is Kind.ROLLBACK and log.closed is Bytes.NEW:
                for place in files:
                    standing.get(log.study, {}).pop(place, None)
    return [
        replace(log, intents=tuple(standing[study].values()), places=())
        for study, log in logs.items()
        if standing.get(study)
    ]
