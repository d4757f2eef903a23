"""What every section is given: where things lie, how large, how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import ours
from bench.archive import TEN_YEARS, Made, build

MOST_READ = 4000  # files that each reader reads in a round: the slow ones take milliseconds each


@dataclass(frozen=True, slots=True)
class Setting:
    """The size of a run. `gentle` leaves the machine's other caches alone."""

    folder: Path
    files: int
    rounds: int
    gentle: bool
    corpus: Path | None

    def archive(self, files: int = 0, days: int = TEN_YEARS) -> Made:
        """Return the archive that most is measured on, or one of another size."""
        return build(self.folder, files or self.files, days=days, corpus=self.corpus)

    def sample(self, count: int = MOST_READ) -> tuple[Made, list[str], list[int]]:
        """Return the archive, the paths of a spread sample of its files, and their positions."""
        made = self.archive()
        positions = made.sample(min(count, self.files))
        return made, [str(made.root / made.names[p]) for p in positions], positions

    def key(self) -> Path:
        """Return a key file for crawls."""
        return ours.key(self.folder)

    def output(self, name: str) -> Path:
        """Return a folder for the output of a crawl."""
        return self.folder / "output" / name
