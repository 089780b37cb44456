"""Server-sent events out of bytes, as far as they have come (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterator


class Events:
    """Takes pieces of a stream, gives the data of every event that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._name = ""

    def feed(self, piece: bytes) -> Iterator[tuple[str, str]]:
        """Name and data of the events that this piece completes.

        An event that is not named by the server has the name ``message``. A line that is neither a field nor a comment
        counts as a field of no value, as the standard has it.

        Raises:
            UnicodeDecodeError: a line is no UTF-8.
        """
        lines = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._line(line.removesuffix(b"\r").decode("utf-8"))

    def end(self) -> Iterator[tuple[str, str]]:
        """The last event of a stream that ends without an empty line; some servers forget it.

        Raises:
            UnicodeDecodeError: its line is no UTF-8.
        """
        line, self._rest = self._rest, b""
        if line:
            yield from self._line(line.decode("utf-8"))
        yield from self._line("")

    def _line(self, line: str) -> Iterator[tuple[str, str]]:
        if not line:
            if self._data:
                yield self._name or "message", "\n".join(self._data)
            self._data, self._name = [], ""
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "error":  # older builds of llama.cpp send their errors under a field of their own
            self._data, self._name = [value], "error"
