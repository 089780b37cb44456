"""Where a report is shown, as a value, so that rendering stays a function of its arguments."""

from __future__ import annotations

from qwen_advisor.values import dataclass

_NARROW = 110  # columns below which a table folds two columns into one


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Width in columns (None where nothing bounds it), colour and character set."""

    width: int | None = None
    colour: bool = False
    ascii_only: bool = False

    @property
    def narrow(self) -> bool:
        """Whether columns must be saved."""
        return self.width is not None and self.width < _NARROW
