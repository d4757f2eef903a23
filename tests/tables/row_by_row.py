"""Judging row by row: the same rules as those of the tool, written to be read; slow.

What the tool does to whole columns is held against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

from remediation.model.issuers import BSN_OID
from remediation.model.places import IDENTIFIER_KINDS, stable

STRONG = {"asserted", "calibrated"}
OF_FIRST = (
    "StudyDate",
    "study_month",
    "source",
    "Modality",
    "patient_token",
    "patient_id_shape",
    "IssuerOfPatientID",
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "InstitutionName",
    "Manufacturer",
    "StationName",
    "TransferSyntaxUID",
    "SeriesDate",
    "InstanceCreationDate",
)


def judged(instances, findings, places, sources, placement):
    """Return the status per archive and path, rows of studies, and rows of mixed ones."""
    by_path = defaultdict(list)
    for one in findings.to_pylist():
        by_path[one["archive"], one["path"]].append(one)
    statuses, studies = {}, defaultdict(list)
    for row in instances.to_pylist():
        if row["state"] not in {"read", "unreadable"}:
            continue
        key = row["archive"], row["path"]
        row["source"] = " / ".join(
            sources.rename.get(row[name] or "unknown", row[name] or "unknown")
            for name in sources.by
        )
        row["found"] = by_path[key]
        for one in row["found"]:
            one["weight"] = weight(one, row["source"], places.to_pylist())
        statuses[key] = row["status"] = status(row, placement)
        studies[row["archive"], row["StudyInstanceUID"]].append(row)
    pairs = [study(rows) for rows in studies.values()]
    pairs.sort(key=lambda pair: tuple(pair[0][n] for n in ("archive", "study_month", UID)))
    return statuses, [row for row, _ in pairs], [one for _, mixed in pairs for one in mixed]


UID = "StudyInstanceUID"


def weight(one, source, places):
    """Return what a finding is worth."""
    if one["evidence"] not in {"asserted", "unasserted"}:
        return one["evidence"]
    of = one["archive"], source, stable(one["place"]), one["private_creator"], one["issuer_kind"]
    names = ("archive", "source", "place", "private_creator", "issuer_kind")
    verdicts = {
        row["verdict"]
        for row in places
        if tuple(row[name] for name in names) == of
        and (row["start"] <= one["study_month"] < row["end"] or row["start"] == one["study_month"])
    }
    if one["evidence"] == "asserted":
        return "candidate" if "not-bsn" in verdicts else "asserted"
    return "calibrated" if "bsn" in verdicts else "candidate"


def status(row, placement):
    """Return the status of an instance."""
    if row["state"] == "unreadable":
        return "unreadable"
    here = [one for one in row["found"] if one["place_kind"] in IDENTIFIER_KINDS]
    strong = [one for one in here if one["weight"] in STRONG]
    if len({one["bsn_token"] for one in strong}) > 1:
        return "conflict"
    there = [one for one in strong if one["place_kind"] == placement.conformant_kind]
    for one in there:
        agreed = one["issuer"] == placement.issuer
        if placement.issuer == BSN_OID:
            agreed = one["issuer_kind"] == "bsn-oid"
        if agreed and (one["form"], one["weight"]) == ("nine", "asserted"):
            return "conformant"
    if strong:
        return "wrong-issuer" if there else "misplaced"
    weights = {one["weight"] for one in here}
    return next((w for w in ("invalid", "placeholder", "candidate") if w in weights), "absent")


def study(rows):
    """Return a row of studies, and rows of its instances where it is mixed."""
    first = min(rows, key=lambda row: (row["state"] != "read", row["path"]))
    statuses = Counter(row["status"] for row in rows)
    places, issuers = Counter(), Counter()
    for row in rows:
        strong = [
            one
            for one in row["found"]
            if one["weight"] in STRONG and one["place_kind"] in IDENTIFIER_KINDS
        ]
        places.update({stable(one["place"]) for one in strong})
        issuers.update({one["issuer"] or "" for one in strong})
    found = [one for row in rows for one in row["found"]]
    written = None
    if first["mtime_ns"] is not None:
        written = datetime.fromtimestamp(first["mtime_ns"] // 10**9, UTC).date()
    told = {
        "archive": first["archive"],
        UID: first[UID],
        "instances": len(rows),
        "unreadable": statuses["unreadable"],
        "status": "mixed" if len(statuses) > 1 else first["status"],
        "statuses": [{"status": s, "instances": n} for s, n in ranked(statuses)],
        "places": [place for place, _ in ranked(places)],
        "place": next((place for place, _ in ranked(places)), None),
        "bsn_issuer": next((issuer for issuer, _ in ranked(issuers)), None),
        "historic": any(one["place_kind"] == "historic" for one in found),
        "leaks": sum(one["place_kind"] not in {*IDENTIFIER_KINDS, "historic"} for one in found),
        "file_date": written,
        "file_age": age(first["StudyDate"], written),
        **{name: first[name] for name in OF_FIRST},
    }
    names = ("archive", UID, "SOPInstanceUID", "path", "status")
    mixed = [
        {"study_month": first["study_month"], **{name: row[name] for name in names}}
        for row in sorted(rows, key=lambda row: row["path"])
        if len(statuses) > 1
    ]
    return told, mixed


def age(made, written):
    """Return how long after its date the file of a study was written."""
    if not made or not written:
        return None
    days = (written - made).days
    if days < -1:
        return "earlier"
    return "month" if days <= 31 else "year" if days <= 365 else "later"


def ranked(counts):
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
