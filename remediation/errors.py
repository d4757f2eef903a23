"""Every exception of the tool, each with its exit code.

An error is one line: what is wrong, where, and the mend. The message never holds a BSN, a name or
a birth date: pass places (file, key, line), not values.

>>> error = UsageError("unknown key 'placment'", "job.toml, line 12", "did you mean 'placement'?")
>>> str(error), error.exit_code
("unknown key 'placment' (job.toml, line 12): did you mean 'placement'?", 2)
"""

from __future__ import annotations

from typing import ClassVar


class RemediationError(Exception):
    """What went wrong, where, and how to mend it. Exit code 1 unless a subclass says otherwise."""

    exit_code: ClassVar[int] = 1
    meaning: ClassVar[str] = "failed"

    def __init__(self, what: str, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(what, where, mend)

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        mend = f": {self.mend}" if self.mend else ""
        return f"{self.what}{where}{mend}"


class ShareError(RemediationError):
    """An archive root, a directory or a disk cannot be used: missing, no permission, full."""


class DatasetError(RemediationError):
    """A dataset that a command needs is missing, damaged, or of another schema or key."""


class UsageError(RemediationError):
    """The command line, the job file or a file that it names is wrong."""

    exit_code = 2
    meaning = "usage or job file"


class PartlyDone(RemediationError):  # noqa: N818 - a result, not a failure
    """Finished, but some files could not be read, or some studies were refused or skipped."""

    exit_code = 3
    meaning = "finished, but some files could not be read, or some studies were refused or skipped"


class WorkFound(RemediationError):  # noqa: N818 - an answer, not a failure
    """`plan --detailed-exitcode` found something to correct."""

    exit_code = 4
    meaning = "target not met, or work found"


class ManifestError(RemediationError):
    """A manifest or an approval is stale, altered, expired, spent or missing."""

    exit_code = 5
    meaning = "stale or altered manifest, or not approved"


class AlteredError(ManifestError):
    """The audit log is not what was written: damaged, altered or cut off."""


class LockedError(RemediationError):
    """Another run holds the archive root; `where` names the holder."""

    exit_code = 11
    meaning = "locked by another run"


class KeyFileError(RemediationError):
    """The key file is missing, readable by others, not a key, or not the one that was used."""

    exit_code = 12
    meaning = "key missing or wrong"


class Interrupted(RemediationError):  # noqa: N818 - a wish of the user, not a failure
    """Stopped by the user; the run can be resumed."""

    exit_code = 130
    meaning = "interrupted, can be resumed"
