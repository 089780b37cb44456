"""``python -m qwen_advisor``."""

from __future__ import annotations

import sys

from qwen_advisor.cli import main

if __name__ == "__main__":
    sys.exit(main())
