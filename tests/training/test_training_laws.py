"""What holds for every run, whatever the model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_advisor.catalog import load_catalog
from qwen_advisor.training import Training, training_memory
from qwen_advisor.training.room import largest_batch, largest_sequence

CATALOG = load_catalog()
SHAPES = ["qwen3-0.6b", "qwen3-8b", "qwen3-30b-a3b", "qwen3.5-9b", "qwen3.5-35b-a3b", "qwen3.8-flash-next", "qwen-7b"]
RUNS = st.builds(
    Training,
    method=st.sampled_from(["full", "lora", "qlora"]),
    framework=st.sampled_from(["transformers", "trl", "unsloth"]),
    seq_len=st.sampled_from([128, 1000, 4096, 32768]),
    batch=st.integers(1, 8),
    rank=st.sampled_from([1, 8, 64]),
    optimizer=st.sampled_from(["adamw", "adamw-8bit", "adafactor", "muon"]),
    checkpointing=st.booleans(),
    packing=st.booleans(),
    loss=st.sampled_from(["full", "chunked", "fused"]),
    sharding=st.sampled_from(["none", "zero1", "zero2", "zero3", "fsdp", "layers"]),
    gpus_per_node=st.sampled_from([1, 2, 8]),
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def device(shape: str, run: Training) -> int:
    return training_memory(CATALOG, CATALOG.architectures[shape], run).device


@QUICK
@given(shape=st.sampled_from(SHAPES), run=RUNS)
def test_the_total_is_the_sum_and_no_part_is_negative(shape: str, run: Training) -> None:
    memory = training_memory(CATALOG, CATALOG.architectures[shape], run)
    assert all(part.bytes > 0 for part in memory.parts)
    assert memory.device == sum(part.bytes for part in memory.parts)
    assert memory.total == memory.device * run.gpus


@QUICK
@given(shape=st.sampled_from(SHAPES), run=RUNS)
def test_more_takes_more(shape: str, run: Training) -> None:
    base = device(shape, run)
    assert device(shape, replace(run, seq_len=run.seq_len * 2)) >= base
    assert device(shape, replace(run, batch=run.batch + 1)) >= base
    assert device(shape, replace(run, rank=run.rank * 2)) >= base
    assert device(shape, replace(run, checkpointing=False)) >= device(shape, replace(run, checkpointing=True))


@QUICK
@given(shape=st.sampled_from(SHAPES), run=RUNS)
def test_a_loss_in_pieces_never_takes_more_once_there_is_much_to_lose(shape: str, run: Training) -> None:
    long = replace(run, seq_len=32768, method="lora")
    assert device(shape, replace(long, loss="fused")) <= device(shape, replace(long, loss="full"))
    assert device(shape, replace(long, loss="chunked")) <= device(shape, replace(long, loss="full"))


@QUICK
@given(shape=st.sampled_from(["qwen3-8b", "qwen3.5-9b"]), run=RUNS, budget=st.integers(4 << 30, 200 << 30))
def test_the_largest_that_fits_fits_and_the_next_does_not(shape: str, run: Training, budget: int) -> None:
    architecture = CATALOG.architectures[shape]
    length = largest_sequence(CATALOG, architecture, run, budget, 1 << 20)
    if length is not None:
        assert device(shape, replace(run, seq_len=length)) <= budget
        if length < 1 << 20:
            assert device(shape, replace(run, seq_len=length + 64)) > budget
    batch = largest_batch(CATALOG, architecture, run, budget)
    if batch is not None:
        assert device(shape, replace(run, batch=batch)) <= budget
        if batch < 4096:
            assert device(shape, replace(run, batch=batch + 1)) > budget


@pytest.mark.parametrize("shape", sorted(CATALOG.architectures))
def test_every_language_model_of_the_catalogue_can_be_reckoned(shape: str) -> None:
    architecture = CATALOG.architectures[shape]
    if architecture.text is None:
        return
    assert training_memory(CATALOG, architecture, Training()).device > 1 << 28
