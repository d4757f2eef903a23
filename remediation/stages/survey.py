"""Survey: archive shares in; coverage estimated from a sample out, and how it was drawn.

It walks nothing, so it takes minutes where a crawl takes nights. The inventory is left alone. The
same seed draws the same files of the same archive, however many threads read.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from remediation.dicom.locate import BsnRules
from remediation.model.draws import Cell, Hit, Hits, Parts, Start
from remediation.model.files import ArchiveRoot, Layout
from remediation.model.pacing import Hours
from remediation.model.placement import Placement
from remediation.model.running import Advance, silent, utc_now
from remediation.model.sampling import goes_on, is_full
from remediation.model.secrets import Keys
from remediation.store import datasets
from remediation.store.archive import Seen
from remediation.store.frame import cells
from remediation.store.sampling import Sampler, Taken
from remediation.tables.judge import INSTANCE_COLUMNS, Sources
from remediation.tables.rows import Row, RowMaker
from remediation.tables.survey import Drawn, Stratum, sampled_studies, stratum_of, survey_table

FILE = "survey.parquet"
DRAWN = b"drawn"  # key of the file's metadata: how it was drawn, as JSON
THREADS = 8  # a share answers late, not slowly
_BATCH = 8  # draws, at least, between two looks at what is still wanted
_CAP = 1500  # draws per archive, for each study wanted of a stratum
_DOZE_S = 60  # outside the window: how often the clock is looked at
_LOOKED_AT = 30  # instances of a depth that are held against their neighbours, 3 of each cell
_UNREADABLE = "unreadable-"  # begins the StudyInstanceUID of a file that names none
_COUNTED = ("cells", "empty", "outside", "again", "unreadable")


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """What to draw from, how much of it, and how it is judged.

    Attributes:
        sample: studies wanted of each source and month.
        seed: the same one draws the same files.
    """

    archives: tuple[ArchiveRoot, ...]
    output: Path
    sample: int
    seed: int
    run_id: str
    at: datetime
    rules: BsnRules = field(default_factory=BsnRules)
    sources: Sources = field(default_factory=Sources)
    placement: Placement = field(default_factory=Placement)
    start: date | None = None
    end: date | None = None
    hours: Hours = field(default_factory=Hours)


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """The rows of survey.parquet, and how they were come by."""

    seed: int
    sample: int
    target: str
    drawn: tuple[Drawn, ...]
    rows: tuple[Row, ...]

    @property
    def incomplete(self) -> bool:
        """Tell whether something could not be read."""
        return any(one.unreadable or one.folders_lost for one in self.drawn)


def run(
    options: SurveyOptions,
    keys: Keys,
    *,
    pace: Callable[[], None] = lambda: None,
    advance: Advance = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> SurveyReport:
    """Draw from each archive, judge what was drawn, and write `survey.parquet`.

    Args:
        options: what to draw.
        keys: make the tokens by which numbers are compared; none of them is written.
        pace: called, by any thread, before each folder and each file that is read.
        advance: told of draws.
        sleep: waits for the window.

    Raises:
        ShareError: a root is missing or cannot be read, or the disk is full.
    """
    tables: list[pa.Table] = []
    drawn: list[Drawn] = []
    weights: dict[tuple[str, str], float] = {}
    complete: set[Stratum] = set()
    with ThreadPoolExecutor(THREADS) as pool:
        for archive in options.archives:
            one = _Survey(options, archive, keys, pace=pace, sleep=sleep, pool=pool)
            one.draw(advance)
            table = sampled_studies(one.rows, one.findings, options.sources, options.placement)
            full = one.complete(table)
            tables.append(table)
            complete |= full
            weights |= {(archive.name, study): one.hits.weight(study) for study in one.hits}
            drawn.append(one.report(table, full))
    found = survey_table(pa.concat_tables(tables), weights, complete)
    report = SurveyReport(
        options.seed,
        options.sample,
        options.placement.target,
        tuple(drawn),
        tuple(found.to_pylist()),
    )
    datasets.write(options.output / FILE, _marked(found, report), keys.key_id)
    return report


def _marked(table: pa.Table, report: SurveyReport) -> pa.Table:
    """Return the table with how it was drawn in its metadata."""
    how = asdict(report)
    del how["rows"]
    said = json.dumps(how, sort_keys=True).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), DRAWN: said})


_Met = dict[Stratum, Counter[str]]  # how often each study of a stratum was met


class _Survey:
    """The sample of one archive while it is drawn."""

    def __init__(
        self,
        options: SurveyOptions,
        archive: ArchiveRoot,
        keys: Keys,
        *,
        pace: Callable[[], None],
        sleep: Callable[[float], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self.options, self.archive, self.sleep, self.pool = options, archive, sleep, pool
        self.layout = Layout(archive.layout)
        self.sampler = Sampler(archive.root, pace)
        self.read = _reader(options, archive, keys)
        self.rows: list[Row] = []
        self.findings: list[Row] = []
        self.series: set[str] = set()
        self.containers: set[str] = set()
        self.study_of: dict[str, tuple[str, Stratum]] = {}  # by path; no study: out of range
        self.hits = Hits()
        self.looked_at: Counter[tuple[str, int]] = Counter()  # by cell and depth
        self.counts: Counter[str] = Counter()

    # -- drawing ----------------------------------------------------------------------------------

    def draw(self, advance: Advance) -> None:
        """Draw from one cell after the other."""
        frame, sample = self._frame(), self.options.sample
        for position, cell in enumerate(frame):
            share = (_CAP * sample - self.hits.draws.total()) // (len(frame) - position)
            self._draw_from(cell, max(share, 2 * sample), advance)
            self.sampler.folders.forget()
        self._join_unreadable()

    def _frame(self) -> list[Cell]:
        starts: dict[str, list[Start]] = defaultdict(list)
        for name, start in cells(self.sampler.folders, self.layout, self._is_outside):
            starts[name].append(start)
        self.counts["cells"] = len(starts)
        return [Cell(name, tuple(starts[name])) for name in sorted(starts)]

    def _is_outside(self, folder: Parts) -> bool:
        """Tell whether a folder of StudyDates lies outside the range."""
        start, end = self.options.start, self.options.end
        return self.archive.prunes and self.layout.outside(folder, start, end)

    def _draw_from(self, cell: Cell, most: int, advance: Advance) -> None:
        """Draw from one cell until its strata are full, or enough was tried."""
        sample, draws = self.options.sample, 0
        met: _Met = defaultdict(Counter)
        while draws < most and goes_on(sample, draws, [one.values() for one in met.values()]):
            while wait := self.options.hours.wait(utc_now()):
                self.sleep(min(wait, _DOZE_S))
            count = min(max(_BATCH, sample // 2), most - draws)
            seeds = [self._seed(cell, draws + number) for number in range(count)]
            taken = list(self.pool.map(lambda seed: self.sampler.take(cell, seed), seeds))
            for one in taken:
                self._note(cell, one, met)
            self._look_twice(cell, zip(taken, seeds, strict=True))
            draws += count
            advance(count)
        self.hits.draws[cell.name] = draws

    def _seed(self, cell: Cell, number: int) -> str:
        """Return the seed of one draw: it depends on no other draw, so threads change nothing."""
        return f"{self.options.seed}/{self.archive.name}/{cell.name}/{number}"

    def _note(self, cell: Cell, taken: Taken, met: _Met) -> None:
        """Take what one draw gave into the sample."""
        fresh = taken.path not in self.sampler.read
        self.sampler.read.update(taken.tried)
        if taken.leaf is None or taken.seen is None or not taken.is_instance:
            self.counts["empty"] += 1
            return
        if fresh:
            if taken.seen.inside:
                self.containers.add(taken.path)
            self.study_of[taken.path] = self._judge(taken.seen)
        study, stratum = self.study_of[taken.path]
        if not study:
            self.counts["outside"] += 1
            return
        met[stratum][study] += 1
        name, inside = taken.path.rpartition("/")[2], taken.path in self.containers
        self.hits.add(study, Hit(cell.name, taken.leaf, name, inside))

    def _judge(self, seen: Seen) -> tuple[str, Stratum]:
        """Return the study and the stratum of an instance; no study where it is out of range."""
        row, findings = self.read(seen)
        stratum = self.archive.name, self.options.sources.label(row), row["study_month"]
        day, start, end = row["StudyDate"], self.options.start, self.options.end
        if day and ((start and day < start) or (end and day > end)):
            return "", stratum
        series = row.get("SeriesInstanceUID")
        if series and series in self.series:
            self.counts["again"] += 1
        else:
            self.series.add(series or "")
            self.counts["unreadable"] += row["state"] == "unreadable"
            wanted = {*INSTANCE_COLUMNS, *self.options.sources.by}
            self.rows.append({name: row.get(name) for name in wanted})
            self.findings += findings
        return row["StudyInstanceUID"], stratum

    def _look_twice(self, cell: Cell, drawn: Iterable[tuple[Taken, str]]) -> None:
        """Hold some instances against their neighbours: which folder is one study's?"""
        most = max(3, -(-_LOOKED_AT // self.counts["cells"]))
        chosen: list[tuple[Taken, str]] = []
        for taken, seed in drawn:
            place = cell.name, taken.leaf.depth if taken.leaf else -1
            if taken.is_instance and self.looked_at[place] < most:
                self.looked_at[place] += 1
                chosen.append((taken, f"{seed}/beside"))
        for votes, reads in self.pool.map(lambda one: self.sampler.pairs(*one), chosen):
            self.hits.votes.update(votes)
            self.counts["beside"] += reads

    def _join_unreadable(self) -> None:
        """Count the files of one folder that do not name their study as one study, not each."""
        joined = self.hits.join([one for one in self.hits if one.startswith(_UNREADABLE)])
        for row in self.rows:
            row["StudyInstanceUID"] = joined.get(row["StudyInstanceUID"], row["StudyInstanceUID"])

    # -- what it comes to -------------------------------------------------------------------------

    def complete(self, studies: pa.Table) -> set[Stratum]:
        """Return the strata with as many studies as asked for, or with nearly all there are."""
        met: dict[Stratum, list[int]] = defaultdict(list)
        for row in studies.to_pylist():
            met[stratum_of(row)].append(self.hits.times(row["StudyInstanceUID"]))
        return {one for one, times in met.items() if is_full(self.options.sample, times)}

    def report(self, studies: pa.Table, complete: Collection[Stratum]) -> Drawn:
        """Return how the sample was drawn."""
        told = {name: self.counts[name] for name in _COUNTED}
        return Drawn(
            archive=self.archive.name,
            frame="layout" if self.layout.levels else "descent",
            draws=self.hits.draws.total(),
            folders_listed=len(self.sampler.folders.listed),
            folders_lost=len(self.sampler.folders.lost),
            studies=studies.num_rows,
            strata=len({stratum_of(row) for row in studies.to_pylist()}),
            complete=len(complete),
            by_file=sum(map(self.hits.by_file, self.hits)),
            containers=len(self.containers),
            split=sum(map(self.hits.is_split, self.hits)),
            reads=len(self.sampler.read) + self.counts["beside"],
            **told,
        )


def _reader(
    options: SurveyOptions, archive: ArchiveRoot, keys: Keys
) -> Callable[[Seen], tuple[Row, list[Row]]]:
    """Return what makes the rows of one file; the paths in them are sealed."""
    maker = RowMaker(
        keys,
        archive.name,
        Layout(archive.layout),
        options.rules,
        seal_paths=True,
        run_id=options.run_id,
        crawled_at=options.at,
    )
    return lambda seen: maker.rows(
        seen.ref, seen.state, seen.error, seen.head, seen.head_bytes, inside=seen.inside
    )
