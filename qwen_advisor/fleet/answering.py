"""The rows of an inventory to answers, in their order: descriptions that are alike are answered once.

Only a window of rows is in memory, so that the length of an inventory does not matter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from qwen_advisor.fleet.inventory import Faulty, Row, Words
from qwen_advisor.fleet.picks import Answer, Fault
from qwen_advisor.values import dataclass

Result = Callable[[], list[Answer]]  # waits where it is not there yet


class Crew(Protocol):
    """Those who answer."""

    @property
    def ahead(self) -> int:
        """Chunks that may be under way before one is waited for; 0 where each is answered as it is submitted."""
        ...

    @property
    def chunk(self) -> int:
        """Descriptions of a chunk."""
        ...

    def submit(self, descriptions: tuple[Words, ...]) -> Result:
        """Have descriptions answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One row and what became of it."""

    line: int
    name: str
    answer: Answer
    first: bool = True  # False where another row said the same before


def answers(rows: Iterable[Row | Faulty], crew: Crew, *, remembered: int = 4096) -> Iterator[Answered]:
    """Answer row after row.

    Args:
        rows: the inventory's.
        crew: who answers.
        remembered: descriptions whose answers are kept for later rows that say the same.
    """
    window = _Window(crew, remembered)
    for row in rows:
        window.take(row)
        yield from window.done()
    window.close()
    yield from window.done()


class _Window:
    """Rows that wait for an answer, and answers that are known."""

    def __init__(self, crew: Crew, remembered: int) -> None:
        self._crew = crew
        self._remembered = remembered
        self._waiting: deque[Row | Faulty] = deque()
        self._known: dict[Words, Answer] = {}
        self._told: set[Words] = set()
        self._asked: set[Words] = set()
        self._next: list[Words] = []
        self._running: deque[tuple[tuple[Words, ...], Result]] = deque()

    def take(self, row: Row | Faulty) -> None:
        """Let a row wait for its answer; ask for that if nobody has."""
        self._waiting.append(row)
        if isinstance(row, Faulty) or row.words in self._known or row.words in self._asked:
            if len(self._waiting) >= self._remembered:
                self.close()
            return
        self._asked.add(row.words)
        self._next.append(row.words)
        if len(self._next) >= self._crew.chunk:
            self._submit()

    def close(self) -> None:
        """Wait for all that is asked for."""
        self._submit()
        while self._running:
            self._collect()

    def done(self) -> Iterator[Answered]:
        """The rows whose answers are there, up to the first that has none yet."""
        while self._waiting:
            row = self._waiting[0]
            if isinstance(row, Faulty):
                self._waiting.popleft()
                yield Answered(line=row.line, name=row.name, answer=Fault(message=row.message, hint=row.hint))
                continue
            if row.words not in self._known:
                return
            self._waiting.popleft()
            first = row.words not in self._told
            self._told.add(row.words)
            yield Answered(line=row.line, name=row.name, answer=self._known[row.words], first=first)
        if len(self._known) > self._remembered:
            self._known.clear()
            self._told.clear()

    def _submit(self) -> None:
        if self._next:
            chunk = tuple(self._next)
            self._next.clear()
            self._running.append((chunk, self._crew.submit(chunk)))
        while len(self._running) > self._crew.ahead:
            self._collect()

    def _collect(self) -> None:
        chunk, result = self._running.popleft()
        self._known.update(zip(chunk, result(), strict=True))
        self._asked.difference_update(chunk)
