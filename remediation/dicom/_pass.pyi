from collections.abc import Collection, Mapping

from remediation.dicom.elements import Span

def index(
    spans: list[Span], tags: frozenset[int], vrs: frozenset[bytes], least: int, /
) -> tuple[dict[int, Span], list[int], list[int]]: ...
def learn(long: Mapping[bytes, bool], vrs: Mapping[int, bytes], /) -> None: ...
def meta(
    data: bytes, little: bool, missing: str, total: int, notes: set[str], position: int, /
) -> tuple[list[Span], int, str]: ...
def data_set(
    data: bytes,
    little: bool,
    missing: str,
    total: int,
    notes: set[str],
    position: int,
    explicit: bool,
    until: int,
    only: Collection[int] | None,
    /,
) -> tuple[list[Span], int, str]: ...
