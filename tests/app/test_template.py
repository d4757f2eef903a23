"""The job file that `init` writes is one that loads, as it is and with everything switched on."""

import re
import tomllib

from remediation.app.config import load_job
from remediation.app.config_sections import JobFile
from remediation.app.template import KEY_FILE, TEMPLATE

SWITCHED_ON = re.sub(r"(?m)^#(?=[a-z\"\[])", "", TEMPLATE)


def loaded(tmp_path, text):
    path = tmp_path / "job.toml"
    path.write_text(text, encoding="utf-8")
    return load_job(path)


def test_the_template_loads_as_it_is(tmp_path):
    job = loaded(tmp_path, TEMPLATE)
    assert job.privacy.key_file == tmp_path / KEY_FILE
    assert job.crosswalk is None
    assert job.archives[0].root == tmp_path / "archive"


def test_every_setting_of_the_template_can_be_switched_on(tmp_path):
    assert SWITCHED_ON != TEMPLATE
    job = loaded(tmp_path, SWITCHED_ON)
    assert job.crosswalk_settings().columns["valid_to"] == "geldig_tot"
    assert job.run.window == "20:00-06:00"


def test_settings_that_are_off_stand_at_their_default(tmp_path):
    off, on = loaded(tmp_path, TEMPLATE), loaded(tmp_path, SWITCHED_ON)
    for name in ("placement", "bsn", "privacy", "apply", "output", "timezone", "target_coverage"):
        assert getattr(on, name) == getattr(off, name), name
    assert on.run.workers == off.run.workers
    assert on.source.by == off.source.by
    assert on.crosswalk.max_age_days == 30


def test_the_template_names_every_setting():
    def keys_of(schema, definition):
        for key, value in definition.get("properties", {}).items():
            yield key
            for reference in re.findall(r"#/\$defs/(\w+)", str(value)):
                yield from keys_of(schema, schema["$defs"][reference])

    def keys_in(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys_in(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from keys_in(inner)

    schema = JobFile.model_json_schema()
    described = set(keys_in(tomllib.loads(SWITCHED_ON))) | set(re.findall(r"\w+", TEMPLATE))
    assert set(keys_of(schema, schema)) <= described


def test_the_template_fits_a_terminal():
    assert max(map(len, TEMPLATE.splitlines())) <= 100
    assert TEMPLATE.endswith("\n")
