"""llama.cpp: ``llama-server``, and ``llama-cli`` for a talk in a terminal."""

from __future__ import annotations

from qwen_advisor.engines import Step
from qwen_advisor.engines.steps import options
from qwen_advisor.launching import cluster, sampling
from qwen_advisor.launching.given import Environment, Given, put, without
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import EVERYWHERE, LOOPBACK, in_container

PORT = 8080
MODELSCOPE = "https://www.modelscope.cn/"  # for MODEL_ENDPOINT, docs/models.md of llama.cpp
WEIGHTS = "/weights"  # where a container finds files of the host
_SERVER_ONLY = ("-np", "-kvu", "--port", "--host", "--metrics", "--no-slots", "--no-ui", "--timeout", "--alias")
_SECONDS = 600  # no answer of a chat takes longer; a stuck client does not hold a slot for ever


def recipe(given: Given) -> Recipe:
    """The recipe; the server speaks OpenAI's protocol on port 8080."""
    plan, wish = given.plan, given.wish
    checkpoint = plan.checkpoint
    prepare, argv = given.launch.steps[:-1], given.server.argv
    notes = list(given.launch.notes)
    if wish.weights:
        prepare, argv = (), _from_disk(given, argv)
        if "image" in checkpoint.modalities_in and plan.settings.vision and not wish.projector:
            notes.append("images need the model's projector: name its mmproj file by --projector")
    elif wish.container and prepare:
        notes.append("make the file first, and put it into the folder models beside this file")
        argv = put(argv, "-m", in_container(argv[argv.index("-m") + 1], WEIGHTS))
    talks = checkpoint.kind not in ("embedding", "reranker", "reward")
    values = sampling.llama_cpp_options(given.sampling) if talks else ()
    port = wish.port or PORT
    think = "on" if given.template.get("enable_thinking") else None
    host = EVERYWHERE if wish.container else wish.host
    server = wish.profile == "server"
    argv = (
        *put(argv, "--port", str(port)),
        *values,
        *options(
            ("--reasoning", think),
            ("--jinja", wish.tools),
            ("--alias", checkpoint.id),
            ("--host", None if host == LOOPBACK else host),
            ("--metrics", server),
            ("--no-slots", server),  # they show what others ask
            ("--no-ui", server),
            ("--timeout", _SECONDS if server else None),
        ),
    )
    environment: Environment = ()
    if wish.source == "modelscope" and not wish.weights:
        environment = (("MODEL_ENDPOINT", MODELSCOPE),)
    chat = (
        (Step(argv=("llama-cli", *without(argv[1:], *_SERVER_ONLY)), environment=environment),)
        if talks and wish.nodes == 1
        else ()
    )
    server_step = Step(argv=argv)
    if wish.nodes > 1:
        *lend, server_step = cluster.rpc_steps(server_step, wish.nodes)
        prepare = (*prepare, *lend)
        notes.append("the RPC server is a proof of concept without any protection: a private network only")
    return given.recipe(
        server_step,
        environment=environment,
        prepare=prepare,
        chat=chat,
        model=checkpoint.id,
        port=port,
        health="/health",
        metrics="/metrics" if server else "",
        secrets=("LLAMA_API_KEY",) if server else (),
        notes=(*notes, *given.modelscope()),
    )


def _from_disk(given: Given, argv: tuple[str, ...]) -> tuple[str, ...]:
    wish = given.wish
    place = (lambda path: in_container(path, WEIGHTS)) if wish.container else str
    source = "-hf" if "-hf" in argv else "-m"
    at = argv.index(source)
    projector = ("--mmproj", place(wish.projector)) if wish.projector else ()
    return (*argv[:at], "-m", place(wish.weights or ""), *projector, *argv[at + 2 :])
