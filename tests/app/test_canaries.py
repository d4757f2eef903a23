"""Canaries: nothing that was planted comes out, by any command, in any artefact or message."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from app.hospital_line import Said, call, ended, run, spawn
from openpyxl import Workbook

from remediation.app.demo.canaries import artefacts, contents, leaks
from remediation.model.bsn import test_number as number_of
from remediation.store import datasets
from remediation.tables.schemas import PERIODS

NUMBER, NAME, BIRTH = number_of(7), "Schijnpersoon", "19500203"


# --- the canaries themselves --------------------------------------------------------------------


def text_file(path: Path, text: str) -> None:
    path.write_text(text)


def parquet(path: Path, text: str) -> None:
    table = pa.table({"size": range(300), "text": [f"{text} rij {row}" for row in range(300)]})
    pq.write_table(table, path, compression="zstd", write_statistics=False, use_dictionary=False)


def nested_parquet(path: Path, text: str) -> None:
    table = pa.table({"edits": [[{"attribute": "x", "token": text}]] * 50})
    pq.write_table(table, path, compression="zstd", write_statistics=False)


def statistics(path: Path, text: str) -> None:
    pq.write_table(pa.table({"text": [text]}), path, compression="zstd", write_statistics=True)


def metadata(path: Path, text: str) -> None:
    pq.write_table(pa.table({"n": [1]}).replace_schema_metadata({"note": text}), path)


def workbook(path: Path, text: str) -> None:
    book = Workbook()
    book.active["B3"] = text
    book.save(path)


WRITERS = {
    "said.txt": text_file,
    "column.parquet": parquet,
    "nested.parquet": nested_parquet,
    "footer.parquet": statistics,
    "note.parquet": metadata,
    "report.xlsx": workbook,
}


@pytest.mark.parametrize("name", list(WRITERS))
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NUMBER, "number"),
        (f"P{NUMBER}_1", "number"),
        (f"{NUMBER}^^^NLMINBIZA", "number"),
        (f"archive/P{NUMBER}.dcm", "number"),
        (f"mevrouw {NAME}^A", "name or date"),
        (BIRTH, "name or date"),
        ("1950-02-03", "name or date"),
        ("geboren 03-02-1950", "name or date"),
    ],
)
def test_a_planted_value_is_found_wherever_it_is_packed(tmp_path, name, text, kind):
    path = tmp_path / name
    WRITERS[name](path, text)
    assert set(leaks([path], [NUMBER], [NAME, BIRTH])) == {f"{name}: {kind}"}


def test_a_number_that_lost_its_leading_zero_is_found(tmp_path):
    path = tmp_path / "said.txt"
    path.write_text("patient 12345678;")
    assert leaks([path], ["012345678"], []) == ["said.txt: number"]


def test_what_only_looks_alike_is_not_found(tmp_path):
    path = tmp_path / "said.txt"
    path.write_text(f"a{NUMBER}b1 1.2.3.1{NUMBER} {NUMBER}2 c{BIRTH}0f {NAME[:-1]}")
    assert leaks([path], [NUMBER], [NAME, BIRTH]) == []


@pytest.mark.parametrize("name", ["column.parquet", "report.xlsx"])
def test_packed_values_do_not_show_in_the_bytes_of_the_file(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path, NUMBER)
    raw, *unpacked = contents(path)
    assert NUMBER.encode() not in raw, "else unpacking is not tried here"
    assert any(NUMBER.encode() in part for part in unpacked)


def test_inputs_are_not_taken_for_artefacts(demo):
    found = {path.relative_to(demo).parts[0] for path in artefacts(demo)}
    assert "inventory" in found
    assert not found & {"archive", "epd", "keys", "truth"}


# --- the whole line -----------------------------------------------------------------------------


@pytest.fixture
def line(demo, tmp_path, capfd, monkeypatch) -> Callable[..., Said]:
    """Return a function that runs a command on a demo hospital, and keeps all that it says.

    What starts other processes runs in one of its own, the rest in this one: that is faster.
    """
    out = tmp_path / "demo"
    kept = shutil.ignore_patterns("inventory", "*.parquet", "state", "worklists", "locks")
    shutil.copytree(demo, out, copy_function=shutil.copy2, ignore=kept)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("REMEDIATION_STATE_DIR", str(tmp_path / "locks"))

    def go(*arguments: object, code: int = 0) -> Said:
        said = run(*arguments) if "crawl" in arguments else call(capfd, *arguments)
        assert said.code == code, (arguments, said)
        with (out / "said.txt").open("a") as file:
            file.write(f"{arguments}\n{said.out}\n{said.err}\n")
        assert list(scratch.iterdir()) == [], f"{arguments} left a file in TMPDIR"
        return said

    go.out = out
    return go


def planted(out: Path) -> tuple[list[str], list[str], list[str]]:
    said = json.loads((out / "truth/planted.json").read_text())
    return (
        said["numbers"],
        said["passing_local_numbers"],
        said["family_names"] + said["birth_dates"],
    )


@pytest.mark.slow
def test_no_artefact_and_no_message_of_the_whole_line_holds_a_planted_value(line, tmp_path):
    out = line.out
    job, export = out / "job.toml", out / "epd/patienten.csv"
    numbers, local, words = planted(out)
    line("check", job)
    line("--debug", "crawl", job, code=3)
    line("crawl", job, "--workers", 1, "--json")
    line("flag", job)
    line("places", job)
    line("places", job, "--lang", "nl", "--json")
    line("match", job, "--json")
    line("report", job)
    line("report", job, "--lang", "en", "--json")
    periods = datasets.read(out / "periods.parquet", PERIODS, key_id(out), "flag").to_pylist()
    for number, period in enumerate(periods):
        plot = out / f"report/period-{number}.svg"
        line("periods", "explain", job, period["period_id"], "--plot", plot)
        line("periods", "explain", job, period["period_id"], "--lang", "nl", "--json")
    line("periods", "list", job, "--plot", out / "report/periods.svg")
    line("periods", "list", job, "--json")
    said = line("plan", job, "--period", periods[0]["period_id"], "--author", "Demo Maker")
    folder = Path(said.out.splitlines()[-1])
    line("show", folder, "--limit", 500)
    line("show", folder, "--json")
    line("show", folder, "--html", out / "report/sign.html", "--stale")
    for number, name in enumerate(("Demo Goedkeurder Een", "Demo Goedkeurder Twee"), 1):
        line("approve", folder, "--by", name, "--key", out / f"keys/approver-{number}.key")
    line("apply", folder, "--dry-run", "--json")
    line("apply", folder, "--out", tmp_path / "mirror")
    line("apply", folder, "--in-place")
    line("verify", folder, "--json")
    # Errors, of files that hold what may not be said.
    whole = export.read_bytes()
    first, second, *rest = whole.split(b"\r\n")
    torn = {
        "a column too many": b"\r\n".join([first, second + b";te veel", *rest]),
        "a column less": b"\r\n".join([first.replace(b"bsn;", b"burger;"), second, *rest]),
        "a quote out of place": b"\r\n".join([first, b'"' + second, *rest]),
        "no header line": b"\r\n".join([second, *rest]),
        "another encoding": first.decode().encode("utf-16") + second,
    }
    for data in torn.values():
        export.write_bytes(data)
        line("--debug", "match", job, code=2)
    export.write_bytes(whole.replace(b";geverifieerd;", b";ingetrokken;"))
    line("--debug", "apply", folder, "--in-place")  # written already: nothing to check again
    line("match", job)
    export.write_bytes(whole)
    text = job.read_text()
    job.write_text(text.replace('name = "demo"', f'naam = "{numbers[0]}"\nname = "{words[0]}"'))
    line("--debug", "crawl", job, code=2)
    job.write_text(text.replace("[[event]]", f'[[event]]\nsoort = "{numbers[1]}"', 1))
    line("check", job, code=2)
    job.write_text(text)
    line("rollback", folder, "--dry-run", "--json")
    line("rollback", folder)
    line("--debug", "rollback", folder, code=5)
    line("recover", job)

    made = artefacts(out)
    kinds = {path.suffix for path in made}
    assert {".parquet", ".json", ".jsonl", ".html", ".xlsx", ".csv", ".minisig", ".txt"} <= kinds
    lists = [path for path in made if path.parent.name == "worklists"]
    others = [path for path in made if path not in lists and path != job]
    assert lists
    assert leaks(others, [*numbers, *local], words) == []
    # The desk's list holds local numbers, that is what it is for, and no BSN, name or date.
    assert leaks(lists, numbers, words) == []
    locks = [path for path in (tmp_path / "locks").rglob("*") if path.is_file()]
    assert locks
    assert leaks(locks, [*numbers, *local], words) == []
    # The same search finds them where they are.
    assert leaks([export], numbers, words) == [
        "patienten.csv: number",
        "patienten.csv: name or date",
    ]
    mirrored = [path for path in (tmp_path / "mirror").rglob("*") if path.is_file()]
    assert len(mirrored) == said_files(folder)
    assert len([one for one in leaks(mirrored, numbers, []) if one.endswith("number")]) == len(
        mirrored
    )


def key_id(out: Path) -> str:
    from remediation.store.keys import load_key_file

    return load_key_file(out / "keys/demo.key").key_id


def said_files(folder: Path) -> int:
    return json.loads((folder / "manifest.json").read_text())["counts"]["files"]


def test_artefacts_are_for_their_owner_alone(demo):
    names = {"inventory", "state", "worklists"}
    for path in artefacts(demo):
        if path.relative_to(demo).parts[0] in names or path.suffix == ".parquet":
            assert path.stat().st_mode & 0o077 == 0, path.name


# --- while it runs ------------------------------------------------------------------------------


@pytest.mark.slow
def test_while_a_crawl_runs_only_loopback_listens_and_temporary_files_are_private(demo, tmp_path):
    out, scratch = tmp_path / "demo", tmp_path / "tmp"
    scratch.mkdir()
    kept = shutil.ignore_patterns("inventory", "*.parquet", "state", "worklists", "keys")
    shutil.copytree(demo, out, copy_function=os.link, ignore=kept)
    shutil.copytree(demo / "keys", out / "keys")
    numbers, local, words = planted(demo)
    process = spawn("crawl", out / "job.toml", "--workers", 2, TMPDIR=str(scratch))
    heard, modes, seen = set(), set(), set()
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        for one in family(process.pid):
            heard |= listening(one)
        for path in scratch.iterdir():
            with contextlib.suppress(FileNotFoundError):  # temporary: it may go at any moment
                modes.add(path.stat().st_mode & 0o777)
                seen |= {name for name in path.rglob("*") if is_file(name)}
        for path in seen:
            with contextlib.suppress(FileNotFoundError):
                assert leaks([path], [*numbers, *local], words) == []
        time.sleep(0.05)
    assert ended(process).code == 3  # the demo holds damaged files
    assert heard, "workers listen, so something must be heard"
    assert heard <= {"127.0.0.1", "::1"}
    assert modes == {0o700}
    assert list(scratch.iterdir()) == []
    assert psutil.pid_exists(process.pid) is False
    assert not list((out / "archive").rglob(".remediation*"))


def family(pid: int) -> list[psutil.Process]:
    try:
        one = psutil.Process(pid)
        return [one, *one.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def listening(process: psutil.Process) -> set[str]:
    try:
        found = process.net_connections(kind="inet")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()
    return {one.laddr.ip for one in found if one.status in {psutil.CONN_LISTEN, psutil.CONN_NONE}}


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
