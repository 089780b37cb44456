from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor.catalog import load_catalog
from qwen_advisor.cli import main
from qwen_advisor.describe import Description, describe
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.names import resolve_model
from qwen_advisor.training import Training, TrainingMemory, TrainingPlan, plan_training, training_memory


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def memory_of(catalog: Catalog) -> Callable[..., TrainingMemory]:
    """Memory of a run, the settings by name."""

    def reckon(model: str, **settings: Any) -> TrainingMemory:
        architecture = catalog.architectures[resolve_model(catalog, model).architecture]
        return training_memory(catalog, architecture, Training(**settings))

    return reckon


@pytest.fixture(scope="session")
def machine_of(catalog: Catalog) -> Callable[..., Machine]:
    def machine(gpu: str | None = "RTX 4090", ram: int = 64 << 30) -> Machine:
        return describe(catalog, Description(gpus=(gpu,) if gpu else (), ram=ram))

    return machine


@pytest.fixture(scope="session")
def plan_of(catalog: Catalog, machine_of: Callable[..., Machine]) -> Callable[..., TrainingPlan]:
    """A run on a machine with one kind of GPU, the settings by name."""

    def plan(model: str, gpu: str | None = "RTX 4090", tokens: int | None = None, **settings: Any) -> TrainingPlan:
        run = Training(**settings)
        return plan_training(catalog, resolve_model(catalog, model), machine_of(gpu), run, dataset_tokens=tokens)

    return plan


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return run
