"""The result: one table, a row for each measure and a column for each method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.periods.histories import History
from bench.periods.oracle import clearness
from bench.periods.score import (
    CLASS_VOLUME,
    EdgeError,
    Pair,
    Result,
    Share,
    edge_errors,
    edges,
    false_alarms,
    inside,
    linked,
    mean,
    middle,
    named,
    of_goal,
    precision,
    recall,
)

OURS = "ours"
SHORT = 4.0  # months
CLEAR = 5  # a flat history of ten years shows about that much somewhere, once in 50 times
EDGE_RATIO = 1.5
VOLUMES = ((20, 50), (50, 100), (100, 300), (300, 1000), (1000, 5001))
DROPS = ((0.1, 0.15), (0.15, 0.3), (0.3, 1.0))

Results = Mapping[str, Sequence[Result]]


@dataclass(frozen=True, slots=True)
class Line:
    """A row: what each method reached, and the goal that it is held to."""

    section: str
    what: str
    cells: Mapping[str, str]
    goal: str = ""
    met: bool | None = None
    best: bool | None = None  # ours better than every peer, or as good


def lines(results: Results) -> Iterator[Line]:
    """Yield all rows."""
    yield from _recall(results)
    yield from _precision(results)
    yield _shares(
        "Flat histories",
        "with any period",
        {name: false_alarms(of) for name, of in results.items()},
        at_most=0.02,
    )
    yield from _edges(results)
    yield from _kinds(results)


def _shares(
    section: str,
    what: str,
    shares: Mapping[str, Share],
    at_least: float | None = None,
    at_most: float | None = None,
) -> Line:
    cells = {name: str(share) for name, share in shares.items()}
    own, peers = shares[OURS].value, [s.value for name, s in shares.items() if name != OURS]
    if at_least is not None:
        best = all(own >= peer for peer in peers)
        return Line(section, what, cells, f"at least {100 * at_least:g} %", own >= at_least, best)
    if at_most is not None:
        best = all(own <= peer for peer in peers)
        return Line(section, what, cells, f"at most {100 * at_most:g} %", own <= at_most, best)
    return Line(section, what, cells)


def _recall(results: Results) -> Iterator[Line]:
    def row(what: str, wanted: Callable[[Pair], bool], goal: float | None = None) -> Line:
        shares = {name: recall(of, wanted) for name, of in results.items()}
        return _shares("Recall: planted stretches that were found", what, shares, goal)

    yield row("all", lambda _: True)
    yield row("the goal's class", of_goal, 0.98)
    yield row("of these, 2 and 3 months", lambda p: of_goal(p) and p.stretch.months < SHORT)
    yield row("of these, 4 months and more", lambda p: of_goal(p) and p.stretch.months >= SHORT)
    yield row(
        f"of these, {CLEAR} standard errors and more, all being told",
        lambda p: of_goal(p) and clearness(p.history, p.stretch) >= CLEAR,
    )
    for low, high in DROPS:
        yield row(
            f"of these, {100 * low:g} to {100 * high:g} points",
            lambda p, low=low, high=high: of_goal(p) and low <= p.stretch.drop < high,
        )
    for low, high in VOLUMES:
        yield row(
            f"breaks at {low:,} to {high:,} studies a month",
            lambda p, low=low, high=high: low <= p.history.volume < high and not p.stretch.slides,
        )
    yield row("drifts", lambda p: p.stretch.slides)


def _precision(results: Results) -> Iterator[Line]:
    def row(what: str, wanted: Callable[[History], bool], goal: float | None = None) -> Line:
        shares = {name: precision(of, wanted) for name, of in results.items()}
        return _shares("Precision: periods that are planted", what, shares, goal)

    yield row("all", lambda _: True)
    yield row("the goal's class", lambda h: h.volume >= CLASS_VOLUME, 0.98)
    for low, high in VOLUMES:
        yield row(
            f"at {low:,} to {high:,} studies a month",
            lambda h, low=low, high=high: low <= h.volume < high,
        )
    yield row("where something drifts", lambda h: any(s.slides for s in h.stretches))


def _edges(results: Results) -> Iterator[Line]:
    section = "Edges: jumps of found stretches"
    classes: list[tuple[str, Callable[[Pair], bool]]] = [("all", lambda _: True)]
    classes.append(("the goal's class", of_goal))
    classes += [
        (
            f"{low:,} to {high:,} studies a month",
            lambda p, low=low, high=high: low <= p.history.volume < high,
        )
        for low, high in VOLUMES
    ]
    for name, wanted in classes:
        errors = {method: edge_errors(of, wanted) for method, of in results.items()}
        ratios = {method: ratio(some) for method, some in errors.items()}
        cells = {method: _error(some) for method, some in errors.items()}
        what = f"{name}: median error in days / oracle's = ratio; means"
        if name != "the goal's class":
            yield Line(section, what, cells)
            continue
        own = ratios[OURS]
        best = all(own <= value for value in ratios.values())
        goal = f"ratio at most {EDGE_RATIO}"
        yield Line(section, what, cells, goal, own <= EDGE_RATIO, best)
    for name, wanted in classes:
        shares = {method: inside(edge_errors(of, wanted)) for method, of in results.items()}
        yield _shares(section, f"{name}: 95 % intervals that hold the day", shares)
    widths = {
        method: [e.width for e in edge_errors(of, of_goal) if e.width is not None]
        for method, of in results.items()
    }
    cells = {method: f"{median(some):g}" if some else "none" for method, some in widths.items()}
    yield Line(section, "the goal's class: days of the interval, median", cells)


def ratio(errors: Sequence[EdgeError]) -> float:
    """Return the median error over the oracle's on the same edges."""
    if not errors:
        return float("nan")
    return middle([e.days for e in errors]) / middle([e.oracle for e in errors])


def _error(errors: Sequence[EdgeError]) -> str:
    if not errors:
        return "none"
    own, oracle = [e.days for e in errors], [e.oracle for e in errors]
    return (
        f"{middle(own):.2f} / {middle(oracle):.2f} = {ratio(errors):.2f}; "
        f"{mean(own):.1f} / {mean(oracle):.1f}"
    )


def _kinds(results: Results) -> Iterator[Line]:
    section = "Kinds of edges and events, of found stretches"
    for what, planted, told in (
        ("drifts named drift", ("drift",), ("drift",)),
        ("jumps named jump", ("jump",), ("jump",)),
        ("beginnings of the data named first", ("first",), ("first",)),
        ("ends of the data named open", ("open",), ("open",)),
    ):
        shares = {method: named(of, planted, told) for method, of in results.items()}
        yield _shares(section, what, shares)
    own = linked(results[OURS])
    yield Line(section, "listed events at a start, linked to it", {OURS: str(own)})


def markdown(rows: Sequence[Line], methods: Sequence[str]) -> list[str]:
    """Return the rows as tables in Markdown, one for each section."""
    text: list[str] = []
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            head = ["what", *methods, "goal", "met", "best"]
            text += ["", f"### {section}", ""]
            text += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        marks = [{True: "yes", False: "**no**", None: ""}[mark] for mark in (row.met, row.best)]
        cells = [row.what, *(row.cells.get(name, "") for name in methods), row.goal]
        text.append(f"| {' | '.join([*cells, *marks])} |")
    return text


def missed(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line for whatever one method got wrong, to be looked into."""
    for result in results:
        history = result.history
        about = (
            f"{history.name}, {history.volume:,.0f} a month, rho {history.month_rho:.3f} "
            f"{history.day_rho:.3f}"
        )
        for pair in result.pairs:
            s = pair.stretch
            planted = f"{s.start} ({s.start_kind}) to {s.end} ({s.end_kind}), "
            planted += f"{s.months:.1f} months, {100 * s.drop:.0f} points"
            if pair.found is None:
                yield f"missed: {about}: {planted}"
                continue
            for day, kind, found in edges(pair):
                if kind == "jump" and abs(found.day - day) > 15:
                    yield f"off by {found.day - day} days: {about}: {planted}"
                if kind != found.kind:
                    yield f"{kind} named {found.kind}: {about}: {planted}"
        for found in result.extra:
            yield (
                f"false: {about}: {found.start.day} ({found.start.kind}) to "
                f"{found.end.day} ({found.end.kind})"
            )
