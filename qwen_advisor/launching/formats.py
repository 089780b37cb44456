"""Which formats there are for an engine, and what files each of them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from qwen_advisor.errors import UsageError
from qwen_advisor.launching import cluster, compose, gateway, kubernetes, modelfile, scripts, shell, systemd
from qwen_advisor.launching.recipe import LaunchFile, Recipe

LaunchFormat = Literal[
    "command", "compose", "systemd", "kubernetes", "kserve", "ray-serve", "modelfile", "python", "json"
]
FORMATS: tuple[LaunchFormat, ...] = get_args(LaunchFormat)
# Formats in which the engine runs in its container image.
CONTAINERS: frozenset[LaunchFormat] = frozenset({"compose", "kubernetes", "kserve", "ray-serve"})

_SERVED = ("llama.cpp", "ollama", "vllm", "sglang")
_ENGINES: dict[LaunchFormat, tuple[str, ...]] = {
    "compose": _SERVED,
    "systemd": (*_SERVED, "transformers"),
    "kubernetes": _SERVED,
    "kserve": ("vllm",),
    "ray-serve": ("vllm",),
    "modelfile": ("ollama",),
}
_SEVERAL_MACHINES: dict[str, tuple[LaunchFormat, ...]] = {
    "vllm": ("command", "kubernetes", "kserve", "ray-serve", "json"),
    "sglang": ("command", "kubernetes", "json"),
    "llama.cpp": ("command", "json"),
}
_WHY_NOT = {
    "mlx": "its GPU is out of reach of containers, and a Mac has no systemd",
    "lmstudio": "it is an application with a window",
    "onnxruntime": "it is a library and no server",
    "openvino": "it is a library and no server",
}


def formats_of(engine: str, nodes: int = 1) -> tuple[LaunchFormat, ...]:
    """The formats that can be written for an engine on so many machines."""
    if nodes > 1:
        return _SEVERAL_MACHINES.get(engine, ())
    return tuple(form for form in FORMATS if engine in _ENGINES.get(form, (engine,)))


def refuse_format(engine: str, title: str, form: LaunchFormat, nodes: int) -> None:
    """Nothing, where this format can be written.

    Raises:
        UsageError: it cannot.
    """
    offered = formats_of(engine, nodes)
    if not offered:
        raise UsageError(
            f"{title} does not span several machines", hint=f"take --engine {' or '.join(_SEVERAL_MACHINES)}"
        )
    if form not in offered:
        several = " over several machines" if nodes > 1 else ""
        why = f": {_WHY_NOT[engine]}" if engine in _WHY_NOT and form != "modelfile" else ""
        raise UsageError(
            f"there is no {form} format for {title}{several}{why}", hint=f"choose one of {', '.join(offered)}"
        )


def primary(recipe: Recipe, form: LaunchFormat) -> LaunchFile:
    """The file that the format is.

    Raises:
        UsageError: the engine, the hardware or the model has none in this format.
    """
    refuse_format(recipe.spec.id, recipe.spec.title, form, recipe.wish.nodes)
    if recipe.wish.nodes > 1 and form == "kubernetes":
        return cluster.leader_worker_set(recipe)
    return _WRITERS[form](recipe)


def files(recipe: Recipe, form: LaunchFormat) -> tuple[LaunchFile, ...]:
    """The file of the format, and under the profile ``server`` those of the gateway before it."""
    if recipe.wish.profile != "server":
        return (primary(recipe, form),)
    if form == "compose":
        refuse_format(recipe.spec.id, recipe.spec.title, form, recipe.wish.nodes)
        return gateway.composed(recipe)
    if form in ("command", "systemd"):
        return (primary(recipe, form), *gateway.beside(recipe))
    return (primary(recipe, form),)


_WRITERS: dict[LaunchFormat, Callable[[Recipe], LaunchFile]] = {
    "command": shell.commands,
    "compose": compose.compose_file,
    "systemd": systemd.unit,
    "kubernetes": kubernetes.single,
    "kserve": cluster.kserve,
    "ray-serve": cluster.ray_serve,
    "modelfile": modelfile.modelfile,
    "python": scripts.script,
}
