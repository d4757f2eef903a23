"""The ledger: what was taken back, kept a second time in the job's state.

A revocation lies beside the approval that it takes back, where a person finds it, and can be lost
with a folder that is tidied, or taken away by somebody who wants the approval back. So it is kept
here as well, and holds as long as one of the two is there.
"""

from __future__ import annotations

from pathlib import Path

from remediation.store.consent import write_text
from remediation.store.files import guarded

_FOLDER = Path("state") / "taken-back"


def keep(output: Path, about: str, name: str, text: str) -> None:
    """Keep a record, by what it is about: a manifest's digest, or `acceptances`.

    Raises:
        ShareError: it cannot be written.
    """
    with guarded("the job's state cannot be kept", str(output)):
        folder(output, about).mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(folder(output, about) / name, text, "record", 0o600)


def folder(output: Path, about: str) -> Path:
    """Return where the records about something lie."""
    return output / _FOLDER / about
