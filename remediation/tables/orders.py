"""Orders: from a row of a manifest and the head it was planned for, to the number and the new head.

Apply and export call the same: a number leaves the EPD export only where the crosswalk, as it is
now, still allows it for the person that this head is of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from remediation.dicom.correction import Refused
from remediation.dicom.elements import Head
from remediation.dicom.header import scan
from remediation.dicom.locate import BsnRules
from remediation.dicom.rewrite import rewrite
from remediation.dicom.second import second_opinion
from remediation.model.crosswalk import Crosswalk, Entry
from remediation.model.evidence import ArchiveIssuers, MatchRules
from remediation.model.files import FileRef, Layout
from remediation.model.identity import Matcher
from remediation.model.manifest import Manifest
from remediation.model.opinions import Opinions
from remediation.model.placement import Order, Placement
from remediation.model.secrets import Keys
from remediation.model.tokens import patient_token
from remediation.tables.heads import evidence_of_head
from remediation.tables.rows import RowMaker

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrderRules:
    """What the job says of numbers and issuers, and which run it is."""

    matching: MatchRules
    run_id: str
    now: datetime
    bsn: BsnRules = field(default_factory=BsnRules)


class Orders:
    """The orders of one manifest; a number is looked up for the row that names it."""

    def __init__(
        self,
        manifest: Manifest,
        crosswalk: Crosswalk,
        keys: Keys,
        rules: OrderRules,
        opinions: Opinions | None = None,
    ) -> None:
        self.opinions = opinions or Opinions((second_opinion,), every=True, silent_is_no=False)
        self.keys, self.rules, self.crosswalk = keys, rules, crosswalk
        self.placement = Placement.recorded(manifest.placement)
        created = datetime.fromisoformat(manifest.created)
        self._at = f"{created:%Y%m%d%H%M%S}.000000+0000"
        self._matcher = Matcher(crosswalk, keys, rules.matching)
        self._tokens = crosswalk.tokens(keys)

    def maker(self, row: Row) -> RowMaker:
        """Return what reads a head of this row's archive."""
        rules = self.rules
        return RowMaker(
            self.keys, row["archive"], Layout(""), rules.bsn, True, rules.run_id, rules.now
        )

    def confirmed(self, row: Row, ref: FileRef, head: Head, raw: bytes) -> Entry:
        """Return the crosswalk's row for a head, the person checked again.

        Raises:
            Refused: the crosswalk or the person does not allow it (any more).
        """
        reason = self._matcher.confirm(
            evidence_of_head(self.maker(row), ref, head, raw, self.rules.matching.source_of),
            row["bsn_token"],
            row["local_issuer"],
            row["local_token"],
        )
        if reason:
            raise Refused(reason)
        for entry in self._tokens.bsn(row["bsn_token"]):
            if entry.issuer == row["local_issuer"] and self._local(entry) == row["local_token"]:
                return entry
        raise Refused("no-crosswalk-entry")

    def _local(self, entry: Entry) -> str:
        return patient_token(self.keys, self.crosswalk.spelled(entry))

    def rewritten(self, row: Row, ref: FileRef, raw: bytes) -> tuple[Entry, bytes]:
        """Return the crosswalk's row and the new head; where second readers look, they agree.

        Raises:
            Refused: as `confirmed` does, or by `rewrite`; or as a second reader objects.
        """
        head = scan(raw, len(raw))
        entry = self.confirmed(row, ref, head, raw)
        spellings = self.rules.matching.archives.get(row["archive"], ArchiveIssuers())
        order = Order(
            entry.bsn,
            row["local_issuer"],
            spellings.spellings(row["local_issuer"]),
            self.placement,
            self._at,
            self.rules.bsn.extra_issuers,
            self.rules.bsn.placeholders,
        )
        new = rewrite(head, ref.size, order, raw=raw).head
        study, file = (f"{row['archive']}\n{row[name]}" for name in ("StudyInstanceUID", "path"))
        objection = self.opinions.objection(study, file, raw, new)
        if objection:
            raise Refused(objection)
        return entry, new
