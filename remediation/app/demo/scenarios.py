"""What the headers of a study can say: one case, its status, and the identity it writes.

The status is the one that `at-rest` gives by the definitions, fixed here by hand: nothing in this
package runs the tool's own rules to find out. `refusal` is a reason that the headers alone give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediation.app.demo.cases import CASES, EpdCase, failing
from remediation.model import bsn
from remediation.model.issuers import BSN_OID

MITRA = "MITRA LINKED ATTRIBUTES 1.0"
PLACEHOLDER = "999999990"
UNKNOWN_CREATOR = "DEMO WORKLIST 1.0"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom one instance is of: the BSN and the local number.

    `issuer` is the local number's as the header spells it, `own_issuer` as the EPD does; `spare` is
    a second number for the cases that need one.
    """

    number: str
    local: str
    issuer: str
    own_issuer: str
    spare: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of OtherPatientIDsSequence; an empty issuer leaves the attribute out."""

    number: str
    issuer: str = BSN_OID
    qualified: bool = False


@dataclass(frozen=True, slots=True)
class Private:
    """One private element in its own block."""

    group: int
    creator: str
    element: int
    vr: str
    value: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What one header says of its patient's numbers; empty parts are left out."""

    patient_id: str
    issuer: str = ""
    items: tuple[Item, ...] = ()
    retired: tuple[str, ...] = ()
    private: tuple[Private, ...] = ()
    historic: str = ""
    comments: str = ""
    accession: str = ""
    nested: str = ""


Draw = Callable[[Subject], Identity]


@dataclass(frozen=True, slots=True)
class HeaderCase:
    """A way in which the headers of one study carry the number.

    `draw` makes the identity of an instance, `last` that of the last one where it differs. `people`
    is 2 where the last instance is another patient's. `damaged` instances are cut short in the
    head: `all`, or the `last`. `least` and `most` bound the number of instances.
    """

    name: str
    status: str
    draw: Draw
    refusal: str = ""
    last: Draw | None = None
    people: int = 1
    damaged: str = ""
    least: int = 1
    most: int = 3
    named_file: bool = False
    software: str = ""


def _bare(subject: Subject) -> Identity:
    return Identity(subject.local, subject.issuer)


def _with(*items: Callable[[Subject], Item]) -> Draw:
    def draw(subject: Subject) -> Identity:
        made = tuple(item(subject) for item in items)
        return Identity(subject.local, subject.issuer, items=made)

    return draw


def _right(subject: Subject) -> Item:
    return Item(subject.number, qualified=subject.number[-2] in "02468")


_conformant = _with(_right)


def _spelt(issuer: str) -> Draw:
    return _with(lambda subject: Item(subject.number, issuer))


def _dotted(subject: Subject) -> Item:
    number = subject.number
    return Item(f"{number[:4]}.{number[4:6]}.{number[6:]}")


def _exchange(issuer: str) -> Draw:
    def draw(subject: Subject) -> Identity:
        local = Item(subject.local, subject.own_issuer)
        return Identity(subject.number, issuer, items=(local,))

    return draw


def _mitra(subject: Subject) -> Private:
    vr = "UN" if subject.number[-2] in "37" else "LO"
    return Private(0x0031, MITRA, 0x20, vr, subject.number)


def _conformant_mitra(subject: Subject) -> Identity:
    item = _right(subject)
    return Identity(subject.local, subject.issuer, items=(item,), private=(_mitra(subject),))


def _mitra_only(subject: Subject) -> Identity:
    private = Private(0x0031, MITRA, 0x20, "LO", subject.number)
    return Identity(subject.local, subject.issuer, private=(private,))


def _retired(subject: Subject) -> Identity:
    """Put the number into OtherPatientIDs, now and then behind the local number."""
    both = subject.number[-1] in "05"
    values = (subject.local, subject.number) if both else (subject.number,)
    return Identity(subject.local, subject.issuer, retired=values)


def _retired_cx(subject: Subject) -> Identity:
    text = f"{subject.number}^^^NLMINBIZA^NNNLD"
    return Identity(subject.local, subject.issuer, retired=(text,))


def _comment(subject: Subject) -> Identity:
    return Identity(subject.local, subject.issuer, comments=f"BSN {subject.number} volgens balie")


def _conformant_comment(subject: Subject) -> Identity:
    comments = f"Nr. {subject.number} gecontroleerd"
    return Identity(subject.local, subject.issuer, items=(_right(subject),), comments=comments)


def _unknown_private(vr: str) -> Draw:
    def draw(subject: Subject) -> Identity:
        private = Private(0x0099, UNKNOWN_CREATOR, 0x10, vr, f"PAT {subject.number}")
        return Identity(subject.local, subject.issuer, private=(private,))

    return draw


def _foreign(subject: Subject) -> Identity:
    return Identity(f"E-{subject.local[:5]}", "ZKH-ELDERS")


_ALL = (
    HeaderCase("conformant", "conformant", _conformant),
    HeaderCase("conformant-mitra", "conformant", _conformant_mitra),
    HeaderCase("conformant-comment", "conformant", _conformant_comment),
    HeaderCase(
        "conformant-two-people", "conformant", _conformant, "instances-disagree", people=2, least=2
    ),
    HeaderCase("retired", "misplaced", _retired),
    HeaderCase("retired-cx", "misplaced", _retired_cx),
    HeaderCase("exchange", "misplaced", _exchange(BSN_OID)),
    HeaderCase("exchange-other-spelling", "misplaced", _exchange("NLMINBIZA")),
    HeaderCase(
        "exchange-alone", "misplaced", lambda s: Identity(s.number, BSN_OID), "no-local-number"
    ),
    HeaderCase("mitra-only", "misplaced", _mitra_only),
    HeaderCase("other-spelling", "wrong-issuer", _spelt("NLMINBIZA")),
    HeaderCase("hd-issuer", "wrong-issuer", _spelt(f"&{BSN_OID}&ISO")),
    HeaderCase("dotted", "wrong-issuer", _with(_dotted)),
    HeaderCase(
        "conflict", "conflict", _with(_right, lambda s: Item(s.spare)), "header-disagrees"
    ),
    HeaderCase(
        "conflict-spellings", "conflict",
        _with(_right, lambda s: Item(s.spare, "NLMINBIZA")), "header-disagrees",
    ),
    HeaderCase("invalid", "invalid", _with(lambda s: Item(failing(s.number)))),
    HeaderCase("placeholder", "placeholder", _with(lambda _: Item(PLACEHOLDER))),
    HeaderCase(
        "candidate-retired", "candidate",
        lambda s: Identity(s.local, s.issuer, retired=(s.number,)),
    ),
    HeaderCase("candidate-item", "candidate", _with(lambda s: Item(s.number, ""))),
    HeaderCase("candidate-primary", "candidate", lambda s: Identity(s.number)),
    HeaderCase("bare", "absent", _bare),
    HeaderCase("historic", "absent", lambda s: Identity(s.local, s.issuer, historic=s.number)),
    HeaderCase("comment", "absent", _comment),
    HeaderCase("accession", "absent", lambda s: Identity(s.local, s.issuer, accession=s.number)),
    HeaderCase("nested-text", "absent", lambda s: Identity(s.local, s.issuer, nested=s.number)),
    HeaderCase("unknown-private", "absent", _unknown_private("LO")),
    HeaderCase("unknown-private-un", "absent", _unknown_private("UN")),
    HeaderCase("named-file", "absent", _bare, named_file=True),
    HeaderCase("foreign", "absent", _foreign, "foreign-issuer"),
    HeaderCase(
        "two-issuers", "absent", lambda s: Identity(s.local), "ambiguous-issuer",
        software="IMPORT_1",
    ),
    HeaderCase("mixed", "mixed", _conformant, last=_bare, least=2),
    HeaderCase(
        "mixed-two-people", "mixed", _conformant, "instances-disagree",
        last=_bare, people=2, least=2,
    ),
    HeaderCase(
        "mixed-unreadable", "mixed", _conformant, "unreadable-instance", damaged="last", least=2
    ),
    HeaderCase(
        "unreadable", "unreadable", _conformant, "unreadable-instance", damaged="all", most=2
    ),
)  # fmt: skip
HEADERS = {case.name: case for case in _ALL}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is planted in one study: a header case, and how the export treats its patient.

    >>> scenario("retired/not-verified").verdict()
    ('refused', 'not-verified')
    >>> scenario("conformant/not-verified").verdict()
    ('conformant', '')
    >>> scenario("bare/newborn").verdict(), scenario("retired").verdict()
    (('exempt', 'exempt'), ('resolved', ''))
    """

    header: HeaderCase
    epd: EpdCase

    @property
    def name(self) -> str:
        """The names of both cases, `verified` left out."""
        return (
            self.header.name
            if self.epd.name == "verified"
            else f"{self.header.name}/{self.epd.name}"
        )

    def status(self, local: str) -> str:
        """Return the study's status; without any BSN a local number that passes is a candidate."""
        passes = self.header.status == "absent" and bsn.passes(local)
        return "candidate" if passes else self.header.status

    def verdict(self) -> tuple[str, str]:
        """Return outcome and reason (empty for none)."""
        if self.header.refusal:
            return "refused", self.header.refusal
        conformant = self.header.status == "conformant"
        if self.epd.reason and (self.epd.strict or not conformant):
            return ("exempt" if self.epd.reason == "exempt" else "refused"), self.epd.reason
        return ("conformant" if conformant else "resolved"), ""


def scenario(name: str) -> Scenario:
    """Return a scenario by the name of its header case, and after a slash its EPD case.

    Raises:
        KeyError: a case is unknown.

    >>> scenario("bare/newborn").name, scenario("bare").name
    ('bare/newborn', 'bare')
    >>> scenario("bare/nonsense")
    Traceback (most recent call last):
    ...
    KeyError: 'nonsense'
    """
    header, _, epd = name.partition("/")
    return Scenario(HEADERS[header], CASES[epd or "verified"])
