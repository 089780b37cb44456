"""Recipes of a hand-made plan, so that a golden file changes with what is written and not with what is reckoned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from qwen_advisor.advice import Plan
from qwen_advisor.catalog import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.launching import LaunchFormat, Recipe, Wish, files, recipe
from qwen_advisor.launching.formats import CONTAINERS
from qwen_advisor.plan import Memory, MemoryPart, Placement
from qwen_advisor.render.launch import files_text
from qwen_advisor.units import GIB
from qwen_advisor.values import replace

ON_GPU = Memory(
    parts=(
        MemoryPart(name="weights", group="weights", bytes=6 * GIB, pool="device", basis="exact", device=0),
        MemoryPart(name="kv_cache", group="kv_cache", bytes=2 * GIB, pool="device", basis="exact", device=0),
        MemoryPart(name="activations", group="compute_buffer", bytes=GIB, pool="device", basis="exact", device=0),
    )
)
# engine -> format of the weights, repository
WEIGHTS = {
    "llama.cpp": ("Q4_K_M", "Qwen/Qwen3-8B-GGUF"),
    "ollama": ("Q4_K_M", "Qwen/Qwen3-8B-GGUF"),
    "lmstudio": ("Q4_K_M", "Qwen/Qwen3-8B-GGUF"),
    "vllm": ("AWQ", "Qwen/Qwen3-8B-AWQ"),
    "sglang": ("AWQ", "Qwen/Qwen3-8B-AWQ"),
    "transformers": ("NF4", "Qwen/Qwen3-8B"),
    "mlx": ("MLX-4bit", "mlx-community/Qwen3-8B-4bit"),
    "onnxruntime": ("ONNX-int4", None),
    "openvino": ("OpenVINO-int4", None),
}


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@dataclass(frozen=True)
class Kitchen:
    """Makes recipes."""

    catalog: Catalog
    hand: ModuleType

    def plan(self, engine: str, *, cpu: bool = False, **changes: Any) -> Plan:
        """Qwen3-8B on one RTX 4090, or on the CPU; ``settings`` are changed, not replaced."""
        fmt, repo = WEIGHTS[engine]
        settings = changes.pop("settings", {})
        plan = self.hand.plan(
            format=fmt,
            thinking="on",
            artifact=replace(self.hand.plan().artifact, repo=repo, files=()),
            placement=Placement(mode="gpu", layers=36, gpu_layers=36, device_layers=(36,)),
            memory=ON_GPU,
        )
        if cpu:
            plan = replace(plan, placement=Placement(mode="cpu", layers=36), memory=self.hand.plan().memory)
        plan = replace(plan, settings=replace(plan.settings, engine=engine, **settings))
        return replace(plan, **changes)

    def cook(
        self, engine: str, form: LaunchFormat = "command", *, plan: Plan | None = None, machine: Any = None, **wish: Any
    ) -> Recipe:
        """The recipe of a plan for a format."""
        dish = plan or self.plan(engine)
        where = machine or (self.hand.CPU if dish.placement.mode == "cpu" else self.hand.GPU)
        executor = "mp" if form == "kubernetes" else wish.pop("executor", "ray")
        wanted = Wish(container=form in CONTAINERS, executor=executor, **wish)
        return recipe(self.catalog, where, dish, wanted)

    def text(self, engine: str, form: LaunchFormat = "command", **more: Any) -> str:
        """What is printed."""
        return files_text(files(self.cook(engine, form, **more), form))

    def argv(self, engine: str, form: LaunchFormat = "command", **more: Any) -> tuple[str, ...]:
        """The command of the first server."""
        return self.cook(engine, form, **more).servers[0].argv


@pytest.fixture(scope="session")
def kitchen(catalog: Catalog, hand: ModuleType) -> Kitchen:
    return Kitchen(catalog, hand)


@pytest.fixture
def launched(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run the verb in this process: exit code, stdout, stderr."""
    from qwen_advisor.cli import main  # noqa: PLC0415  only the tests of the verb load it

    monkeypatch.delenv("QWEN_ADVISOR_DEBUG", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(("launch", *words))
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return run
