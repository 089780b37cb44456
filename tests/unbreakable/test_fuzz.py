"""Whatever others write, it is read or refused in a sentence: no other exception, no hang, no memory out of bounds."""

from __future__ import annotations

import contextlib
import copy
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_samples import CONFIGS, catalog, locks, profiles
from benchmarks.fuzz_targets import findings, targets
from qwen_advisor.catalog.strict_yaml import parse_yaml
from qwen_advisor.cli import preferences
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import CatalogError, UsageError
from qwen_advisor.gate.lock_file import parse_lock
from qwen_advisor.hub.configs import architecture_of
from qwen_advisor.listing import parse_parameters
from qwen_advisor.profiles.document import machine_from
from qwen_advisor.profiles.files import parse_profile
from qwen_advisor.units import parse_bandwidth, parse_reserve, parse_size, parse_tokens

TARGETS = targets()
QUICK = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.parametrize("name", TARGETS)
def test_a_value_or_one_of_our_errors(name: str) -> None:
    target = TARGETS[name]

    @settings(
        max_examples=target.examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=QUICK,
    )
    @given(data=st.data())
    def fuzz(data: Any) -> None:
        value = data.draw(target.inputs)
        findings(target, value)

    fuzz()


LONG = 200_000
SLOW_SECONDS = 2.0  # linear work on these texts takes milliseconds, work that grows with the square many minutes


@pytest.mark.parametrize(
    "text", ["1" + " " * LONG + "x", " " * LONG, "0" * LONG + "x", "1." + "1" * LONG + "x", "[" * LONG]
)
def test_no_text_takes_the_time_of_its_square(text: str) -> None:
    began = time.process_time()
    for parse in (parse_size, parse_reserve, parse_bandwidth, parse_tokens, parse_parameters):
        with contextlib.suppress(UsageError):
            parse(text)
    for said in (Description(gpus=("RTX 4090" + text,)), Description(gpus=(text,)), Description(device=text)):
        with contextlib.suppress(UsageError):
            describe(catalog(), said)
    for parse_bytes in (
        lambda data: parse_yaml(data, "x"),
        lambda data: parse_profile(b"ram: '" + data + b"'", "x", catalog()),
    ):
        with contextlib.suppress(UsageError):
            parse_bytes(text.encode())
    assert time.process_time() - began < SLOW_SECONDS


@pytest.mark.parametrize("text", ["16G  ", "  16 GiB", "\t16\n"])
def test_spaces_around_a_size_do_not_count(text: str) -> None:
    assert parse_size(text) == 16 << 30


@pytest.mark.parametrize("text", ["top = 0x" + "f" * 5000, "top = " + "9" * 5000, "top = {a = [1]}", "format = [1]"])
def test_a_setting_that_is_none_is_told_in_few_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text(text, "utf-8")
    monkeypatch.setenv(preferences.CONFIG, str(tmp_path / "config.toml"))
    with pytest.raises(UsageError) as told:
        preferences.settings()
    assert len(told.value.message) < 400


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("accelerators", 0, "fp16_flops_per_second"), 0),
        (("accelerators", 0, "memory_bandwidth_bytes_per_second"), 5e-324),
        (("cpu", "memory_bandwidth_bytes_per_second"), 0.0),
        (("nodes",), 0),
    ],
    ids=str,
)
def test_a_machine_that_divides_by_nothing_is_refused(place: tuple[Any, ...], value: float) -> None:
    document = copy.deepcopy(profiles()[0])
    inside = document
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    with pytest.raises(UsageError, match=r"must be a (?:whole )?number from 1"):
        machine_from(document, "profile")


@pytest.mark.parametrize("key", ["batch_tokens", "ubatch_tokens", "parallel", "context_tokens"])
def test_a_lock_that_divides_by_nothing_is_refused(key: str) -> None:
    document = copy.deepcopy(locks()[0])
    document["settings"][key] = 0
    with pytest.raises(UsageError, match=f"settings.{key} must be a whole number from 1"):
        parse_lock(document, "lock", catalog())


@pytest.mark.parametrize(
    ("which", "field", "value"),
    [(0, "num_hidden_layers", 1 << 31), (1, "decoder_sparse_step", 0), (2, "full_attention_interval", 0)],
)
def test_a_config_that_no_model_has_is_refused_before_anything_is_made_of_it(
    which: int, field: str, value: int
) -> None:
    with pytest.raises(CatalogError, match=field):
        architecture_of({**CONFIGS[which], field: value}, id="new", source="https://example.org/config.json")


def test_a_compute_capability_that_is_no_number_is_refused() -> None:
    document = copy.deepcopy(profiles()[0])
    document["accelerators"][0]["compute_capability"] = ":"
    with pytest.raises(UsageError, match="compute_capability must be a number"):
        machine_from(document, "profile")
