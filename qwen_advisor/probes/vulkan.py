"""Names that ``vulkaninfo`` tells; it says nothing of memory that can be relied on."""

from __future__ import annotations

import re

from qwen_advisor.probes.found import FoundGpu
from qwen_advisor.probes.windows import adapter_vendor, is_integrated


def parse_vulkan(text: str) -> list[FoundGpu]:
    """Read ``GPU id = 0 (name)`` lines and ``deviceName = name`` lines of ``vulkaninfo --summary``."""
    names = []
    for line in text.splitlines():
        match = re.fullmatch(r"\s*GPU id\s*=\s*\d+\s*\((.+)\)\s*", line) or re.fullmatch(
            r"\s*deviceName\s*=\s*(\S.*?)\s*", line
        )
        if match:
            names.append(re.sub(r"\s*\((?:RADV|NVK|LLVM|ANV)\b.*$|\s*\(.*\bRADV\b.*$", "", match[1]).strip())
    found = []
    for name in names:
        vendor = adapter_vendor(name)
        if vendor is not None and "llvmpipe" not in name:
            found.append(
                FoundGpu(vendor=vendor, source="vulkaninfo", name=name, integrated=is_integrated(name) or None)
            )
    return found
