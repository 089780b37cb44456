"""The measurement itself: a warm-up that learns how long a prompt is, then so many clients at once, run by run."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from qwen_advisor.bench import counters
from qwen_advisor.bench.chat import Question
from qwen_advisor.bench.endpoint import Endpoint
from qwen_advisor.bench.memory import memory_of
from qwen_advisor.bench.prompt import prompt, words_for
from qwen_advisor.bench.records import Answer, Level, Measurement, Server
from qwen_advisor.bench.summary import level
from qwen_advisor.errors import AdvisorError, UsageError
from qwen_advisor.values import dataclass, replace

MOST_CLIENTS = 256
MOST_RUNS = 100
MOST_REQUESTS = 2000
_WARM_UP_TOKENS = 16
_WARM_UPS = 3  # prompts, at most, until their length is right
_CLOSE = 0.02  # of the wanted length
_FAR = 0.1  # of it: beyond, the reader is told
_MOST_BUSY = 0.7  # of one core, which is all that Python's threads have together
_BUSY = "listening took most of a core: with fewer requests at once the server might look faster"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to ask: lengths in tokens, requests at once, and how often each client asks."""

    prompt_tokens: int = 512
    output_tokens: int = 128
    concurrency: tuple[int, ...] = (1,)
    runs: int = 3

    def checked(self) -> Load:
        """The same, if it can be asked within reason.

        Raises:
            UsageError: it is more than one call should ask of a server.
        """
        if not self.concurrency or not all(1 <= count <= MOST_CLIENTS for count in self.concurrency):
            raise UsageError(f"--concurrency takes numbers from 1 to {MOST_CLIENTS}", hint="such as 1,4,16")
        if not 1 <= self.runs <= MOST_RUNS:
            raise UsageError(f"--runs takes a number from 1 to {MOST_RUNS}", hint="3 are usually enough")
        if self.output_tokens < 2:
            raise UsageError("--output-tokens must be 2 or more", hint="between two tokens lies one measured time")
        total = self.runs * sum(self.concurrency)
        if total > MOST_REQUESTS:
            raise UsageError(
                f"that makes {total:,} requests, more than {MOST_REQUESTS:,}", hint="lower --runs or --concurrency"
            )
        return self


def measure(endpoint: Endpoint, server: Server, load: Load, progress: Progress) -> Measurement:
    """Measure every level of the load, one after the other.

    A level that fails after others were measured ends the measurement, which then holds the fault; an interrupt ends it
    with the answers that have come.

    Raises:
        NetworkError: the warm-up or the first level fails.
        UsageError: the server refuses the key, the model or the request.
        KeyboardInterrupt: before the first answer.
    """
    if server.context is not None and load.prompt_tokens + load.output_tokens > server.context:
        raise UsageError(
            f"{server.url} takes {server.context:,} tokens in one request, which"
            f" {load.prompt_tokens:,} and {load.output_tokens:,} exceed",
            hint="lower --prompt-tokens or --output-tokens, or start it with a larger context",
        )
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    words = _warm_up(endpoint, load, progress)
    levels: list[Level] = []
    answers: list[Answer] = []
    fault: AdvisorError | None = None
    busy, stopped = 0.0, ""
    for count in load.concurrency:
        came: list[Answer] = []
        counted = counters.look(endpoint.wire, server.engine)
        began, worked = time.perf_counter(), time.process_time()
        try:
            _together(endpoint, load, count, words, progress, came)
        except AdvisorError as error:
            if not levels:
                raise
            fault = error
            break
        except KeyboardInterrupt:
            if not levels and not came:
                raise
            stopped = f"it was interrupted at {count} at once, after {len(came)} of {count * load.runs} answers"
        busy = max(busy, (time.process_time() - worked) / (time.perf_counter() - began))
        if came:
            grown = counters.growth(endpoint.wire, server.engine, counted, came)
            levels.append(_by_its_own_clock(level(count, came), grown))
            answers += came
        if stopped:
            break
    return Measurement(
        at=at,
        server=server,
        prompt_tokens=load.prompt_tokens,
        output_tokens=load.output_tokens,
        runs=load.runs,
        levels=tuple(levels),
        memory=memory_of(endpoint.wire.address) if server.local else None,
        notes=(
            *_notes(answers, server, load),
            *([_BUSY] if busy > _MOST_BUSY else []),
            *([stopped] if stopped else []),
        ),
        fault=fault,
        interrupted=bool(stopped),
    )


def _by_its_own_clock(measured: Level, grown: counters.Counts | None) -> Level:
    """The level with what the server counted of it, where no answer told."""
    if grown is None or measured.server_decode is not None:
        return measured
    return replace(measured, server_decode=grown.decode, server_prefill=grown.prefill)


def _warm_up(endpoint: Endpoint, load: Load, progress: Progress) -> int:
    """Load the model, and learn how many words make the prompt."""
    seen: list[tuple[int, int]] = []
    tokens = min(_WARM_UP_TOKENS, load.output_tokens)
    for turn in range(_WARM_UPS):
        progress(f"warming up, {turn + 1}")
        words = words_for(load.prompt_tokens, seen)
        answer = endpoint.ask(_question(words, tokens))
        if answer.prompt_tokens is None:
            return load.prompt_tokens  # a word is a token in most vocabularies
        seen.append((words, answer.prompt_tokens))
        if abs(answer.prompt_tokens - load.prompt_tokens) <= _CLOSE * load.prompt_tokens or words == 1:
            break
    return words_for(load.prompt_tokens, seen)


def _question(words: int, tokens: int) -> Question:
    return Question(text=prompt(words, secrets.randbits(64)), most_tokens=tokens, to_the_end=True)


def _together(
    endpoint: Endpoint, load: Load, count: int, words: int, progress: Progress, answers: list[Answer]
) -> None:
    """``count`` clients that ask ``load.runs`` times each, until ``answers`` holds all. The first fault ends them all.

    Raises:
        AdvisorError: what one of them met.
    """
    came: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()
    start, stop = threading.Barrier(count), threading.Event()

    def client() -> None:
        try:
            start.wait()
            for _ in range(load.runs):
                if stop.is_set():
                    return
                came.put(endpoint.ask(_question(words, load.output_tokens)))
        except Exception as error:  # noqa: BLE001  raised again where the user is told
            came.put(error)

    # Daemons, so that Ctrl-C need not wait for answers that nobody wants any more.
    clients = [threading.Thread(target=client, daemon=True) for _ in range(count)]
    total = count * load.runs
    progress(f"{count} at once: 0 of {total} answers")
    for thread in clients:
        thread.start()
    try:
        while len(answers) < total:
            result = _next(came)
            if isinstance(result, Exception):
                raise result
            answers.append(result)
            progress(f"{count} at once: {len(answers)} of {total} answers")
    finally:
        stop.set()


def _next(came: queue.SimpleQueue[Answer | Exception]) -> Answer | Exception:
    """The next result, waited for in short turns: Windows hears no Ctrl-C in a long one."""
    while True:
        try:
            return came.get(timeout=0.5)
        except queue.Empty:
            time.sleep(0)


def _notes(answers: Sequence[Answer], server: Server, load: Load) -> list[str]:
    """What the reader should know of these figures."""
    notes = []
    if server.slots is not None and max(load.concurrency) > server.slots:
        notes.append(f"the server answers {server.slots} at once: further requests waited for their first token")
    if any(answer.prompt_tokens is None for answer in answers):
        notes.append("the server does not count the prompt's tokens: their number is a guess, and prefill is not known")
    counted = [answer.prompt_tokens for answer in answers if answer.prompt_tokens is not None]
    if counted and abs(sum(counted) / len(counted) / load.prompt_tokens - 1) > _FAR:
        notes.append(f"the prompts came to {sum(counted) / len(counted):,.0f} tokens, its chat template included")
    if not all(answer.counted for answer in answers):
        notes.append("the server's count of output tokens is missing or cannot be: pieces of text were counted instead")
    if any(answer.output_tokens < load.output_tokens for answer in answers):
        notes.append("some answers ended before --output-tokens")
    if any(len(answer.arrivals) < 2 for answer in answers):
        notes.append("some answers came in one piece, which leaves no time between tokens to measure")
    elif any(answer.output_tokens > 1.5 * len(answer.arrivals) for answer in answers):
        notes.append("pieces of text hold several tokens each: times between pieces are longer than between tokens")
    if any(answer.cached_tokens > _CLOSE * (answer.prompt_tokens or 1) for answer in answers):
        notes.append("the server took part of the prompts from its cache: prefill counts the rest")
    return notes
