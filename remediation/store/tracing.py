"""What was written down of studies: manifests, journals, exports, verifications, the audit log.

Each source tells for itself, so that what one says can be held against the others. No path and no
number comes out.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.errors import RemediationError
from remediation.model.audit import Event as AuditEvent
from remediation.model.audit import together
from remediation.model.secrets import Keys
from remediation.store import approvals, audit
from remediation.store.files import guarded
from remediation.store.intents import Kind, StudyLog, study_logs
from remediation.store.journal import Record, Type, journals, read
from remediation.store.manifests import Stored


@dataclass(frozen=True, slots=True)
class Traced:
    """One thing that was planned, written, refused, handed over, verified, taken back or looked at.

    Attributes:
        at: UTC, ISO 8601; empty where the source does not tell.
        source: inventory | identities | manifest | journal | export | verification | audit.
        what: what was done; `result`: how it ended, or why it was not done.
        study: StudyInstanceUID; empty for what is about the patient.
        run: the run's or the manifest's id.
        by: who did or decided it, on whose responsibility as `responsible` says.
        to: who received it.
    """

    at: str
    source: str
    what: str
    result: str = ""
    study: str = ""
    archive: str = ""
    files: int = 0
    run: str = ""
    manifest: str = ""
    by: str = ""
    responsible: str = ""
    to: str = ""


class Told:
    """What was read of some studies; `unread` names what could not be read, and why."""

    def __init__(self, output: Path, keys: Keys, studies: Iterable[str]) -> None:
        self.output, self.keys, self.studies = output, keys, frozenset(studies)
        self.events: list[Traced] = []
        self.unread: list[str] = []
        self._of_digest: dict[str, tuple[str, dict[str, tuple[str, int]]]] = {}

    @contextlib.contextmanager
    def reading(self, where: str) -> Iterator[None]:
        """Note what cannot be read and go on: the rest is still to be told."""
        try:
            yield
        except RemediationError as error:
            self.unread.append(f"{where}: {error.what}")

    # --- manifests ------------------------------------------------------------------------------

    def manifest(self, stored: Stored) -> None:
        """Tell of one manifest: what was planned and refused, and who approved it."""
        manifest = stored.manifest
        about = {"manifest": manifest.manifest_id, "responsible": manifest.responsible}
        rows = [
            row
            for row in stored.corrections.select(
                ["archive", "StudyInstanceUID", "rule"]
            ).to_pylist()
            if row["StudyInstanceUID"] in self.studies
        ]
        held: dict[str, tuple[str, int]] = {}
        for study, found in _by_study(rows).items():
            archive, rules = found[0]["archive"], together(row["rule"] for row in found)
            held[study] = archive, len(found)
            self._tell(
                Traced(
                    manifest.created,
                    "manifest",
                    "planned",
                    rules,
                    study,
                    archive,
                    len(found),
                    by=manifest.author,
                    **about,
                )
            )
        for row in stored.refusals.to_pylist():
            if row["StudyInstanceUID"] in self.studies:
                study, reason, count = row["StudyInstanceUID"], row["reason"], row["instances"]
                self._tell(
                    Traced(
                        manifest.created,
                        "manifest",
                        "refused",
                        reason,
                        study,
                        row["archive"],
                        count or 0,
                        by=manifest.author,
                        **about,
                    )
                )
        self._of_digest[manifest.digest] = manifest.manifest_id, held
        if held:
            self._approvals(stored, held, about)

    def _approvals(
        self, stored: Stored, held: Mapping[str, tuple[str, int]], about: Mapping[str, str]
    ) -> None:
        for path in approvals.paths(stored.folder):
            with self.reading(f"approvals/{path.name}"):
                one = approvals.opened(path, stored.raw, stored.manifest.digest)
                at = one.at.isoformat()
                for study, (archive, count) in held.items():
                    self._tell(
                        Traced(
                            at,
                            "manifest",
                            "approved",
                            "",
                            study,
                            archive,
                            count,
                            by=one.by,
                            **about,
                        )
                    )

    # --- journals -------------------------------------------------------------------------------

    def journals(self) -> None:
        """Tell what was written and taken back, and of which undo data was dropped."""
        found: list[tuple[int, str, tuple[Record, ...]]] = []
        for path in journals(self.output / "journal"):
            with self.reading(f"journal/{path.name}"):
                if records := read(path):
                    found.append((int(records[0].body.get("number", 0)), path.stem, records))
        for _, run, records in sorted(found, key=lambda one: one[:2]):  # not by the clock
            with self.reading(f"journal/{run}.jsonl"):
                self._journal(run, records)

    def _journal(self, run: str, records: tuple[Record, ...]) -> None:
        begin = records[0].body
        about = {
            "run": run,
            "manifest": self._of_digest.get(str(begin.get("manifest")), ("", {}))[0],
            "by": str(begin.get("by", "")),
            "responsible": str(begin.get("responsible", "")),
        }
        at = str(begin.get("at", ""))
        logs = [one for one in study_logs(records, self.keys) if one.study in self.studies]
        for log in logs:
            archive = log.places[0].archive if log.places else ""
            what, result = _written(log)
            self._tell(
                Traced(at, "journal", what, result, log.study, archive, len(log.places), **about)
            )
        own = self.keys.of_run(begin)
        sealed = {own.seal(study): study for study in self.studies}
        for record in records:
            if record.type is Type.OUTCOME and record.body.get("study") in sealed:
                files = record.body["files"]
                result = together(one["result"] for one in files)
                study, archive = sealed[record.body["study"]], files[0]["archive"]
                self._tell(
                    Traced(at, "journal", "left-alone", result, study, archive, len(files), **about)
                )
            elif record.type is Type.FORGOTTEN:
                for log in logs:
                    self._forgotten(record.body, log, about)

    def _forgotten(self, said: Mapping[str, Any], log: StudyLog, about: Mapping[str, str]) -> None:
        who = {"by": str(said.get("by", "")), "responsible": str(said.get("responsible", ""))}
        at, count = str(said.get("at", "")), len(log.intents)
        self._tell(
            Traced(at, "journal", "undo-dropped", "", log.study, "", count, **{**about, **who})
        )

    # --- exports and verifications --------------------------------------------------------------

    def handed_over(self) -> None:
        """Tell which manifests that hold these studies were handed over, to whom.

        Whether a study was left out of it, the audit log tells.
        """
        for said in self._records("exports"):
            name, held = self._of_digest.get(str(said.get("digest")), ("", {}))
            for study, (archive, count) in held.items():
                self._tell(
                    Traced(
                        str(said.get("at", "")),
                        "export",
                        f"its manifest handed over as {said.get('format', '')}",
                        str(said.get("state", "")),
                        study,
                        archive,
                        count,
                        str(said.get("export_id", "")),
                        name,
                        str(said.get("by", "")),
                        str(said.get("responsible", "")),
                        str(said.get("recipient", "")),
                    )
                )

    def verified(self) -> None:
        """Tell which manifests that hold these studies were verified, and what was found in all."""
        for said in self._records("verifications"):
            name, held = self._of_digest.get(str(said.get("manifest")), ("", {}))
            verdicts = said.get("verdicts")
            result = together(verdicts) if isinstance(verdicts, dict) else ""
            for study, (archive, count) in held.items():
                what = f"verified, share {said.get('slice', '')} of its manifest"
                at = str(said.get("at", ""))
                self._tell(
                    Traced(at, "verification", what, result, study, archive, count, manifest=name)
                )

    def _records(self, folder: str) -> Iterator[dict[str, Any]]:
        for path in sorted((self.output / folder).glob("*.json")):
            with self.reading(f"{folder}/{path.name}"):
                with guarded("cannot be read", path.name):
                    data = path.read_bytes()
                try:
                    said = json.loads(data)
                except ValueError:
                    said = None
                if isinstance(said, dict):
                    yield said
                else:
                    self.unread.append(f"{folder}/{path.name}: damaged")

    # --- the audit log --------------------------------------------------------------------------

    def audited(self, patients: Iterable[str]) -> None:
        """Tell what the audit log has of these studies, and of the patients of these tokens."""
        sealed = {self.keys.seal(study): study for study in self.studies}
        tokens = frozenset(patients)
        abouts: dict[str, str] = {}
        with self.reading("audit"):
            for one in audit.read(self.output):
                said = one.said
                if said.get("event") == AuditEvent.BEGAN:
                    about = said.get("counts", {})
                    abouts[str(said["run"])] = str(about.get("manifest", ""))
                study = sealed.get(str(said.get("study", "")), "")
                if study or said.get("patient") in tokens:
                    self._entry(said, study, abouts)

    def _entry(self, said: Mapping[str, Any], study: str, abouts: Mapping[str, str]) -> None:
        run = str(said["run"])
        self._tell(
            Traced(
                str(said["at"]),
                "audit",
                str(said["command"]),
                str(said.get("result", "")),
                study,
                str(said.get("archive", "")),
                int(said.get("files", 0)),
                run,
                abouts.get(run, ""),
                str(said.get("by") or said["person"]),
                str(said.get("responsible", "")),
            )
        )

    def _tell(self, event: Traced) -> None:
        self.events.append(event)


def _by_study(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["StudyInstanceUID"], []).append(row)
    return found


def _written(log: StudyLog) -> tuple[str, str]:
    """Return what a run did to a study, and which bytes stand since."""
    what = "written" if log.kind is Kind.APPLY else "rolled back"
    if log.closed is None:
        return what, "open: see `remediation recover`"
    return what, f"{log.closed} bytes"


def counted(events: Iterable[Traced]) -> dict[str, int]:
    """Return how many events each source told."""
    return dict(sorted(Counter(one.source for one in events).items()))
