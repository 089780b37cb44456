"""One endpoint that is asked: a question in, an answer with the arrival of its every piece out."""

from __future__ import annotations

from typing import NoReturn

from qwen_advisor.bench import wire
from qwen_advisor.bench.chat import EXTRAS, PATHS, Api, Extras, Piece, Question, body, error_text, read_piece
from qwen_advisor.bench.events import Events
from qwen_advisor.bench.records import Answer, ServerTimings
from qwen_advisor.bench.wire import Reply, Stream, Wire
from qwen_advisor.errors import AdvisorError, NetworkError, UsageError
from qwen_advisor.values import dataclass, field

_BYTES_PER_TOKEN = 1 << 13  # an event of one token is some 300 bytes; generous to servers that send more with it
_BYTES_AROUND = 1 << 20
_BAD_REQUEST = (400, 422)


@dataclass(slots=True)
class Endpoint:
    """A model behind an address. ``extras`` are those that the server has not refused yet."""

    wire: Wire
    model: str
    api: Api = "chat"
    extras: Extras = "all"

    def ask(self, question: Question) -> Answer:
        """Put one question and time the pieces of its answer.

        Raises:
            NetworkError: no answer comes, it breaks off, or it is none.
            UsageError: the server refuses the key, the model or the request.
        """
        refused: list[_Refused] = []
        for extras in EXTRAS[EXTRAS.index(self.extras) :]:
            try:
                answer = self._ask(question, extras)
            except _Refused as fault:
                refused.append(fault)
            else:
                self.extras = extras
                return answer
        raise refused[0].fault

    def _ask(self, question: Question, extras: Extras) -> Answer:
        document = body(question, self.model, self.api, extras)
        most = _BYTES_AROUND + _BYTES_PER_TOKEN * question.most_tokens
        with self.wire.stream(PATHS[self.api], document, most=most) as stream:
            if stream.status != 200:
                reply = Reply(status=stream.status, headers=stream.headers, body=wire.whole(stream))
                fault = refusal(self.wire, reply, model=self.model)
                raise _Refused(fault) if stream.status in _BAD_REQUEST else fault
            kind = stream.headers.get("content-type", "").lower()
            if "json" in kind or "html" in kind:
                _not_streamed(self.wire, stream)
            return self._listen(stream, question)

    def _listen(self, stream: Stream, question: Question) -> Answer:
        events, heard = Events(), _Heard(most=2 * question.most_tokens + 64)
        url = self.wire.address.url
        try:
            for arrived, piece in stream.pieces:
                for name, data in events.feed(piece):
                    self._take(heard, name, data, arrived)
                if heard.complete:
                    break
            else:
                for name, data in events.end():
                    self._take(heard, name, data, heard.finished)
        except UnicodeDecodeError:
            raise NetworkError(f"{url} answers with bytes that are no UTF-8", hint="is it an OpenAI server?") from None
        if not heard.events:
            raise NetworkError(f"{url} answers with no events of an OpenAI stream", hint="is it an OpenAI server?")
        if not heard.done and not heard.stopped:
            raise NetworkError(
                f"{url} broke off in the middle of an answer, after {len(heard.arrivals)} pieces",
                hint="look into the server's log: it may have run out of memory",
            )
        if not heard.arrivals:
            raise NetworkError(f"{url} answers without any text", hint="ask for more tokens, or look at its template")
        return heard.answer(stream.began, question)

    def _take(self, heard: _Heard, name: str, data: str, arrived: float) -> None:
        if data.strip() == "[DONE]":
            heard.done = True
            return
        try:
            piece = read_piece(data)
        except ValueError:
            raise NetworkError(
                f"{self.wire.address.url} streams something that is no JSON: {self.wire.clean(data)[:60]!r}",
                hint="is it an OpenAI server?",
            ) from None
        if piece.error or name == "error":
            said = self.wire.clean(piece.error or error_text({"error": data}))
            raise NetworkError(f"{self.wire.address.url} gave up in the middle of an answer: {said}")
        if not heard.take(piece, arrived):
            raise NetworkError(
                f"{self.wire.address.url} does not stop: {len(heard.arrivals)} pieces and no end",
                hint="it takes no notice of max_tokens",
            )


class _Refused(Exception):
    """The server finds the request bad, which may be for a field that it does not know."""

    def __init__(self, fault: AdvisorError) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(slots=True)
class _Heard:
    """What came of a stream so far."""

    most: int  # pieces of text
    arrivals: list[float] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    finished: float = 0.0
    events: int = 0
    stopped: str = ""
    done: bool = False
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    output_tokens: int | None = None
    timings: ServerTimings | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing more can come; some servers keep the line open without saying ``[DONE]``."""
        return self.done or (bool(self.stopped) and self.output_tokens is not None)

    def take(self, piece: Piece, arrived: float) -> bool:
        """Add a piece; false where there were too many."""
        self.events += 1
        if piece.text or piece.thoughts:
            self.arrivals.append(arrived)
            self.text.append(piece.text)
            self.thoughts.append(piece.thoughts)
            self.finished = arrived
        if piece.stopped and not self.stopped:
            self.stopped = piece.stopped
            self.finished = arrived
        if piece.prompt_tokens is not None:
            self.prompt_tokens, self.cached_tokens = piece.prompt_tokens, piece.cached_tokens
        if piece.output_tokens is not None:
            self.output_tokens = piece.output_tokens
        self.timings = piece.timings or self.timings
        return self.events <= self.most + 16 and len(self.arrivals) <= self.most

    def answer(self, began: float, question: Question) -> Answer:
        """All of it. A count of tokens that cannot be is not believed: pieces are counted then."""
        said = self.output_tokens
        if said is None and self.timings is not None:
            said = self.timings.output_tokens
        counted = said is not None and 0 < said <= question.most_tokens + 1
        return Answer(
            began=began,
            arrivals=tuple(self.arrivals),
            finished=self.finished,
            output_tokens=said if counted and said is not None else len(self.arrivals),
            counted=counted,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            timings=self.timings,
            text="".join(self.text),
            thoughts="".join(self.thoughts),
            stopped=self.stopped,
        )


def refusal(wired: Wire, reply: Reply, *, model: str | None = None) -> AdvisorError:
    """A status that is no answer, as a fault: the caller's where the caller can mend it, else the network's."""
    url, status = wired.address.url, reply.status
    document = reply.document
    said = wired.clean(error_text(document)) if document is not None else ""
    because = f": {said}" if said else ""
    if status in (401, 403):
        # What a server says of a key may hold parts of it.
        want = "refuses the key" if wired.key else "wants a key"
        return UsageError(f"{url} {want} (HTTP {status})", hint="name a variable that holds it by --api-key-env")
    if 300 <= status < 400:
        return NetworkError(
            f"{url} sends its callers elsewhere (HTTP {status}), where this does not follow",
            hint="give the address behind it as --url",
        )
    if status == 404 and said and model is not None:
        return UsageError(f"{url} has no model {model!r}{because}", hint="leave --model out to see what it serves")
    if status in (404, 405):
        what = "a web page" if wire.page(reply, reply.body) else "nothing"
        return UsageError(
            f"{url} has {what} where an OpenAI-compatible API would be (HTTP {status})",
            hint="is the port right, and is the API switched on?",
        )
    if status in _BAD_REQUEST or status == 413:
        return UsageError(f"{url} refuses the request (HTTP {status}){because}", hint="ask for a shorter prompt")
    if status == 429:
        return NetworkError(
            f"{url} takes no more requests for now (HTTP 429){because}", hint="wait, or lower --concurrency"
        )
    if status == 503:
        return NetworkError(f"{url} is not ready (HTTP 503){because}", hint="it may still be loading the model")
    return NetworkError(f"{url} failed (HTTP {status}){because}", hint="look into the server's log")


def _not_streamed(wired: Wire, stream: Stream) -> NoReturn:
    """An answer in one piece: an error that came with status 200, a web page, or a server that does not stream."""
    reply = Reply(status=stream.status, headers=stream.headers, body=wire.whole(stream))
    url, document = wired.address.url, reply.document
    if wire.page(reply, reply.body):
        raise NetworkError(f"{url} answers with a web page, not with tokens", hint="is --url the server's own address?")
    if isinstance(document, dict) and document.get("error"):
        raise NetworkError(f"{url} answers with an error: {wired.clean(error_text(document))}")
    if isinstance(document, dict) and document.get("choices"):
        raise NetworkError(f"{url} does not stream, so its tokens cannot be timed", hint="ask the server itself")
    raise NetworkError(f"{url} answers with something that is no JSON", hint="is it an OpenAI server?")
