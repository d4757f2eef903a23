"""The manifest: a plan as a value. Its digest is over content, whatever file format holds it.

It holds no BSN: numbers are tokens, paths are sealed, digests of heads are keyed. So it can be
read and signed by people who may not see the numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from remediation.errors import ManifestError

ID_LENGTH = 16
OPTIONAL = ("parent", "reviews")  # keys that are left out where they are empty
EXCLUDED = "excluded-by-review"  # why a study is refused that a review took out
NOT_DONE = (
    "The PACS database is not told: ask the vendor to synchronise or re-index these studies.",
    "DICOMDIR files beside corrected files are not rebuilt.",
    "Studies that were sent to others before are not recalled.",
    "Pixel data is not read: burned-in text stays.",
)


@dataclass(frozen=True, slots=True)
class Parent:
    """The manifest that a reviewed one was made from, and that it takes the place of."""

    manifest_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Review:
    """A decision of somebody who looked at a manifest; it can only take studies out.

    Attributes:
        by, at, why: who decided, when (ISO 8601 in UTC), and on what ground.
        excluded: the StudyInstanceUIDs that were asked to be left out.
        only_periods: the periods that were to be kept; empty: all of them.
        studies, files: how much this took out.
        key: minisign public line of who signed the decision; empty where nobody did.
    """

    by: str
    at: str
    why: str
    excluded: tuple[str, ...] = ()
    only_periods: tuple[str, ...] = ()
    studies: int = 0
    files: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says; dates are text, ISO 8601 in UTC.

    Attributes:
        created: the time of the plan (`--at`).
        placement: the target placement and its settings.
        archives: name to the id that the job's state gave it.
        counts: files, studies, refused studies.
        parent: the manifest that this one was made from by a review; None where it was planned.
        reviews: every decision on the way from the plan to here, oldest first.
    """

    created: str
    expires: str
    author: str
    responsible: str
    job: str
    placement: Mapping[str, Any]
    archives: Mapping[str, str]
    counts: Mapping[str, int]
    in_place_statement: str
    key_id: str
    tool_version: str
    selection: tuple[str, ...] = ()
    not_done: tuple[str, ...] = NOT_DONE
    job_file: str = ""  # relative to the manifest's folder
    digest: str = field(default="")
    parent: Parent | None = None
    reviews: tuple[Review, ...] = ()

    @property
    def manifest_id(self) -> str:
        """The folder's name: the first digits of the digest."""
        return self.digest[:ID_LENGTH]


def canonical(value: Any) -> bytes:
    """Return a value as canonical JSON.

    >>> canonical({"b": 1, "a": ["x"]})
    b'{"a":["x"],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def content_digest(
    manifest: Manifest,
    corrections: Iterable[Mapping[str, Any]],
    refusals: Iterable[Mapping[str, Any]],
) -> str:
    """Return the SHA-256 over a manifest's content; the order of rows does not matter.

    >>> m = Manifest("", "", "", "", "", {}, {}, {}, "", "", "")
    >>> rows = [{"path": "a"}, {"path": "b"}]
    >>> content_digest(m, rows, []) == content_digest(m, reversed(rows), [])
    True
    >>> content_digest(m, rows, []) == content_digest(m, [], rows)
    False
    """
    said = _said(manifest)
    del said["digest"]
    total = hashlib.sha256(canonical(said) + b"\n")
    for name, rows in (("corrections", corrections), ("refusals", refusals)):
        total.update(f"{name}\n".encode())
        for line in sorted(map(canonical, rows)):
            total.update(line + b"\n")
    return total.hexdigest()


def _said(manifest: Manifest) -> dict[str, Any]:
    """Return what a manifest says. Of what only some have, nothing is said where it is not there.

    So a key that comes in later changes no manifest that was made, and perhaps applied, before.
    """
    said = asdict(manifest)
    for name in OPTIONAL:
        if not said[name]:
            del said[name]
    return said


def to_json(manifest: Manifest) -> bytes:
    """Return `manifest.json`; the only form that is accepted back."""
    said = _said(manifest) | {"manifest_id": manifest.manifest_id}
    return json.dumps(said, sort_keys=True, indent=2, ensure_ascii=True).encode() + b"\n"


def from_json(text: bytes) -> Manifest:
    """Return the manifest that `to_json` wrote.

    Raises:
        ManifestError: it is anything else, one byte being enough.
    """
    try:
        said = json.loads(text)
        del said["manifest_id"]
        said |= {name: tuple(said[name]) for name in ("selection", "not_done")}
        said["reviews"] = tuple(map(_review, said.get("reviews", ())))
        said["parent"] = Parent(**said["parent"]) if "parent" in said else None
        manifest = Manifest(**said)
        again = to_json(manifest)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ManifestError("manifest.json is not a manifest", "", "plan again") from error
    if again != text:
        raise ManifestError("manifest.json was altered", "", "plan again")
    return manifest


def _review(said: Mapping[str, Any]) -> Review:
    lists = {name: tuple(said[name]) for name in ("excluded", "only_periods")}
    return Review(**{**said, **lists})
