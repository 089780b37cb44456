"""Compiles the catalogue into the wheel. An invalid one ends the build, so that no wheel can carry bad facts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogBuildHook(BuildHookInterface[Any]):
    """Puts ``qwen_advisor/_catalog.json`` and the published JSON Schemas into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a temporary file, which `finalize` clears away."""
        if version == "editable":
            return  # a checkout reads its own YAML
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from qwen_advisor.catalog import compile_catalog  # noqa: PLC0415  from the tree that is being built
            from qwen_advisor.errors import CatalogError  # noqa: PLC0415
        finally:
            sys.path.remove(str(root))
        try:
            data = compile_catalog(root / "catalog")
        except CatalogError as error:
            self.app.abort("\n".join(["The catalogue is invalid:", *error.faults]))
        self._directory = tempfile.TemporaryDirectory()
        compiled = Path(self._directory.name, "_catalog.json")
        compiled.write_bytes(data)
        build_data["force_include"][str(compiled)] = "qwen_advisor/_catalog.json"
        build_data["force_include"][str(root / "schemas")] = "qwen_advisor/_schemas"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Clear away what was compiled; it is in the wheel now."""
        if version != "editable":
            self._directory.cleanup()
