"""Where an endpoint is: what ``--url`` may say, and the key that goes with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from qwen_advisor.errors import UsageError
from qwen_advisor.values import dataclass

_PORTS = {"http": 80, "https": 443}
_HINT = "write it like http://127.0.0.1:8080; a key goes into an environment variable that --api-key-env names"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server, and the path under which its own routes begin (without the ``/v1`` of the OpenAI ones)."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """The address as one writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse_address(text: str) -> Address:
    """Read the address of an endpoint: ``http://127.0.0.1:8080``, ``localhost:11434/v1``, ``https://host/llm/v1``.

    Raises:
        UsageError: it is no such address, or holds a password or a query. What was given is never repeated, because
            it may hold a secret.
    """
    trimmed = text.strip()
    if not trimmed.isprintable() or not trimmed or re.search(r"\s", trimmed):
        raise UsageError("--url is empty or holds spaces or control characters", hint=_HINT)
    try:
        parts = urlsplit(trimmed if "://" in trimmed else f"http://{trimmed}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError("--url is not an address", hint=_HINT) from None
    if parts.scheme not in _PORTS:
        raise UsageError(f"--url has the scheme {parts.scheme!r}, which is neither http nor https", hint=_HINT)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError("--url holds a user name, a query or a fragment", hint=_HINT)
    if not host or port == 0:
        raise UsageError("--url names no host" if not host else "--url has port 0", hint=_HINT)
    try:
        ascii_host = host.encode("idna" if not host.isascii() else "ascii").decode("ascii")
    except UnicodeError:
        raise UsageError("--url names a host that cannot be", hint=_HINT) from None
    path = parts.path.rstrip("/")
    for suffix in ("/chat/completions", "/completions", "/models", "/v1"):
        path = path.removesuffix(suffix).rstrip("/")
    if not path.isascii():
        raise UsageError("--url has a path with characters that must be percent-encoded", hint=_HINT)
    return Address(scheme=parts.scheme, host=ascii_host, port=port or _PORTS[parts.scheme], path=path)


def read_key(variable: str | None, environment: Mapping[str, str]) -> str | None:
    """The API key in an environment variable; None where no variable is named.

    Raises:
        UsageError: there is no such variable, or its value cannot be sent. Neither is ever repeated: people give the
            key itself by mistake.
    """
    if variable is None:
        return None
    if not _VARIABLE.fullmatch(variable):
        raise UsageError(
            "--api-key-env takes the name of an environment variable, not a key",
            hint="export OPENAI_API_KEY=... and give --api-key-env OPENAI_API_KEY",
        )
    key = environment.get(variable, "").strip()
    if not key:
        raise UsageError("the environment variable that --api-key-env names is not set", hint="export it first")
    if not key.isascii() or not key.isprintable():
        raise UsageError("the API key holds characters that no HTTP header can carry", hint="look at the variable")
    return key
