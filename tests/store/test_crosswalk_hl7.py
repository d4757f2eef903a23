"""Scenarios for an export as HL7 v2 ADT messages: patients, merges, frames, and what is cut off."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.exports import ONE, TWO, read, refused

from remediation.errors import UsageError
from remediation.store.crosswalk_reading import Hl7Settings

OID = "2.16.840.1.113883.2.4.6.3"
SAID = Hl7Settings(status="geverifieerd")


def ids(local="0012345", number=ONE, issuer="OOST"):
    """Return a PID-3 with a local number and a BSN."""
    own = f"{local}^^^{issuer}^PI"
    return f"{own}~{number}^^^NLMINBIZA^NNNLD" if number else own


def pid(identifiers=None, name="Jansen^Anna^B.^^^^L", born="19500203", more=""):
    return f"PID|1||{identifiers or ids()}||{name}||{born}|F{more}"


def message(*segments, event="A08", at="20200102030405", mark="\r"):
    """Return an ADT message of these segments."""
    header = f"MSH|^~\\&|HIS|ZKH|X|Y|{at}||ADT^{event}^ADT_A01|1|P|2.5"
    return mark.join([header, f"EVN|{event}|{at}", *segments, "PV1|1|O", ""])


def merge(now, former, at="20200102030405", event="A40"):
    return message(pid(now), f"MRG|{former}", event=event, at=at)


@pytest.fixture
def adt(tmp_path):
    """Return a function that writes messages to a file and returns its path."""

    def write(*messages, name="adt.hl7", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("".join(messages).encode(encoding))
        return path

    return write


def rows(path, hl7=SAID, **more):
    return tuple(read(path, hl7=hl7, columns={}, **more).entries)


def test_a_patient_becomes_an_entry_with_its_place(adt):
    (entry,) = rows(adt(message(pid())))
    assert (entry.issuer, entry.local_number, entry.bsn) == ("OOST", "0012345", ONE)
    assert (entry.birth_date, entry.sex, entry.initials) == ("19500203", "F", "AB")
    assert (entry.family_names, entry.status) == (("JANSEN",), "geverifieerd")
    assert entry.place == "adt.hl7 message 1"


@pytest.mark.parametrize(
    "authority",
    ["NLMINBIZA^NNNLD", "^NNNLD", "NLMINBIZA", f"&{OID}&ISO", f"NLMINBIZA&{OID}&ISO^NNNLD"],
)
def test_the_bsn_is_known_by_authority_oid_or_type(adt, authority):
    (entry,) = rows(adt(message(pid(f"12^^^OOST~{ONE}^^^{authority}"))))
    assert (entry.local_number, entry.bsn) == ("12", ONE)


def test_the_hospital_s_own_spelling_of_the_bsn_s_issuer_counts(adt):
    path = adt(message(pid(f"12^^^OOST~{ONE}^^^BZK")))
    assert len(rows(path)) == 2
    assert [entry.bsn for entry in rows(path, extra_issuers=("BZK",))] == [ONE]


def test_every_other_number_is_a_local_number_of_its_issuer(adt):
    found = rows(
        adt(message(pid(f"12^^^OOST~{ONE}^^^NLMINBIZA~34^^^WEST&1.2.3&ISO~56^^^&1.2.4&ISO")))
    )
    assert [(entry.issuer, entry.local_number) for entry in found] == [
        ("OOST", "12"),
        ("WEST", "34"),
        ("1.2.4", "56"),
    ]
    assert {entry.bsn for entry in found} == {ONE}


def test_an_authority_has_our_name_where_the_job_gives_one(adt):
    said = Hl7Settings(issuers={"HIS1": "ZKH-OOST", "1.2.4": "ZKH-WEST"})
    found = rows(adt(message(pid("12^^^HIS1~56^^^&1.2.4&ISO"))), said)
    assert [entry.issuer for entry in found] == ["ZKH-OOST", "ZKH-WEST"]


def test_a_number_without_authority_has_the_default_issuer_or_none(adt):
    path = adt(message(pid(f"12~{ONE}^^^NLMINBIZA")))
    assert [entry.issuer for entry in rows(path)] == [""]
    assert [entry.issuer for entry in rows(path, default_issuer="OOST")] == ["OOST"]


def test_a_patient_without_a_local_number_is_known_by_the_bsn(adt):
    path = adt(message(pid(f"{ONE}^^^NLMINBIZA")))
    (entry,) = read(path, hl7=SAID).by_bsn(ONE)
    assert entry.local_number == ""


def test_two_numbers_in_one_message_are_two_numbers(adt):
    path = adt(message(pid(f"12^^^OOST~{ONE}^^^NLMINBIZA~{TWO}^^^NLMINBIZA")))
    assert read(path, hl7=SAID).has_two_numbers("OOST", "12")


def test_a_withdrawn_number_is_nobody_s(adt):
    gone = f"12^^^OOST~{ONE}^^^NLMINBIZA^NNNLD^^20190101^20191231"
    assert [entry.bsn for entry in rows(adt(message(pid(gone))))] == [""]


def test_local_numbers_keep_their_validity(adt):
    (entry,) = rows(adt(message(pid("12^^^OOST^PI^^20100101^20151231"))))
    assert (entry.valid_from, entry.valid_to) == ("20100101", "20151231")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("de Vries-Jansen&de&Vries&&Jansen^Anna^^^^^L", {"VRIESJANSEN", "VRIES", "JANSEN"}),
        ("Jansen&&Jansen&van den&Berg^Anna", {"JANSEN", "BERG"}),
        ("Jansen^Anna^^^^^L~Vries&de&Vries^Anna^^^^^M", {"JANSEN", "VRIES"}),
        ("Jansen^Anna^^^^^L~Anders^Anna^^^^^A~Bijnaam^^^^^^N", {"JANSEN"}),
        ("M\\XFC\\ller^Anna", {"MULLER"}),
        ("Vries&de&Vries^Anna^^^^^M~Jansen^Anna^^^^^L", {"JANSEN", "VRIES"}),
        ("", set()),
        ('""', set()),
    ],
)
def test_names_are_own_birth_and_partner_s_without_prefixes(adt, name, parts):
    (entry,) = rows(adt(message(pid(name=name))))
    assert set(entry.family_names) == parts


@pytest.mark.parametrize(
    ("given", "initials"),
    [
        ("Anna^Bea Cornelia", "ABC"),
        ("A.B.^", "AB"),
        ("AB^C", "ABC"),
        ("A^B C D E", "ABCDE"),
        ("^", ""),
    ],
)
def test_initials_come_from_all_given_names(adt, given, initials):
    assert rows(adt(message(pid(name=f"Jansen^{given}"))))[0].initials == initials


@pytest.mark.parametrize("born", ["195002", '""', "", "onbekend", "19500231"])
def test_a_birth_date_that_is_not_whole_is_missing(adt, born):
    assert rows(adt(message(pid(born=born))))[0].birth_date == ""


def test_a_birth_date_may_have_a_time(adt):
    assert rows(adt(message(pid(born="195002030000"))))[0].birth_date == "19500203"


def test_without_a_setting_nothing_has_a_status(adt):
    assert rows(adt(message(pid())), Hl7Settings())[0].status == ""


@pytest.mark.parametrize(
    ("words", "status"),
    [("", "geverifieerd"), ("UA", "niet"), ("XX", "XX"), ("VV", "ja"), ("UA~VV", "niet~ja")],
)
def test_the_reliability_of_pid_32_is_the_status_where_it_stands(adt, words, status):
    said = Hl7Settings("geverifieerd", {"UA": "niet", "VV": "ja"})
    more = "|" * 24 + words
    assert rows(adt(message(pid(more=more))), said)[0].status == status


# --- later messages, and merges -------------------------------------------------------------------


def test_the_latest_message_of_a_patient_counts_whatever_the_order_of_reading(adt):
    late = message(pid(ids(number=TWO)), at="20200303")
    early = message(pid(ids(number=ONE)), at="20200202235959.5")
    for order in ((early, late), (late, early)):
        crosswalk = read(adt(*order), hl7=SAID)
        assert [entry.bsn for entry in crosswalk.entries] == [TWO]
        assert crosswalk.dropped.superseded == 1


def test_of_messages_of_one_time_the_last_counts(adt):
    found = rows(adt(message(pid(ids(number=ONE))), message(pid(ids(number=TWO)))))
    assert [entry.bsn for entry in found] == [TWO]


def test_times_with_an_offset_are_compared_as_moments(adt):
    late = message(pid(ids(number=TWO)), at="20200101120000-0500")
    early = message(pid(ids(number=ONE)), at="20200101170000+0100")
    assert [entry.bsn for entry in rows(adt(late, early))] == [TWO]


def test_the_event_s_time_counts_where_the_message_has_none(adt):
    first = message(pid(ids(number=ONE))).replace("Y|20200102030405", "Y|")
    assert len(rows(adt(first))) == 1


def test_the_same_message_in_two_files_counts_once(adt, tmp_path):
    adt(message(pid()), name="a.hl7")
    adt(message(pid()), name="b.hl7")
    path = adt(name="c.hl7")
    assert len(rows(path, files=(tmp_path / "a.hl7", tmp_path / "b.hl7"))) == 1


@pytest.mark.parametrize("event", ["A40", "A47"])
def test_a_merge_says_what_replaced_a_number(adt, event):
    path = adt(
        message(pid(ids("11"))),
        merge(ids("12"), "11^^^OOST^PI", "2021", event=event).replace("2021|", "20210101|"),
    )
    crosswalk = read(path, hl7=SAID)
    (former,) = crosswalk.by_local("OOST", "11")
    assert (former.replaced_by, former.bsn, former.birth_date) == ("12", "", "")
    assert crosswalk.former("OOST", "12") == (former,)
    assert not crosswalk.is_shared("OOST", ONE)


def test_a_merge_replaces_within_one_issuer(adt):
    path = adt(merge(f"{ids('12')}~99^^^WEST", "11^^^WEST~10^^^NOORD"))
    found = {entry.local_number: entry.replaced_by for entry in rows(path)}
    assert found == {"12": "", "99": "", "11": "99", "10": ""}


def test_a_bsn_in_the_former_numbers_is_not_one_of_them(adt):
    path = adt(merge(ids("12"), f"11^^^OOST~{TWO}^^^NLMINBIZA"))
    crosswalk = read(path, hl7=SAID)
    assert crosswalk.by_bsn(TWO) == ()
    assert {entry.local_number for entry in crosswalk.entries} == {"12", "11"}


def test_a_merge_of_a_number_with_itself_changes_nothing(adt):
    (entry,) = rows(adt(merge(ids("12"), "12^^^OOST")))
    assert (entry.bsn, entry.replaced_by) == (ONE, "")


def test_numbers_that_were_merged_both_ways_end_with_the_last(adt):
    first = merge(ids("12"), "11^^^OOST", "20200101")
    back = merge(ids("11"), "12^^^OOST", "20200202")
    found = {entry.local_number: (entry.bsn, entry.replaced_by) for entry in rows(adt(first, back))}
    assert found == {"11": (ONE, ""), "12": ("", "11")}


def test_a_cycle_of_merges_leads_nowhere(adt):
    bare = "PID|1||{}^^^OOST"
    merges = (("1", "2", "20200101"), ("2", "3", "20200102"), ("3", "1", "20200103"))
    path = adt(
        *(
            message(bare.format(now), f"MRG|{old}^^^OOST", event="A40", at=at)
            for old, now, at in merges
        )
    )
    assert {entry.bsn for entry in rows(path)} == {""}


def test_a_number_that_is_used_again_after_a_merge_is_its_own(adt):
    path = adt(merge(ids("12"), "11^^^OOST"), message(pid(ids("11", TWO)), at="20220101"))
    (entry,) = read(path, hl7=SAID).by_local("OOST", "11")
    assert (entry.bsn, entry.replaced_by) == (TWO, "")


def test_several_patients_in_one_merge_are_all_read(adt):
    path = adt(
        message(pid(ids("2")), "MRG|1^^^OOST", pid(ids("4", TWO)), "MRG|3^^^OOST", event="A40")
    )
    assert {e.local_number: e.replaced_by for e in rows(path)} == {
        "2": "",
        "1": "2",
        "4": "",
        "3": "4",
    }


def test_a_patient_who_was_removed_has_no_number_left(adt):
    found = rows(adt(message(pid()), message(pid(), event="A29", at="20210101")))
    assert [(entry.bsn, entry.status, entry.birth_date) for entry in found] == [("", "", "")]


# --- frames, and what is cut off ------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["\r", "\n", "\r\n"])
def test_segments_end_with_any_line_end(adt, mark):
    texts = [message(pid(ids(str(n))), mark=mark) for n in range(3)]
    assert len(rows(adt(*texts))) == 3
    assert len(rows(adt(mark.join(texts)))) == 3


def test_frames_of_mllp_and_batches_are_taken_off(adt):
    one, two = message(pid(ids("1"))), message(pid(ids("2", TWO)))
    assert len(rows(adt(*(f"\x0b{text}\x1c\r" for text in (one, two))))) == 2
    batch = f"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r{one}{two}BTS|2\rFTS|1\r"
    assert len(rows(adt(batch))) == 2


def test_a_message_may_lack_its_last_line_end_behind_what_counts(adt):
    assert len(rows(adt(message(pid()).rstrip("\r")))) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (message(pid()).partition("\rPV1")[0], "is cut off"),
        (message(pid())[:20], "is cut off"),
        (message(pid()).partition("\rPID")[0] + "\r", "names no patient"),
        (f"\x0b{message(pid())}", "cut off"),
        (f"\x0b{message(pid())}\x0b{message(pid())}\x1c\r", "cut off"),
        (f"BHS|^~\\&|H\r{message(pid())}BTS|2\r", "not the last that its batch announces"),
        (f"BHS|^~\\&|H\r{message(pid())}", "cut off"),
        (f"FHS|^~\\&|H\r{message(pid())}", "cut off"),
        (message("PID|1||||Jansen"), "without a number (PID-3)"),
        (message(pid(), event="A40").replace("PV1", "MRG|\rPV1"), "which number (MRG-1)"),
        (message(pid(), at=""), "when it was made"),
        (message(pid(), at="2020"), "when it was made"),
        (message(pid(), at="20201301"), "when it was made"),
        (message(pid(), at="morgen"), "when it was made"),
        (message(pid()) + "12345|Jansen\r", "broken into lines"),
        ("x" + message(pid()), "no HL7 message"),
    ],
)
def test_what_is_cut_off_or_says_too_little_is_refused_by_its_number(adt, text, why):
    message_ = refused(adt(text), hl7=SAID)
    assert why in message_
    assert "adt.hl7, message " in message_


def test_messages_of_other_kinds_are_passed_over(adt):
    order = message(pid(ids("9"))).replace("ADT^A08^ADT_A01", "ORM^O01")
    bed = message("NPU|x", event="A20")
    assert [entry.local_number for entry in rows(adt(order, bed, message(pid())))] == ["0012345"]
    assert "no rows" in refused(adt(order), hl7=SAID)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-8-sig"])
def test_encodings_are_found_out(adt, encoding):
    found = rows(adt(message(pid(name="Müller^Anna")), encoding=encoding))
    assert found[0].family_names == ("MULLER",)


def test_what_is_no_text_is_refused(adt):
    assert "neither UTF-8" in refused(adt(message(pid()), encoding="utf-16-le"))


def test_other_separators_are_those_of_the_header(adt):
    text = message(pid()).replace("|", "#").replace("^", "%")
    assert rows(adt(text))[0].bsn == ONE


def test_escaped_separators_are_text(adt):
    (entry,) = rows(adt(message(pid("1\\T\\2^^^OOST"))))
    assert entry.local_number == "1&2"


@pytest.mark.parametrize("name", ["adt.txt", "adt.dat", "adt"])
def test_messages_are_known_by_their_beginning(adt, name):
    assert len(rows(adt(message(pid()), name=name))) == 1
    assert len(rows(adt(f"\x0b{message(pid())}\x1c\r", name=name))) == 1


piece = st.one_of(
    st.sampled_from(
        ["MSH|^~\\&|", "\rPID|1||", "\rMRG|", "~", "^", "|", "&", "\\", "\x0b", "\x1c"]
    ),
    st.sampled_from(
        [message(pid()), merge(ids("2"), "1^^^OOST"), ONE, "Jansen", "\r", "BTS|", "20200101"]
    ),
    st.text(max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(piece, max_size=8))
def test_any_text_is_read_or_refused_without_a_value(adt, pieces):
    path = adt("".join(pieces).encode("utf-8", "replace").decode())
    try:
        shown = repr(rows(path))
    except UsageError as error:
        shown = str(error)
    assert ONE not in shown
    assert "Jansen" not in shown
    assert "\n" not in shown
