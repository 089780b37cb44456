"""What is wrong in a catalogue file, and where."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.errors import CatalogError
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. Lines and columns count from 1; 0 stands for the file as a whole."""

    file: str
    line: int
    path: str  # where in the document: "context.native", "" for the whole
    message: str
    column: int = 0

    def __str__(self) -> str:
        """``models/x.yaml:12:3: context.native: what is wrong``."""
        place = self.file + (f":{self.line}" if self.line else "") + (f":{self.column}" if self.column else "")
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


def catalog_error(where: str, faults: Sequence[Fault]) -> CatalogError:
    """The error that carries every fault of one catalogue, in the order of files and lines."""
    faults = sorted(faults)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return CatalogError(
        f"the catalogue {where} has {count}: {faults[0]}" + (", and more" if len(faults) > 1 else ""),
        faults=[str(fault) for fault in faults],
        hint=f"see all of them with: qwen-advisor catalog validate {where}",
    )
