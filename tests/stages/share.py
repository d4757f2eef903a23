"""A share with a few files on it, and an output folder: for the tests of crawl, flag and match."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tables.heads_of import bsn_item, file_of, local

from remediation.model import bsn
from remediation.model.files import ArchiveRoot
from remediation.stages import crawl, flag
from remediation.stages.crawl import CrawlOptions
from remediation.store.folders import FolderIndex
from remediation.store.inventory import Inventory
from remediation.store.keys import load_key_file, new_key_file

ONE, TWO = bsn.test_number(101), bsn.test_number(202)
AT = datetime(2026, 11, 23, 1, 4, tzinfo=UTC)
STORED = 1_300_000_000_000_000_000  # ns
DAY_LAYOUT = "{yyyy}/{mm}/{dd}"
VOLATILE = {"run_id", "crawled_at"}


@dataclass
class Share:
    """An archive root and its output; `options` changes hold for every crawl."""

    folder: Path
    name: str = "oost"
    changes: dict = field(default_factory=dict)
    runs: int = 0

    def __post_init__(self):
        self.root.mkdir(parents=True)
        if not self.key_file.exists():
            new_key_file(self.key_file)

    @property
    def root(self):
        return self.folder / "archive" / self.name

    @property
    def output(self):
        return self.folder / "out"

    @property
    def key_file(self):
        return self.folder / "demo.key"

    @property
    def keys(self):
        return load_key_file(self.key_file)

    def put(self, path, data=None, **more):
        """Put a file in the archive; without bytes a conformant one, a study by itself."""
        if data is None:
            number = bsn.test_number(sum(map(ord, path)) % 9000)
            own = more.pop("own", [*local(), bsn_item(number)])
            data = file_of(*own, **({"uid": f"1.2.{sum(map(ord, path))}"} | more))
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, ns=(STORED, STORED))
        return target

    def options(self, *, layout="", prunes=True, **changes):
        """Return the options of the next crawl, under a run id of its own."""
        self.runs += 1
        plain = CrawlOptions(
            archive=ArchiveRoot(self.name, self.root, layout, prunes and bool(layout)),
            output=self.output,
            key_file=self.key_file,
            key_id=self.keys.key_id,
            run_id=f"20261123T01040{self.runs}Z-aaaa",
            at=AT,
        )
        return replace(plain, **self.changes, **changes)

    def crawl(self, mapper=map, **changes):
        return crawl.run(self.options(**changes), mapper=mapper)

    def flag(self, **changes):
        return flag.run(flag.FlagOptions(self.output, self.keys.key_id, **changes))

    @property
    def inventory(self) -> Inventory:
        return self.options().inventory()

    def rows(self):
        """Return the rows of the inventory by plain path, without what differs per run."""
        return {
            self.keys.unseal(row["path"]): {k: v for k, v in row.items() if k not in VOLATILE}
            for row in self.inventory.instances().to_pylist()
        }

    def states(self):
        return {path: row["state"] for path, row in self.rows().items()}

    def contents(self):
        """Return everything that the inventory says, without what differs per run."""
        rest = (self.inventory.findings(), self.inventory.tallies())
        return self.rows(), *(table.to_pylist() for table in rest)

    def index(self):
        """Return what the index of folders says: entries by folder."""
        path, schema = self.inventory.index_path(self.name), self.inventory.schemas["folders"]
        found = FolderIndex(path, schema, self.keys).read()
        return {"/".join(one.parts): one.entries(self.keys) for one in found}


def counts(report):
    return report.new, report.changed, report.unchanged, report.vanished
