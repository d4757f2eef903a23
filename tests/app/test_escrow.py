"""The key file is lost: the age key of the escrow recipient brings back every old byte."""

from __future__ import annotations

import base64
import shutil
import subprocess

import pyrage
import pytest
from app.hospital_line import call
from small_hospital import BIRTHS, NUMBERS, PEOPLE, WORDS, copy, ready, study_uid

from remediation.errors import KeyFileError
from remediation.model.secrets import Keys
from remediation.store.escrow import escrow_keys
from remediation.store.journal import journals, read
from remediation.store.keys import load_key_file, write_secret

FILES = 2 * PEOPLE
needs_age = pytest.mark.skipif(not shutil.which("age"), reason="NOT TRIED: age is not installed")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return ready(tmp_path_factory.mktemp("klein") / "out")


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def safe(tmp_path, identity):
    """Return the file in the safe, as age-keygen writes it."""
    path = tmp_path / "kluis.txt"
    write_secret(path, f"# public key: {identity.to_public()}\n{identity}\n")
    return path


@pytest.fixture
def hospital(template, tmp_path, identity):
    found = copy(template, tmp_path / "klein")
    found.edit("[crosswalk]", f'escrow_recipient = "{identity.to_public()}"\n[crosswalk]')
    return found


@pytest.fixture
def lost(hospital):
    """Return the hospital after an apply, its key file gone, and what the archive was before."""
    before = hospital.digests()
    assert hospital.apply(hospital.load()).complete
    assert hospital.digests() != before
    (hospital.out / "keys/klein.key").unlink()
    return before


def test_every_file_goes_back_without_the_key_file(hospital, lost, safe, capsys):
    folder = hospital.load().folder
    assert call(capsys, "rollback", folder).code == 12
    dry = call(capsys, "rollback", folder, "--dry-run", "--escrow-key", safe)
    assert dry.code == 0, dry.err
    assert hospital.digests() != lost
    said = call(capsys, "rollback", folder, "--escrow-key", safe)
    assert said.code == 0, said.err
    assert f"{FILES}  rolled-back" in said.out
    assert hospital.digests() == lost


def test_one_study_and_then_the_others(hospital, lost, safe, capsys):
    folder = hospital.load().folder
    uid = study_uid(3)
    assert call(capsys, "rollback", folder, "--escrow-key", safe, "--study", uid).code == 0
    assert call(capsys, "rollback", folder, "--escrow-key", safe).code == 0
    assert hospital.digests() == lost


@pytest.mark.parametrize("where", [200, -1])
def test_a_file_that_changed_since_is_left_alone_though_no_keyed_digest_can_be_made(
    hospital, lost, safe, capsys, where
):
    path = hospital.file(2)
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    held = path.read_bytes()
    for extra in (["--dry-run"], []):
        said = call(capsys, "rollback", hospital.load().folder, "--escrow-key", safe, *extra)
        assert said.code == 3
    assert path.read_bytes() == held
    after = hospital.digests()
    assert {name.split("/")[0] for name in lost if after[name] != lost[name]} == {"S2"}


def test_an_interrupted_run_is_settled_first(hospital, safe, capsys, monkeypatch):
    before = hospital.digests()
    manifest = hospital.load()
    seen = iter(range(3))

    def stop(_files):
        if next(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hospital.apply(manifest, advance=stop)
    (hospital.out / "keys/klein.key").unlink()
    assert call(capsys, "rollback", manifest.folder, "--escrow-key", safe).code == 0
    assert hospital.digests() == before


def test_another_ones_key_opens_nothing(hospital, lost, tmp_path, capsys):
    other = tmp_path / "ander.txt"
    write_secret(other, f"{pyrage.x25519.Identity.generate()}\n")
    now = hospital.digests()
    said = call(capsys, "rollback", hospital.load().folder, "--escrow-key", other)
    assert said.code == 12
    assert "another recipient" in said.line
    assert hospital.digests() == now


def test_without_escrow_the_key_file_is_the_only_way(template, tmp_path, safe, capsys):
    hospital = copy(template, tmp_path / "zonder")
    hospital.apply(hospital.load())
    said = call(capsys, "rollback", hospital.load().folder, "--escrow-key", safe)
    assert said.code == 12
    assert "no escrow" in said.line
    assert call(capsys, "rollback", hospital.load().folder).code == 0


@pytest.mark.parametrize("content", ["", "geen sleutel\n", "AGE-SECRET-KEY-1QQQQ\n"])
def test_what_is_no_age_key_is_not_repeated(tmp_path, content):
    path = tmp_path / "sleutel.txt"
    write_secret(path, content)
    with pytest.raises(KeyFileError, match="not an age key") as caught:
        escrow_keys(path)
    assert not content.strip() or content.strip() not in str(caught.value)


def test_an_escrow_key_that_others_can_read_is_refused(safe):
    safe.chmod(0o644)
    with pytest.raises(KeyFileError, match="mode is 0644"):
        escrow_keys(safe)


def test_the_secret_of_one_run_opens_no_other_and_makes_no_token(hospital, identity, safe):
    manifest, keys = hospital.load(), hospital.session().keys
    hospital.apply(manifest)
    hospital.rollback(manifest)
    one, two = (read(path)[0].body for path in journals(hospital.output / "journal"))
    opened, _ = escrow_keys(safe)
    first, second = opened.of_run(one), opened.of_run(two)
    with pytest.raises(KeyFileError):
        second.unseal(first.seal("pad"))
    tokens = {one_.token("bsn", NUMBERS[0]) for one_ in (keys, first, second, opened)}
    assert len(tokens) == 4


def test_the_secret_stands_nowhere_in_plain(hospital):
    hospital.apply(hospital.load())
    keys = load_key_file(hospital.out / "keys/klein.key")
    [path] = journals(hospital.output / "journal")
    secret = keys.run_secret(path.stem)
    plain = (secret, secret.hex().encode(), base64.b64encode(secret))
    for file in hospital.output.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not any(one in data for one in plain)
    text = path.read_text()
    assert not any(word in text for word in (*NUMBERS, *WORDS, *BIRTHS))


@needs_age
def test_the_stock_tool_opens_it(hospital, lost, safe, tmp_path):
    [path] = journals(hospital.output / "journal")
    begin = read(path)[0].body
    (tmp_path / "geheim.age").write_bytes(base64.b64decode(begin["escrow"]["secret"]))
    done = subprocess.run(
        ["age", "-d", "-i", str(safe), str(tmp_path / "geheim.age")],
        capture_output=True,
        check=True,
    )
    opened, recipient = escrow_keys(safe)
    assert len(done.stdout) == 32
    assert recipient == begin["escrow"]["recipient"]
    sealed = Keys._of(done.stdout).seal("x")
    assert opened.of_run(begin).unseal(sealed) == "x"


@needs_age
def test_a_key_that_the_stock_tool_made_takes_the_archive_back(template, tmp_path, capsys):
    safe = tmp_path / "stock.txt"
    subprocess.run(["age-keygen", "-o", str(safe)], capture_output=True, check=True)
    safe.chmod(0o600)
    public = safe.read_text().split("public key: ")[1].split()[0]
    hospital = copy(template, tmp_path / "klein")
    hospital.edit("[crosswalk]", f'escrow_recipient = "{public}"\n[crosswalk]')
    before = hospital.digests()
    hospital.apply(hospital.load())
    (hospital.out / "keys/klein.key").unlink()
    assert call(capsys, "rollback", hospital.load().folder, "--escrow-key", safe).code == 0
    assert hospital.digests() == before


def test_the_audit_log_names_the_escrow_and_seals_with_the_runs_own_key(
    hospital, lost, safe, capsys
):
    from remediation.store.audit import read as entries

    assert call(capsys, "rollback", hospital.load().folder, "--escrow-key", safe).code == 0
    opened, recipient = escrow_keys(safe)
    found = [one.said for one in entries(hospital.output)]
    assert found[0]["counts"]["escrow"] == recipient
    studies = [one for one in found if one["event"] == "object"]
    run = studies[0]["run"]
    begin = read(hospital.output / "journal" / f"{run}.jsonl")[0].body
    keys = opened.of_run(begin)
    assert {one["key"] for one in studies} == {f"run {run}"}
    assert {keys.unseal(one["study"]) for one in studies} == set(map(study_uid, range(PEOPLE)))
