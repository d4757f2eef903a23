"""Reads the EPD's export from HL7 v2 ADT messages: patients of PID, merges of MRG; a stream.

A message is the patient as he was when it was made: a later one takes its place, which the rows'
times are for. One row for each local number of PID-3, with the BSN of the same field. What a
message cannot say, whether somebody saw a document, comes from the job file.
Source: HL7 v2.5.1 chapters 2 (CX, XPN, FN, DTM, batch protocol) and 3 (ADT, PID, MRG; tables 0203,
0363, 0445); appendix C (MLLP).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from remediation.model import person
from remediation.model.crosswalk import Rows
from remediation.model.issuers import ASSERTING, kind
from remediation.store.crosswalk_csv import encoding_of
from remediation.store.crosswalk_reading import BATCH, CrosswalkSettings, Hl7Settings
from remediation.store.hl7_messages import Field, Message, Repetition, messages

# Events of which MRG-1 is a number that PID-3 takes the place of; A43 and A44 move, A41 accounts.
MERGES = frozenset({"A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"})
REMOVED = "A29"
NOBODY = frozenset({"A20"})  # of a bed: no patient in it
# Kinds of name that identify: legal, display, at birth, maiden, registered; no alias, no nickname.
_NAMES = frozenset({"", "L", "D", "B", "M", "R"})
_AT_BIRTH = frozenset({"B", "M"})
_DAY = 8  # digits
_CELLS = (
    "issuer",
    "local_number",
    "bsn",
    "status",
    "birth_date",
    "sex",
    "family_name",
    "birth_name",
    "partner_name",
    "initials",
    "replaced_by",
    "valid_from",
    "valid_to",
)
Cells = dict[str, str]


def read_hl7(file: BinaryIO, path: Path, settings: CrosswalkSettings) -> Iterator[Rows]:
    """Yield the rows of an open file of messages in batches.

    Raises:
        UsageError: It is no text, or no messages; one is cut off, names no patient, or does not
            say when it was made. Names the message by its number, never a value.
    """
    reader = _Reader(settings)
    rows: list[Cells] = []
    numbers: list[int] = []
    times: list[int] = []

    def taken() -> Rows:
        cells = {name: [row.get(name, "") for row in rows] for name in _CELLS}
        found = Rows(cells, tuple(numbers), f"{path.name} message", "hl7", tuple(times))
        for column in (rows, numbers, times):
            column.clear()
        return found

    for message in messages(file, encoding_of(file, path), path):
        if message.type != "ADT" or message.event in NOBODY:
            continue
        at = message.time(settings.hl7.timezone)
        for row in reader.rows(message):
            rows.append({name: text.strip() for name, text in row.items()})
            numbers.append(message.number)
            times.append(at)
        if len(rows) >= BATCH:
            yield taken()
    if rows:
        yield taken()


class _Reader:
    """Makes rows of messages."""

    def __init__(self, settings: CrosswalkSettings) -> None:
        self._hl7: Hl7Settings = settings.hl7
        self._default, self._extra = settings.default_issuer, settings.extra_issuers

    def rows(self, message: Message) -> Iterator[Cells]:
        """Yield the rows of every patient that a message names."""
        patients = 0
        local_numbers: list[Cells] = []
        for segment in message.segments():
            if segment.name == "PID":
                patients += 1
                local_numbers, numbers = self._identifiers(segment.field(3), message)
                if not (local_numbers or numbers):
                    raise message.refused("names a patient without a number (PID-3)")
                said = {} if message.event == REMOVED else self._person(segment)
                for local in local_numbers or [{}]:
                    for number in numbers or [""]:
                        yield local | said | {"bsn": "" if message.event == REMOVED else number}
            elif segment.name == "MRG" and message.event in MERGES:
                yield from self._merged(segment.field(1), local_numbers, message)
        if not patients:
            raise message.refused("names no patient (PID)")

    def _identifiers(self, field: Field, message: Message) -> tuple[list[Cells], list[str]]:
        """Return the local numbers with issuer and validity, and the BSNs."""
        local_numbers: list[Cells] = []
        numbers: list[str] = []
        for one in field:
            number = one.text(1)
            if not number:
                continue
            if self._is_bsn(one):
                # A number that was withdrawn is nobody's any more.
                if not one.text(8) or one.text(8)[:_DAY] >= message.day:
                    numbers.append(number)
                continue
            local_numbers.append(
                {
                    "issuer": self._issuer(one),
                    "local_number": number,
                    "valid_from": one.text(7)[:_DAY],
                    "valid_to": one.text(8)[:_DAY],
                }
            )
        return local_numbers, list(dict.fromkeys(numbers))

    def _is_bsn(self, one: Repetition) -> bool:
        spellings = (*one.parts(4), one.text(5))
        return any(kind(text, self._extra) in ASSERTING for text in spellings)

    def _issuer(self, one: Repetition) -> str:
        """Return the assigning authority of a local number, by our name for it."""
        namespace, universal, *_ = (*one.parts(4), "", "")
        named = self._hl7.issuers
        for spelling in (namespace, universal):
            if spelling and spelling in named:
                return named[spelling]
        return namespace or universal or self._default

    def _merged(
        self, field: Field, local_numbers: list[Cells], message: Message
    ) -> Iterator[Cells]:
        """Yield a row for each number that another took the place of: it says nothing else."""
        former, _ = self._identifiers(field, message)
        if not former:
            raise message.refused("merges, and does not say which number (MRG-1)")
        now = [(one["issuer"], one["local_number"]) for one in local_numbers]
        for one in former:
            issuer, number = one["issuer"], one["local_number"]
            if (issuer, number) not in now:
                here = [local for its, local in now if its == issuer]
                yield {
                    "issuer": issuer,
                    "local_number": number,
                    "replaced_by": here[0] if here else "",
                }

    def _person(self, pid: Any) -> Cells:
        words = [one.text(1) for one in pid.field(32) if one.text(1)]
        named = dict.fromkeys(self._hl7.reliability.get(word, word) for word in words)
        return {
            "status": "~".join(named) if named else self._hl7.status,
            "birth_date": _day(pid.field(7)),
            "sex": next((one.text(1) for one in pid.field(8)), ""),
            **_names(pid.field(5)),
        }


def _day(field: Field) -> str:
    text = next((one.text(1) for one in field), "")
    return text[:_DAY] if len(text) >= _DAY else ""


def _names(field: Field) -> Cells:
    """Return own, birth and partner's name and initials, prefixes left out, of all that identify.

    A Dutch system writes the parts of a double name apart: the whole, then prefix and own name,
    then prefix and partner's. Where it does not, the whole is all there is.
    """
    cells: Cells = {}
    for one in field:
        type_ = one.text(7).upper()
        if type_ not in _NAMES:
            continue
        whole, _, own, _, partner, *_ = (*one.parts(1), "", "", "", "", "")
        if type_ in _AT_BIRTH:
            cells["birth_name"] = own or whole
            continue
        for key, text in (("family_name", whole), ("birth_name", own), ("partner_name", partner)):
            if text:
                cells.setdefault(key, text)
        given = person.initials(one.text(2)) + person.initials(one.text(3))
        if given:
            cells.setdefault("initials", ".".join(given) + ".")
    return cells
