"""Planned: files put by their studies, shared out over tasks, and the rows of a manifest made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from remediation.model.placement import Edit
from remediation.tables.codes import Numbers

Row = dict[str, Any]
# Columns of INSTANCES that a manifest's rows, or the reading of a head, are made of.
COLUMNS = (
    "archive",
    "path",
    "StudyInstanceUID",
    "SOPInstanceUID",
    "size",
    "mtime_ns",
    "container",
    "head_length",
    "head_digest",
)
_OF_FILE = tuple(name for name in COLUMNS if name != "container")
_OF_STUDY = ("bsn_token", "local_issuer", "local_token")


@dataclass(frozen=True, slots=True)
class Planned:
    """A study of which files do not stand as wanted.

    Attributes:
        at: its row in the table of the chosen; `study` what stands there.
        files: rows of `COLUMNS` and `status`, in order of path.
    """

    at: int
    study: Row
    files: tuple[Row, ...]


def grouped(rows: pa.Table, at: Numbers, studies: pa.Table) -> list[Planned]:
    """Put files by their study: no order of the inventory shows.

    Args:
        rows: `COLUMNS` of INSTANCES, and `status`.
        at: of each of them its row in `studies`.
        studies: of `selection.chosen`.
    """
    found: dict[int, list[Row]] = defaultdict(list)
    for number, row in zip(at.tolist(), rows.to_pylist(), strict=True):
        found[number].append(row)
    of = studies.take(pa.array(list(found), pa.int64())).to_pylist()
    return [
        Planned(number, study, tuple(sorted(files, key=lambda file: str(file["path"]))))
        for (number, files), study in zip(found.items(), of, strict=True)
    ]


def shared_out(planned: Iterable[Planned], most: int) -> Iterator[list[Planned]]:
    """Yield whole studies of one archive together, up to about so many files."""
    waiting, files = list[Planned](), 0
    for one in planned:
        other = waiting and waiting[0].study["archive"] != one.study["archive"]
        if waiting and (other or files + len(one.files) > most):
            yield waiting
            waiting, files = [], 0
        waiting.append(one)
        files += len(one.files)
    if waiting:
        yield waiting


def correction(
    study: Row, file: Row, head: tuple[int, str], edits: Sequence[Edit], target: str
) -> Row:
    """Return a row of CORRECTIONS.

    Args:
        study: who it is, of `selection.chosen`.
        file: of `Planned.files`.
        head: bytes before Pixel Data after the correction, and their keyed digest.
        edits: what changes.
        target: the placement's name.
    """
    tokens = {"bsn": study["bsn_token"], "local": study["local_token"], "": None}
    return {
        **{name: file[name] for name in _OF_FILE},
        **{name: study[name] for name in _OF_STUDY},
        "result_length": head[0],
        "result_digest": head[1],
        "edits": [
            {
                "attribute": edit.attribute,
                "action": edit.action,
                "value_source": edit.value_source,
                "token": tokens[edit.token_of],
            }
            for edit in edits
        ],
        "rule": f"{file['status']} to {target}",
        "period_id": study["period_id"],
    }
