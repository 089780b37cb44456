"""HTTP to one endpoint: bounded in time and size, never redirected, and every failure a sentence."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from qwen_advisor.bench.address import Address
from qwen_advisor.errors import NetworkError
from qwen_advisor.values import dataclass, field

MOST_BYTES = 4 << 20  # of a whole answer; lists of models are the longest
_PIECE = 1 << 16
_CONNECT_SECONDS = 10.0
_LONGEST_QUOTE = 200
_IS_SERVER = "is the server running, and is --url its address?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON, None where it is something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(slots=True)
class Stream:
    """An answer that is still coming."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[tuple[float, bytes]]  # each with the seconds since the request was sent
    began: float  # on `time.perf_counter`


@dataclass(slots=True)
class Wire:
    """Requests to one address, each on a connection of its own."""

    address: Address
    key: str | None = field(default=None, repr=False)
    timeout: float = 120.0  # seconds for a whole answer

    def get(self, path: str, *, timeout: float | None = None) -> Reply:
        """Ask for what stands at a path below the address.

        Raises:
            NetworkError: no whole answer came in time.
        """
        with self._asking("GET", path, None, timeout or self.timeout) as stream:
            return Reply(status=stream.status, headers=stream.headers, body=whole(stream))

    def post(self, path: str, document: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
        """Send a document and wait for the whole answer.

        Raises:
            NetworkError: no whole answer came in time.
        """
        with self._asking("POST", path, document, timeout or self.timeout) as stream:
            return Reply(status=stream.status, headers=stream.headers, body=whole(stream))

    def stream(self, path: str, document: Mapping[str, Any], *, most: int) -> contextlib.AbstractContextManager[Stream]:
        """Send a document and take the answer piece by piece, no more than ``most`` bytes.

        Raises:
            NetworkError: it does not come, breaks off, or goes on for too long.
        """
        return self._asking("POST", path, document, self.timeout, most)

    def local(self) -> bool:
        """Whether the server's address is one of this machine's own.

        Raises:
            NetworkError: nothing answers there.
        """
        with self._reached(min(self.timeout, _CONNECT_SECONDS)) as connection:
            try:
                return bool(connection.getsockname()[0] == connection.getpeername()[0])
            except OSError:
                return False

    def clean(self, text: str) -> str:
        """What a server said, short, harmless to a terminal, and without the key."""
        if self.key:
            text = text.replace(self.key, "***")
        line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]} ..."

    @contextlib.contextmanager
    def _asking(
        self, method: str, path: str, document: Mapping[str, Any] | None, timeout: float, most: int = MOST_BYTES
    ) -> Iterator[Stream]:
        with contextlib.ExitStack() as opened:
            connected = opened.enter_context(self._reached(min(timeout, _CONNECT_SECONDS)))
            stop = _Deadline(connected, timeout)
            opened.callback(stop.cancel)
            with self._told(stop, timeout):
                if isinstance(connected, ssl.SSLSocket):
                    connected.do_handshake()
                connection = http.client.HTTPConnection(self.address.host, self.address.port)
                connection.sock = connected  # follows no redirect and asks no proxy
                began = time.perf_counter()
                self._send(connection, method, path, document)
                response = opened.enter_context(contextlib.closing(connection.getresponse()))
            headers = {name.lower(): value for name, value in response.getheaders()}
            pieces = self._pieces(response, stop, timeout, began, most)
            yield Stream(status=response.status, headers=headers, pieces=pieces, began=began)

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, document: Mapping[str, Any] | None
    ) -> None:
        headers = {"Accept": "text/event-stream, application/json", "User-Agent": "qwen-advisor", "Connection": "close"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        body = None
        if document is not None:
            body = json.dumps(document).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, self.address.path + path, body=body, headers=headers)

    def _pieces(
        self, response: http.client.HTTPResponse, stop: _Deadline, timeout: float, began: float, most: int
    ) -> Iterator[tuple[float, bytes]]:
        taken = 0
        while True:
            with self._told(stop, timeout):
                piece = response.read1(_PIECE)
            arrived = time.perf_counter() - began
            if stop.passed:
                raise self._late(timeout)
            if not piece:
                return
            taken += len(piece)
            if taken > most:
                raise NetworkError(
                    f"{self.address.url} sends more than {most:,} bytes in answer to one request", hint=_IS_SERVER
                )
            yield arrived, piece

    def _reached(self, timeout: float) -> socket.socket:
        """A connection; with TLS the handshake is still to be made."""
        address = self.address
        try:
            connected = socket.create_connection((address.host, address.port), timeout)
        except (OSError, ValueError) as error:
            raise self._unreachable(error, timeout) from None
        # Each token is a small packet, and so is the request's last one.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme == "http":
            return connected
        trusted = ssl.create_default_context()
        return trusted.wrap_socket(connected, server_hostname=address.host, do_handshake_on_connect=False)

    def _unreachable(self, error: Exception, timeout: float) -> NetworkError:
        url = self.address.url
        match error:
            case ConnectionRefusedError():
                return NetworkError(f"nothing listens at {url}", hint=_IS_SERVER)
            case socket.gaierror():
                return NetworkError(f"the host {self.address.host} is not known", hint=_IS_SERVER)
            case TimeoutError():
                return NetworkError(f"{url} takes no connection within {timeout:g} s", hint=_IS_SERVER)
            case _:
                reason = getattr(error, "strerror", None) or type(error).__name__
                return NetworkError(f"{url} cannot be reached: {reason}", hint=_IS_SERVER)

    @contextlib.contextmanager
    def _told(self, stop: _Deadline, timeout: float) -> Iterator[None]:
        """Whatever goes wrong while reading, as a sentence."""
        url = self.address.url
        try:
            yield
        except (OSError, ValueError, http.client.HTTPException) as error:
            # A socket that the deadline shut down fails in many ways, which all mean the same.
            if stop.passed or isinstance(error, TimeoutError):
                raise self._late(timeout) from None
            if isinstance(error, ssl.SSLCertVerificationError):
                raise NetworkError(
                    f"the certificate of {url} cannot be trusted: {error.verify_message}",
                    hint="name a file of its authority in the environment variable SSL_CERT_FILE",
                ) from None
            if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
                raise NetworkError(f"{url} does not speak TLS", hint="is it an http:// address?") from None
            if isinstance(error, ConnectionError | http.client.IncompleteRead | ssl.SSLError):
                raise NetworkError(f"{url} broke the connection off", hint="look into the server's log") from None
            if isinstance(error, OSError):
                reason = error.strerror or type(error).__name__
                raise NetworkError(f"{url} cannot be read: {reason}", hint=_IS_SERVER) from None
            raise NetworkError(f"{url} does not speak HTTP as a server should", hint=_IS_SERVER) from None

    def _late(self, timeout: float) -> NetworkError:
        return NetworkError(
            f"{self.address.url} did not answer within {timeout:g} s",
            hint="allow it more time with --timeout, or ask for fewer tokens",
        )


class _Deadline:
    """Shuts a socket down after so many seconds, so that not even a server that drips can hold its reader."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.passed = False
        self._socket = connection
        # One wait within the kernel is bounded too, should the timer come late.
        connection.settimeout(seconds + 1)
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self.passed = True
        with contextlib.suppress(OSError):
            # Past TLS's own shutdown, which would take the session from under the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def cancel(self) -> None:
        """The answer is complete."""
        self._timer.cancel()


def whole(stream: Stream) -> bytes:
    """All pieces of an answer.

    Raises:
        NetworkError: it breaks off, or goes on for too long.
    """
    return b"".join(piece for _, piece in stream.pieces)


def page(reply: Reply | Stream, body: bytes) -> bool:
    """Whether an answer is a web page."""
    kind = reply.headers.get("content-type", "")
    return "html" in kind.lower() or re.match(rb"\s*<(?:!doctype|html)", body[:200], re.IGNORECASE) is not None
