"""Acceptances on disk: `acceptances/<id>.json` in the job's output folder, signed where asked for.

The signature lies beside the record (`<id>.json.minisig`), so that the stock program checks it:
`minisign -Vm <id>.json -P RW...`. A withdrawal is a record of its own, also kept in the ledger.
One acceptance that is not good stops the run, however many good ones lie beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from remediation.errors import ManifestError, UsageError
from remediation.model import minisign
from remediation.model.acceptances import Acceptance, Accepted
from remediation.model.approvals import Rules
from remediation.model.running import utc_now
from remediation.store import consent, ledger
from remediation.store.consent import CLOCK_SKEW, SIGNED, UNSIGNED
from remediation.store.files import guarded

FOLDER = "acceptances"
_WHAT = "acceptance"
_WITHDRAWN = ".withdrawn" + UNSIGNED
_KEYS = frozenset({"by", "at", "why", "reason", "study", "rule", "key"})
_WITHDRAWAL = ("acceptance", "by", "at")


class Acceptances(Accepted):
    """What counts of the acceptances in a folder; ask it with `holds(reason, facts)`."""

    @classmethod
    def load(
        cls,
        folder: Path,
        approvers: Mapping[str, str],
        required: int,
        now: datetime | None = None,
    ) -> Accepted:
        """Read a job's acceptances.

        Args:
            folder: `acceptances` in the job's output folder; it may not be there.
            approvers: name to minisign public line; empty where the job names nobody.
            required: approvals that the job asks for; never fewer than two people.
            now: the time; that of the clock by default.

        Raises:
            ManifestError: one is altered, not signed where it must be, by somebody whom the job
                does not name, or of the future.
            ShareError: they cannot be read.
        """
        standing = [
            one
            for one, withdrawn in read(folder, approvers, required, now or utc_now())
            if not withdrawn
        ]
        return cls.of(standing, required)


def read(
    folder: Path, approvers: Mapping[str, str], required: int, now: datetime
) -> Iterator[tuple[Acceptance, bool]]:
    """Yield every acceptance in a folder, and whether it was withdrawn; raises as `load` does."""
    rules = Rules("", None, approvers, required)
    gone = withdrawals(folder)
    for path in consent.files(folder, _WHAT):
        if path.suffix != UNSIGNED or path.name.endswith(_WITHDRAWN):
            continue
        one = _opened(path)
        if one.acceptance_id not in gone:
            rules.check(one.by, one.key or None, str(path))
            if one.at > now + CLOCK_SKEW:
                raise ManifestError("an acceptance of the future", str(path), "set the clock")
        yield one, one.acceptance_id in gone


def withdrawals(folder: Path) -> frozenset[str]:
    """Return the ids of what was withdrawn: that something says so is enough."""
    names = [
        path.name
        for place in (folder, ledger.folder(folder.parent, FOLDER))
        for path in consent.files(place, _WHAT)
    ]
    return frozenset(name.removesuffix(_WITHDRAWN) for name in names if name.endswith(_WITHDRAWN))


def write(folder: Path, acceptance: Acceptance, secret_key_text: str | None) -> Path:
    """Write an acceptance, signed where there is a key; return its path.

    Raises:
        UsageError: it is of nothing that can be accepted.
        ShareError: it cannot be written.
    """
    acceptance.check()
    path = folder / f"{acceptance.acceptance_id}{UNSIGNED}"
    text = _text(acceptance)
    with guarded("acceptances cannot be kept", str(folder)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if secret_key_text is not None:
        signature = minisign.sign(secret_key_text, text.encode(), _comment(acceptance))
        consent.write_text(_signature(path), signature, _WHAT)
    consent.write_text(path, text, _WHAT)
    return path


def withdraw(folder: Path, acceptance_id: str, by: str, at: datetime) -> Path:
    """Record that an acceptance is withdrawn; return the record's path.

    Raises:
        UsageError: there is no such acceptance, or the name cannot be used.
        ShareError: it cannot be written.
    """
    known = {path.name.removesuffix(UNSIGNED) for path in consent.files(folder, _WHAT)}
    if acceptance_id not in known:
        raise UsageError("no such acceptance", acceptance_id, "see `remediation review list JOB`")
    name = f"{acceptance_id}{_WITHDRAWN}"
    values = (acceptance_id, consent.usable_name(by), consent.in_utc(at))
    text = consent.record_of(_WITHDRAWAL, values)
    consent.write_text(folder / name, text, _WHAT)
    ledger.keep(folder.parent, FOLDER, name, text)
    return folder / name


def _text(one: Acceptance) -> str:
    said = {
        "by": one.by,
        "at": consent.in_utc(one.at),
        "why": one.why,
        "reason": one.reason,
        "study": one.study,
        "rule": dict(one.rule),
        "key": one.key,
    }
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def _opened(path: Path) -> Acceptance:
    """Return the acceptance in a file, once it proves to be as it was written."""
    text = consent.read_text(path, _WHAT)
    one = _parsed(path, text)
    if _text(one) != text or one.acceptance_id != path.name.removesuffix(UNSIGNED):
        raise _altered(path)
    if one.key:
        signature = consent.read_text(_signature(path), "acceptance's signature")
        try:
            said = minisign.verify(one.key, text.encode(), signature)
        except ManifestError:
            raise _altered(path) from None
        if said != _comment(one):
            raise _altered(path)
    return one


def _parsed(path: Path, text: str) -> Acceptance:
    try:
        said: dict[str, Any] = json.loads(text)
        rule = tuple(sorted(said.pop("rule").items()))
        texts = [*said.values(), *(value for _, value in rule)]
        if said.keys() != _KEYS - {"rule"} or not all(isinstance(one, str) for one in texts):
            raise consent.strange(path, _WHAT)
        at = datetime.fromisoformat(said.pop("at"))
        one = Acceptance(at=at, rule=rule, **said)
        one.check()
        usable = consent.usable_name(one.by)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError):
        raise consent.strange(path, _WHAT) from None
    if at.tzinfo is None or usable != one.by:
        raise consent.strange(path, _WHAT)
    return one


def _signature(path: Path) -> Path:
    return path.with_name(path.name + SIGNED)


def _comment(one: Acceptance) -> str:
    keys = ("accepts", "by", "at", "key")
    return consent.comment_of(keys, (one.acceptance_id, one.by, consent.in_utc(one.at), one.key))


def _altered(path: Path) -> ManifestError:
    return ManifestError("an acceptance was altered", str(path), "take it away, accept it anew")
