"""Which Qwen model, which quantization, which engine, which settings, for a task on a machine."""

from __future__ import annotations

__version__ = "0.1.0"
