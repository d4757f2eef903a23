"""How it was made and what was done: manifests with their runs, crawls, versions, key id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from remediation.app.report.gather import Facts
from remediation.app.report.history import Planned, Run, Verification
from remediation.app.report.shown import Kind, Table, capped, table
from remediation.app.report.words import Words
from remediation.tables.schemas import SCHEMA_VERSION

_CRAWLS = 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest: its id, what it is for, how much it holds, what was done, what it refused."""

    manifest_id: str
    target: str
    counts: str
    done: tuple[str, ...]
    refused: Table | None


@dataclass(frozen=True, slots=True)
class Manifests:
    """The manifests, newest first, and what is damaged."""

    manifests: tuple[Manifest, ...]
    alarms: tuple[str, ...]
    note: str


def manifests(facts: Facts, words: Words) -> Manifests:
    """Return manifests and what became of them."""
    history = facts.history
    alarms = [words("manifest_damaged", folder=words.plain(name)) for name in history.damaged]
    if history.journal_damaged:
        alarms.append(words("journal_damaged"))
    if history.verification_damaged:
        alarms.append(words("verification_damaged"))
    shown = tuple(_manifest(one, words) for one in history.manifests)
    note = ""
    if history.left_off:
        total = words.number(len(shown) + history.left_off)
        note = words("manifests_left_off", shown=words.number(len(shown)), total=total)
    return Manifests(shown, tuple(alarms), note)


def _manifest(one: Planned, words: Words) -> Manifest:
    head = one.manifest
    counts = words(
        "manifest_counts",
        files=words.count(head.counts.get("files", 0), "file"),
        studies=words.count(head.counts.get("studies", 0), "study"),
        refused=words.count(head.counts.get("refused", 0), "study"),
    )
    target = words(
        "manifest_target",
        target=words.plain(str(head.placement.get("target", ""))),
        created=words.moment_of(head.created),
        expires=words.moment_of(head.expires),
    )
    done = [(run.at, _run(run, words)) for run in one.runs]
    done += [(check.at, _verification(check, words)) for check in one.verifications]
    lines = tuple(text for _, text in sorted(done, key=lambda pair: pair[0]))
    refused = _refused(one, words) if one.refused else None
    return Manifest(head.manifest_id, target, counts, lines or (words("only_planned"),), refused)


def _run(run: Run, words: Words) -> str:
    key = {True: "run_complete", False: "run_incomplete", None: "run_stopped"}[run.complete]
    name = words.catalogue.commands.get(f"{run.command} {run.mode}", words.plain(run.command))
    counts = _counted(run.results, words, words.catalogue.commands)
    said = words("run_counts", counts=counts) if counts else ""
    return words(key, command=name, moment=words.moment_of(run.at), counts=said)


def _verification(check: Verification, words: Words) -> str:
    part = "" if check.part == "1/1" else words("verified_part", part=words.plain(check.part))
    counts = _counted(check.verdicts, words, words.catalogue.checks)
    moment = words.moment_of(check.at)
    return words("verified", moment=moment, part=part, counts=counts or words.count(0, "file"))


def _counted(found: Mapping[str, int], words: Words, names: Mapping[str, str]) -> str:
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(
        f"{words.count(count, 'file')} {names.get(word, words.plain(word))}"
        for word, count in ranked
    )


def _refused(one: Planned, words: Words) -> Table:
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_reason"), "text"),
        (words("c_code"), "code"),
        (words("c_studies"), "number"),
    )
    ranked = sorted(one.refused.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [(words.reason(code), words.plain(code), words.number(n)) for code, n in ranked]
    return table(words("refused_caption"), columns, rows)


@dataclass(frozen=True, slots=True)
class Made:
    """Name and value pairs (`ids` are broken into parts by the page), crawls, and last runs."""

    facts: tuple[tuple[str, str, bool], ...]
    crawls: Table | None
    runs: Table | None


def made(
    facts: Facts,
    words: Words,
    *,
    job: str,
    key_id: str,
    version: str,
    made_at: datetime,
    target: float,
) -> Made:
    """Return how the report was made."""
    missing = words("m_missing_none")
    if facts.missing:
        missing = words.listed([f"remediation {command}" for command in facts.missing])
    pairs = (
        (words("m_job"), words.plain(job), False),
        (words("m_made"), words.moment(made_at), False),
        (words("m_version"), f"remediation {words.plain(version)}", False),
        (words("m_schema"), SCHEMA_VERSION, False),
        (words("m_key"), key_id, True),
        (words("m_target"), words.target(target), False),
        (words("m_missing"), missing, False),
    )
    return Made(pairs, _crawls(facts, words), _runs(facts, words))


def _crawls(facts: Facts, words: Words) -> Table | None:
    if not facts.crawls:
        return None
    kept, note = capped(facts.crawls, _CRAWLS, words, sheet=False)
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_run"), "code"),
        (words("c_archive"), "text"),
        (words("c_at"), "text"),
        (words("c_files"), "number"),
    )
    rows = [
        (
            words.plain(row["run_id"]),
            words.plain(row["archive"]),
            words.moment(row["crawled_at"]),
            words.number(row["files"]),
        )
        for row in kept
    ]
    return table(words("crawls_caption"), columns, rows, note=note)


def _runs(facts: Facts, words: Words) -> Table | None:
    commands = facts.history.commands
    if not commands:
        return None
    columns: tuple[tuple[str, Kind], ...] = (
        (words("c_command"), "code"),
        (words("c_run"), "code"),
        (words("c_at"), "text"),
        (words("c_exit"), "number"),
    )
    rows = [
        (
            words.plain(one.command),
            words.plain(one.run_id),
            words.moment_of(one.at),
            str(one.exit_code),
        )
        for one in commands
    ]
    return table(words("runs_caption"), columns, rows)
