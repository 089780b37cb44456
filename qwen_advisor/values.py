"""Where the dataclasses of this package come from: the standard library's to a type checker, quick ones when running.

Defining the hundred types of one answer with `dataclasses.dataclass` takes longer than finding the answer; `deferred`
defines them in a tenth of that.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    from qwen_advisor.deferred import dataclass, replace

__all__ = ["dataclass", "field", "replace"]
