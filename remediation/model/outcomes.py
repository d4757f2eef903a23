"""What became of one file: applied, already right, drifted, refused, failed, or rolled back.

An outcome is a value, not an exception: doing a thing twice, or finding a file changed, is no
error. A reason is a word from code, never text from a file, so it cannot carry anyone's number.

>>> Outcome(Result.DRIFTED, Reason.SIZE)
Outcome(result=<Result.DRIFTED: 'drifted'>, reason='size-changed')
>>> Outcome(Result.REFUSED, "homonym").text
'refused (homonym)'
>>> Outcome(Result.FAILED, "Jansen 1950")
Traceback (most recent call last):
...
ValueError: a reason is lower-case words joined by hyphens
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from enum import StrEnum

_REASON = re.compile(r"(?:[a-z]+(?:-[a-z]+)*)?", re.ASCII)


class Result(StrEnum):
    """The six ways a file can come out of apply or rollback."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already-applied"  # the wanted bytes are there; also when rolling back
    DRIFTED = "drifted"  # not the file that was planned for; untouched
    REFUSED = "refused"  # of a class that is not written, or another file of its study is
    FAILED = "failed"  # the share or the disk said no; the old bytes stand
    ROLLED_BACK = "rolled-back"  # the old bytes are back


class Reason(StrEnum):
    """Why the writer left a file alone. Callers add their own words for their own refusals."""

    VANISHED = "vanished"
    SIZE = "size-changed"
    MTIME = "mtime-changed"
    HEAD = "head-changed"
    CONTENT = "content-changed"
    MEANWHILE = "changed-meanwhile"
    NOT_REGULAR = "not-a-regular-file"
    HARD_LINK = "hard-link"
    NOT_AS_PLANNED = "result-not-as-planned"
    OTHER_FILE = "another-file-of-the-study"
    OCCUPIED = "destination-occupied"
    NO_SPACE = "no-space"
    NO_PERMISSION = "no-permission"
    READ_ONLY = "read-only"
    ATTRIBUTES = "owner-mode-or-attributes-not-kept"
    READ_BACK = "read-back-differs"
    SYNC = "not-durable"
    IO = "input-output"
    JOURNAL = "journal-not-written"
    UNSETTLED = "needs-recover"
    INTERRUPTED = "interrupted"
    LISTED_TWICE = "listed-twice"
    UNDO = "undo-does-not-fit"


_OF_ERRNO = {
    errno.ENOSPC: Reason.NO_SPACE,
    errno.EDQUOT: Reason.NO_SPACE,
    errno.EFBIG: Reason.NO_SPACE,
    errno.EACCES: Reason.NO_PERMISSION,
    errno.EPERM: Reason.NO_PERMISSION,
    errno.EROFS: Reason.READ_ONLY,
}


def reason_of(number: int) -> Reason:
    """Return the reason for a failed system call's `errno`.

    >>> import errno
    >>> str(reason_of(errno.EDQUOT)), str(reason_of(errno.ESTALE))
    ('no-space', 'input-output')
    """
    return _OF_ERRNO.get(number, Reason.IO)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file's result, and the reason where it is not simply done.

    Raises:
        ValueError: The reason is more than lower-case words joined by hyphens.
    """

    result: Result
    reason: str = ""

    def __post_init__(self) -> None:
        if not _REASON.fullmatch(self.reason):
            raise ValueError("a reason is lower-case words joined by hyphens")
        object.__setattr__(self, "reason", str(self.reason))

    @property
    def untroubled(self) -> bool:
        """Whether the wanted bytes are in place."""
        return self.result in {Result.APPLIED, Result.ALREADY_APPLIED, Result.ROLLED_BACK}

    @property
    def text(self) -> str:
        """The outcome as one phrase."""
        return f"{self.result} ({self.reason})" if self.reason else str(self.result)
