"""Small output folders, made of rows, as the stages would leave them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from remediation.app.report.build import ReportOptions, write_report
from remediation.model.events import Event
from remediation.model.worklists import DESK, MIXUPS
from remediation.store import datasets
from remediation.store.worklists import write_csv
from remediation.tables.coverage import coverage_table
from remediation.tables.daily import daily
from remediation.tables.schemas import (
    EVENTS,
    FINDINGS,
    IDENTITIES,
    INSTANCES,
    MIXED,
    PERIODS,
    PLACES,
    STUDIES,
)

KEY = "0123456789abcdef"
AT = datetime(2026, 11, 23, 1, 20, tzinfo=UTC)
MIGRATION = Event("PACS-migratie", "pacs-migration", date(2011, 7, 1), date(2011, 7, 2), None)


def period(start: date, end: date, period_id: str = "a0b1c2d0", **more: Any) -> dict[str, Any]:
    """Return a row of PERIODS: a jump down and a jump up, both sure within three days."""
    three = timedelta(days=3)
    row = {"period_id": period_id, "archive": "oost", "source": "Ziekenhuis Oost"}
    row |= {"axis": "study", "start": start, "end": end, "start_kind": "jump", "end_kind": "jump"}
    row |= {"start_low": start - three, "start_high": start + three}
    row |= {"end_low": end - three, "end_high": end + three}
    row |= {"studies": 80, "coverage": 0.0, "coverage_before": 1.0, "coverage_after": 1.0}
    row |= {"low": 0.0, "high": 0.046, "dispersion": 1.0, "p_value": 1e-9, "q_value": 1e-8}
    row |= {"steps": [], "dominant_status": "misplaced", "event": None, "event_kind": None}
    row |= {"written_start": None, "written_end": None, "written_share": None}
    row |= {"event_distance_days": 0, "event_start": MIGRATION.start, "causes": [cause("place")]}
    return row | more


def cause(
    signal: str,
    before: str | None = "OtherPatientIDsSequence.PatientID",
    inside: str | None = "OtherPatientIDs",
    edge: str = "start",
) -> dict[str, Any]:
    """Return one cause of a period."""
    return {"signal": signal, "before": before, "inside": inside, "strength": 0.9, "edge": edge}


def effect(verdict: str = "worse", change: float | None = -0.95, **more: Any) -> dict[str, Any]:
    """Return a row of EVENTS: the migration, and what it did to one source."""
    row = {"event": MIGRATION.name, "event_kind": MIGRATION.kind, "archive": "oost"}
    row |= {"source": "Ziekenhuis Oost", "start": MIGRATION.start, "end": MIGRATION.end}
    row |= {"studies_before": 60, "coverage_before": 0.98, "studies_in": 1, "coverage_in": 0.0}
    row |= {"studies_after": 60, "coverage_after": 0.03, "change": change, "low": -0.99}
    row |= {"high": -0.88, "p_value": 1e-9, "q_value": 1e-8, "verdict": verdict, "periods": []}
    return row | more


@dataclass
class Hospital:
    """An output folder in the making; `study` adds studies, `write` writes the datasets."""

    output: Path
    key: str = KEY
    studies: list[dict[str, Any]] = field(default_factory=list)
    identities: list[dict[str, Any]] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    periods: list[dict[str, Any]] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    mixed: list[dict[str, Any]] = field(default_factory=list)

    def study(
        self,
        month: str = "2011-03",
        status: str = "conformant",
        *,
        count: int = 1,
        archive: str = "oost",
        source: str = "Ziekenhuis Oost",
        outcome: str | None = None,
        reason: str = "",
        exemption: str | None = None,
        **more: Any,
    ) -> Hospital:
        """Add studies of one file each, all alike."""
        for _ in range(count):
            uid = f"2.999.7.{len(self.studies) + 1}"
            day = None if month == "unknown" else date.fromisoformat(f"{month}-05")
            here = {"archive": archive, "StudyInstanceUID": uid}
            self.studies.append(
                here
                | {"StudyDate": day, "study_month": month, "source": source, "status": status}
                | {"instances": 1, "unreadable": 0, "places": [], "historic": False, "leaks": 0}
                | more
            )
            wanted = outcome or ("conformant" if status == "conformant" else "resolved")
            self.identities.append(
                here
                | {"outcome": wanted, "reason": reason, "exemption": exemption}
                | {"warnings": more.get("warnings", [])}
            )
            self.file(month, archive, StudyInstanceUID=uid, InstitutionName=source)
        return self

    def file(self, month: str = "2011-03", archive: str = "oost", **more: Any) -> Hospital:
        """Add one file to the inventory."""
        path = f"{archive}/{month}/{len(self.instances)}"
        row = {"archive": archive, "study_month": month, "path": path, "state": "read"}
        row |= {"error": "", "run_id": "20261123T010000Z-aaaa", "crawled_at": AT}
        self.instances.append(row | more)
        return self

    def finding(self, place: str, kind: str, **more: Any) -> Hospital:
        """Add one finding."""
        row = {"archive": "oost", "study_month": "2011-03", "path": "p", "place": place}
        self.findings.append(row | {"place_kind": kind, "private_creator": ""} | more)
        return self

    def place(
        self, place: str, values: int, well_formed: int, passing: int, **more: Any
    ) -> Hospital:
        """Add one place with its counts."""
        row = {"archive": "oost", "source": "Ziekenhuis Oost", "place": place}
        row |= {"private_creator": "", "issuer_kind": "bsn-oid", "start": "2011-01"}
        row |= {"end": "2011-04", "values": values, "well_formed": well_formed}
        row |= {"passing": passing, "pass_rate": passing / well_formed if well_formed else None}
        row |= {"low": 0.9, "high": 1.0, "probability": 0.99, "verdict": "bsn"}
        self.places.append(row | more)
        return self

    def period(self, start: date, end: date, **more: Any) -> Hospital:
        """Add one broken period, both edges sure within three days."""
        self.periods.append(period(start, end, f"{len(self.periods) + 0xA0B1C2D0:x}", **more))
        return self

    def effect(self, **more: Any) -> Hospital:
        """Add what one event did to one source."""
        self.effects.append(effect(**more))
        return self

    def worklist(self, *reasons: str) -> Hospital:
        """Write the worklists of patients with one line per reason, and who was left out."""
        headings = ("lokaal nummer", "uitgever", "archief", "reden", "studies", "eerste studie")
        for name, own in (("registratie", DESK), ("verwisselingen", MIXUPS)):
            mine = [one for one in reasons if one in own]
            rows = [("7000001", "ZKH-OOST", "oost", one, 1, "2.999.7.1") for one in mine]
            last = ("12 regels niet opgenomen", *[""] * (len(headings) - 1))
            write_csv(self.output / "worklists" / f"{name}.csv", headings, [*rows, last])
        return self

    def write(
        self,
        *stages: str,
        events: tuple[Event, ...] = (MIGRATION,),
        provisional_from: date | None = None,
    ) -> Hospital:
        """Write what the stages make; all of them if none is named."""
        wanted = stages or ("crawl", "flag", "match")
        (self.output / "inventory" / "instances").mkdir(parents=True, exist_ok=True)
        for name, rows, schema in (
            ("instances", self.instances, INSTANCES),
            ("findings", self.findings, FINDINGS),
        ):
            for archive, month in {(row["archive"], row["study_month"]) for row in rows}:
                here = [r for r in rows if (r["archive"], r["study_month"]) == (archive, month)]
                table = pa.Table.from_pylist(here, schema=schema)
                folder = self.output / "inventory" / name
                datasets.write_partition(folder, table, archive, month, self.key)
        studies = pa.Table.from_pylist(self.studies, schema=STUDIES)
        tables = {"studies": studies, "places": pa.Table.from_pylist(self.places, schema=PLACES)}
        tables["coverage"] = coverage_table(daily(studies), provisional_from)
        near = {"event": events[0].name, "event_kind": events[0].kind} if events else {}
        periods = [row if row["event"] else row | near for row in self.periods]
        tables["periods"] = pa.Table.from_pylist(periods, schema=PERIODS)
        tables["events"] = pa.Table.from_pylist(self.effects, schema=EVENTS)
        tables["mixed"] = pa.Table.from_pylist(self.mixed, schema=MIXED)
        if "match" in wanted:
            tables["identities"] = pa.Table.from_pylist(self.identities, schema=IDENTITIES)
        for name, table in tables.items() if "flag" in wanted else ():
            datasets.write(self.output / f"{name}.parquet", table, self.key)
        return self


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """An empty output folder."""
    return Hospital(tmp_path / "out")


@pytest.fixture
def options(hospital: Hospital) -> Callable[..., ReportOptions]:
    """Options over that folder; any of them can be changed."""
    usual = ReportOptions(
        hospital.output, KEY, "demo", 0.95, "nl", (MIGRATION,), AT, tool_version="0.1.0"
    )
    return lambda **changes: replace(usual, **changes)


def broken_decade(
    made: Hospital, source: str = "Ziekenhuis Oost", archive: str = "oost"
) -> Hospital:
    """Ten studies a month over three years, eight months of them misplaced."""
    for number in range(36):
        year, month = 2010 + number // 12, number % 12 + 1
        inside = (2011, 7) <= (year, month) < (2012, 3)
        made.study(
            f"{year}-{month:02d}",
            "misplaced" if inside else "conformant",
            count=10,
            source=source,
            archive=archive,
            place="OtherPatientIDs" if inside else "OtherPatientIDsSequence.PatientID",
            patient_id_shape="9" * 9,
        )
    return made.period(date(2011, 7, 1), date(2012, 3, 1), source=source, archive=archive)


def text_of(page):
    """The page's text as a reader sees it, blanks made equal."""
    bare = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<wbr>|<[^>]*>", " ", bare)).replace("\u00a0", " ").split())


@pytest.fixture
def made(hospital, options):
    """Return a function that writes the folder and its report, and gives the page."""

    def make(*stages, wanted=None, **write):
        hospital.write(*stages, **write)
        result = write_report(options(**(wanted or {})))
        return result, result.html.read_text(encoding="utf-8")

    return make
