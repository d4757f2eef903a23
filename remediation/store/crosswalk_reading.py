"""What the readers of the EPD's export share: settings, columns, batches, and errors without cells.

A file that could be read in two ways is refused: a column that shifts by one gives every patient
another one's number. No message holds a cell of the file, not even of its header line, which may
be data where an export has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remediation.errors import UsageError
from remediation.model.crosswalk import Rows, SpellingRule

BATCH = 1 << 14  # rows that are in memory as text at one time


@dataclass(frozen=True, slots=True)
class Hl7Settings:
    """What HL7 messages cannot say, or say in words of their own.

    Attributes:
        status: The status of a patient of whom PID-32 says nothing; empty: none, not writable.
        reliability: The status that a word in PID-32 stands for; others count as they stand.
        issuers: Our name of an assigning authority (namespace or universal id).
        timezone: Of times without an offset.
    """

    status: str = ""
    reliability: Mapping[str, str] = field(default_factory=dict)
    issuers: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "Europe/Amsterdam"


@dataclass(frozen=True, slots=True)
class CrosswalkSettings:
    """Where the export is and how it is written.

    Attributes:
        files: Absolute paths or glob patterns.
        columns: Our name of each column (`local_number`, `bsn`, ...) to the export's; empty where
            all files are HL7.
        default_issuer: Issuer of local numbers where the export names none; empty for none.
        spelling: How headers write the local numbers, per issuer.
        max_age_days: Days since the file was written; 0 for no limit.
        hl7: How to read HL7 messages.
        extra_issuers: More spellings that mean "this is a BSN".
    """

    files: tuple[Path, ...]
    columns: Mapping[str, str]
    default_issuer: str = ""
    spelling: tuple[SpellingRule, ...] = ()
    max_age_days: int = 30
    hl7: Hl7Settings = field(default_factory=Hl7Settings)
    extra_issuers: tuple[str, ...] = ()


def unreadable(path: Path, error: OSError) -> UsageError:
    """Return what to raise for a file that the system does not give."""
    return UsageError("the crosswalk file cannot be read", str(path), error.strerror or "")


def positions(header: Sequence[str], columns: Mapping[str, str], path: Path) -> dict[str, int]:
    """Return where each of our columns stands in a row; names only what the job file names.

    Raises:
        UsageError: One of them is not there, or more than once; or the job file names none.
    """
    if not columns:
        raise UsageError(
            "the job file does not say what the crosswalk's columns are",
            str(path),
            "name them in [crosswalk.columns]",
        )
    wrong = [name for name in columns.values() if header.count(name) != 1]
    if wrong:
        raise UsageError(
            "the crosswalk does not have exactly one column " + ", ".join(map(repr, wrong)),
            str(path),
            "check [crosswalk] columns and the file's first line",
        )
    return {key: header.index(name) for key, name in columns.items()}


def batch(
    cells: Mapping[str, Sequence[str]],
    numbers: Sequence[int],
    source: str,
    kind: str,
    default_issuer: str,
) -> Rows:
    """Return a batch, outer blanks off, the default issuer where a row names none."""
    bare = {key: list(map(str.strip, column)) for key, column in cells.items()}
    if default_issuer:
        issuers = bare.get("issuer") or [""] * len(numbers)
        bare["issuer"] = [issuer or default_issuer for issuer in issuers]
    return Rows(bare, numbers, source, kind)
