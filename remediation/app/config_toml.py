"""TOML that people write: the bytes of a file, and the data in it, or one line of what is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from remediation.app.config_errors import toml_error
from remediation.errors import UsageError

_LARGEST = 1 << 20  # bytes; such a file is a page or two


def read(path: Path, what: str, mend: str = "") -> bytes:
    """Return the bytes of a file; `what` names it in errors, `mend` helps where it is missing.

    Raises:
        UsageError: it cannot be read, or is no such file by its size.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"the {what} is not a file", str(path))
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise UsageError(f"no such {what}", str(path), mend) from None
    except OSError as error:
        raise UsageError(f"the {what} cannot be read", str(path), error.strerror or "") from None
    if len(data) > _LARGEST:
        raise UsageError(f"the {what} is over a megabyte", str(path), "is it the right file?")
    return data


def decoded(data: bytes, path: Path, what: str) -> str:
    """Return the text of a file.

    Raises:
        UsageError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"the {what} is not UTF-8", str(path), "save it as UTF-8") from None


def parsed(text: str, path: Path, what: str) -> dict[str, Any]:
    """Return the TOML data, with lists as tuples: what is frozen takes no lists.

    Raises:
        UsageError: it is not TOML; no value is shown.
    """
    try:
        data: dict[str, Any] = _frozen(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        raise toml_error(error, path, what) from None
    return data


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
