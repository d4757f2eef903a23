"""A Dask cluster of separate processes on loopback, started as people start one, over TLS."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from remediation.app.where import Where, address_in

# As jobs/cluster.toml says.
SETTINGS = {
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "False",
    "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
    "DASK_DISTRIBUTED__ADMIN__LOG_LENGTH": "0",
}
TESTS = Path(__file__).parents[1]  # for the tasks at the end of this file
QUIET = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]


@dataclass(frozen=True)
class Tls:
    """Paths of an authority's certificate, and of a certificate by it with its key."""

    ca: Path
    cert: Path
    key: Path

    @property
    def options(self) -> list[str]:
        named = {"--tls-ca-file": self.ca, "--tls-cert": self.cert, "--tls-key": self.key}
        return [text for name, path in named.items() for text in (name, str(path))]


def certificates(folder: Path) -> Tls:
    """Make an authority and one certificate by it, for everyone in the cluster."""
    folder.mkdir(parents=True)
    ours, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed("authority", ours.public_key(), ours, ca=True)
    cert = _signed("crawl", key.public_key(), ours, ca=False)
    tls = Tls(folder / "ca.pem", folder / "crawl.pem", folder / "crawl.key")
    tls.ca.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    tls.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    tls.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls.key.chmod(0o600)
    return tls


def _signed(name, key, authority, *, ca: bool) -> x509.Certificate:
    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("authority"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )


@dataclass
class Cluster:
    """One scheduler and its workers; all that they say goes to files in `folder`."""

    folder: Path
    tls: Tls
    processes: list[subprocess.Popen] = field(default_factory=list)
    workers: list[subprocess.Popen] = field(default_factory=list)

    def __post_init__(self):
        self.folder.mkdir(parents=True)
        self._start("scheduler", "--scheduler-file", self.file, "--port", 0)
        wait_until(self.file.exists)

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    def where(self, **changes) -> Where:
        tls = {"tls_ca": self.tls.ca, "tls_cert": self.tls.cert, "tls_key": self.tls.key}
        return Where(scheduler=address_in(self.file), **({"patience": 30} | tls | changes))

    def worker(self, *more, cwd: Path | None = None) -> subprocess.Popen:
        """Start a worker; it is there some seconds later."""
        scratch = self.folder / f"scratch{len(self.workers)}"
        options = ["--nthreads", 1, "--local-directory", scratch, "--death-timeout", 60]
        process = self._start("worker", "--scheduler-file", self.file, *options, *more, cwd=cwd)
        self.workers.append(process)
        return process

    def _start(self, kind, *options, cwd: Path | None = None) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", kind, "--host", "127.0.0.1"]
        with (self.folder / f"{kind}{len(self.processes)}.log").open("wb") as heard:
            process = subprocess.Popen(
                [*command, *QUIET, *self.tls.options, *map(str, options)],
                stdin=subprocess.DEVNULL,
                stdout=heard,
                stderr=subprocess.STDOUT,
                cwd=cwd or self.folder,
                env={**os.environ, **SETTINGS, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
            )
        self.processes.append(process)
        return process

    def said(self) -> str:
        """Return everything that the processes said, and all that they left on disk."""
        found = [path for path in self.folder.rglob("*") if path.is_file()]
        return "\n".join(path.read_bytes().decode(errors="replace") for path in found)

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


def wait_until(true, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def kill_a_busy_one(client):
    """Kill a worker that has work in hand."""
    pids = client.run(os.getpid)
    busy = {address: keys for address, keys in client.processing().items() if keys}
    os.kill(pids[max(busy, key=lambda address: len(busy[address]))], signal.SIGKILL)


def contents(options):
    """Return what an inventory says of the archive of a crawl, but for the run that made it."""
    inventory = options.inventory()
    tables = [inventory.instances(), inventory.findings(), inventory.tallies()]
    return [
        [
            {name: value for name, value in row.items() if name not in {"run_id", "crawled_at"}}
            for row in table.to_pylist()
            if row["archive"] == options.archive.name
        ]
        for table in tables
    ]


# --- tasks ---------------------------------------------------------------------------------------


def fail_with(text: str) -> None:
    raise ValueError(text)


def where_it_runs(_task: object) -> str:
    return str(Path.cwd())


def take_a_second(path: Path) -> None:
    """Say when it begins and when it is done; the first begins at once."""
    path.with_suffix(".begun").touch()
    time.sleep(1)
    path.with_suffix(".done").touch()


def memory_of(dask_worker) -> tuple[object, object]:
    memory = dask_worker.memory_manager
    return memory.memory_target_fraction, memory.memory_spill_fraction
