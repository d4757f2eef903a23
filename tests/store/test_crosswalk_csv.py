"""Scenarios for an export as CSV that is read as a stream, and for files of several kinds."""

from __future__ import annotations

import io
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from store.exports import COLUMNS, NOW, ONE, THREE, TWO, read, refused, written

from remediation.errors import UsageError
from remediation.store import crosswalk_csv
from remediation.store.crosswalk_csv import encoding_of
from remediation.store.crosswalk_files import CrosswalkSettings, read_crosswalk
from remediation.store.crosswalk_reading import Hl7Settings
from remediation.tables.crosswalk import Crosswalk

HEADER = ";".join(COLUMNS.values())


def line(local, number, name="Jansen"):
    return f"{local};OOST;{number};geverifieerd;03-02-1950;V;{name};AB"


@pytest.fixture
def csv_file(tmp_path):
    def write(*lines, name="epd.csv", encoding="utf-8"):
        (tmp_path / name).write_bytes("\n".join([HEADER, *lines, ""]).encode(encoding))
        return tmp_path / name

    return write


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_letters_that_are_cut_by_a_chunk_are_whole(csv_file, monkeypatch, size, encoding):
    monkeypatch.setattr(crosswalk_csv, "_CHUNK", size)
    path = csv_file(line("1", ONE, "Müllér"), encoding=encoding)
    with path.open("rb") as file:
        found = encoding_of(file, path)
        assert file.tell() == 0
    assert found == ("cp1252" if encoding == "cp1252" else "utf-8-sig")


def test_one_letter_of_another_encoding_at_the_end_changes_the_whole_file(csv_file):
    lines = [line(str(n), "", "Müller") for n in range(20_000)]
    path = csv_file(*lines)
    path.write_bytes(path.read_bytes() + line("x", ONE, "Müller").encode("cp1252"))
    before, last = (entry.family_names for entry in read(path).entries[-2:])
    assert last == ("MULLER",)
    assert before != last  # read as what most of the file is not: the desk sees it in one look


def test_rows_keep_their_line_over_batches(csv_file):
    path = csv_file(*(line(str(n), "") for n in range(40_000)))
    crosswalk = read(path)
    assert len(crosswalk) == 40_000
    assert crosswalk.by_local("OOST", "39999")[0].place == "epd.csv line 40001"


def test_a_file_is_not_held_whole(csv_file):
    path = csv_file(*(line(str(n), "", "Jansen" * 20) for n in range(60_000)))
    batches = read_crosswalk(written(path), NOW)
    tracemalloc.start()
    count = sum(len(batch) for batch in batches)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60_000
    assert most < 3 * path.stat().st_size


@pytest.mark.parametrize(
    ("shift", "why"),
    [
        (lambda row: row.replace(";", ";x;", 1), "9 cells where the header line has 8"),
        (lambda row: row.partition(";")[2], "7 cells where the header line has 8"),
        (lambda row: row.replace("Jansen", "Jansen; Anna"), "9 cells"),
    ],
)
def test_a_row_that_is_shifted_is_refused_by_its_line(csv_file, shift, why):
    message = refused(csv_file(line("1", ONE), shift(line("2", TWO))))
    assert why in message
    assert "line 3" in message


def test_a_comma_in_a_semicolon_file_is_text(csv_file):
    assert read(csv_file(line("1", ONE, "Jansen, Anna"))).entries[0].family_names == ("JANSEN",)


def test_without_columns_in_the_job_file_a_table_is_refused(csv_file):
    assert "[crosswalk.columns]" in refused(csv_file(line("1", ONE)), columns={})


def test_a_reader_that_stops_halfway_leaves_no_file_open(csv_file):
    path = csv_file(*(line(str(n), "") for n in range(40_000)))
    batches = read_crosswalk(written(path), NOW)
    next(batches)
    batches.close()
    path.unlink()


def test_files_of_several_kinds_are_one_export(csv_file, tmp_path):
    paths = [csv_file(line("1", ONE)), tmp_path / "b.parquet", tmp_path / "c.hl7"]
    cells = ["2", "OOST", TWO, "ja", "1950-02-03", "F", "Jansen", "AB"]
    columns = dict(zip(COLUMNS.values(), ([cell] for cell in cells), strict=True))
    pq.write_table(pa.table(columns), paths[1])
    paths[2].write_text(
        "MSH|^~\\&|H|Z|X|Y|20200102||ADT^A08|1|P|2.5\r"
        f"PID|1||3^^^OOST~{THREE}^^^NLMINBIZA||Jansen^Anna||19500203|F\rPV1|1|O\r"
    )
    for path in paths:
        written(path)
    settings = CrosswalkSettings(tuple(paths), COLUMNS, hl7=Hl7Settings("ja"))
    crosswalk = Crosswalk.read(read_crosswalk(settings, NOW))
    assert [entry.bsn for entry in crosswalk.entries] == [ONE, TWO, THREE]
    assert crosswalk.columns.kinds == {"csv": 1, "parquet": 1, "hl7": 1}
    assert len(crosswalk.homonyms(crosswalk.entries[0])) == 2


def test_an_error_of_the_disk_is_not_taken_for_a_wrong_encoding(csv_file):
    class Torn(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        encoding_of(Torn(b"x"), csv_file())


def test_the_first_fault_of_a_later_file_stops_the_whole(csv_file):
    first = csv_file(line("1", ONE), name="a.csv")
    second = csv_file("x", name="b.csv")
    written(first)
    written(second)
    settings = CrosswalkSettings((first, second), COLUMNS)
    with pytest.raises(UsageError, match=r"b\.csv, line 2"):
        Crosswalk.read(read_crosswalk(settings, NOW))
