"""vLLM: ``vllm serve`` on one machine, over Ray, or by its own processes on several."""

from __future__ import annotations

from qwen_advisor.engines import Step
from qwen_advisor.engines.steps import options
from qwen_advisor.launching import cluster, rope
from qwen_advisor.launching.given import Environment, Given, addressed, compact, put, share
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import EVERYWHERE, in_container
from qwen_advisor.values import replace

PORT = 8000
WEIGHTS = "/weights"
_MOST = 0.90  # of a device; what the documentation and the recipes use
_MODEL = 2  # the word behind "vllm serve"


def recipe(given: Given) -> Recipe:
    """The recipe; the server speaks OpenAI's protocol on port 8000."""
    plan, wish = given.plan, given.wish
    checkpoint, settings = plan.checkpoint, plan.settings
    stretch = rope.override(given.catalog, checkpoint, settings.context)
    port = wish.port or PORT
    host = EVERYWHERE if wish.container else wish.host
    source = given.server.argv[_MODEL]
    if wish.weights:
        source = in_container(wish.weights, WEIGHTS) if wish.container else wish.weights
    devices = plan.placement.mode != "cpu"
    talks = checkpoint.kind not in ("embedding", "reranker", "reward")
    values = given.sampling if talks else {}
    more = options(
        ("--served-model-name", None if source == checkpoint.id else checkpoint.id),
        (
            "--gpu-memory-utilization",
            f"{share(given.machine, plan.memory.on_device(0), _MOST):.2f}" if devices else None,
        ),
        ("--hf-overrides", compact(stretch) if stretch else None),
        ("--override-generation-config", compact(values) if values else None),
        ("--host", host),
    )
    environment: Environment = ()
    if stretch:
        environment += (("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "1"),)
    if wish.source == "modelscope" and not wish.weights:
        environment += (("VLLM_USE_MODELSCOPE", "true"),)
    steps = [
        replace(step, argv=_changed(addressed(step.argv, wish.head), source, port, more)) for step in given.launch.steps
    ]
    notes = [note for note in given.launch.notes if not (stretch and "config.json" in note)]
    prepare: tuple[Step, ...] = ()
    token: tuple[str, ...] = ()
    if wish.nodes > 1 and wish.executor == "ray":
        *cluster_steps, serve = cluster.ray_steps(wish.head, steps[0])
        prepare, steps = tuple(cluster_steps), [serve]
        if not wish.container:
            token = (cluster.RAY_SECRET,)
            notes.append("every machine needs the same RAY_AUTH_TOKEN: ray get-auth-token --generate makes one")
    if wish.nodes > 1:
        notes.append("traffic between the machines is not encrypted and can run code: keep it on a private network")
    return given.recipe(
        *steps,
        environment=environment,
        prepare=prepare,
        model=checkpoint.id,
        port=port,
        health="/health",
        metrics="/metrics",
        secrets=(*(("VLLM_API_KEY",) if wish.profile == "server" else ()), *token),
        rope=stretch,
        notes=(*notes, *given.modelscope()),
    )


def _changed(argv: tuple[str, ...], source: str, port: int, more: tuple[str, ...]) -> tuple[str, ...]:
    words = put(argv, "--port", str(port))
    words = (*words[:_MODEL], source, *words[_MODEL + 1 :], *more)
    # A node without a server of its own has no address to listen at.
    return put(put(words, "--port", None), "--host", None) if "--headless" in argv else words
