"""Scenarios for placement files: what can be said, what is refused, and what never is shown."""

import hashlib
import re
from pathlib import Path

import pytest
from app.hospital_line import call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from job_texts import FULL, MINIMAL, changed

from remediation.app.config import load_job
from remediation.app.config_placement import load_placement, placement_of
from remediation.errors import UsageError
from remediation.model import bsn
from remediation.model.issuers import BSN_OID
from remediation.model.placement import Placement

EXAMPLE = Path(__file__).parents[2] / "jobs/placements/pacs-noord.toml"
NUMBER = bsn.test_number(77)

SHORTEST = """\
[placement]
name = "noord"
version = "1"
base = "at-rest"
"""
WHOLE = """\
[placement]
name = "noord"
version = "2026-11"
base = "at-rest"
original_attributes = false
remove_retired = false
[bsn]
places = ["OtherPatientIDsSequence", "OtherPatientIDs"]
issuer = "NLMINBIZA"
type_of_patient_id = true
qualifiers = false
[local_number]
place = "PatientID"
"""
SENT = (
    WHOLE.replace('"at-rest"', '"exchange"')
    .replace('"OtherPatientIDsSequence", ', '"PatientID", ')
    .replace('place = "PatientID"', 'place = "OtherPatientIDsSequence"')
)


@pytest.fixture
def load(tmp_path):
    """Read the text of a placement file."""

    def read(text, extra=()):
        path = tmp_path / "noord.toml"
        path.write_text(text, encoding="utf-8")
        return load_placement(path, extra)

    return read


# -- what can be said -------------------------------------------------------------------------


def test_what_is_left_out_is_as_the_base_has_it(load):
    digest = hashlib.sha256(SHORTEST.encode()).hexdigest()
    assert load(SHORTEST) == Placement("noord", base="at-rest", version="1", digest=digest)
    text = SHORTEST.replace("at-rest", "exchange")
    assert load(text).bsn_places == ("PatientID",)
    assert load(text).issuer == BSN_OID


def test_everything_can_be_said(load):
    assert load(WHOLE) == Placement(
        "noord",
        qualifiers=False,
        original_attributes=False,
        base="at-rest",
        version="2026-11",
        issuer="NLMINBIZA",
        beside_retired=True,
        digest=hashlib.sha256(WHOLE.encode()).hexdigest(),
    )
    sent = load(SENT.replace("type_of_patient_id = true", "type_of_patient_id = false"))
    assert (sent.base, sent.typed, sent.beside_retired) == ("exchange", False, True)
    assert sent.bsn_places == ("PatientID", "OtherPatientIDs")


def test_places_can_stand_in_any_order_and_alone(load):
    turned = WHOLE.replace(
        '"OtherPatientIDsSequence", "OtherPatientIDs"',
        '"OtherPatientIDs", "OtherPatientIDsSequence"',
    )
    assert load(turned).beside_retired
    alone = WHOLE.replace(', "OtherPatientIDs"', "")
    assert not load(alone).beside_retired
    assert load(alone.replace("remove_retired = false", "remove_retired = true")).remove_retired


@pytest.mark.parametrize("issuer", [BSN_OID, "NLMINBIZA", "NNNLD", f"&{BSN_OID}&ISO", "bsn"])
def test_every_spelling_that_is_known_to_mean_bsn_can_be_the_one_to_write(load, issuer):
    assert load(WHOLE.replace("NLMINBIZA", issuer)).issuer == issuer


def test_the_hospitals_own_spelling_is_known_by_the_job(load):
    text = WHOLE.replace("NLMINBIZA", "Landelijk")
    with pytest.raises(UsageError, match="extra_issuers"):
        load(text)
    assert load(text, extra=("LANDELIJK",)).issuer == "Landelijk"


def test_the_digest_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "noord.toml"
    found = set()
    for text in (SHORTEST, SHORTEST.replace("\n", "\r\n"), "\ufeff" + SHORTEST):
        path.write_bytes(text.encode())
        found.add(load_placement(path).digest)
        assert hashlib.sha256(path.read_bytes()).hexdigest() in found
    assert len(found) == 3


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[placement]", "[placment]", "unknown [placment] (L): did you mean 'placement'?"),
        ("[bsn]", "[PatientName]", "unknown [PatientName] (L)"),
        ("name =", "nme =", "unknown 'nme' in [placement] (L): did you mean 'name'?"),
        ("name =", "nme =", "'name' in [placement] is missing"),
        ("version =", "versions =", "'version' in [placement] is missing"),
        ("base =", "bases =", "'base' in [placement] is missing"),
        ('"2026-11"', "2026", "'version' in [placement] must be text, in quotes (L)"),
        ('"2026-11"', '""', "'version' in [placement] may hold letters, digits, dots"),
        ('"noord"', '"pacs noord"', "'name' in [placement] may hold letters, digits"),
        ('"noord"', '"1"', "'name' in [placement] may hold letters, digits"),
        ('"noord"', '"exchange"', "must be another name than that of a built-in placement (L)"),
        ('"noord"', f'"n{NUMBER}"', "'name' in [placement] must not hold a number that could be"),
        ('"2026-11"', f'"{NUMBER}"', "'version' in [placement] must not hold a number"),
        ('"at-rest"', '"rest"', "'base' in [placement] must be 'at-rest' or 'exchange' (L)"),
        ('"at-rest"', '"pacs-oud"', "'base' in [placement] must be 'at-rest' or 'exchange'"),
        ("qualifiers = false", "qualifiers = 0", "'qualifiers' in [bsn] must be true or false"),
        ("original_attributes = false", 'original_attributes = "no"', "must be true or false (L)"),
        ('", "OtherPatientIDs"', '", "PatientName"',
         "item 2 of 'places' in [bsn] must be 'PatientID', 'OtherPatientIDsSequence' or"),
        ('", "OtherPatientIDs"', '", "(0010,1000)"', "item 2 of 'places' in [bsn] must be"),
        ('["OtherPatientIDsSequence", "OtherPatientIDs"]', '"OtherPatientIDsSequence"',
         "'places' in [bsn] must be a list (L)"),
        ('["OtherPatientIDsSequence", "OtherPatientIDs"]', "[]",
         "'places' in [bsn] must not be empty: the BSN would stand nowhere (L)"),
        ('["OtherPatientIDsSequence", ', "[",
         "must name OtherPatientIDsSequence on this base: OtherPatientIDs has no issuer"),
        ('["OtherPatientIDsSequence", ', '["PatientID", ',
         "cannot name PatientID on this base: the local number would be lost there (L)"),
        ('["OtherPatientIDsSequence", ', '["OtherPatientIDsSequence", "PatientID", ',
         "cannot name PatientID on this base: the local number would be lost there"),
        ('"OtherPatientIDs"]', '"OtherPatientIDs", "OtherPatientIDs"]',
         "'places' in [bsn] must name each attribute once"),
        ("remove_retired = false", "remove_retired = true",
         "'places' in [bsn] cannot name OtherPatientIDs while 'remove_retired' takes the BSN out"),
        ('"NLMINBIZA"', '"ZKH-NOORD"', "'issuer' in [bsn] must be an issuer that is known to mean"),
        ('"NLMINBIZA"', '""', "'issuer' in [bsn] must be one line of printable text"),
        ('"NLMINBIZA"', '"NLMIN\\\\BIZA"', "'issuer' in [bsn] must be ASCII"),
        ('"NLMINBIZA"', f'"NLMINBIZA^{"x" * 60}"', "at most 64 characters"),
        ('"NLMINBIZA"', f'"{NUMBER}^NLMINBIZA"', "'issuer' in [bsn] must not hold a number"),
        ("type_of_patient_id = true", "type_of_patient_id = false",
         "must be true on this base: an item of OtherPatientIDsSequence needs it (L)"),
        ('place = "PatientID"', 'place = "OtherPatientIDsSequence"',
         "'place' in [local_number] must be PatientID on this base: else the number is lost (L)"),
        ('place = "PatientID"', 'place = ""',
         "'place' in [local_number] must be 'PatientID' or 'OtherPatientIDsSequence'"),
        ('place = "PatientID"', 'place = "OtherPatientIDs"',
         "'place' in [local_number] must be 'PatientID' or 'OtherPatientIDsSequence'"),
        ("[local_number]", "[local_number]\nissuer = 'ZKH'", "unknown 'issuer' in [local_number]"),
        ("base = ", "base == ", "the placement file is not valid TOML"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_key_and_line(load, tmp_path, old, new, message):
    assert old in WHOLE
    with pytest.raises(UsageError) as caught:
        load(WHOLE.replace(old, new, 1))
    told = re.sub(rf"{re.escape(str(tmp_path))}/noord\.toml, line \d+", "L", str(caught.value))
    assert message in told
    assert caught.value.exit_code == 2
    assert "\n" not in told
    assert NUMBER not in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"PatientID", ', "", "must name PatientID on this base: OtherPatientIDs has no issuer"),
        ('["PatientID", ', '["OtherPatientIDsSequence", ',
         "cannot name OtherPatientIDsSequence on this base: the local number would be lost"),
        ('place = "OtherPatientIDsSequence"', 'place = "PatientID"',
         "must be OtherPatientIDsSequence on this base: else the number is lost"),
    ],
)  # fmt: skip
def test_neither_number_can_be_lost_on_the_base_of_exchange(load, old, new, message):
    load(SENT)
    with pytest.raises(UsageError, match=message):
        load(SENT.replace(old, new, 1))


def test_every_fault_is_told_at_once(load):
    text = (
        WHOLE.replace("noord", "at-rest")
        .replace('["OtherPatientIDsSequence", "OtherPatientIDs"]', "[]")
        .replace("NLMINBIZA", "ZKH")
        .replace("qualifiers", "qualifier")
        .replace('"PatientID"', "1")
    )
    with pytest.raises(UsageError) as caught:
        load(text)
    told = str(caught.value)
    for part in ("'name'", "nowhere", "'issuer'", "mean 'qualifiers'", "'place'"):
        assert part in told
    assert [int(line) for line in re.findall(r"line (\d+)", told)] == [2, 8, 9, 11, 13]


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such placement file"):
        load_placement(tmp_path / "noord.toml")
    with pytest.raises(UsageError, match="placement file is not a file"):
        load_placement(tmp_path)
    (tmp_path / "noord.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="placement file is not UTF-8"):
        load_placement(tmp_path / "noord.toml")
    (tmp_path / "noord.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(UsageError, match="over a megabyte"):
        load_placement(tmp_path / "noord.toml")


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.fixed_dictionaries(
        {
            "base": st.sampled_from(["at-rest", "exchange", "none"]),
            "remove_retired": st.sampled_from(["true", "false"]),
            "places": st.lists(
                st.sampled_from(
                    ["PatientID", "OtherPatientIDsSequence", "OtherPatientIDs", "PatientName"]
                ),
                max_size=3,
            ),
            "issuer": st.sampled_from([BSN_OID, "NLMINBIZA", "ZKH-NOORD", ""]),
            "typed": st.sampled_from(["true", "false", "1"]),
            "place": st.sampled_from(["PatientID", "OtherPatientIDsSequence", ""]),
        }
    )
)
def test_whatever_is_said_gives_a_sound_placement_or_one_line(load, said):
    text = (
        f'[placement]\nname = "noord"\nversion = "1"\nbase = "{said["base"]}"\n'
        f"remove_retired = {said['remove_retired']}\n[bsn]\nplaces = {said['places']}\n"
        f'issuer = "{said["issuer"]}"\ntype_of_patient_id = {said["typed"]}\n'
        f'[local_number]\nplace = "{said["place"]}"\n'
    )
    try:
        placement = load(text)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert set(placement.bsn_places) == set(said["places"])
    assert placement.local_place == said["place"]
    assert placement.local_place != placement.bsn_places[0]


# -- the job's placement ----------------------------------------------------------------------


@pytest.fixture
def job(tmp_path):
    """Load a job whose placement file lies beside it."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/placement.toml").write_text(WHOLE, encoding="utf-8")

    def load(text):
        path = tmp_path / "job.toml"
        path.write_text(text, encoding="utf-8")
        return load_job(path)

    return load


OWN = '[placement]\ntarget = "own/placement.toml"\n'


def test_the_job_names_the_file_from_its_own_folder(job):
    assert placement_of(job(MINIMAL + OWN)).target == "noord"
    assert placement_of(job(MINIMAL)) == Placement()


def test_another_can_be_asked_for_by_name_or_path(job, tmp_path, monkeypatch):
    loaded = job(MINIMAL + OWN + "remove_retired = false\n")
    assert placement_of(loaded, "exchange") == Placement("exchange")
    plain = job(MINIMAL)
    assert placement_of(plain, str(tmp_path / "own/placement.toml")).target == "noord"
    monkeypatch.chdir(tmp_path / "own")
    assert placement_of(plain, "placement.toml").target == "noord"
    for unknown in ("elsewhere", "noord", "placement.tml"):
        with pytest.raises(UsageError, match="at-rest or exchange"):
            placement_of(plain, unknown)
    with pytest.raises(UsageError, match="no such placement file"):
        placement_of(plain, "other.toml")


@pytest.mark.parametrize(
    ("key", "value", "agrees"),
    [
        ("original_attributes", "false", True),
        ("original_attributes", "true", False),
        ("remove_retired", "false", True),
        ("remove_retired", "true", False),
    ],
)
def test_a_job_that_contradicts_its_placement_file_is_refused(job, tmp_path, key, value, agrees):
    loaded = job(f"{MINIMAL}{OWN}{key} = {value}\n")
    if agrees:
        assert placement_of(loaded).target == "noord"
    else:
        with pytest.raises(UsageError, match=f"'{key}' in .placement. says otherwise"):
            placement_of(loaded)
    asked = placement_of(loaded, str(tmp_path / "own/placement.toml"))
    assert asked.target == "noord", "the job's settings are those of its own target"


def test_the_jobs_own_spellings_count(job, tmp_path):
    text = WHOLE.replace("NLMINBIZA", "LANDELIJK")
    (tmp_path / "own/placement.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="extra_issuers"):
        placement_of(job(MINIMAL + OWN))
    full = changed('target = "at-rest"', 'target = "own/placement.toml"', FULL)
    full = full.replace("original_attributes = true", "original_attributes = false")
    full = full.replace("extra_issuers = []", 'extra_issuers = ["Landelijk"]')
    assert placement_of(job(full)).issuer == "LANDELIJK"


def test_check_tells_the_faults_of_the_placement_file(job, tmp_path, capsys):
    job(MINIMAL + OWN)
    (tmp_path / "own/placement.toml").write_text(WHOLE.replace("base", "bose"), encoding="utf-8")
    said = call(capsys, "check", tmp_path / "job.toml")
    assert said.code == 2
    assert "placement.toml, line 4" in said.line
    assert "did you mean 'base'?" in said.line


# -- the example ------------------------------------------------------------------------------


def test_the_example_loads_as_it_is_and_with_its_defaults_switched_on(load):
    text = EXAMPLE.read_text(encoding="utf-8")
    switched_on = re.sub(r"(?m)^#(?=[a-z])", "", text)
    assert switched_on.count("\n#") < text.count("\n#")
    as_it_is, whole = load(text), load(switched_on)
    assert as_it_is.target == EXAMPLE.stem
    assert as_it_is.bsn_places == ("OtherPatientIDsSequence", "OtherPatientIDs")
    assert {whole.digest, as_it_is.digest} == {
        hashlib.sha256(one.encode()).hexdigest() for one in (text, switched_on)
    }
    assert (whole.qualifiers, whole.typed, whole.issuer) == (True, True, BSN_OID)
