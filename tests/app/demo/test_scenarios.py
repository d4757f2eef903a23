import pytest

from remediation.app.demo.scenarios import HEADERS, scenario

REFUSING_ALWAYS = [
    "no-row", "two-numbers", "other-birth-date", "other-sex", "other-name", "ended",
]  # fmt: skip
WARNING_ONLY = [
    "not-verified", "shared", "no-birth-date", "no-name", "namesake-no-initials", "typing-error",
]  # fmt: skip


@pytest.mark.parametrize("epd", REFUSING_ALWAYS)
def test_a_contradiction_refuses_a_conformant_study_too(epd):
    assert scenario(f"conformant/{epd}").verdict()[0] == "refused"
    assert scenario(f"conformant/{epd}").verdict() == scenario(f"bare/{epd}").verdict()


@pytest.mark.parametrize("epd", WARNING_ONLY)
def test_what_only_forbids_writing_leaves_a_conformant_study_alone(epd):
    assert scenario(f"conformant/{epd}").verdict() == ("conformant", "")
    assert scenario(f"bare/{epd}").verdict()[0] == "refused"


def test_a_local_number_that_passes_makes_an_absent_study_a_candidate():
    assert scenario("bare").status("111222333") == "candidate"
    assert scenario("bare").status("111222334") == "absent"
    assert scenario("invalid").status("111222333") == "invalid"


def test_every_status_has_a_header_case():
    assert {case.status for case in HEADERS.values()} == {
        "unreadable", "conflict", "conformant", "wrong-issuer", "misplaced", "invalid",
        "placeholder", "candidate", "absent", "mixed",
    }  # fmt: skip
