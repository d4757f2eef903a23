"""Handing over: what is told of a study to those who correct it elsewhere, with plain numbers.

These values go to an encryptor and nowhere else, so none of them shows what it holds. The formats
are made of them in `handover_csv`, `handover_dcmodify` and `handover_adt`: text in, text out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

PATIENT_ID, ISSUER, RETIRED, OTHERS = 0x00100020, 0x00100021, 0x00101000, 0x00101002


class CannotSayError(Exception):
    """A format has no way to say this of a study; the text is a reason from code."""


@dataclass(frozen=True, slots=True, repr=False)
class Node:
    """One element as it stands: the bytes of its value without padding, or its items.

    Attributes:
        plain: it can be written as text and read back as the same element.
    """

    tag: int
    vr: str
    raw: bytes = b""
    items: tuple[Nodes, ...] = ()
    plain: bool = True

    @property
    def text(self) -> str:
        """The value as text from which the very bytes come back (UTF-8, surrogate escapes)."""
        return self.raw.decode("utf-8", "surrogateescape")

    @property
    def shown(self) -> str:
        r"""The value as clean text; what is not UTF-8 as `\xNN`."""
        return self.raw.decode("utf-8", "backslashreplace").strip()


Nodes = Mapping[int, Node]  # by tag, in the order of the file


@dataclass(frozen=True, slots=True, repr=False)
class HandedFile:
    """One file: its path beneath the archive's root, and its identity before and after.

    `corrected`: it has been written already, so that both are what stands there now. `former` are
    number and issuer that were its PatientID, where the correction replaces that; else None.
    """

    path: str
    sop_instance: str
    size: int
    rule: str
    before: Nodes
    after: Nodes
    corrected: bool = False
    former: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class HandedStudy:
    """One study, whole. `survivor` is the local number that took this one's place, or empty.

    `survivor_known`: the EPD export has a row of its own for that number.
    """

    archive: str
    study: str
    bsn: str
    local_number: str
    local_issuer: str
    files: tuple[HandedFile, ...]
    survivor: str = ""
    survivor_known: bool = False


@dataclass(frozen=True, slots=True)
class About:
    """What a hand-over says of itself.

    Attributes:
        target: name of the target placement; `issuer` is what it writes beside the BSN.
        at: when it was made.
        archives: names, in the order in which the script is told their roots.
        test: the numbers are nobody's.
    """

    manifest_id: str
    digest: str
    job: str
    target: str
    issuer: str
    at: datetime
    archives: tuple[str, ...]
    test: bool = False


class Format(Protocol):
    """A form of handing over, as pieces of text: a beginning, the studies, an end."""

    by_patient: bool  # `some` is given all studies of one patient; else one study

    def begin(self) -> str:
        """Return what comes first."""

    def some(self, studies: Sequence[HandedStudy]) -> str:
        """Return what is said of these studies.

        Raises:
            CannotSayError: this format cannot.
        """

    def end(self) -> str:
        """Return what comes last."""


def others(nodes: Nodes) -> Iterator[tuple[str, str]]:
    """Yield number and issuer of each item of OtherPatientIDsSequence, as clean text.

    >>> item = {PATIENT_ID: Node(PATIENT_ID, "LO", b"70")}
    >>> list(others({OTHERS: Node(OTHERS, "SQ", items=(item,))}))
    [('70', '')]
    """
    for item in nodes[OTHERS].items if OTHERS in nodes else ():
        yield shown(item, PATIENT_ID), shown(item, ISSUER)


def shown(nodes: Nodes, tag: int) -> str:
    """Return a value as clean text; empty where it is missing."""
    return nodes[tag].shown if tag in nodes else ""
