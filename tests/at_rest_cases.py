"""Golden cases: bringing headers to the at-rest placement."""

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
    NO_OTHERS,
    NOBODY,
    OTHER_BSN,
    case,
    original_item,
    others,
    retired,
)


def _in_item(name, number, issuer, reason, *, kind="TEXT", described=None, former=True):
    """A wrong or unlabelled item with the BSN becomes the right one, where it stands."""
    old = item(*identity(number, issuer, kind, described))
    before = [*MINE, others(old, FOREIGN_ITEM)]
    after = [*MINE, others(BSN_ITEM, FOREIGN_ITEM)]
    kept = others(old, FOREIGN_ITEM) if former else others(FOREIGN_ITEM)
    return case(name, before, after, [kept], reason)


AT_REST_CASES = [
    case("bare", MINE, [*MINE, others(BSN_ITEM)], [NO_OTHERS]),
    case("no local issuer", identity(LOCAL), [*identity(LOCAL), others(BSN_ITEM)], [NO_OTHERS]),
    case(
        "a new item comes last, the others stay as they are",
        [*MINE, others(FOREIGN_ITEM, item(*identity("x"), undefined=True), item())],
        [*MINE, others(FOREIGN_ITEM, item(*identity("x"), undefined=True), item(), BSN_ITEM)],
        [others(FOREIGN_ITEM, item(*identity("x"), undefined=True), item())],
    ),
    case(
        "an empty sequence gets its item",
        [*MINE, others()],
        [*MINE, others(BSN_ITEM)],
        [NO_OTHERS],
    ),
    case(
        "a sequence of undefined length stays one",
        [*MINE, others(FOREIGN_ITEM, undefined=True)],
        [*MINE, others(FOREIGN_ITEM, BSN_ITEM, undefined=True)],
        [others(FOREIGN_ITEM, undefined=True)],
    ),
    case(
        "an item of undefined length stays one, its other elements verbatim",
        [
            *MINE,
            others(item(EXTRA_FRONT, *identity(BSN), EXTRA_BACK, undefined=True), undefined=True),
        ],
        [
            *MINE,
            others(
                item(EXTRA_FRONT, *BSN_ITEM.elements, EXTRA_BACK, undefined=True), undefined=True
            ),
        ],
        [others(item(EXTRA_FRONT, *identity(BSN), EXTRA_BACK, undefined=True), undefined=True)],
    ),
    _in_item("NLMINBIZA becomes the OID", BSN, "NLMINBIZA", CORRECT),
    _in_item("HD text becomes the OID", BSN, f"&{OID}&ISO", CORRECT),
    _in_item("a missing issuer is added", BSN, None, COERCE),
    _in_item("an empty issuer is filled", BSN, "", COERCE),
    _in_item("missing qualifiers and type are added", BSN, OID, COERCE, kind=None),
    _in_item("another type is replaced", BSN, OID, CORRECT, kind="RFID"),
    _in_item(
        "qualifiers of another issuer are replaced", BSN, OID, CORRECT, described=LOCAL_QUALIFIERS
    ),
    _in_item("dots are taken out", DOTTED, OID, CORRECT),
    _in_item("CX text is taken off", f"{BSN}^^^NLMINBIZA^NNNLD", None, CORRECT),
    _in_item("the issuer stands in the qualifiers", BSN, None, COERCE, described=qualifiers()),
    _in_item("an invalid number goes, and is not kept", INVALID, OID, CORRECT, former=False),
    _in_item("a placeholder goes, and is not kept", NOBODY, "NLMINBIZA", CORRECT, former=False),
    _in_item("a local number called BSN is not kept", "A12", OID, CORRECT, former=False),
    _in_item("an empty BSN item is filled", "", OID, COERCE),
    case(
        "only what is not the patient's is left out of the former values",
        [*MINE, others(item(*identity(INVALID, OID)), undefined=True)],
        [*MINE, others(BSN_ITEM, undefined=True)],
        [others(undefined=True)],
        CORRECT,
    ),
    case(
        "several items of the BSN collapse into the first",
        [
            *MINE,
            others(FOREIGN_ITEM, item(*identity(BSN), EXTRA_BACK), BSN_ITEM, LOCAL_ITEM, BSN_ITEM),
        ],
        [*MINE, others(FOREIGN_ITEM, item(*BSN_ITEM.elements, EXTRA_BACK), LOCAL_ITEM)],
        [others(FOREIGN_ITEM, item(*identity(BSN), EXTRA_BACK), BSN_ITEM, LOCAL_ITEM, BSN_ITEM)],
    ),
    case(
        "right and wrong items collapse, the wrong ones not kept",
        [*MINE, others(BSN_ITEM, item(*identity(INVALID, OID)), FOREIGN_ITEM)],
        [*MINE, others(BSN_ITEM, FOREIGN_ITEM)],
        [others(BSN_ITEM, FOREIGN_ITEM)],
        CORRECT,
    ),
    case(
        "the BSN's issuer on a local number becomes the local one",
        [*identity(LOCAL, OID, "TEXT")],
        [*identity(LOCAL, ISSUER, "TEXT"), others(BSN_ITEM)],
        [el(0x00100021, "LO", OID), NO_OTHERS],
        CORRECT,
    ),
    case(
        "so does another spelling of it, the BSN standing right",
        [*identity(LOCAL, "NLMINBIZA"), others(BSN_ITEM)],
        [*MINE, others(BSN_ITEM)],
        [el(0x00100021, "LO", "NLMINBIZA")],
        CORRECT,
    ),
    case(
        "so does the hospital's own spelling of it",
        [*identity(LOCAL, "Landelijk"), others(BSN_ITEM)],
        [*MINE, others(BSN_ITEM)],
        [el(0x00100021, "LO", "Landelijk")],
        CORRECT,
        extra=("LANDELIJK",),
    ),
    case(
        "local issuer, type and qualifiers stay as found",
        [*identity(LOCAL, "OOST_HIS", "RFID", LOCAL_QUALIFIERS)],
        [*identity(LOCAL, "OOST_HIS", "RFID", LOCAL_QUALIFIERS), others(BSN_ITEM)],
        [NO_OTHERS],
    ),
    case(
        "the local number stays as the bytes that it was",
        [el(0x00100020, "LO", b" 00\xe9 12\0")],
        [el(0x00100020, "LO", b" 00\xe9 12\0"), others(BSN_ITEM)],
        [NO_OTHERS],
    ),
    case(
        "BSN and local number swap",
        [*identity(BSN, OID, "TEXT", qualifiers()), others(FOREIGN_ITEM, LOCAL_ITEM)],
        [*identity(LOCAL, ISSUER, "TEXT"), others(FOREIGN_ITEM, BSN_ITEM)],
        [*identity(BSN, OID, None, qualifiers()), others(FOREIGN_ITEM, LOCAL_ITEM)],
    ),
    case(
        "type and qualifiers swap along",
        [
            *identity(DOTTED, "NLMINBIZA", "RFID"),
            others(item(*identity(LOCAL, "OOST_HIS", "BARCODE", LOCAL_QUALIFIERS), undefined=True)),
        ],
        [
            *identity(LOCAL, "OOST_HIS", "BARCODE", LOCAL_QUALIFIERS),
            others(item(*BSN_ITEM.elements, undefined=True)),
        ],
        [
            *identity(DOTTED, "NLMINBIZA", "RFID"),
            el(0x00100024, "SQ", b""),
            others(item(*identity(LOCAL, "OOST_HIS", "BARCODE", LOCAL_QUALIFIERS), undefined=True)),
        ],
    ),
    case(
        "what the local item lacks goes from the top",
        [*identity(BSN, OID, "TEXT", qualifiers()), others(item(*identity(LOCAL, ISSUER)))],
        [*identity(LOCAL, ISSUER), others(BSN_ITEM)],
        [
            *identity(BSN, OID, "TEXT", qualifiers()),
            others(item(*identity(LOCAL, ISSUER))),
        ],
    ),
    case(
        "an issuer that does not change is kept beside a changed PatientID",
        [*identity(BSN, ISSUER), others(item(*identity(LOCAL, ISSUER), EXTRA_BACK))],
        [*identity(LOCAL, ISSUER), others(item(*BSN_ITEM.elements, EXTRA_BACK))],
        [*identity(BSN, ISSUER), others(item(*identity(LOCAL, ISSUER), EXTRA_BACK))],
    ),
    case(
        "after a swap the BSN stands once, where the local number was",
        [*identity(BSN, OID), others(BSN_ITEM, FOREIGN_ITEM, LOCAL_ITEM, item(*identity(BSN)))],
        [*identity(LOCAL, ISSUER, "TEXT"), others(FOREIGN_ITEM, BSN_ITEM)],
        [
            *identity(BSN, OID),
            el(0x00100022, "CS", b""),
            others(BSN_ITEM, FOREIGN_ITEM, LOCAL_ITEM, item(*identity(BSN))),
        ],
    ),
    case(
        "OtherPatientIDs stays unless it is to go",
        [*MINE, retired(f"{BSN}\\{LOCAL}")],
        [*MINE, retired(f"{BSN}\\{LOCAL}"), others(BSN_ITEM)],
        [NO_OTHERS],
    ),
    case(
        "the BSN leaves OtherPatientIDs, the other values do not",
        [*MINE, retired(f" X1 \\{DOTTED} \\{OTHER_BSN}\\BSN:{BSN}\\Y "), others(BSN_ITEM)],
        [*MINE, retired(f" X1 \\{OTHER_BSN}\\Y "), others(BSN_ITEM)],
        [retired(f" X1 \\{DOTTED} \\{OTHER_BSN}\\BSN:{BSN}\\Y ")],
        remove_retired=True,
    ),
    case(
        "OtherPatientIDs goes with its last value",
        [*MINE, retired(f"\\{BSN}")],
        [*MINE, others(BSN_ITEM)],
        [retired(f"\\{BSN}"), NO_OTHERS],
        remove_retired=True,
    ),
    case(
        "qualifiers can be left out, and then leave",
        [*MINE, others(BSN_ITEM)],
        [*MINE, others(item(*identity(BSN, OID, "TEXT")))],
        [others(BSN_ITEM)],
        qualifiers=False,
    ),
    case(
        "former values can be left out",
        [*identity(LOCAL, OID), retired(BSN)],
        [*MINE, others(BSN_ITEM)],
        original_attributes=False,
        remove_retired=True,
    ),
    case(
        "former values of others are kept where ours are left out",
        MINE,
        [*MINE, others(BSN_ITEM)],
        kept=(original_item([], COERCE),),
        original_attributes=False,
    ),
    case(
        "former values of others stay in front of ours",
        MINE,
        [*MINE, others(BSN_ITEM)],
        [NO_OTHERS],
        kept=(item(), original_item([el(0x00100020, "LO", "X")], CORRECT, undefined=True)),
    ),
]
