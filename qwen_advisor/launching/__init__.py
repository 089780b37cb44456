"""From a plan to something that runs: commands, compose, systemd, Kubernetes, Modelfile, Python, gateways."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines import launch
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.launching import llamacpp, local, ollama, rope, sampling, sglang, versions, vllm
from qwen_advisor.launching.formats import FORMATS, LaunchFormat, files, formats_of, primary
from qwen_advisor.launching.given import Given
from qwen_advisor.launching.recipe import LaunchFile, Recipe
from qwen_advisor.launching.wish import Wish
from qwen_advisor.machine import Machine
from qwen_advisor.rules.candidate import version_key
from qwen_advisor.values import replace

__all__ = ["FORMATS", "LaunchFile", "LaunchFormat", "Recipe", "Wish", "files", "formats_of", "primary", "recipe"]

_ENGINES = {
    "llama.cpp": llamacpp.recipe,
    "ollama": ollama.recipe,
    "vllm": vllm.recipe,
    "sglang": sglang.recipe,
    "transformers": local.transformers,
    "mlx": local.mlx,
    "lmstudio": local.lmstudio,
    "onnxruntime": local.onnxruntime,
    "openvino": local.openvino,
}


def recipe(catalog: Catalog, machine: Machine, plan: Plan, wish: Wish) -> Recipe:
    """How the plan is run on the machine as the wish has it.

    Args:
        catalog: the facts.
        machine: where; its installed engines tell a version that ``wish`` leaves open.
        plan: what was laid on the machine.
        wish: what is asked for beside the plan.

    Raises:
        UsageError: the engine's version does not run the model or lacks an option that the plan needs, the context is
            beyond the model's reach, or the weights cannot be had.
    """
    spec = catalog.engines[plan.settings.engine]
    installed = None if wish.container else _installed(machine, spec.id)
    version = wish.version or installed or spec.version_read
    versions.refuse_old(spec, version, plan.checkpoint, plan.architecture)
    rope.refuse_beyond_reach(plan.checkpoint, plan.settings.context_per_request)
    spans = plan.placement.pipeline_parallel
    notes: tuple[str, ...] = ()
    if wish.nodes > 1 and spans == 1 and spec.tensor_parallel:
        notes = ("one of the machines holds it and answers sooner than several, so it runs on one",)
        wish = replace(wish, nodes=1)
    # Weights on disk are in the plan's format already, wherever they came from.
    based = replace(plan, artifact=replace(plan.artifact, repo="on/disk", official=True)) if wish.weights else plan
    how = launch(based, tools=wish.tools, nodes=wish.nodes if wish.executor == "mp" or spec.id != "vllm" else 1)
    if not how.steps:
        raise UsageError(how.notes[0], hint="take another --quant, or name weights on disk by --weights PATH")
    given = Given(
        plan=plan,
        spec=spec,
        version=version,
        machine=machine,
        wish=wish,
        catalog=catalog,
        launch=how,
        sampling=sampling.recommended(catalog, plan.checkpoint.id, plan.thinking, wish.use),
    )
    made = _ENGINES[spec.id](given)
    return replace(made, notes=(*notes, *made.notes)) if notes else made


def _installed(machine: Machine, engine: str) -> str | None:
    """The version that is installed, where one is and tells it."""
    found = next((item.version for item in machine.engines if item.name == engine), None)
    return found if found and version_key(found) else None
