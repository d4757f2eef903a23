"""dcmdump as a second reader: it sees what changes outside the closed list, within its limits."""

from __future__ import annotations

import os

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    OID,
    dicom,
    el,
    identity,
    item,
    patient_head,
    qualifiers,
)

from remediation.model.bsn import test_number as number_of
from remediation.store import dcmtk
from remediation.store.dcmtk import dcmdump_opinion

pytestmark = pytest.mark.skipif(not dcmtk.installed(), reason="DCMTK's dcmdump is not installed")
BSN = number_of(3)
LOCAL = el(0x00100020, "LO", "0012345")
SYNTAXES = [EXPLICIT, IMPLICIT, BIG, JPEG, DEFLATED]


def head(*more, own=(LOCAL,), syntax=EXPLICIT, **changes):
    return dicom(patient_head(*own, more=more, **changes), syntax)


def bsn_item(*, undefined=False):
    inside = item(*identity(BSN, OID, "TEXT", qualifiers()), undefined=undefined)
    return el(0x00101002, "SQ", [inside], undefined=undefined)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_only_the_closed_list_may_differ(syntax, undefined):
    old = head(syntax=syntax)
    assert dcmdump_opinion(old, old) is True
    assert dcmdump_opinion(old, head(bsn_item(undefined=undefined), syntax=syntax)) is True


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_any_other_element_that_differs_is_seen(syntax):
    old = head(syntax=syntax)
    for new in (
        head(name="Schijn^Anne", syntax=syntax),
        head(el(0x00080050, "SH", "A1"), syntax=syntax),
        head(el(0x00081140, "SQ", [item(LOCAL)]), bsn_item(), syntax=syntax),
    ):
        assert dcmdump_opinion(old, new) is False
        assert dcmdump_opinion(new, old) is False


def test_a_letter_deep_in_a_long_value_is_seen():
    old = head(el(0x00420011, "OB", bytes(2 << 20)))
    new = bytearray(old)
    new[len(old) // 2] ^= 1
    assert dcmdump_opinion(old, old) is True
    assert dcmdump_opinion(old, bytes(new)) is False


def test_what_it_cannot_read_before_gives_no_opinion_and_after_is_a_no():
    whole = head()
    assert dcmdump_opinion(b"", b"") is None
    assert dcmdump_opinion(whole, b"") is False
    assert dcmdump_opinion(whole, whole[:-3]) is False


def test_one_that_hangs_or_has_no_end_gives_no_opinion(tmp_path, monkeypatch):
    fake = tmp_path / "dcmdump"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(dcmtk, "SECONDS", 0.5)
    monkeypatch.setattr(dcmtk, "OUTPUT_CAP", 1 << 20)
    for body in ("exec sleep 60", "exec yes", "exit 3"):
        fake.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        fake.chmod(0o700)
        assert dcmdump_opinion(head(), head()) is None


def test_it_says_nothing_and_leaves_no_file(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    odd = el(0x00100032, "TM", BSN)
    dcmdump_opinion(head(odd), head(odd, bsn_item()))
    dcmdump_opinion(head(el(0x00080005, "CS", BSN)), b"")
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
