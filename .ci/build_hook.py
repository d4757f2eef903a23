"""Compiles the optional pass over headers when the package is built; without a compiler, goes on.

An editable install gets the module beside its source; a wheel holds it, and is of one platform.
See remediation/decisions/0016-an-optional-compiled-pass.md.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("remediation/dicom")
MODULE = "_pass"


def compiled(source: Path, made_in: Path) -> Path | None:
    """Compile the module in a folder; return its path, or None where that cannot be."""
    try:
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext

        parts = [str(source / f"{MODULE}.c")]
        command = build_ext(Distribution({"ext_modules": [Extension(MODULE, parts)]}))
        command.build_lib = command.build_temp = str(made_in)
        command.ensure_finalized()
        with contextlib.redirect_stdout(sys.stderr):
            command.run()
        return Path(command.get_ext_fullpath(MODULE))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a compiler's absence raises
        said = " ".join(str(error).split())
        sys.stderr.write(f"the compiled pass is left out, Python does it: {said}\n")
        return None


class BuildHook(BuildHookInterface):
    """Adds the module to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the build; of an old module nothing stays."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root, FOLDER)
        self.made_in = Path(tempfile.mkdtemp())
        module = compiled(folder, self.made_in)
        if version == "editable":
            there = folder / f"{MODULE}{sysconfig.get_config_var('EXT_SUFFIX')}"
            there.unlink(missing_ok=True)
            if module:
                shutil.move(module, there)
        elif module:
            build_data["force_include"][str(module)] = str(FOLDER / module.name)
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what compiling left."""
        if self.target_name == "wheel":
            shutil.rmtree(self.made_in, ignore_errors=True)
