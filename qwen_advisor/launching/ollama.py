"""Ollama: the model with its parameters is made by a Modelfile, the server takes the rest from its environment."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_advisor.advice import Plan
from qwen_advisor.engines import Step
from qwen_advisor.engines.words import in_file_names
from qwen_advisor.launching import sampling
from qwen_advisor.launching.given import Given
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import EVERYWHERE, LOOPBACK, Wish, in_container

PORT = 11434
WEIGHTS = "/weights"
_MODELSCOPE = "modelscope.cn"


def recipe(given: Given) -> Recipe:
    """The recipe; the server speaks OpenAI's protocol on port 11434 below ``/v1``."""
    plan, wish = given.plan, given.wish
    port = wish.port or PORT
    host = EVERYWHERE if wish.container else wish.host
    environment = dict(given.launch.steps[0].environment) if given.launch.steps else {}
    if (host, port) != (LOOPBACK, PORT):
        environment["OLLAMA_HOST"] = f"{host}:{port}"
    name = base(plan, wish)
    talks = plan.checkpoint.kind not in ("embedding", "reranker")
    served = f"{_short(plan.checkpoint.id)}-{plan.format.lower()}" if wish.weights else name
    prepare: tuple[Step, ...] = (Step(argv=("ollama", "pull", name)),)
    notes = list(given.launch.notes)
    if wish.weights:
        prepare = (Step(argv=("ollama", "create", served, "-f", "Modelfile")),)
        notes.append("the Modelfile is what --format modelfile writes")
    elif given.sampling:
        notes.append("the card's sampling values go into a Modelfile: --format modelfile")
    chat: tuple[str, ...] = ("ollama", "run", served)
    if talks and given.template:
        chat = (*chat, f"--think={'true' if given.template['enable_thinking'] else 'false'}")
    if plan.placement.cpu_expert_layers:
        notes.append("Ollama places layers itself and has no option for experts: the speed may differ from the plan's")
    return given.recipe(
        Step(argv=("ollama", "serve"), environment=tuple(environment.items()), where="in a terminal of its own"),
        prepare=prepare,
        chat=(Step(argv=chat),) if talks else (),
        model=served,
        port=port,
        health="/",
        notes=(*notes, *given.modelscope()),
    )


def base(plan: Plan, wish: Wish) -> str:
    """What the model is made of: a file, a tag of the library, or a repository."""
    if wish.weights:
        return in_container(wish.weights, WEIGHTS) if wish.container else wish.weights
    if wish.source == "modelscope" and plan.artifact.repo:
        return f"{_MODELSCOPE}/{plan.artifact.repo}:{in_file_names(plan.format)}"
    return plan.artifact.ollama or f"hf.co/{plan.artifact.repo}:{in_file_names(plan.format)}"


def parameters(plan: Plan, values: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    """The parameters of the Modelfile: context, layers where the plan decides them, sampling."""
    rows = [("num_ctx", str(plan.settings.context_per_request))]
    if plan.placement.mode == "cpu":
        rows.append(("num_gpu", "0"))
    elif plan.placement.mode == "hybrid" and not plan.placement.cpu_expert_layers:
        rows.append(("num_gpu", str(plan.placement.gpu_layers + 1)))  # as llama.cpp counts: the head is one more
    rows += [(name, sampling.plain(value)) for name, value in sampling.ollama_parameters(values)]
    return tuple(rows)


def _short(model: str) -> str:
    return model.rsplit("/", 1)[-1].lower()
