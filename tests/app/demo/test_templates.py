import pytest
from pydicom.uid import UID

from remediation.app.demo import templates
from remediation.app.demo.templates import load_templates
from remediation.errors import RemediationError
from remediation.model import bsn, places


@pytest.fixture(scope="module")
def loaded():
    return [template for template, _ in load_templates()]


def test_headers_come_from_several_modalities_and_encodings(loaded):
    assert {t.modality for t in loaded} >= {"CT", "MR", "US", "CR", "NM", "SR"}
    assert {t.implicit for t in loaded} == {True, False}
    assert {UID(t.syntax).is_compressed for t in loaded} == {True, False}
    assert {t.charset for t in loaded} == {"", "ISO_IR 100", "ISO_IR 192"}


def test_real_private_elements_are_kept_and_none_of_them_is_a_patient_number(loaded):
    creators = {
        template.elements[tag][8:].strip(b" \0").decode("latin-1")
        for template in loaded
        for tag in template.elements
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    }
    assert {"GEMS_IDEN_01", "GEMS_PARM_01", "AGFA", "GEMS_GENIE_1"} <= creators
    assert not creators & {creator for creator, _ in places.PRIVATE_PATIENT_NUMBERS}


def test_nothing_of_the_sample_patient_is_left(loaded):
    identity = {0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040, 0x00101000, 0x00101002}
    for template in loaded:
        assert not identity & set(template.elements)
        assert 0x0020000D not in template.elements


def test_files_are_small_so_that_an_archive_is(loaded):
    for template in loaded:
        assert sum(map(len, template.elements.values())) < 16_000


@pytest.mark.parametrize(
    ("text", "like"), [("x999900006y", True), ("999900007", False), ("99990007", False)]
)
def test_text_that_the_search_could_take_for_a_number_is_known(text, like):
    assert templates._like_a_number(text) is like


def test_no_number_hides_in_the_text_of_a_template(loaded):
    for template in loaded:
        for tag, raw in template.elements.items():
            if tag >> 16 != 0x7FE0:
                assert not [n for n in bsn.runs(raw.decode("latin-1")) if bsn.passes(n)]


def test_a_missing_sample_file_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(templates, "SOURCES", (("no_such_sample.dcm", 1),))
    with pytest.raises(RemediationError, match="no_such_sample"):
        load_templates()
