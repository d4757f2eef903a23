"""Shares with planted coverage, and surveys of them: for the tests of `survey`."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from pathlib import Path

from stages.share import AT, Share
from tables.heads_of import bsn_item, el, file_of, local

from remediation.model import bsn
from remediation.model.files import ArchiveRoot
from remediation.stages import survey
from remediation.stages.survey import SurveyOptions
from remediation.store import sampling

EAST, WEST = "Ziekenhuis Oost", "Kliniek West"


@dataclass
class Planted:
    """A share and what was planted on it: the studies of each source and month, right or not."""

    share: Share
    studies: dict[tuple[str, str], list[bool]] = field(default_factory=dict)
    count: int = 0

    def study(self, folder, day, *, right, source=EAST, series=1, files=1, own_folder=True):
        """Put a study on the share, in a folder of each series, or flat."""
        self.count += 1
        uid = f"1.2.{self.count}"
        own = [*local(), bsn_item(bsn.test_number(self.count))] if right else local()
        for one in range(series):
            for file in range(files):
                data = file_of(
                    *own,
                    el(0x00080080, "LO", source),
                    el(0x0020000E, "UI", f"{uid}.{one}"),
                    uid=uid,
                    day=day,
                    instance=f"{uid}.{one}.{file}",
                )
                name = f"S{self.count}/{one}/{file}" if own_folder else f"{uid}.{one}.{file}"
                self.share.put(f"{folder}/{name}", data)
        self.studies.setdefault((source, f"{day[:4]}-{day[4:6]}"), []).append(right)

    def truth(self, source=None, month=None):
        """Return the planted coverage of a source and month, or of all."""
        keys = self.studies if source is None else [(source, month)]
        found = [right for key in keys for right in self.studies[key]]
        return sum(found) / len(found)

    def survey(self, sample, seed=1, *, layout="", prunes=True, run=survey.run, **changes):
        return run(
            options(self.share, sample, seed, layout=layout, prunes=prunes, **changes),
            self.share.keys,
        )


def options(share, sample, seed=1, *, layout="", prunes=True, **changes):
    archive = ArchiveRoot(share.name, share.root, layout, prunes and bool(layout))
    return SurveyOptions((archive,), share.output, sample, seed, "run-1", AT, **changes)


def rows_of(report, scope):
    return [row for row in report.rows if row["scope"] == scope]


def overall(report):
    [row] = rows_of(report, "all")
    return row


def by_days(folder: Path) -> Planted:
    """Three months of two sources in folders of days, weekends nearly empty and mostly wrong."""
    rng = random.Random(7)
    planted = Planted(Share(folder))
    shares = {(EAST, 7): 0.95, (EAST, 8): 0.3, (EAST, 9): 0.8, (WEST, 7): 0.6, (WEST, 9): 0.9}
    for (source, month), share in shares.items():
        for day in range(1, 29, 3):
            many = rng.randint(7, 12) if day % 2 else rng.randint(1, 2)
            for _ in range(many if source == EAST else (many + 1) // 2):
                planted.study(
                    f"2011/{month:02}/{day:02}",
                    f"2011{month:02}{day:02}",
                    right=rng.random() < (share if day % 2 else share / 2),
                    source=source,
                    series=rng.randint(1, 2),
                )
    return planted


def by_patients(folder: Path) -> Planted:
    """Patients of one study, right; and a few of many studies, of many files, mostly wrong."""
    rng = random.Random(11)
    planted = Planted(Share(folder))
    for number in range(45):
        many = 1 if number % 5 else rng.randint(8, 18)
        for _ in range(many):
            planted.study(
                f"P{number}",
                "20110704",
                right=rng.random() < (0.95 if many == 1 else 0.3),
                series=rng.randint(1, 3),
                files=rng.choice([1, 1, 1, 4]),
            )
    return planted


def remember(patch) -> None:
    """Read each file once, however many surveys come by: what is tested are the draws."""
    patch.setattr(sampling, "_see", functools.cache(sampling._see))
    made, real = {}, survey._reader

    def reader(options, archive, keys):
        read = real(options, archive, keys)

        def rows(seen):
            if seen.ref.path not in made:
                made[seen.ref.path] = read(seen)
            return made[seen.ref.path]

        return rows

    patch.setattr(survey, "_reader", reader)
