"""Export: an approved manifest in, one encrypted file out, for those who correct elsewhere.

The conditions are those of apply, and so is every number: read from the crosswalk as it is now, for
the person that the head on the share is of. What does not hold any more is left out and counted, a
study whole or not at all. Nothing plain is written.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from remediation.dicom.correction import Refused
from remediation.dicom.header import scan
from remediation.errors import RemediationError, UsageError
from remediation.model.audit import Seen, unseen
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.files import FileRef, resolved
from remediation.model.handover import About, CannotSayError, Format, HandedFile, HandedStudy
from remediation.model.handover_adt import AdtBatch
from remediation.model.handover_csv import CsvTable
from remediation.model.handover_dcmodify import DcmodifyScript
from remediation.model.outcomes import Result
from remediation.model.placement import Placement
from remediation.model.running import Advance, silent
from remediation.model.secrets import Keys
from remediation.store.changes import NotWritten, new_head_of, old_head, planned, target
from remediation.store.encrypted import Recipient, write_encrypted
from remediation.store.exports import BEGUN, DONE, FAILED, ExportRecord
from remediation.store.files import read_head
from remediation.store.locks import lock_root
from remediation.store.manifests import Stored
from remediation.store.permission import Conditions, approved, current, roots_of, settled
from remediation.tables.handed import file_of, study_of
from remediation.tables.orders import OrderRules, Orders

Row = Mapping[str, Any]
SUFFIX = ".age"
FORMATS: Mapping[str, type[CsvTable | DcmodifyScript | AdtBatch]] = {
    "csv": CsvTable,
    "dcmodify": DcmodifyScript,
    "adt": AdtBatch,
}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Where to, for whom, in which form; `person` is who runs it, `by` who hands it over."""

    output: Path
    to: Path
    recipient: str
    form: str
    by: str
    person: str
    client: str
    version: str
    roots: Mapping[str, Path]
    conditions: Conditions
    rules: OrderRules
    seen: Seen = unseen  # hears of each study whose numbers are handed over, for the audit log


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was handed over, in studies and files; `left_out` are studies, by reason."""

    export_id: str
    to: Path
    record: Path
    recipient: str
    form: str
    studies: int
    files: int
    corrected: int
    left_out: dict[str, int]
    size: int
    sha256: str


def run(
    options: ExportOptions,
    stored: Stored,
    crosswalk: Crosswalk,
    keys: Keys,
    *,
    advance: Advance = silent,
) -> ExportReport:
    """Write the numbers of a manifest to an encrypted file, and a record of it.

    Raises:
        UsageError: no recipient, or the file's name or place will not do.
        ManifestError: stale, of another archive or job, expired, or not approved.
        LockedError: another run holds an archive root.
        ShareError: a share did not answer, or the file or its record could not be written.
    """
    recipient = Recipient.parse(options.recipient)
    _checked(options)
    manifest = stored.manifest
    placement = Placement.recorded(manifest.placement)
    if options.form == "adt" and placement.primary_is_bsn:
        raise UsageError(
            "messages are for the database of a PACS, where local numbers stay",
            "--format adt",
            "plan for at-rest, or use another format",
        )
    current(options.conditions, stored, keys, options.rules.now, options.output)
    roots_of(manifest, options.roots)
    approved(options.conditions, stored, options.output, options.rules.now)
    with ExitStack() as held:
        for root in sorted(options.roots.values()):
            held.enter_context(lock_root(root, "export", in_place=False))
        settled(options.output, keys)
        work = _Work(options, stored, crosswalk, keys, advance)
        record = _record(options, stored, recipient)
        record.write(BEGUN)
        try:
            written = write_encrypted(
                options.to,
                recipient,
                work.pieces(),
                lambda one: record.write(DONE, work.counts() | asdict(one)),
            )
        except BaseException:
            with suppress(RemediationError, OSError):  # never hides how it ended
                record.write(FAILED, work.counts())
            raise
    return ExportReport(
        options.rules.run_id,
        options.to.resolve(),
        record.path.resolve(),
        recipient.text,
        options.form,
        **work.counts(),
        **asdict(written),
    )


def _record(options: ExportOptions, stored: Stored, recipient: Recipient) -> ExportRecord:
    manifest = stored.manifest
    said = {
        "by": options.by,
        "person": options.person,
        "responsible": manifest.responsible,
        "client": options.client,
        "at": options.rules.now.isoformat(),
        "manifest": manifest.manifest_id,
        "digest": manifest.digest,
        "key_id": manifest.key_id,
        "recipient": recipient.text,
        "format": options.form,
        "file": options.to.name,
        "version": options.version,
    }
    return ExportRecord.of(options.output, options.rules.run_id, said)


def _checked(options: ExportOptions) -> None:
    to = options.to
    if to.suffix != SUFFIX or to.name == SUFFIX:
        raise UsageError("an encrypted file's name ends in .age", "--to", "for example lijst.age")
    if os.path.lexists(to):
        raise UsageError("a file stands there already", "--to", "give a new name")
    if not to.parent.is_dir():
        raise UsageError("there is no such folder", "--to", "make it first")
    folder = to.parent.resolve()
    if any(folder.is_relative_to(root.resolve()) for root in options.roots.values()):
        raise UsageError("that is inside an archive", "--to", "name a file elsewhere")


class _Work:
    """The studies of one manifest, as they are handed over, and what was counted on the way."""

    def __init__(
        self,
        options: ExportOptions,
        stored: Stored,
        crosswalk: Crosswalk,
        keys: Keys,
        advance: Advance,
    ) -> None:
        self.options, self.stored, self.keys, self.advance = options, stored, keys, advance
        self.crosswalk = crosswalk
        self.orders = Orders(stored.manifest, crosswalk, keys, options.rules)
        self.studies = self.files = self.corrected = 0
        self.left_out: Counter[str] = Counter()

    def pieces(self) -> Iterator[bytes]:
        """Yield the file, piece by piece; these bytes are plain."""
        manifest = self.stored.manifest
        about = About(
            manifest.manifest_id,
            manifest.digest,
            manifest.job,
            self.orders.placement.target,
            self.orders.placement.issuer,
            self.options.rules.now,
            tuple(sorted(manifest.archives)),
            self.options.rules.matching.allow_test_numbers,
        )
        form: Format = FORMATS[self.options.form](about)
        yield _encoded(form.begin())
        for studies in self._together(form):
            try:
                piece = form.some(studies)
            except CannotSayError as why:
                self.left_out[str(why)] += len(studies)
                continue
            for one in studies:
                self.options.seen(one.archive, one.study, len(one.files), "handed-over")
            self.studies += len(studies)
            self.files += sum(len(one.files) for one in studies)
            self.corrected += sum(file.corrected for one in studies for file in one.files)
            yield _encoded(piece)
        yield _encoded(form.end())

    def _together(self, form: Format) -> Iterator[list[HandedStudy]]:
        """Yield studies as a format wants them: one by one, or all of a patient."""
        rows = self.stored.corrections.to_pylist()
        rows.sort(key=lambda row: (*_patient(row), *_study(row), row["SOPInstanceUID"] or ""))
        if not form.by_patient:
            rows.sort(key=_study)
        for _, patient in groupby(rows, key=_patient if form.by_patient else _study):
            found = []
            for _, group in groupby(patient, key=_study):
                study = self._handed(list(group))
                found += [study] if study else []
            if found:
                yield found

    def _handed(self, rows: Sequence[Row]) -> HandedStudy | None:
        """Return a study, or nothing where one of its files is not to be corrected any more."""
        try:
            files, entries = zip(*map(self._file, rows), strict=True)
            return study_of(rows[0], self.crosswalk, entries[0], files)
        except NotWritten as stop:
            self.left_out[stop.outcome.reason] += 1
        except (Refused, CannotSayError) as refused:
            self.left_out[str(refused)] += 1
        finally:
            self.advance(len(rows))
        return None

    def _file(self, row: Row) -> tuple[HandedFile, Entry]:
        """Return one file with its identity before and after, and the crosswalk's row.

        Raises:
            NotWritten: it is not the file that was planned for.
            Refused: the crosswalk or the person does not allow it any more.
            IoError: the share did not answer.
        """
        path = resolved(row["path"], self.keys)
        ref = FileRef(path, row["size"], row["mtime_ns"])
        entries: list[Entry] = []

        def rebuild(head: bytes) -> bytes:
            entry, new = self.orders.rewritten(row, ref, head)
            entries.append(entry)
            return new

        change = planned(row, self.options.roots[row["archive"]], path, rebuild)
        with target(change) as (_, _, source):
            try:
                old = old_head(source, change, self.keys)
            except NotWritten as stop:
                if stop.outcome.result is not Result.ALREADY_APPLIED:
                    raise
                old = read_head(source, row["result_length"])
                entries.append(self.orders.confirmed(row, ref, scan(old, len(old)), old))
                new = None
            else:
                new = new_head_of(change, old, self.keys)
        return file_of(row, path, entries[0], old, new), entries[0]

    def counts(self) -> dict[str, Any]:
        """Return what was counted so far."""
        return {
            "studies": self.studies,
            "files": self.files,
            "corrected": self.corrected,
            "left_out": dict(sorted(self.left_out.items())),
        }


def _study(row: Row) -> tuple[str, str]:
    return row["archive"], row["StudyInstanceUID"]


def _patient(row: Row) -> tuple[str, str]:
    return row["local_issuer"] or "", row["local_token"] or ""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # a path may be any bytes
