"""The fuzz target: `python -m fuzz.target FOLDER [libFuzzer options]`; atheris drives it."""

from __future__ import annotations

import sys
import warnings

import atheris

with atheris.instrument_imports(include=["remediation"]):
    from fuzz.checks import check


def main() -> None:
    """Run until the time is up or something breaks."""
    warnings.simplefilter("ignore")
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
