"""Synthetic archives of any size, kept in a folder and made again only when their recipe changes.

`build` writes `yyyy/mm/dd/<study>/<file>` from templates of real headers; `linked` gives a larger
archive of hard links to one; `tree` a tree of empty files, for walking.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pydicom

from bench.kinds import GAPS, PLACES, UID_ROOT, Template, templates
from remediation.model.bsn import test_number

FORMAT = 6  # of what is made: raise it, and everything is made again
FIRST = date(2010, 1, 1)
TEN_YEARS = 3652
_NUMBERS = 9000  # of those that test_number knows
# Heads of scanners have 2 to 7 KB, and most samples were made smaller, to test libraries with:
# from so many bytes on a kind comes so many times as often.
_SCANNERS, _WEIGHT = 2000, 4


@dataclass(frozen=True, slots=True)
class Made:
    """An archive: file names below the root, the number planted in each (or ""), and its facts."""

    root: Path
    names: tuple[str, ...]
    planted: tuple[str, ...]
    places: tuple[str, ...]
    facts: dict[str, Any]

    def sample(self, count: int) -> list[int]:
        """Return positions of `count` files, spread evenly over the archive."""
        step = max(1, len(self.names) // max(1, count))
        return list(range(0, len(self.names), step))[:count]


def build(folder: Path, files: int, *, days: int = TEN_YEARS, corpus: Path | None = None) -> Made:
    """Return an archive of so many files over so many days; written where it is not there yet."""
    root = folder / f"archive-{files}-{days}"
    recipe = {
        "format": FORMAT,
        "pydicom": pydicom.__version__,
        "corpus": corpus is not None,
        "files": files,
        "days": days,
    }
    return _kept(root, recipe, lambda beside: _write_archive(beside, files, days, corpus))


def linked(made: Made, times: int) -> Made:
    """Return an archive `times` as large: each file under `times` names (hard links)."""
    if times == 1:
        return made
    recipe = {"of": made.facts["recipe"], "times": times}

    def write(root: Path) -> dict[str, Any]:
        names = []
        for name in made.names:
            folder, _, last = name.rpartition("/")
            for copy in range(times):
                other = f"{folder}-{copy}"
                if not names or not names[-1].startswith(f"{other}/"):
                    (root / other).mkdir(parents=True, exist_ok=True)
                names.append(f"{other}/{last}")
                os.link(made.root / name, root / names[-1])
        spread = [position for position in range(len(made.names)) for _ in range(times)]
        return {
            "names": names,
            "planted": [made.planted[position] for position in spread],
            "places": [made.places[position] for position in spread],
            "facts": made.facts,
        }

    return _kept(made.root.with_name(f"{made.root.name}-x{times}"), recipe, write)


def tree(folder: Path, files: int) -> Made:
    """Return a tree of that many empty files, a hundred in each folder of a study."""

    def write(root: Path) -> dict[str, Any]:
        names = []
        for start in range(0, files, 100):
            day = FIRST + timedelta(days=start // 1000)
            study = root / f"{day:%Y/%m/%d}" / f"S{start // 100:06d}"
            study.mkdir(parents=True)
            for number in range(start, min(start + 100, files)):
                path = study / f"IM{number:07d}"
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
                names.append(str(path.relative_to(root)))
        return {"names": names, "planted": [], "places": [], "facts": {}}

    return _kept(folder / f"tree-{files}", {"format": FORMAT, "files": files}, write)


def _kept(root: Path, recipe: dict[str, Any], write: Callable[[Path], dict[str, Any]]) -> Made:
    """Return what stands at `root` if it was made by this recipe; else make it."""
    told = root.with_name(f"{root.name}.json")
    found = json.loads(told.read_text()) if told.exists() else {}
    if found.get("recipe") != recipe or not root.is_dir():
        told.unlink(missing_ok=True)
        shutil.rmtree(root, ignore_errors=True)
        beside = root.with_name(f"{root.name}.{os.getpid()}")  # another run may make it as well
        beside.mkdir(parents=True)
        found = write(beside) | {"recipe": recipe}
        os.sync()  # pages that are not written yet cannot be dropped
        beside.rename(root)
        told.write_text(json.dumps(found))  # last: it says that the archive is whole
    return Made(
        root,
        tuple(found["names"]),
        tuple(found["planted"]),
        tuple(found["places"]),
        found["facts"] | {"recipe": recipe},
    )


def _write_archive(root: Path, files: int, days: int, corpus: Path | None) -> dict[str, Any]:
    kinds, left_out = templates(corpus)
    every = [t for t in kinds.values() for _ in range(_WEIGHT if t[0].head >= _SCANNERS else 1)]
    each = max(1, min(10, files // 200))  # files of a study
    studies = -(-files // each)
    met: set[str] = set()
    names, planted, places, heads, total = [], [], [], [], 0
    for number in range(files):
        study = number // each
        # Kinds and places go round at different speeds, so that every kind meets every place.
        template = every[study % len(every)][(study // len(every) + study) % len(PLACES)]
        day = FIRST + timedelta(days=study * days // studies)
        bsn = "" if template.place == "none" else test_number(study % _NUMBERS)
        folder = root / f"{day:%Y/%m/%d}" / f"S{study:06d}"
        if number % each == 0:
            folder.mkdir(parents=True)
        path = folder / f"IM{number:07d}.dcm"
        data = _filled(template, study, number, day, bsn)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
        os.write(descriptor, data)
        os.close(descriptor)
        names.append(str(path.relative_to(root)))
        planted.append(bsn)
        places.append(template.place)
        met.add(template.source)
        heads.append(template.head)
        total += len(data)
    facts = {
        "files": files,
        "studies": studies,
        "kinds": len(met),
        "kinds_of_corpus": sum(name.startswith("corpus/") for name in kinds),
        "mean_head": sum(heads) // files,
        "quartiles": [sorted(heads)[files * part // 4] for part in (1, 2, 3)],
        "bytes": total,
        "left_out": left_out,
    }
    return {"names": names, "planted": planted, "places": places, "facts": facts}


def _filled(template: Template, study: int, number: int, day: date, bsn: str) -> bytes:
    local = f"ZH{study:08d}"
    values = {
        "study": f"{UID_ROOT}1{study:010d}",
        "series": f"{UID_ROOT}2{study:010d}",
        "instance": f"{UID_ROOT}3{number:010d}",
        "day": f"{day:%Y%m%d}",
        "patient": f"{bsn} " if template.place == "PatientID" else local,
        "number": bsn,
    }
    assert all(len(values[n]) == len(GAPS[n]) for n in GAPS if values[n]), "a gap of another length"
    return template.filled({name: value.encode() for name, value in values.items()})
