"""Recover: an interrupted apply or rollback brought to a clean state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from remediation.model.audit import Seen, unseen
from remediation.model.secrets import Keys
from remediation.store.journal import journals
from remediation.store.locks import lock_root
from remediation.store.recovery import State, recover


@dataclass(frozen=True, slots=True)
class RecoverOptions:
    """Where the journals lie, and the archives they speak of."""

    output: Path
    roots: Mapping[str, Path]
    seen: Seen = unseen  # hears of each study that was settled, for the audit log


@dataclass(frozen=True, slots=True)
class RecoverReport:
    """Studies per state, and in words what needs a person (run and reason, no study)."""

    states: dict[str, int]
    for_a_person: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is left for a person."""
        return not self.for_a_person


def run(options: RecoverOptions, keys: Keys) -> RecoverReport:
    """Finish or put back every study that a run left half way.

    Raises:
        LockedError: a run is still going on.
        DatasetError: a journal is damaged; nothing of it is touched.
    """
    with ExitStack() as held:
        for name in sorted(options.roots):
            held.enter_context(lock_root(options.roots[name], "recover", in_place=True))
        left = recover(options.roots, journals(options.output / "journal"), keys)
    for one in left:
        options.seen("", one.study, one.files, str(one.state))
    return RecoverReport(
        dict(sorted(Counter(str(one.state) for one in left).items())),
        tuple(
            f"run {one.run_id}: {one.reason or one.state}"
            for one in left
            if one.state not in {State.OLD, State.NEW}
        ),
    )
