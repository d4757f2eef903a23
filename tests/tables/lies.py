"""What it means that a study lies in a period, told row by row: the oracle of `tables.lying`."""

from datetime import timedelta

from remediation.tables.rewrites import LATE


def holds(period, study):
    """Tell whether a study (of STUDIES) lies in a period (of PERIODS)."""
    if (period["archive"], period["source"]) != (study["archive"], study["source"]):
        return False
    made, written = study["StudyDate"], study["file_date"]
    by_study = period["axis"] == "study"
    day = made if by_study else written
    if day is None or not period["start"] <= day < period["end"]:
        return False
    return by_study or bool(made and written - made > timedelta(days=LATE))
