"""Which Qwen model, which quantization, which engine, which settings, for a task on a machine.

The four answers are values: `recommend`, `estimate`, `inspect_hardware` and `load_catalog`. They are imported when they
are first asked for, so that importing the package costs nothing and loads neither the command line nor rich.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qwen_advisor.api import estimate, inspect_hardware, load_catalog, recommend

__all__ = ["__version__", "estimate", "inspect_hardware", "load_catalog", "recommend"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from qwen_advisor import api  # noqa: PLC0415  on first use

    value = getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
