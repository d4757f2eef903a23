"""Statuses: weighed findings in, one status per instance out; the first that holds is the one.

Twice the same rules: of one instance, for the check just before writing; of millions together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from remediation.model.issuers import BSN_OID, OID_KIND
from remediation.model.placement import Placement
from remediation.model.places import IDENTIFIER_KINDS
from remediation.tables.codes import Flags, Numbers, encoded, integers, numbers, one_of
from remediation.tables.weigh import STRONG

# In order of precedence; what stands before `absent` is told by what was found.
STATUSES = (
    "unreadable",
    "conflict",
    "conformant",
    "wrong-issuer",
    "misplaced",
    "invalid",
    "placeholder",
    "candidate",
    "absent",
)
_WEAK = STATUSES[5:8]


def instance_status(state: str, found: Iterable[Mapping[str, Any]], placement: Placement) -> str:
    """Return the status of one instance from its weighed findings (`weight` beside `evidence`)."""
    if state == "unreadable":
        return "unreadable"
    here = [one for one in found if one["place_kind"] in IDENTIFIER_KINDS]
    strong = [one for one in here if one["weight"] in STRONG]
    if len({one["bsn_token"] for one in strong}) > 1:
        return "conflict"
    at_target = [one for one in strong if one["place_kind"] == placement.conformant_kind]
    column, issuer = _issuer(placement)
    if any(
        one[column] == issuer and one["form"] == "nine" and one["weight"] == "asserted"
        for one in at_target
    ):
        return "conformant"
    if at_target:
        return "wrong-issuer"
    if strong:
        return "misplaced"
    weights = {one["weight"] for one in here}
    return next((weak for weak in _WEAK if weak in weights), "absent")


def instance_statuses(unreadable: Flags, found: pa.Table, placement: Placement) -> Numbers:
    """Return the status of each instance, as its place in STATUSES.

    Args:
        unreadable: of each instance, whether it could not be read.
        found: their findings as `weighed` gives them.
        placement: the target placement.
    """
    at = integers(found["at"])

    def having(findings: Flags) -> Flags:
        flags = np.zeros(len(unreadable), dtype=bool)
        flags[at[findings]] = True
        return flags

    here = one_of(found["place_kind"], IDENTIFIER_KINDS)
    strong = here & one_of(found["weight"], STRONG)
    at_target = strong & one_of(found["place_kind"], {placement.conformant_kind})
    column, issuer = _issuer(placement)
    right = (
        at_target
        & one_of(found[column], {issuer})
        & one_of(found["form"], {"nine"})
        & one_of(found["weight"], {"asserted"})
    )
    tokens = numbers(encoded(found["bsn_token"]))
    some = np.zeros(len(unreadable), dtype=np.int64)
    some[at[strong]] = tokens[strong]
    holds = [
        unreadable,
        having(strong & (tokens != some[at])),
        *map(having, (right, at_target, strong)),
        *(having(here & one_of(found["weight"], {weak})) for weak in _WEAK),
    ]
    return np.select(holds, range(len(holds)), len(holds))


def _issuer(placement: Placement) -> tuple[str, str]:
    """Return the column of findings that tells the placement's issuer, and its value there."""
    issuer = placement.conformant_issuer
    return ("issuer_kind", OID_KIND) if issuer == BSN_OID else ("issuer", issuer)
