"""Golden cases: bringing headers to placements that a hospital made."""

from builders import OID, el, identity, item, qualifiers
from placement_cases import (
    BSN,
    BSN_ITEM,
    COERCE,
    CORRECT,
    DOTTED,
    EXTRA_BACK,
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
    OTHER_BSN,
    PRIMARY_BSN,
    case,
    others,
    retired,
)

from remediation.model.placement import AT_REST, EXCHANGE, Placement

# Agreed with a vendor whose PACS reads the retired element when it swaps.
BESIDE = Placement("pacs-noord", base=AT_REST, version="2026-11", beside_retired=True)
# Agreed with one that knows the authority by its old name, and stumbles on the qualifiers.
NAMED = Placement("pacs-oud", base=AT_REST, version="3", issuer="NLMINBIZA", qualifiers=False)
# As sent to a receiver that wants the number in both elements, and no TypeOfPatientID.
SENT = Placement("verzending", base=EXCHANGE, version="1", typed=False, beside_retired=True)

NO_RETIRED = retired("")
NAMED_ITEM = item(*identity(BSN, "NLMINBIZA", "TEXT"))
SENT_BSN = identity(BSN, OID, None, qualifiers())


def own(placement, name, before, after, former=(), *, reason=COERCE, **ordered):
    return case(name, before, after, former, reason, placement=placement, **ordered)


OWN_CASES = [
    # -- the BSN beside, in OtherPatientIDs -------------------------------------------------------
    own(
        BESIDE,
        "bare",
        MINE,
        [*MINE, retired(BSN), others(BSN_ITEM)],
        [NO_RETIRED, NO_OTHERS],
    ),
    own(
        BESIDE,
        "the BSN comes behind the other values of OtherPatientIDs",
        [*MINE, retired(f"{LOCAL}\\ X1 "), others(FOREIGN_ITEM)],
        [*MINE, retired(f"{LOCAL}\\ X1 \\{BSN}"), others(FOREIGN_ITEM, BSN_ITEM)],
        [retired(f"{LOCAL}\\ X1 "), others(FOREIGN_ITEM)],
    ),
    own(
        BESIDE,
        "padding of the last value does not get among the values",
        [*MINE, el(0x00101000, "LO", b"X1\\A\xe9Z\0\0"), others(BSN_ITEM)],
        [*MINE, el(0x00101000, "LO", b"X1\\A\xe9Z\\" + BSN.encode()), others(BSN_ITEM)],
        [el(0x00101000, "LO", b"X1\\A\xe9Z\0\0")],
    ),
    own(
        BESIDE,
        "an empty element is filled",
        [*MINE, retired("  \\ "), others(BSN_ITEM)],
        [*MINE, retired(BSN), others(BSN_ITEM)],
        [retired("  \\ ")],
    ),
    own(
        BESIDE,
        "another way of writing it becomes nine digits, where it stands",
        [*MINE, retired(f"{DOTTED}\\{LOCAL}\\{BSN}"), others(BSN_ITEM)],
        [*MINE, retired(f"{BSN}\\{LOCAL}"), others(BSN_ITEM)],
        [retired(f"{DOTTED}\\{LOCAL}\\{BSN}")],
        reason=CORRECT,
    ),
    own(
        BESIDE,
        "of several values with the BSN the first stays",
        [*MINE, retired(f"{LOCAL}\\{BSN}\\{BSN}^^^NLMINBIZA^NNNLD"), others(BSN_ITEM)],
        [*MINE, retired(f"{LOCAL}\\{BSN}"), others(BSN_ITEM)],
        [retired(f"{LOCAL}\\{BSN}\\{BSN}^^^NLMINBIZA^NNNLD")],
    ),
    own(
        BESIDE,
        "where it stands in OtherPatientIDs already, it is left there as it is",
        [*MINE, el(0x00101000, "LO", f"X1\\{BSN} \\Y\0".encode())],
        [*MINE, el(0x00101000, "LO", f"X1\\{BSN} \\Y\0".encode()), others(BSN_ITEM)],
        [NO_OTHERS],
    ),
    own(
        BESIDE,
        "somebody else's value stays beside it",
        [*MINE, retired(f"X1\\{OTHER_BSN}"), others(BSN_ITEM)],
        [*MINE, retired(f"X1\\{OTHER_BSN}\\{BSN}"), others(BSN_ITEM)],
        [retired(f"X1\\{OTHER_BSN}")],
    ),
    own(
        BESIDE,
        "BSN and local number swap, and the BSN comes beside",
        [*identity(BSN, OID, "TEXT", qualifiers()), others(LOCAL_ITEM)],
        [*identity(LOCAL, ISSUER, "TEXT"), retired(BSN), others(BSN_ITEM)],
        [*identity(BSN, OID, None, qualifiers()), NO_RETIRED, others(LOCAL_ITEM)],
    ),
    own(
        BESIDE,
        "the BSN's issuer on a local number becomes the local one here too",
        identity(LOCAL, "NLMINBIZA"),
        [*MINE, retired(BSN), others(BSN_ITEM)],
        [el(0x00100021, "LO", "NLMINBIZA"), NO_RETIRED, NO_OTHERS],
        reason=CORRECT,
    ),
    # -- another issuer, no qualifiers ------------------------------------------------------------
    own(
        NAMED,
        "the agreed issuer is written",
        MINE,
        [*MINE, others(NAMED_ITEM)],
        [NO_OTHERS],
    ),
    own(
        NAMED,
        "the OID becomes the agreed issuer, and the qualifiers leave",
        [*MINE, others(FOREIGN_ITEM, BSN_ITEM)],
        [*MINE, others(FOREIGN_ITEM, NAMED_ITEM)],
        [others(FOREIGN_ITEM, BSN_ITEM)],
        reason=CORRECT,
    ),
    own(
        NAMED,
        "an item with the agreed issuer keeps what else is in it",
        [*MINE, others(item(*identity(BSN, "NLMINBIZA"), EXTRA_BACK, undefined=True), BSN_ITEM)],
        [*MINE, others(item(*NAMED_ITEM.elements, EXTRA_BACK, undefined=True))],
        [others(item(*identity(BSN, "NLMINBIZA"), EXTRA_BACK, undefined=True), BSN_ITEM)],
    ),
    own(
        NAMED,
        "the agreed issuer on a local number is replaced all the same",
        [*identity(LOCAL, "NLMINBIZA"), others(NAMED_ITEM)],
        [*MINE, others(NAMED_ITEM)],
        [el(0x00100021, "LO", "NLMINBIZA")],
        reason=CORRECT,
    ),
    own(
        Placement("eigen", base=AT_REST, version="1", issuer="LANDELIJK"),
        "the hospital's own spelling can be the agreed one",
        [*MINE, others(item(*identity(BSN, "NLMINBIZA")))],
        [*MINE, others(item(*identity(BSN, "LANDELIJK", "TEXT", qualifiers())))],
        [others(item(*identity(BSN, "NLMINBIZA")))],
        reason=CORRECT,
        extra=("Landelijk",),
    ),
    # -- on the base of exchange ------------------------------------------------------------------
    own(
        SENT,
        "bare, as sent",
        MINE,
        [*SENT_BSN, retired(BSN), others(LOCAL_ITEM)],
        [*MINE, NO_QUALIFIERS, NO_RETIRED, NO_OTHERS],
    ),
    own(
        SENT,
        "the type moves with the local number, and is not written for the BSN",
        [*identity(LOCAL, ISSUER, "RFID", LOCAL_QUALIFIERS), others(BSN_ITEM)],
        [
            *SENT_BSN,
            retired(BSN),
            others(item(*identity(LOCAL, ISSUER, "RFID", LOCAL_QUALIFIERS))),
        ],
        [
            *identity(LOCAL, ISSUER, "RFID", LOCAL_QUALIFIERS),
            NO_RETIRED,
            others(BSN_ITEM),
        ],
    ),
    own(
        SENT,
        "where the BSN is primary its type leaves, and nothing was wrong",
        [*PRIMARY_BSN, retired(BSN)],
        [*SENT_BSN, retired(BSN)],
        [el(0x00100022, "CS", "TEXT")],
    ),
    own(
        SENT,
        "an empty type is no type",
        [*identity(BSN, "NLMINBIZA", "", qualifiers()), retired(BSN)],
        [*identity(BSN, OID, "", qualifiers()), retired(BSN)],
        [el(0x00100021, "LO", "NLMINBIZA")],
        reason=CORRECT,
    ),
    own(
        SENT,
        "a wrong item goes, and is not kept, as sent",
        [*MINE, others(item(*identity(INVALID, OID)), FOREIGN_ITEM)],
        [*SENT_BSN, retired(BSN), others(FOREIGN_ITEM, LOCAL_ITEM)],
        [*MINE, NO_QUALIFIERS, NO_RETIRED, others(FOREIGN_ITEM)],
        reason=CORRECT,
    ),
    own(
        Placement("kaal", base=EXCHANGE, version="1", qualifiers=False, original_attributes=False),
        "without qualifiers and former values, and the BSN leaves OtherPatientIDs not",
        [*identity(LOCAL, None, "TEXT"), retired(BSN)],
        [*identity(BSN, OID, "TEXT"), retired(BSN), others(LOCAL_ITEM)],
    ),
    own(
        Placement("schoon", base=EXCHANGE, version="1", remove_retired=True),
        "and here it does",
        [*MINE, retired(f"{DOTTED}\\X1")],
        [*PRIMARY_BSN, retired("X1"), others(LOCAL_ITEM)],
        [*MINE, NO_KIND, NO_QUALIFIERS, retired(f"{DOTTED}\\X1"), NO_OTHERS],
    ),
]
