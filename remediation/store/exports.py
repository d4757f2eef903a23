"""Records of what was handed over: `exports/<id>.json`, who gave what to whom; no number in them.

Written before the first plain byte is made, and again when the encrypted file is durable but has no
name yet: no hand-over without a record of it. One that says `begun` was killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediation.store.files import durable_write

BEGUN, DONE, FAILED = "begun", "done", "failed"


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One record, and what it says from the beginning."""

    path: Path
    said: Mapping[str, Any]

    @classmethod
    def of(cls, output: Path, export_id: str, said: Mapping[str, Any]) -> ExportRecord:
        """Return the record of an export, not written yet."""
        return cls(output / "exports" / f"{export_id}.json", {"export_id": export_id, **said})

    def write(self, state: str, more: Mapping[str, Any] | None = None) -> None:
        """Write what is known by now, whole or not at all.

        Raises:
            IoError: it could not be written.
        """
        said = {**self.said, "state": state, **(more or {})}
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable_write(self.path, json.dumps(said, indent=2, sort_keys=True).encode() + b"\n")
