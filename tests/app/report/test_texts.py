"""Both languages say everything, and every code word of the tool has its words."""

import re
import string
from dataclasses import fields
from importlib import import_module
from importlib.resources import files

import pytest

from remediation.app.config_sections import EventTable
from remediation.app.report.catalogue import Catalogue
from remediation.app.report.sections.identities import DESK, MIXUPS
from remediation.app.report.texts_en import ENGLISH
from remediation.app.report.texts_nl import DUTCH
from remediation.dicom import header, splice
from remediation.model.evidence import HARD, REASONS
from remediation.model.outcomes import Result
from remediation.tables.causes import SIGNALS
from remediation.tables.schemas import EVENTS, PLACES, STATUSES, STUDIES

MAPPINGS = [
    f.name for f in fields(Catalogue) if not isinstance(getattr(DUTCH, f.name), str | tuple)
]


def said_of(schema, column):
    """The code words that a column's description lists."""
    words = schema.field(column).metadata[b"description"].decode().rpartition(": ")[2]
    return {word.split()[0] for word in words.replace(";", " |").split("|")}


def slots(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_languages_have_the_same_words_with_the_same_slots(name):
    dutch, english = getattr(DUTCH, name), getattr(ENGLISH, name)
    assert dutch.keys() == english.keys()
    for key, text in dutch.items():
        pairs = (
            zip(text, english[key], strict=True)
            if isinstance(text, tuple)
            else [(text, english[key])]
        )
        for one, other in pairs:
            assert one, (name, key)
            assert other, (name, key)
            assert slots(one) == slots(other), (name, key)


def test_no_sentence_was_left_in_the_other_language():
    same = {k for k, text in DUTCH.text.items() if text == ENGLISH.text[k] and " " in text}
    same -= {k for k in same if not re.search(r"[a-z]", re.sub(r"\{\w+\}", "", DUTCH.text[k]))}
    assert same <= {"job", "statuses_caption"}


def test_every_sentence_is_used():
    package = files("remediation.app.report")
    source = "".join(
        child.read_text(encoding="utf-8")
        for folder in (package, package / "sections", package / "told", package / "templates")
        for child in folder.iterdir()
        if child.name.endswith((".py", ".j2")) and not child.name.startswith("sentences_")
    )
    made = "h_"  # headings: by the name of their section
    unused = [key for key in DUTCH.text if f'"{key}"' not in source and not key.startswith(made)]
    assert unused == []


@pytest.mark.parametrize("catalogue", [DUTCH, ENGLISH], ids=lambda one: one.code)
def test_every_code_word_has_words(catalogue):
    assert REASONS.keys() <= catalogue.reasons.keys()
    assert {s.replace("_", "-") for s in STATUSES} == set(catalogue.statuses)
    assert set(SIGNALS) == set(catalogue.causes)
    assert {str(one) for one in Result} <= catalogue.commands.keys()
    assert said_of(EVENTS, "verdict") == set(catalogue.effects)
    assert said_of(STUDIES, "file_age") - {"null"} == set(catalogue.ages)
    assert said_of(PLACES, "verdict") == set(catalogue.verdicts) == set(catalogue.meanings)
    assert len(catalogue.months) == len(catalogue.short_months) == 12
    kinds = re.findall(r"'([a-z-]+)'", str(EventTable.model_fields["kind"].annotation))
    assert kinds
    assert set(kinds) <= catalogue.event_kinds.keys()


@pytest.mark.parametrize("catalogue", [DUTCH, ENGLISH], ids=lambda one: one.code)
def test_every_documented_error_of_the_scanner_has_words(catalogue):
    listed = header.__doc__.split("Errors:")[1].split("Notes")[0]
    assert set(re.findall(r"`([a-z-]+)`", listed)) <= catalogue.file_reasons.keys()
    refusals = splice.rewritable.__doc__.split("Reasons:")[1]
    assert set(re.findall(r"`([a-z-]+)`", refusals)) <= catalogue.reasons.keys()


def test_no_reason_is_both_the_desks_and_a_possible_mix_up():
    assert not set(DESK) & set(MIXUPS)
    assert set(MIXUPS) <= set(HARD)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_no_part_of_the_sentences_replaces_a_key_of_another(language):
    parts = ("sentences", "sentences_periods", "sentences_signing")
    names = [f"remediation.app.report.{part}_{language}" for part in parts]
    keys = [key for name in names for key in import_module(name).SENTENCES]
    assert len(keys) == len(set(keys))
