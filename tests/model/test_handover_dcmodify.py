"""The script for dcmodify: quoting, and what it leaves alone. A stand-in notes what it is told."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from handing_over import ABOUT, BEFORE, FILE, NUMBER, data, study, text
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remediation.model.handover import ISSUER, OTHERS, CannotSayError
from remediation.model.handover_dcmodify import DcmodifyScript

STAND_IN = """\
#!/bin/sh
for word in "$@"; do printf '%s\\0' "$word"; done >>"$NOTED"
case "$*" in *fails*) exit 1 ;; esac
for word in "$@"; do last=$word; done
printf corrected >"$last"
"""
ONE = replace(ABOUT, archives=("noord",))


@pytest.fixture
def sh(tmp_path):
    """Return a function that runs a script of these files beside a stand-in for dcmodify."""
    tool = tmp_path / "bin/dcmodify"
    tool.parent.mkdir()
    tool.write_text(STAND_IN)
    tool.chmod(0o755)

    def go(*files, about=ONE, arguments=None, path=f"{tool.parent}:/usr/bin:/bin"):
        form = DcmodifyScript(about)
        script = form.begin() + form.some([study(*files)]) + form.end()
        noted = tmp_path / "noted"
        noted.write_bytes(b"")
        done = subprocess.run(
            ["/bin/sh", "-s", *(arguments or [tmp_path / "kopie"])],
            input=script.encode("utf-8", "surrogateescape"),
            capture_output=True,
            env={"PATH": path, "NOTED": str(noted)},
            check=False,
        )
        return done, [os.fsdecode(word) for word in noted.read_bytes().split(b"\0")[:-1]]

    (tmp_path / "kopie").mkdir()
    return go


def lay(root: Path, path: str, size: int = 1234) -> Path:
    there = Path(os.fsdecode(os.fsencode(root) + b"/" + os.fsencode(path)))
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"x" * size)
    return there


names = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200)


@given(names, st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=30))
@example("$(touch x)`id`'\"\\;\n*", "'; rm -rf /; '$HOME")
@example("-rf", "@arguments")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_no_path_and_no_value_means_anything_to_the_shell(sh, tmp_path, name, value):
    there = lay(tmp_path / "kopie", name)
    one = replace(FILE, path=name, before={}, after=data(text(ISSUER, value)))
    done, noted = sh(one)
    assert done.returncode == 0, done.stderr
    assert noted == ["-nb", "-dc", "-i", f"(0010,0021)={value}", f"{there}.new"]
    assert there.read_bytes() == b"corrected"
    there.unlink()
    assert not any((tmp_path / "kopie").iterdir())


def test_a_path_may_be_any_bytes(sh, tmp_path):
    name = os.fsdecode(b"S\xff/I\xfe")
    there = lay(tmp_path / "kopie", name)
    done, _ = sh(replace(FILE, path=name))
    assert done.returncode == 0
    assert there.read_bytes() == b"corrected"


def test_what_is_not_the_file_of_the_plan_is_left_alone_and_counted(sh, tmp_path):
    root = tmp_path / "kopie"
    lay(root, "well")
    lay(root, "other-size", 7)
    (root / "link").symlink_to(root / "other-size")
    paths = ("well", "other-size", "link", "missing")
    done, noted = sh(*(replace(FILE, path=path) for path in paths))
    assert done.returncode == 3
    assert done.stdout == b"1 files corrected, 3 left alone\n"
    assert sum(word == "-nb" for word in noted) == 1
    again, noted = sh(*(replace(FILE, path=path) for path in paths))
    assert (again.returncode, noted) == (3, [])


def test_where_dcmodify_fails_the_old_bytes_stay_and_nothing_is_left_over(sh, tmp_path):
    there = lay(tmp_path / "kopie", "fails")
    done, _ = sh(replace(FILE, path="fails"))
    assert done.returncode == 3
    assert there.read_bytes() == b"x" * 1234
    assert [one.name for one in there.parent.iterdir()] == ["fails"]


def test_each_archive_has_a_root_of_its_own_in_the_order_that_is_told(sh, tmp_path):
    roots = [tmp_path / "kopie", tmp_path / "-zuid"]
    there = lay(roots[1], FILE.path)
    form = DcmodifyScript(ABOUT)
    assert "COPY_OF_NOORD COPY_OF_ZUID" in form.begin()
    assert '"$root2"/S1/I1 1234' in form.some([study(archive="zuid")])
    done, _ = sh(about=ABOUT, arguments=[roots[0], roots[1]])
    assert done.returncode == 3, "the file is not in the first"
    assert there.read_bytes() == b"x" * 1234


def test_too_few_roots_or_no_dcmodify_do_nothing(sh, tmp_path):
    lay(tmp_path / "kopie", FILE.path)
    done, noted = sh(about=ABOUT)
    assert (done.returncode, noted) == (2, [])
    done, noted = sh(path="/nowhere")
    assert (done.returncode, noted) == (1, [])


def test_a_file_that_is_corrected_already_has_no_command():
    form = DcmodifyScript(ONE)
    assert form.some([study(replace(FILE, after=FILE.before, corrected=True))]) == ""
    assert NUMBER in form.some([study()])


def test_a_study_is_in_the_script_whole_or_not_at_all():
    odd = {**BEFORE, OTHERS: text(OTHERS, b"\x01", "OB", plain=False)}
    with pytest.raises(CannotSayError):
        DcmodifyScript(ONE).some([study(FILE, replace(FILE, after=odd))])
