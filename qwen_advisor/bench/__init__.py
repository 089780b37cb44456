"""Measuring a live OpenAI-compatible endpoint: nothing is asked unless a verb says so."""

from __future__ import annotations

from qwen_advisor.bench.address import Address, parse_address, read_key
from qwen_advisor.bench.chat import Api
from qwen_advisor.bench.endpoint import Endpoint
from qwen_advisor.bench.load import Load, measure
from qwen_advisor.bench.records import Level, Measurement, MemoryUse, Server, Spread
from qwen_advisor.bench.serving import look_up
from qwen_advisor.bench.wire import Wire

__all__ = [
    "Address",
    "Api",
    "Endpoint",
    "Level",
    "Load",
    "Measurement",
    "MemoryUse",
    "Server",
    "Spread",
    "Wire",
    "look_up",
    "measure",
    "parse_address",
    "read_key",
]
