"""``qwen-advisor mcp``: the answers as tools for agents."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from qwen_advisor.cli import talk
from qwen_advisor.cli.options import CatalogExtraOption
from qwen_advisor.errors import UsageError

EPILOG = """\b
Examples:
  qwen-advisor mcp
  claude mcp add qwen-advisor -- qwen-advisor mcp

An agent starts it and speaks to it over stdin and stdout.
Tools: recommend, estimate, plan, compare, why_not, inspect_hardware.
It needs the extra: pip install 'qwen-advisor[mcp]'
"""


def mcp(*, catalog_extra: CatalogExtraOption = None) -> None:
    """Serve the answers to agents as tools of the Model Context Protocol, over stdin and stdout."""
    if sys.modules.get("mcp", "") is None or find_spec("mcp") is None:
        raise UsageError("mcp needs the package mcp", hint="pip install 'qwen-advisor[mcp]'")
    from qwen_advisor.mcp_server import serve  # noqa: PLC0415  an extra, and a second to import

    if sys.stdin is not None and sys.stdin.isatty():
        talk.hint("this speaks to agents, not to people: name it in an agent's settings as: qwen-advisor mcp")
    serve(tuple(catalog_extra or ()))
