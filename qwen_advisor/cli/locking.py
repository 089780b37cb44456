"""Writing what ``recommend`` chose into a lock file."""

from __future__ import annotations

from pathlib import Path

from qwen_advisor import __version__
from qwen_advisor.advice import Advice
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.fit import Calibration
from qwen_advisor.gate.lock import lock_of
from qwen_advisor.render.check_documents import lock_document
from qwen_advisor.render.data import json_text


def write_lock(path: Path, advice: Advice, catalog: Catalog, calibration: Calibration) -> None:
    """Lock the first recommendation. The file appears whole, or stays as it was.

    Raises:
        UsageError: it cannot be written.
    """
    lock = lock_of(advice, advice.recommendations[0], catalog, program=__version__, calibration=calibration)
    replace_file(path, json_text(lock_document(lock)))
