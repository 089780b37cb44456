"""SGLang: ``python -m sglang.launch_server`` on every machine."""

from __future__ import annotations

from qwen_advisor.engines.steps import options
from qwen_advisor.launching import rope
from qwen_advisor.launching.given import Environment, Given, addressed, compact, put
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import EVERYWHERE, LOOPBACK, in_container
from qwen_advisor.values import replace

PORT = 30000
WEIGHTS = "/weights"
_MOST = 0.90  # of a device; the cookbook's commands use 0.8 to 0.9
_QUEUED = 64  # requests that wait; beyond, the server says so at once instead of after minutes
# The cookbook's values for the MTP blocks of Qwen3-Next and later.
_DRAFTS = (
    *("--speculative-algorithm", "EAGLE", "--speculative-num-steps", "3"),
    *("--speculative-eagle-topk", "1", "--speculative-num-draft-tokens", "4"),
)


def recipe(given: Given) -> Recipe:
    """The recipe; the server speaks OpenAI's protocol on port 30000."""
    plan, wish = given.plan, given.wish
    checkpoint, settings = plan.checkpoint, plan.settings
    stretch = rope.override(given.catalog, checkpoint, settings.context)
    port = wish.port or PORT
    server = wish.profile == "server"
    host = EVERYWHERE if wish.container else wish.host
    sees = "image" in checkpoint.modalities_in
    source = given.server.argv[given.server.argv.index("--model-path") + 1]
    if wish.weights:
        source = in_container(wish.weights, WEIGHTS) if wish.container else wish.weights
    more = (
        *options(
            ("--served-model-name", None if source == checkpoint.id else checkpoint.id),
            ("--mem-fraction-static", f"{_static(given):.2f}" if plan.placement.mode != "cpu" else None),
            ("--json-model-override-args", compact(stretch) if stretch else None),
            ("--default-chat-template-kwargs", compact(given.template) if given.template else None),
            ("--language-model-only", sees and not settings.vision),
            ("--enable-metrics", server),
            ("--max-queued-requests", _QUEUED if server else None),
            ("--host", None if host == LOOPBACK else host),
        ),
        *(_DRAFTS if settings.mtp else ()),
    )
    environment: Environment = ()
    if stretch:
        environment += (("SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN", "1"),)
    if wish.source == "modelscope" and not wish.weights:
        environment += (("SGLANG_USE_MODELSCOPE", "true"),)
    steps = [
        replace(
            step, argv=(*put(put(addressed(step.argv, wish.head), "--model-path", source), "--port", str(port)), *more)
        )
        for step in given.launch.steps
    ]
    notes = [
        note
        for note in given.launch.notes
        if "chat_template_kwargs" not in note and not (stretch and "config.json" in note)
    ]
    if given.sampling:
        notes.append("sampling values go with each request: the server takes those of generation_config.json otherwise")
    if server:
        notes.append("SGLang takes a key on its command line only: leave that to the gateway, and the port on loopback")
    if wish.nodes > 1:
        notes.append("traffic between the machines is not encrypted and can run code: keep it on a private network")
    return given.recipe(
        *steps,
        environment=environment,
        model=checkpoint.id,
        port=port,
        health="/health",
        metrics="/metrics" if server else "",
        rope=stretch,
        notes=(*notes, *given.modelscope()),
    )


def _static(given: Given) -> float:
    """Share of a device for weights and KV cache: what is free, less what a step computes with."""
    if not given.machine.accelerators:
        return _MOST
    first, memory = given.machine.accelerators[0], given.plan.memory
    beside = sum(
        part.bytes
        for part in memory.parts
        if part.pool == "device" and not part.device and part.group in ("compute_buffer", "runtime_overhead")
    )
    budget = min(first.budget, given.machine.memory.budget) if given.machine.memory.unified else first.budget
    return min(_MOST, max(0.05, int(100 * (budget - beside) / first.memory) / 100))
