"""From answers to figures, from bytes to events, from names to checkpoints: without a server."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.bench.address import parse_address
from qwen_advisor.bench.chat import Question, body, read_piece
from qwen_advisor.bench.events import Events
from qwen_advisor.bench.holding import believable, factors, hold
from qwen_advisor.bench.identify import identify
from qwen_advisor.bench.prompt import prompt, words_for
from qwen_advisor.bench.records import Answer, Level, Server, ServerTimings, Spread
from qwen_advisor.bench.summary import decode_rate, gaps, level, percentile, prefill_rate, spread
from qwen_advisor.catalog import load_catalog
from qwen_advisor.plan import Rate, Speed

CATALOG = load_catalog()


def answer(*arrivals: float, **changed: Any) -> Answer:
    base: dict[str, Any] = {
        "began": 100.0,
        "arrivals": arrivals,
        "finished": arrivals[-1],
        "output_tokens": len(arrivals),
        "counted": True,
        "prompt_tokens": 200,
    }
    return Answer(**(base | changed))


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.5, 2.5), (0.9, 3.7), (1.0, 4.0), (0.25, 1.75)],  # numpy.percentile([1, 2, 3, 4], ...)
)
def test_percentiles_are_numpy_s(share: float, expected: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], share) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_lie_in_order_between_the_extremes(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    in_order = [found.minimum, found.p50, found.p90, found.p99, found.maximum]
    assert all(low <= high * (1 + 1e-12) for low, high in pairwise(in_order))
    assert found.count == len(values)


def test_the_first_token_belongs_to_the_prefill() -> None:
    # 200 tokens read in 2 s, then 4 more tokens in 1 s.
    one = answer(2.0, 2.25, 2.5, 2.75, 3.0)
    assert decode_rate(one) == pytest.approx(4.0)
    assert prefill_rate(one) == pytest.approx(100.0)
    assert gaps(one) == pytest.approx([0.25] * 4)


def test_pieces_of_several_tokens_count_by_the_server_s_number() -> None:
    # Ten tokens in five pieces of two: the first piece's two belong to the prefill, eight come in 1 s.
    assert decode_rate(answer(2.0, 2.25, 2.5, 2.75, 3.0, output_tokens=10)) == pytest.approx(8.0)


def test_one_piece_has_no_decode_rate_and_cached_tokens_no_prefill() -> None:
    assert decode_rate(answer(2.0)) is None
    assert prefill_rate(answer(2.0, cached_tokens=100)) == pytest.approx(50.0)
    assert prefill_rate(answer(2.0, cached_tokens=200)) is None
    assert prefill_rate(answer(2.0, prompt_tokens=None)) is None


def test_throughput_counts_from_the_first_request_to_the_last_token() -> None:
    timings = ServerTimings(
        prompt_tokens=200, prompt_seconds=1.0, output_tokens=5, output_seconds=1.0, drafted=4, accepted=3
    )
    came = [answer(1.0, 2.0, began=100.0, timings=timings), answer(1.0, 3.0, began=101.0)]
    found = level(2, came)
    assert found.seconds == pytest.approx(4.0)  # 100.0 to 104.0
    assert found.throughput == pytest.approx(1.0)  # four tokens
    assert found.server_prefill == pytest.approx(200.0)
    assert found.server_decode == pytest.approx(4.0)  # four steps after the first token
    assert found.accepted_share == pytest.approx(0.75)


@given(st.lists(st.text(alphabet="aé{}:", max_size=5), max_size=6), st.data())
def test_events_are_the_same_however_the_bytes_come(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(f"data: {text}\r\n\n: a comment\n" for text in texts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader, seen = Events(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        seen += [text for _, text in reader.feed(whole[start:end])]
    seen += [text for _, text in reader.end()]
    assert seen == texts


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["choices", "delta", "content", "usage", "prompt_tokens", "completion_tokens", "timings", "prompt_ms", "error",
         "finish_reason", "prompt_tokens_details", "cached_tokens", "predicted_n"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JUNK)
def test_any_json_is_a_piece_or_no_object(document: Any) -> None:
    data = json.dumps(document)
    if not isinstance(document, dict):
        with pytest.raises(ValueError, match="object"):
            read_piece(data)
        return
    piece = read_piece(data)
    assert isinstance(piece.text, str)
    assert piece.output_tokens is None or piece.output_tokens >= 0


def test_the_plain_request_holds_nothing_that_a_strict_server_refuses() -> None:
    question = Question(text="x", most_tokens=8, to_the_end=True, think=False)
    # https://platform.openai.com/docs/api-reference/chat/create
    assert set(body(question, "m", "chat", "none")) == {"model", "messages", "max_tokens", "temperature", "stream"}
    assert set(body(question, "m", "completions", "none")) == {
        "model",
        "prompt",
        "max_tokens",
        "temperature",
        "stream",
    }
    assert body(question, "m", "chat")["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize("per_word", [0.7, 1.0, 1.3, 5.0])
@pytest.mark.parametrize("template", [0, 25, 200])
@pytest.mark.parametrize("tokens", [64, 512, 8192])
def test_three_prompts_find_the_length_that_was_asked_for(tokens: int, template: int, per_word: float) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(3):
        words = words_for(tokens, seen)
        seen.append((words, round(template + per_word * words)))
    least = template + per_word
    assert words_for(tokens, seen) >= 1
    assert template + per_word * words_for(tokens, seen) == pytest.approx(max(tokens, least), rel=0.02, abs=per_word)
    assert seen[0][1] <= max(tokens, least + per_word * tokens / 8)


@pytest.mark.parametrize("tokens", [300, 1000])
def test_three_prompts_find_it_where_every_letter_is_a_token(tokens: int) -> None:
    # Words differ in their letters, so a slope between two prompts of nearly the same length would be noise.
    for seed in range(200):
        seen: list[tuple[int, int]] = []
        while len(seen) < 3 and (not seen or abs(seen[-1][1] - tokens) > 0.02 * tokens):
            words = words_for(tokens, seen)
            seen.append((words, 60 + len(prompt(words, 100 * seed + len(seen)))))
        assert 60 + len(prompt(words_for(tokens, seen), 100 * seed + 99)) == pytest.approx(tokens, rel=0.1)


def test_no_two_prompts_begin_alike() -> None:
    starts = {prompt(50, seed).split()[0] for seed in range(200)}
    assert len(starts) == 200
    assert prompt(50, 1) == prompt(50, 1)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://h:1/v1/chat/completions", "http://h:1"),
        ("https://h/llm/v1/", "https://h:443/llm"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("HTTP://Host:80", "http://host:80"),
        ("http://bücher.example", "http://xn--bcher-kva.example:80"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    assert parse_address(text).url == url


def served(model: str, **more: Any) -> Server:
    return Server(url="http://x:1", model=model, **more)


@pytest.mark.parametrize(
    ("server", "model", "quantization"),
    [
        (served("/m/Qwen3-8B-Q4_K_M.gguf"), "Qwen/Qwen3-8B", "Q4_K_M"),
        (served("/m/Qwen_Qwen3-8B-Q6_K.gguf"), "Qwen/Qwen3-8B", "Q6_K"),
        (served("C:\\m\\Qwen3-8B-BF16.gguf"), "Qwen/Qwen3-8B", "BF16-GGUF"),
        (served("Qwen3-235B-A22B-Q4_K_M-00001-of-00003.gguf"), "Qwen/Qwen3-235B-A22B", "Q4_K_M"),
        (served("gpt", names=("/m/Qwen3-8B-Q8_0.gguf",)), "Qwen/Qwen3-8B", "Q8_0"),
        (served("Qwen3-8B", quantization="Q4_K - Medium"), "Qwen/Qwen3-8B", "Q4_K_M"),
        (served("Qwen3-8B", quantization="(guessed) Q8_0"), "Qwen/Qwen3-8B", "Q8_0"),
        (served("Qwen3-8B", quantization="IQ4_XS - 4.25 bpw"), "Qwen/Qwen3-8B", "IQ4_XS"),
        (served("qwen3:8b", engine="ollama"), "Qwen/Qwen3-8B", "Q4_K_M"),
        (served("Qwen/Qwen3-8B", engine="vllm"), "Qwen/Qwen3-8B", "BF16"),
        (served("Qwen/Qwen3-8B-FP8", engine="vllm"), "Qwen/Qwen3-8B", "FP8"),
        (served("Qwen/Qwen3-8B-AWQ", engine="vllm"), "Qwen/Qwen3-8B", "AWQ"),
        (served("x", names=("/root/.cache/huggingface/hub/models--Qwen--Qwen3-8B/snapshots/ab",), engine="vllm"),
         "Qwen/Qwen3-8B", "BF16"),
        (served("Qwen3-8B"), "Qwen/Qwen3-8B", None),
        (served("llama-3.1-8b-instruct.Q4_K_M.gguf"), None, None),
    ],
)  # fmt: skip
def test_what_is_served_by_what_it_is_called(server: Server, model: str | None, quantization: str | None) -> None:
    found = identify(CATALOG, server)
    if model is None:
        assert found is None
        return
    assert found is not None
    assert (found.checkpoint.id, found.quantization) == (model, quantization)


def a_level(concurrency: int = 1, decode: float = 30.0, prefill: float = 900.0, **more: Any) -> Level:
    def flat(value: float) -> Spread:
        return Spread(count=1, mean=value, minimum=value, p50=value, p90=value, p99=value, maximum=value)

    base: dict[str, Any] = {
        "concurrency": concurrency,
        "requests": 1,
        "seconds": 1.0,
        "prompt_tokens": 512.0,
        "output_tokens": 128.0,
        "time_to_first_token": flat(0.5),
        "inter_token": flat(0.03),
        "decode": flat(decode),
        "prefill": flat(prefill),
        "throughput": 30.0,
    }
    return Level(**(base | more))


SPEED = Speed(
    decode=Rate(low=15.0, expected=20.0, high=25.0),
    prefill=Rate(low=800.0, expected=1000.0, high=1200.0),
    bound="bandwidth",
    basis="roofline",
    throughput=20.0,
    time_to_first_token=0.6,
    time_to_answer=7.0,
)


def test_a_level_beside_its_prediction() -> None:
    found = hold(a_level(server_prefill=950.0), SPEED)
    assert found.decode is not None
    assert found.prefill is not None
    assert (found.decode.ratio, found.decode.within) == (pytest.approx(1.5), False)
    assert (found.prefill.ratio, found.prefill.within) == (pytest.approx(0.95), True)
    assert hold(a_level(4), SPEED).prefill is None
    assert hold(a_level(4), SPEED).first_token is None


def test_first_token_and_throughput_beside_their_prediction() -> None:
    found = hold(a_level(), SPEED)
    assert found.first_token is not None
    # The prompt takes 0.6 s less one step of 1/20 s, at best 1000/1200 of it, at worst 1000/800.
    range_of_first = (0.55 * 1000 / 1200 + 1 / 25, 0.6, 0.55 * 1000 / 800 + 1 / 15)
    predicted = found.first_token.predicted
    assert (predicted.low, predicted.expected, predicted.high) == pytest.approx(range_of_first)
    assert found.first_token.measured == pytest.approx(0.5)
    # Two requests of 128 tokens are answered in 7 s, 6.4 s of which are decode.
    both = hold(a_level(2, throughput=30.0), SPEED, at_once=2).throughput
    slowest = 256 / (range_of_first[2] + 6.4 * 20 / 15)
    assert (both.predicted.expected, both.predicted.low) == pytest.approx((256 / 7, slowest))
    assert both.ratio == pytest.approx(30 * 7 / 256)


def test_factors_make_the_prediction_right_or_are_not_believed() -> None:
    assert factors(a_level(), SPEED) == {"decode": pytest.approx(1.5), "prefill": pytest.approx(0.9)}
    assert believable({"decode": 9.0, "prefill": 0.2})
    assert not believable({"decode": 11.0})
    assert not believable({"prefill": 0.05})
    assert not believable({})
