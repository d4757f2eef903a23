"""Ready: what a process that works for a run must see; asked before it reads the first file.

An empty folder may lie where a share should be mounted, and another machine may have an output
folder of the same name. So neither is believed for its path: some names in the root must be there,
and a file that was laid in the output folder for this run.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from remediation.errors import KeyFileError, ShareError
from remediation.model.files import resolved, stored
from remediation.model.secrets import Keys
from remediation.store.keys import load_key_file
from remediation.store.walking import check_root

_NAMES = 8  # that a root is known by; one of them is enough, for a folder may go meanwhile
_LOOKS, _PAUSE_S = 5, 0.5  # a share's client may remember for some seconds that a file was absent


@dataclass(frozen=True, slots=True)
class Ready:
    """Call it in a process to ask whether that can work; it travels, so it holds no key.

    Attributes:
        key_file: Its path; `key_id` of what must be in it.
        roots: Archive roots, each with sealed names of some entries.
        output: The output folder; `sign` the name of the file that lies in it.
    """

    key_file: Path
    key_id: str
    roots: tuple[tuple[Path, tuple[str, ...]], ...]
    output: Path
    sign: str

    def __call__(self) -> None:
        """Look at key, archives and output folder.

        Raises:
            KeyFileError: The key file is missing or refused, or another one.
            ShareError: An archive or the output folder is missing, or not the one of the run.
        """
        keys = load_key_file(self.key_file)
        if keys.key_id != self.key_id:
            raise KeyFileError(
                "another key than the run's", str(self.key_file), "give every worker the same one"
            )
        for root, names in self.roots:
            check_root(root)
            if names and not any(os.path.lexists(root / resolved(name, keys)) for name in names):
                raise ShareError(
                    "the archive root is not the run's", str(root), "mount the share there"
                )
        self._same_output()

    def _same_output(self) -> None:
        where, mend = str(self.output), "mount the run's output folder there, writable"
        for look in range(_LOOKS):
            if (self.output / self.sign).exists():
                break
            time.sleep(_PAUSE_S if look < _LOOKS - 1 else 0)
        else:
            raise ShareError("the output folder is not the run's", where, mend)
        try:
            _lay(probe := self.output / f"{self.sign}-{uuid.uuid4().hex}")
            probe.unlink()
        except OSError:
            raise ShareError(
                "the output folder cannot be written", str(self.output), mend
            ) from None


@contextlib.contextmanager
def ready_for(key_file: Path, key_id: str, roots: Iterable[Path], output: Path) -> Iterator[Ready]:
    """Lay a sign in the output folder, and yield the question; the sign goes with the run.

    Raises:
        ShareError: The output folder cannot be written.
    """
    keys = load_key_file(key_file)
    known = tuple((root, _names(root, keys)) for root in roots)
    sign = output / f".ready-{uuid.uuid4().hex}"
    try:
        output.mkdir(parents=True, exist_ok=True, mode=0o700)
        _lay(sign)
    except OSError as error:
        raise ShareError(
            f"the output folder cannot be written, {error.strerror}", str(output), "check the disk"
        ) from error
    try:
        yield Ready(key_file, key_id, known, output, sign.name)
    finally:
        with contextlib.suppress(OSError):
            sign.unlink()


def _names(root: Path, keys: Keys) -> tuple[str, ...]:
    """Return names of some entries, sealed: a folder may be called after a patient."""
    check_root(root)
    with os.scandir(root) as found:
        names = (entry.name for entry in found if not entry.name.startswith("."))
        return tuple(stored(name, keys, seal=True) for name in islice(names, _NAMES))


def _lay(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
