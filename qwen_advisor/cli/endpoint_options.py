"""Options that name a live server, and the way to it that they mean."""

from __future__ import annotations

import math
import os
from typing import Annotated

import typer

from qwen_advisor.bench import Api, Wire, parse_address, read_key
from qwen_advisor.errors import UsageError

DEFAULT_URL = "http://127.0.0.1:8080"  # where llama-server listens
_LONGEST_WAIT = 3600.0

UrlOption = Annotated[
    str, typer.Option("--url", metavar="URL", help="Where the server listens, with or without the /v1 at its end.")
]
ServedModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="The model as the server names it; its only one if not said."),
]
ApiKeyOption = Annotated[
    str | None,
    typer.Option("--api-key-env", metavar="VARIABLE", help="Environment variable that holds the server's API key."),
]
ApiOption = Annotated[
    Api, typer.Option("--api", case_sensitive=False, help="Which of the OpenAI routes is asked: chat, or completions.")
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Time for one whole answer; then it counts as none.")
]


def wire_from_options(url: str, api_key_env: str | None, timeout: float) -> Wire:
    """The way to the server. Nothing is sent yet.

    Raises:
        UsageError: an address, a variable or a time that cannot be.
    """
    return Wire(
        address=parse_address(url),
        key=read_key(api_key_env, os.environ),
        timeout=within("--timeout", timeout, 0.1, _LONGEST_WAIT),
    )


def within(option: str, value: float, least: float, most: float) -> float:
    """The value, if it is a number between the two.

    Raises:
        UsageError: it is not.
    """
    if not math.isfinite(value) or not least <= value <= most:
        raise UsageError(f"{option} takes a number from {least:g} to {most:g}, not {value:g}")
    return value
