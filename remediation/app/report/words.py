"""Words: numbers, dates and texts in one language; nothing from a header goes out unwashed."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from remediation.app.report.catalogue import Catalogue
from remediation.app.report.texts_en import ENGLISH
from remediation.app.report.texts_nl import DUTCH
from remediation.model import bsn
from remediation.model.events import UNKNOWN_MONTH, month_number

Language = Literal["nl", "en"]
_CATALOGUES = {"nl": DUTCH, "en": ENGLISH}
_SEALED = re.compile(r"sealed:([A-Za-z0-9+/]{4})[A-Za-z0-9+/=]*", re.ASCII)
_LONGEST = 120
_LEAST = 0.0005  # less would be shown as nothing
_JOINERS = "\u200c\u200d"  # part of how some scripts are written
NONE = "\u2013"  # where there is nothing to show


@dataclass(frozen=True, slots=True)
class Words:
    """One language: how it writes numbers and dates, and what it calls things."""

    catalogue: Catalogue

    @classmethod
    def of(cls, language: Language) -> Words:
        """Return the words of a language."""
        return cls(_CATALOGUES[language])

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values filled in.

        Raises:
            KeyError: there is no such text, or a value is missing.

        >>> Words.of("nl")("job", job="demo")
        'Job demo'
        """
        return self.catalogue.text[key].format(**values)

    # -- numbers ------------------------------------------------------------------------------

    def number(self, value: int) -> str:
        """Return a whole number.

        >>> Words.of("nl").number(1234567), Words.of("en").number(1234567)
        ('1.234.567', '1,234,567')
        """
        return f"{value:,}".replace(",", self.catalogue.thousands)

    def share(self, value: float | None, below: float | None = None) -> str:
        """Return a share as a percentage; what is not quite all or nothing never looks so.

        A share under `below` is rounded down where it would else look as if it reached that.

        >>> nl = Words.of("nl").share
        >>> [nl(v).replace(chr(0xA0), "_") for v in (0.8966, 1.0, 0.9999, 0.0, 0.0001)]
        ['89,7_%', '100,0_%', '99,9_%', '0,0_%', '<_0,1_%']
        >>> Words.of("en").share(0.9496), Words.of("en").share(0.9496, below=0.95)
        ('95.0%', '94.9%')
        """
        if value is None or math.isnan(value):
            return NONE
        if 0 < value < _LEAST:
            return f"<\u00a00{self.catalogue.decimal}1{self.catalogue.percent}"
        tenths = math.floor(value * 1000 + 0.5)
        if value < 1 <= tenths / 1000 or (below and value < below <= tenths / 1000):
            tenths = math.floor(value * 1000)
        return f"{tenths // 10}{self.catalogue.decimal}{tenths % 10}{self.catalogue.percent}"

    def target(self, value: float) -> str:
        """Return a target as a percentage, without needless decimals.

        >>> Words.of("en").target(0.95), Words.of("en").target(0.975)
        ('95%', '97.5%')
        """
        text = f"{value * 100:.1f}".removesuffix(".0")
        return text.replace(".", self.catalogue.decimal) + self.catalogue.percent

    def interval(self, low: float, high: float) -> str:
        """Return an interval of shares."""
        return self("between", low=self.share(low), high=self.share(high))

    def count(self, value: int, noun: str) -> str:
        """Return a number with its noun.

        >>> Words.of("nl").count(1, "study"), Words.of("nl").count(2402, "study")
        ('1 studie', '2.402 studies')
        """
        one, many = self.catalogue.nouns[noun]
        return f"{self.number(value)} {one if value == 1 else many}"

    # -- time ---------------------------------------------------------------------------------

    def day(self, value: date) -> str:
        """Return a day.

        >>> Words.of("nl").day(date(2011, 7, 1)), Words.of("en").day(date(2011, 7, 1))
        ('1 juli 2011', '1 July 2011')
        """
        return f"{value.day} {self.catalogue.months[value.month - 1]} {value.year}"

    def month(self, text: str) -> str:
        """Return a month of a dataset, `unknown` included.

        >>> Words.of("nl").month("2011-07"), Words.of("nl").month("unknown")
        ('juli 2011', 'zonder datum')
        """
        if text == UNKNOWN_MONTH:
            return self("undated")
        number = month_number(text)
        return f"{self.catalogue.months[number % 12]} {number // 12}"

    def short_month(self, number: int) -> str:
        """Return a month number, shortly."""
        return f"{self.catalogue.short_months[number % 12]} {number // 12}"

    def stretch(self, start: date, end: date) -> str:
        """Return a half-open range of days: of months where it is one of whole months.

        >>> Words.of("nl").stretch(date(2011, 7, 1), date(2012, 3, 1))
        'juli 2011 t/m februari 2012'
        >>> Words.of("en").stretch(date(2011, 7, 1), date(2011, 8, 1))
        'July 2011'
        """
        last = end - timedelta(days=1)
        if start.day == 1 and end.day == 1:
            first, until = (self.month(f"{day:%Y-%m}") for day in (start, last))
        else:
            first, until = self.day(start), self.day(last)
        return first if first == until else self("from_to", first=first, last=until)

    def moment(self, value: datetime) -> str:
        """Return a time in UTC; one without a zone is taken as UTC.

        >>> Words.of("nl").moment(datetime(2026, 11, 23, 1, 20, tzinfo=UTC))
        '23 november 2026, 01:20 UTC'
        """
        at = value.astimezone(UTC) if value.tzinfo else value
        return f"{self.day(at.date())}, {at:%H:%M} UTC"

    def moment_of(self, text: str) -> str:
        """Return an ISO 8601 time, or a dash where it is none."""
        try:
            return self.moment(datetime.fromisoformat(text))
        except ValueError:
            return NONE

    # -- what comes from headers, the job file, or the EPD ----------------------------------------

    def plain(self, text: str | None, longest: int = _LONGEST) -> str:
        r"""Return foreign text for a page: printable, not too long, and without a number in it.

        >>> nl = Words.of("nl").plain
        >>> nl("Zkh.\x00Oost\u202e"), nl("A" * 200)[-1], nl(bsn.test_number(5)), nl("") == NONE
        ('Zkh. Oost', '…', '(afgeschermd)', True)
        """
        if not text:
            return NONE
        text = _SEALED.sub(lambda found: self("sealed", mark=found[1]), text)
        text = " ".join("".join(map(_printable, text)).split())
        whole = bsn.normalise(text)
        if any(bsn.passes(number) for number in ([whole] if whole else bsn.runs(text))):
            return self("withheld")
        return text[:longest] + "…" if len(text) > longest else text or NONE

    def source(self, archive: str | None, source: str | None) -> str:
        """Return the name of a source within its archive."""
        name = self("undated_source") if source == "unknown" else self.plain(source)
        return self("source_name", archive=self.plain(archive), source=name)

    def event_kind(self, kind: str | None) -> str:
        """Return what an event is; a kind of the job's own stays as it is."""
        return self.catalogue.event_kinds.get(kind or "", self.plain(kind))

    def reason(self, code: str) -> str:
        """Return why a study or a file is left alone; an unknown reason stays a code word."""
        known = self.catalogue.reasons.get(code) or self.catalogue.file_reasons.get(code)
        if known:
            return known
        file_reason = self.catalogue.file_reasons.get(code.removeprefix("head-"))
        return file_reason or self.plain(code)

    def listed(self, texts: list[str]) -> str:
        """Return texts as an enumeration.

        >>> Words.of("nl").listed(["a", "b", "c"])
        'a, b en c'
        """
        if len(texts) < 2:  # noqa: PLR2004 - one needs no joining
            return "".join(texts)
        return self("and", first=", ".join(texts[:-1]), last=texts[-1])


def _printable(sign: str) -> str:
    """Blank what shows nothing and misleads: control signs, overrides of direction."""
    hidden = unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"}
    return " " if hidden and sign not in _JOINERS else sign
