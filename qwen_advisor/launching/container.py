"""What containers of an engine share, under Compose and Kubernetes: image, arguments, mounts, the check of health."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.errors import UsageError
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import folder_of
from qwen_advisor.values import dataclass

WEIGHTS = "/weights"
CACHE = "/root/.cache"  # what llama.cpp, vLLM and SGLang download into, when they run as root
OLLAMA_CACHE = "/root/.ollama"
SHARED_MEMORY_GIB = 16  # for the processes of tensor parallel; vLLM's and SGLang's guides give 16 to 32
_ENTRYPOINT = {"llama.cpp": 1, "ollama": 1, "vllm": 2, "sglang": 0}  # words of the command that the image says itself
_PYTHON_CHECK = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:{port}{path}', timeout=5)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One server in a container."""

    image: str
    command: tuple[str, ...]  # empty where the image's own is right
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    cache: str  # where downloads go
    weights: str | None  # folder of the host that is mounted at /weights
    check: tuple[str, ...]  # a command that succeeds when the server is up
    gpus: int
    vendor: Literal["nvidia", "amd", "intel", "other", "cpu"]


def container(recipe: Recipe, index: int = 0) -> Container:
    """The container of one of the servers.

    Raises:
        UsageError: no image of the engine is known for this hardware.
    """
    engine, step = recipe.spec.id, recipe.servers[index]
    vendor = vendor_of(recipe)
    said = _ENTRYPOINT[engine]
    weights = recipe.wish.weights
    made = any(word.startswith(f"{WEIGHTS}/") for word in step.argv) and not weights
    return Container(
        image=_image(recipe, vendor),
        command=("python3", *step.argv[1:3]) if engine == "sglang" else (),
        arguments=step.argv[3:] if engine == "sglang" else step.argv[said:] if engine != "ollama" else (),
        environment=step.environment,
        cache=OLLAMA_CACHE if engine == "ollama" else CACHE,
        weights=folder_of(weights) if weights else "./models" if made else None,
        check=_check(recipe),
        gpus=0 if vendor == "cpu" else max(1, len([n for n in recipe.plan.placement.device_layers if n])),
        vendor=vendor,
    )


def vendor_of(recipe: Recipe) -> Literal["nvidia", "amd", "intel", "other", "cpu"]:
    """Whose accelerators the plan uses."""
    if recipe.plan.placement.mode == "cpu" or not recipe.machine.accelerators:
        return "cpu"
    vendor = recipe.machine.accelerators[0].vendor
    return vendor if vendor in ("nvidia", "amd", "intel") else "other"


def _image(recipe: Recipe, vendor: str) -> str:
    if recipe.machine.accelerators and vendor != "cpu" and recipe.machine.accelerators[0].vendor == "apple":
        raise UsageError("containers on a Mac cannot reach its GPU", hint="use --format command")
    pattern = recipe.spec.images.get(vendor)
    if pattern is None:
        raise UsageError(
            f"no container image of {recipe.spec.title} for {vendor} is known", hint="use --format command or systemd"
        )
    return pattern.format(version=recipe.version)


def _check(recipe: Recipe) -> tuple[str, ...]:
    if recipe.spec.id == "ollama":
        return ("ollama", "list")
    if recipe.spec.id == "llama.cpp":
        return ("curl", "-fsS", f"http://127.0.0.1:{recipe.port}{recipe.health}")
    return ("python3", "-c", _PYTHON_CHECK.format(port=recipe.port, path=recipe.health))
