"""``health``: verdicts, thresholds, exit codes, a watch, and text for Prometheus."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qwen_advisor.bench.health import Check, growth, judge
from qwen_advisor.bench.records import MemoryUse
from qwen_advisor.render.schema import json_schema

Call = Callable[..., Any]


def good(fake: Any, **how: Any) -> Any:
    """The fake's own good route, changed."""
    kind = type(fake.routes["/v1/chat/completions"])
    return kind(**how)


def test_a_good_server_is_healthy(fake: Any, call: Call) -> None:
    said = call("health", "--url", fake.url)
    assert said.code == 0, said
    assert said.out.startswith(f"Healthy: Qwen3-0.6B-Q4_K_M.gguf at {fake.url} (llama.cpp)\n")
    assert "12 + 30 is 42" in said.out
    assert said.err == ""


def test_json_fits_its_schema_and_says_what_was_measured(fake: Any, call: Call) -> None:
    fake.answers(good(fake, gap=0.005))
    said = call("health", "--url", fake.url, "--json")
    document = said.json
    schema = json_schema("health-1")
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    jsonschema.validate(document, schema)
    assert document["verdict"] == "healthy"
    assert document["model"] == "Qwen3-0.6B-Q4_K_M.gguf"
    assert document["engine"] == "llama.cpp"
    # A token every 5 ms and what sleeping takes longer; never faster.
    assert 40 < document["measured"]["generation_tokens_per_second"] < 200
    assert document["measured"]["memory_growth_bytes"] >= 0
    assert document["memory"]["resident_bytes"] > document["memory"]["private_bytes"] > 0
    assert document["thresholds"] == {
        "response_seconds": 10.0,
        "generation_tokens_per_second": 5.0,
        "memory_growth_bytes": 1000 * 1024**2,
    }


@pytest.mark.parametrize(
    ("how", "words", "verdict", "code", "failing"),
    [
        ({"answer": "41"}, (), "unhealthy", 9, "correctness"),
        ({"answer": "142"}, (), "unhealthy", 9, "correctness"),
        ({"answer": "4.42"}, (), "unhealthy", 9, "correctness"),
        ({"answer": "The answer is **42**."}, (), "healthy", 0, None),
        ({"first": 0.15}, ("--max-response", "0.1"), "degraded", 8, "response_time"),
        ({"first": 0.15}, ("--max-response", "5"), "healthy", 0, None),
        ({"gap": 0.006}, ("--min-speed", "400"), "degraded", 8, "generation_rate"),
        ({"gap": 0.003}, ("--min-speed", "20"), "healthy", 0, None),
        ({"answer": "0", "gap": 0.006}, ("--min-speed", "400"), "unhealthy", 9, "correctness"),
    ],
)
def test_thresholds(
    how: dict[str, Any], words: tuple[str, ...], verdict: str, code: int, failing: str | None, fake: Any, call: Call
) -> None:
    fake.answers(good(fake, **how))
    said = call("health", "--url", fake.url, "--json", *words)
    document = said.json
    assert (document["verdict"], said.code, document["exit_code"]) == (verdict, code, code)
    failed = [check["name"] for check in document["checks"] if check["passed"] is False]
    assert (failing in failed) if failing else not failed
    assert len(document["recommendations"]) == len(failed)


def test_growth_counts_what_is_its_own_and_never_shrinks() -> None:
    before = MemoryUse(process="x", resident=900, private=500, gpu=100)
    assert growth(before, MemoryUse(process="x", resident=2000, private=700, gpu=150)) == 250
    assert growth(before, MemoryUse(process="x", resident=2000, private=700, gpu=None)) == 200
    assert growth(before, MemoryUse(process="x", resident=100, private=100, gpu=0)) == 0
    assert growth(None, before) is None


def test_what_is_not_known_counts_for_nothing() -> None:
    unknown = Check(name="memory_growth", passed=None, value=None, limit=None, message="")
    assert judge((unknown,)) == "healthy"


def test_growth_since_the_first_look_of_a_watch(fake: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from qwen_advisor.bench import health  # noqa: PLC0415

    # Looks before and after the story: 1 GiB and 1 GiB, then after the second story 3 GiB.
    sizes = iter([1 << 30, 1 << 30, 3 << 30])
    monkeypatch.setattr(
        health, "memory_of", lambda _: MemoryUse(process="x", resident=1, private=next(sizes), gpu=None)
    )
    said = call("health", "--url", fake.url, "--json", "--watch", "0.1", "--count", "2")
    first, second = (json.loads(line) for line in said.out.splitlines())
    assert first["measured"]["memory_growth_bytes"] == 0
    assert second["measured"]["memory_growth_bytes"] == 2 << 30
    assert (first["verdict"], second["verdict"], said.code) == ("healthy", "degraded", 8)


def test_nobody_there_is_unhealthy_not_a_fault(nobody: str, call: Call) -> None:
    said = call("health", "--url", nobody, "--json")
    assert said.code == 9
    jsonschema.validate(said.json, json_schema("health-1"))
    assert said.json["checks"][0]["message"] == f"nothing listens at {nobody}"
    assert said.json["measured"]["response_seconds"] is None


def test_a_server_that_hangs_is_unhealthy_in_time(fake: Any, call: Call) -> None:
    fake.answers(lambda _talk, _document: time.sleep(3))
    began = time.monotonic()
    said = call("health", "--url", fake.url, "--timeout", "0.3")
    assert said.code == 9
    assert "did not answer within 0.3 s" in said.out
    assert time.monotonic() - began < 2


def test_a_watch_goes_on_when_the_server_begins_to_refuse(fake: Any, call: Call) -> None:
    looks = []

    def models(talk: Any, _: Any) -> None:
        looks.append(1)
        if len(looks) == 2:
            talk.send(401, {"error": "no"})
        else:
            talk.send(200, {"data": [{"id": "m"}]})

    fake.routes["/v1/models"] = models
    said = call("health", "--url", fake.url, "--watch", "0.1", "--count", "3")
    assert said.code == 9
    verdicts = [line.split()[1] for line in said.out.splitlines()]
    assert verdicts == ["healthy", "unhealthy", "healthy"]
    assert "wants a key (HTTP 401)" in said.out.splitlines()[1]


def test_a_refused_key_is_an_error_of_the_call(fake: Any, call: Call) -> None:
    fake.routes["/v1/models"] = lambda talk, _: talk.send(401, {"error": "no"})
    said = call("health", "--url", fake.url)
    assert said.code == 2
    assert said.out == ""
    assert "error: " in said.err
    assert "--api-key-env" in said.err


SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+)\} (\S+)')


def test_prometheus_text_is_well_formed(fake: Any, call: Call) -> None:
    name = 'a "b" \\ c'
    fake.routes["/v1/models"] = lambda talk, _: talk.send(200, {"data": [{"id": name}]})
    said = call("health", "--url", fake.url, "--format", "prometheus")
    assert said.code == 0
    declared: list[str] = []
    samples: dict[str, list[tuple[str, float]]] = {}
    for line in said.out.splitlines():
        if line.startswith("# TYPE "):
            declared.append(line.split()[2])
            assert line.endswith(" gauge")
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match, line
            samples.setdefault(match[1], []).append((match[2], float(match[3])))
    assert list(samples) == declared
    assert len(set(declared)) == len(declared)
    verdicts = samples["qwen_advisor_endpoint_health"]
    assert [value for _, value in verdicts] == [1, 0, 0]
    assert all(r'model="a \"b\" \\ c"' in labels for labels, _ in verdicts)
    assert samples["qwen_advisor_endpoint_generation_tokens_per_second"][0][1] > 5
    assert abs(samples["qwen_advisor_endpoint_checked_timestamp_seconds"][0][1] - time.time()) < 60


def test_output_is_replaced_as_a_whole(fake: Any, call: Call, tmp_path: Path) -> None:
    target = tmp_path / "metrics" / "qwen.prom"
    words = ("--format", "prometheus", "--output", str(target), "--watch", "0.1", "--count", "2")
    said = call("health", "--url", fake.url, *words)
    assert (said.code, said.out) == (0, "")
    assert target.read_text(encoding="utf-8").count("# TYPE qwen_advisor_endpoint_health gauge") == 1
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--count", "2"), "--count counts the looks of a watch"),
        (("--watch", "0"), "--watch takes a number from"),
        (("--watch", "nan"), "--watch takes a number from"),
        (("--watch", "5", "--format", "prometheus"), "one Prometheus text holds one look"),
        (("--max-response", "-1"), "--max-response takes a number from"),
        (("--min-speed", "inf"), "--min-speed takes a number from"),
        (("--max-growth", "lots"), "--max-growth: 'lots' is not a size"),
        (("--timeout", "0"), "--timeout takes a number from"),
        (("--json", "--format", "table"), "contradict each other"),
        (("--api-key-env", "NOT_SET_ANYWHERE"), "is not set"),
        (("--api-key-env", "sk-12345"), "takes the name of an environment variable"),
    ],
)
def test_calls_that_cannot_be(words: tuple[str, ...], sentence: str, nobody: str, call: Call) -> None:
    said = call("health", "--url", nobody, *words)
    assert said.code == 2
    assert sentence in said.err
    assert "sk-12345" not in said.err


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x",
        "http://",
        "http://user:secret@x",
        "http://x:99999",
        "http://x?key=secret",
        "http://a b",
        "http://x:0",
    ],
)
def test_addresses_that_cannot_be(url: str, call: Call) -> None:
    said = call("health", "--url", url)
    assert said.code == 2
    assert "secret" not in said.err
