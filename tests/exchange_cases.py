"""Golden cases: bringing headers to the exchange placement."""

from builders import OID, el, identity, item, qualifiers
from placement_cases import (
    BSN,
    BSN_ITEM,
    COERCE,
    CORRECT,
    DOTTED,
    EXTRA_BACK,
    EXTRA_FRONT,
    FOREIGN_ITEM,
    INVALID,
    ISSUER,
    LOCAL,
    LOCAL_ITEM,
    LOCAL_QUALIFIERS,
    MINE,
    NO_KIND,
    NO_OTHERS,
    NO_QUALIFIERS,
    NOBODY,
    ODD,
    PRIMARY_BSN,
    case,
    others,
    retired,
)

from remediation.model.placement import EXCHANGE


def exchange(name, before, after, former=(), reason=COERCE, **ordered):
    return case(name, before, after, former, reason, target=EXCHANGE, **ordered)


EXCHANGE_CASES = [
    exchange(
        "bare",
        MINE,
        [*PRIMARY_BSN, others(LOCAL_ITEM)],
        [*MINE, NO_KIND, NO_QUALIFIERS, NO_OTHERS],
    ),
    exchange(
        "without an issuer the local number gets the archive's",
        identity(LOCAL, "", "TEXT"),
        [*PRIMARY_BSN, others(LOCAL_ITEM)],
        [*identity(LOCAL, ""), NO_QUALIFIERS, NO_OTHERS],
    ),
    exchange(
        "number, issuer, type and qualifiers move as the bytes that they were",
        [ODD, *identity(None, "OOST_HIS", "RFID", LOCAL_QUALIFIERS), others(FOREIGN_ITEM)],
        [
            *PRIMARY_BSN,
            others(FOREIGN_ITEM, item(ODD, *identity(None, "OOST_HIS", "RFID", LOCAL_QUALIFIERS))),
        ],
        [ODD, *identity(None, "OOST_HIS", "RFID", LOCAL_QUALIFIERS), others(FOREIGN_ITEM)],
    ),
    exchange(
        "lengths that were undefined stay undefined",
        [*MINE, others(item(*FOREIGN_ITEM.elements, undefined=True), undefined=True)],
        [
            *PRIMARY_BSN,
            others(item(*FOREIGN_ITEM.elements, undefined=True), LOCAL_ITEM, undefined=True),
        ],
        [
            *MINE,
            NO_KIND,
            NO_QUALIFIERS,
            others(item(*FOREIGN_ITEM.elements, undefined=True), undefined=True),
        ],
    ),
    exchange(
        "an item with the BSN goes",
        [*MINE, others(FOREIGN_ITEM, BSN_ITEM, item(*identity(DOTTED)))],
        [*PRIMARY_BSN, others(FOREIGN_ITEM, LOCAL_ITEM)],
        [
            *MINE,
            NO_KIND,
            NO_QUALIFIERS,
            others(FOREIGN_ITEM, BSN_ITEM, item(*identity(DOTTED))),
        ],
    ),
    exchange(
        "a wrong item goes, and is not kept",
        [*MINE, others(FOREIGN_ITEM, item(*identity(INVALID, OID)), item(*identity(NOBODY, OID)))],
        [*PRIMARY_BSN, others(FOREIGN_ITEM, LOCAL_ITEM)],
        [*MINE, NO_KIND, NO_QUALIFIERS, others(FOREIGN_ITEM)],
        CORRECT,
    ),
    exchange(
        "the BSN's issuer and qualifiers do not move along with a local number",
        identity(LOCAL, OID, "TEXT", qualifiers()),
        [*PRIMARY_BSN, others(LOCAL_ITEM)],
        [*identity(LOCAL, OID), NO_OTHERS],
        CORRECT,
    ),
    exchange(
        "qualifiers that say BSN of a local number do not move along",
        identity(LOCAL, "OOST_HIS", "TEXT", qualifiers(code="PI")),
        [*PRIMARY_BSN, others(item(*identity(LOCAL, "OOST_HIS", "TEXT")))],
        [*identity(LOCAL, "OOST_HIS"), qualifiers(code="PI"), NO_OTHERS],
        CORRECT,
    ),
    exchange(
        "the item that the local number has already stays as it is",
        [*identity(LOCAL, ISSUER), others(LOCAL_ITEM, FOREIGN_ITEM)],
        [*PRIMARY_BSN, others(LOCAL_ITEM, FOREIGN_ITEM)],
        [*MINE, NO_KIND, NO_QUALIFIERS],
    ),
    exchange(
        "that item takes what only the header's top has, and keeps its other elements",
        [
            *identity(LOCAL, ISSUER, None, LOCAL_QUALIFIERS),
            others(
                item(EXTRA_FRONT, *identity(LOCAL, "OOST_HIS", "RFID"), EXTRA_BACK, undefined=True),
                FOREIGN_ITEM,
                LOCAL_ITEM,
            ),
        ],
        [
            *PRIMARY_BSN,
            others(
                item(
                    EXTRA_FRONT,
                    *identity(LOCAL, ISSUER, "RFID", LOCAL_QUALIFIERS),
                    EXTRA_BACK,
                    undefined=True,
                ),
                FOREIGN_ITEM,
            ),
        ],
        [
            *identity(LOCAL, ISSUER),
            NO_KIND,
            LOCAL_QUALIFIERS,
            others(
                item(EXTRA_FRONT, *identity(LOCAL, "OOST_HIS", "RFID"), EXTRA_BACK, undefined=True),
                FOREIGN_ITEM,
                LOCAL_ITEM,
            ),
        ],
    ),
    exchange(
        "the same number of another issuer is another item",
        [*MINE, others(item(*identity(LOCAL, "ZKH-ELDERS")), item(*identity(LOCAL)))],
        [
            *PRIMARY_BSN,
            others(item(*identity(LOCAL, "ZKH-ELDERS")), item(*identity(LOCAL)), LOCAL_ITEM),
        ],
        [
            *MINE,
            NO_KIND,
            NO_QUALIFIERS,
            others(item(*identity(LOCAL, "ZKH-ELDERS")), item(*identity(LOCAL))),
        ],
    ),
    exchange(
        "where the BSN is primary the issuer is put right, and no local item invented",
        identity(BSN, "NLMINBIZA", "TEXT", qualifiers()),
        PRIMARY_BSN,
        [el(0x00100021, "LO", "NLMINBIZA")],
        CORRECT,
    ),
    exchange(
        "where the BSN is primary a missing issuer is added",
        identity(BSN),
        PRIMARY_BSN,
        [el(0x00100021, "LO", b""), NO_KIND, NO_QUALIFIERS],
    ),
    exchange(
        "where the BSN is primary its dots are taken out",
        [*identity(DOTTED, OID, "TEXT", qualifiers()), others(FOREIGN_ITEM)],
        [*PRIMARY_BSN, others(FOREIGN_ITEM)],
        identity(DOTTED, OID),
        CORRECT,
    ),
    exchange(
        "local qualifiers under a BSN are replaced",
        identity(BSN, OID, "TEXT", LOCAL_QUALIFIERS),
        PRIMARY_BSN,
        [LOCAL_QUALIFIERS],
        CORRECT,
    ),
    exchange(
        "the sequence goes with its last item",
        [*PRIMARY_BSN, others(BSN_ITEM, undefined=True)],
        PRIMARY_BSN,
        [others(BSN_ITEM, undefined=True)],
    ),
    exchange(
        "an empty sequence is left alone",
        [*identity(BSN, OID, None, qualifiers()), others()],
        [*PRIMARY_BSN, others()],
        [NO_KIND],
    ),
    exchange(
        "padding of a right value is left alone",
        [el(0x00100020, "LO", BSN.encode() + b"\0"), el(0x00100021, "LO", OID.encode() + b"\0")],
        [
            el(0x00100020, "LO", BSN.encode() + b"\0"),
            el(0x00100021, "LO", OID.encode() + b"\0"),
            *PRIMARY_BSN[2:],
        ],
        [NO_KIND, NO_QUALIFIERS],
    ),
    exchange(
        "without qualifiers the local ones still leave the top",
        identity(LOCAL, ISSUER, "TEXT", LOCAL_QUALIFIERS),
        [
            *identity(BSN, OID, "TEXT"),
            others(item(*identity(LOCAL, ISSUER, "TEXT", LOCAL_QUALIFIERS))),
        ],
        [*identity(LOCAL, ISSUER, None, LOCAL_QUALIFIERS), NO_OTHERS],
        qualifiers=False,
    ),
    exchange(
        "the BSN leaves OtherPatientIDs here too",
        [*MINE, retired(f"{LOCAL}\\{BSN}")],
        [*PRIMARY_BSN, retired(LOCAL), others(LOCAL_ITEM)],
        [*MINE, NO_KIND, NO_QUALIFIERS, retired(f"{LOCAL}\\{BSN}"), NO_OTHERS],
        remove_retired=True,
    ),
    exchange(
        "former values can be left out here too",
        MINE,
        [*PRIMARY_BSN, others(LOCAL_ITEM)],
        original_attributes=False,
    ),
]
