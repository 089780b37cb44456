"""Which Qwen model, which quantization, which engine, which settings, for a task on a machine.

The answers are values: `recommend`, `estimate`, `inspect_hardware`, `plan`, `compare`, `why_not` and `load_catalog`.
They are imported when they are first asked for, so that importing the package costs nothing and loads neither the
command line nor rich.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen_advisor.answers import compare, plan, why_not
    from qwen_advisor.api import estimate, inspect_hardware, load_catalog, recommend

__all__ = [
    "__version__",
    "compare",
    "estimate",
    "inspect_hardware",
    "load_catalog",
    "plan",
    "recommend",
    "why_not",
]
__version__ = "0.1.0"

_ABOUT_MODELS = ("compare", "plan", "why_not")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  on first use

    value = getattr(import_module(f"qwen_advisor.{'answers' if name in _ABOUT_MODELS else 'api'}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package itself. Importing its module ``plan`` must not hide the answer of that name."""

    @property
    def plan(self) -> Any:
        """The answer `qwen_advisor.answers.plan`."""
        from qwen_advisor.answers import plan  # noqa: PLC0415  on first use

        return plan

    @plan.setter
    def plan(self, module: ModuleType) -> None:
        """What the import system sets when the module ``qwen_advisor.plan`` was imported; it stays in sys.modules."""


sys.modules[__name__].__class__ = _Package
