"""Reading single files: selected identifiers and the full search, warm and cold, one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bench import ours, plain
from bench.archive import Made
from bench.clock import drop_caches, in_rounds, say, warm
from bench.peers import Peer, peers, pydicom_iterall
from bench.setting import Setting
from bench.table import Goal, Row, compared, least, measured, most

SELECTED, FULL = "Selected identifiers, warm", "Full search of every value, warm"
COLD, SAW = "Cold, in one stream", "What the readers saw"
OURS, TOKENS, LIMIT = "ours", "ours, rows with tokens", "open, fstat, read 16 KiB, close"
_GOALS = {("selected", "pydicom, specific_tags"): 25, ("full", "pydicom, iterall"): 30}
_Variants = dict[str, Callable[[], object]]


def _readers(kind: str, every: list[Peer], paths: Sequence[str]) -> _Variants:
    return {
        f"{peer.name}, {name}": partial(read, paths)
        for peer in every
        for name, read in getattr(peer, kind).items()
    }


def warm_rows(setting: Setting) -> list[Row]:
    """Return rows for selected identifiers and for the full search, each beside every peer."""
    say("reading, warm: ours and the peers")
    made, paths, positions = setting.sample()
    names = [made.names[position] for position in positions]
    every = peers()
    warm(paths)
    found = []
    for kind, section, own in (("selected", SELECTED, ours.selected), ("full", FULL, ours.full)):
        readers = _readers(kind, every, paths)
        variants = {
            OURS: partial(own, made.root, names),
            **readers,
            LIMIT: partial(plain.limit, paths),
        }
        if kind == "full":
            variants[TOKENS] = partial(ours.rows, made.root, names, setting.key())
        times = in_rounds(variants, setting.rounds)

        def row(
            what: str, other: str, goal: Goal | None = None, *, flip: bool = False, own: str = OURS
        ) -> Row:
            return compared(
                section,  # noqa: B023 - used within this turn of the loop
                what,
                times,  # noqa: B023
                (own, other),
                files=len(paths),
                goal=goal,
                flip=flip,
            )

        for other in readers:
            bound = _GOALS.get((kind, other))
            found.append(row(f"times as fast as {other}", other, least(bound) if bound else None))
        found += [
            Row(section, f"times as fast as {peer.name}", note=peer.lacks)
            for peer in every
            if peer.lacks
        ]
        compiled = [name for name in readers if not name.startswith("pydicom")]
        if kind == "full":
            fastest = times.fastest(compiled) if compiled else ""
            what = "times as fast as the fastest compiled peer"
            found.append(
                row(what, fastest, least(1.7))
                if fastest
                else Row(section, what, goal=least(1.7), note="no compiled peer is there")
            )
        goal = most(15) if kind == "full" else None
        found.append(row("times the time of the reading limit", LIMIT, goal, flip=True))
        if kind == "full":
            what = "with rows, tokens and seals: times the reading limit"
            found.append(row(what, LIMIT, flip=True, own=TOKENS))
    return found


def cold_rows(setting: Setting) -> list[Row]:
    """Return rows for files that are in no cache, read one after the other."""
    say("reading, cold")
    made, paths, positions = setting.sample(2000)
    names = [made.names[position] for position in positions]
    few = paths[:: max(1, len(paths) // 250)]
    dropped = drop_caches(paths, gentle=setting.gentle)

    def drop() -> None:
        drop_caches(paths, gentle=setting.gentle)

    times = in_rounds(
        {
            OURS: partial(ours.full, made.root, names),
            "ours, selected": partial(ours.selected, made.root, names),
            LIMIT: partial(plain.limit, paths),
        },
        setting.rounds,
        drop,
    )
    slow = in_rounds(
        {
            "pydicom, iterall": lambda: [pydicom_iterall(path) for path in few],
            LIMIT: partial(plain.limit, few),
        },
        1,
        drop,
    )
    what = "times the time of the reading limit"
    count = {"files": len(paths), "flip": True}
    return [
        compared(
            COLD, f"full search: {what}", times, (OURS, LIMIT), goal=most(2), note=dropped, **count
        ),
        compared(COLD, f"selected: {what}", times, ("ours, selected", LIMIT), **count),
        compared(
            COLD,
            f"pydicom iterall: {what}",
            slow,
            ("pydicom, iterall", LIMIT),
            files=len(few),
            flip=True,
        ),
    ]


def saw_rows(setting: Setting) -> list[Row]:
    """Return, for each reader, how many planted numbers it saw: speed alone proves nothing."""
    say("reading: what each reader saw")
    made, paths, positions = setting.sample(1000)
    names = [made.names[position] for position in positions]
    every = peers()
    readers = {"ours, full": partial(ours.full, made.root, names)}
    readers |= {"ours, selected": partial(ours.selected, made.root, names)}
    for kind in ("full", "selected"):
        readers |= {f"{name} ({kind})": one for name, one in _readers(kind, every, paths).items()}
    found = [_saw(name, read(), made, positions) for name, read in readers.items()]
    return found + [
        Row(SAW, f"{peer.name}: planted numbers seen", note=peer.lacks)
        for peer in every
        if peer.lacks
    ]


def _saw(name: str, found: list[Sequence[str] | None], made: Made, positions: Sequence[int]) -> Row:
    identifiers = {"PatientID", "OtherPatientIDs", "OtherPatientIDsSequence"}
    places = identifiers if "selected" in name else {*made.places}
    planted = [
        (made.planted[position], texts)
        for position, texts in zip(positions, found, strict=True)
        if made.planted[position] and made.places[position] in places
    ]
    right = sum(any(number in text for text in texts or ()) for number, texts in planted)
    refused = sum(texts is None for texts in found)
    return measured(
        SAW,
        f"{name}: planted numbers seen",
        100 * right / max(1, len(planted)),
        "%",
        note=f"{refused} of {len(found)} files refused",
        goal=least(100) if name.startswith("ours") else None,
    )
