"""Checking a data set row by row, in one pass: shape, roles, empty answers, length in tokens."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from qwen_advisor.values import dataclass

Shape = Literal["messages", "conversations", "prompt-completion", "instruction", "text"]

_ROLES = ("system", "user", "assistant", "tool")
_OLD_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "observation": "tool",
    "function_call": "assistant",
}
_AROUND_MESSAGE = 5  # tokens: <|im_start|>, the role, a new line, <|im_end|>, a new line (ChatML)
_MOST_FAULTS = 50  # that are kept; all are counted
# Characters of one token. Qwen's documentation: 3 to 4 English letters, 1.5 to 1.8 Chinese characters.
# https://qwen.readthedocs.io/en/latest/getting_started/concepts.html
_LATIN, _CHINESE = 3.5, 1.65
_OTHER = 2.0  # Cyrillic, Arabic, Indic and other letters: assumed between the two

Row = tuple[int, bytes | str | dict[str, Any]]  # its number, from 1, and what stands there


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong with one row."""

    row: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReport:
    """A whole data set. ``tokens`` counts whole conversations, once through.

    Attributes:
        rows: how many there are, bad ones included, blank lines not.
        bad: how many of them are bad.
        faults: of the first bad rows.
        shape: of the first sound row; None where there is none.
        tokens: of all sound rows.
        longest: tokens of the longest sound row.
        median: tokens of the middle one, within a sixteenth.
        over: sound rows that are longer than a sequence.
        cut: tokens that are cut off of those.
        duplicates: rows that stand there again, as far as the first million rows tell.
        roles: how often each role speaks.
        counted_by: what counted the tokens.
    """

    rows: int
    bad: int
    faults: tuple[RowFault, ...]
    shape: Shape | None
    tokens: int
    longest: int
    median: int
    over: int
    cut: int
    duplicates: int
    roles: dict[str, int]
    counted_by: str


def estimated_tokens(text: str) -> int:
    """Tokens of a text by its letters, for want of a tokenizer: within a fifth for prose, less sure for code."""
    latin = sum(char < "\u0250" for char in text)
    chinese = sum("\u2e80" <= char < "\uac00" or "\uf900" <= char <= "\ufaff" for char in text)
    other = len(text) - latin - chinese
    return round(latin / _LATIN + chinese / _CHINESE + other / _OTHER)


def check(
    rows: Iterable[Row], *, seq_len: int, count: Callable[[str], int] = estimated_tokens, counted_by: str = "estimate"
) -> DataReport:
    """Check every row, in memory that does not grow with their number.

    Args:
        rows: number and content of each: a line of JSON, or a mapping that was read already.
        seq_len: tokens of a sequence, to tell what is cut.
        count: tokens of a text.
        counted_by: what ``count`` is, for the report.
    """
    faults: list[RowFault] = []
    lengths: Counter[int] = Counter()
    roles: Counter[str] = Counter()
    seen: set[int] = set()
    total = bad = tokens = longest = over = cut = duplicates = 0
    shape: Shape | None = None
    for number, content in rows:
        if isinstance(content, (bytes, str)) and not content.strip():
            continue
        total += 1
        try:
            row = _parsed(content)
            found, turns = _turns(row)
            _judge(turns, found, shape)
        except _Bad as why:
            bad += 1
            if len(faults) < _MOST_FAULTS:
                faults.append(RowFault(row=number, message=str(why)))
            continue
        shape = found
        size = sum(count(text) + (_AROUND_MESSAGE if found != "text" else 1) for _, text in turns)
        tokens += size
        longest = max(longest, size)
        over += size > seq_len
        cut += max(0, size - seq_len)
        lengths[_bin(size)] += 1
        roles.update(role for role, _ in turns)
        key = hash(tuple(turns))
        duplicates += key in seen
        if len(seen) < 1_000_000:
            seen.add(key)
    return DataReport(
        rows=total,
        bad=bad,
        faults=tuple(faults),
        shape=shape,
        tokens=tokens,
        longest=longest,
        median=_middle(lengths),
        over=over,
        cut=cut,
        duplicates=duplicates,
        roles=dict(sorted(roles.items())),
        counted_by=counted_by,
    )


class _Bad(Exception):
    """Why a row cannot be learned from."""


def _parsed(content: bytes | str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(content, dict):
        return content
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        row = json.loads(text)
    except UnicodeDecodeError as error:
        raise _Bad(f"is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _Bad("is nested too deeply") from None
    except ValueError as error:
        raise _Bad(f"is no JSON: {str(error)[:100]}") from None
    if not isinstance(row, dict):
        raise _Bad(f"is a {type(row).__name__}, not an object")
    return row


def _turns(row: dict[str, Any]) -> tuple[Shape, list[tuple[str, str]]]:
    """The form of a row and who says what in it."""
    if "messages" in row:
        return "messages", list(_messages(row["messages"], "role", "content"))
    if "conversations" in row:
        return "conversations", list(_messages(row["conversations"], "from", "value"))
    if "prompt" in row and "completion" in row:
        asked, answered = row["prompt"], row["completion"]
        if isinstance(asked, list) and isinstance(answered, list):
            return "prompt-completion", list(_messages(asked + answered, "role", "content"))
        return "prompt-completion", [("user", _text(asked, "prompt")), ("assistant", _text(answered, "completion"))]
    if "instruction" in row and "output" in row:
        asked = _text(row["instruction"], "instruction")
        if row.get("input"):
            asked += "\n\n" + _text(row["input"], "input")
        return "instruction", [("user", asked), ("assistant", _text(row["output"], "output"))]
    if "text" in row:
        return "text", [("text", _text(row["text"], "text"))]
    named = ", ".join(sorted(str(key)[:20] for key in row)[:6]) or "none"
    raise _Bad(f"has neither messages nor instruction and output, prompt and completion, or text; its fields: {named}")


def _messages(turns: Any, role_key: str, text_key: str) -> Iterator[tuple[str, str]]:
    if not isinstance(turns, list) or not turns:
        raise _Bad("has no messages")
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise _Bad(f"message {number} is a {type(turn).__name__}, not an object")
        said = turn.get(role_key)
        role = _OLD_ROLES.get(said, said) if role_key == "from" and isinstance(said, str) else said
        if role not in _ROLES:
            raise _Bad(f"message {number} has the role {str(said)[:30]!r}; roles are {', '.join(_ROLES)}")
        text = turn.get(text_key)
        if text is None and turn.get("tool_calls"):
            text = ""
        elif isinstance(text, list):
            text = "".join(_text(part.get("text", ""), "text") for part in text if isinstance(part, dict))
        spoken = _text(text, f"{text_key} of message {number}")
        if turn.get("tool_calls"):
            spoken += json.dumps(turn["tool_calls"], default=str)
        yield role, spoken


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _Bad(f"{name} is {'missing' if value is None else f'a {type(value).__name__}, not a text'}")
    return value


def _judge(turns: list[tuple[str, str]], shape: Shape, before: Shape | None) -> None:
    """Raise for what cannot be learned from."""
    if before is not None and shape != before:
        raise _Bad(f"is of the form {shape}, where earlier rows are {before}")
    if shape == "text":
        if not turns[0][1].strip():
            raise _Bad("text is empty")
        return
    roles = [role for role, _ in turns]
    if "system" in roles[1:]:
        raise _Bad(f"message {roles.index('system', 1) + 1} is of the system, which only the first may be")
    if roles[-1] != "assistant":
        raise _Bad(f"ends with {roles[-1]}, so the last answer is missing")
    if "user" not in roles:
        raise _Bad("holds no message of a user")
    for number, (role, text) in enumerate(turns, start=1):
        if role in ("assistant", "user") and not text.strip():
            who = "the answer" if role == "assistant" else "the question"
            raise _Bad(f"{who} in message {number} is empty")
        last = roles[number - 2] if number > 1 else None
        if role == last == "user":
            raise _Bad(f"messages {number - 1} and {number} are both of the user")
        if role == last == "assistant":
            raise _Bad(f"messages {number - 1} and {number} are both of the assistant")
        if role == "assistant" and last in (None, "system"):
            raise _Bad("begins with an answer")


def _bin(size: int) -> int:
    """The size with its five leading bits."""
    shift = max(0, size.bit_length() - 5)
    return size >> shift << shift


def _middle(lengths: Counter[int]) -> int:
    half, passed = (sum(lengths.values()) + 1) // 2, 0
    for size in sorted(lengths):
        passed += lengths[size]
        if passed >= half:
            return size
    return 0
