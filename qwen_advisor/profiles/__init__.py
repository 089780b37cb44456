"""Hardware profiles: a machine as a file, written whole and read back exactly, or written by hand in a few words."""

from __future__ import annotations

from qwen_advisor.profiles.document import machine_document
from qwen_advisor.profiles.files import parse_profile, read_profile, write_profile
from qwen_advisor.profiles.words import description_of

__all__ = [
    "description_of",
    "machine_document",
    "parse_profile",
    "read_profile",
    "write_profile",
]
