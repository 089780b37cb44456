"""The engines of one desk: Transformers, MLX, LM Studio, ONNX Runtime GenAI, OpenVINO GenAI."""

from __future__ import annotations

from qwen_advisor.engines import Step
from qwen_advisor.engines.steps import options
from qwen_advisor.errors import UsageError
from qwen_advisor.launching import rope, sampling
from qwen_advisor.launching.given import Given, put
from qwen_advisor.launching.recipe import Recipe
from qwen_advisor.launching.wish import LOOPBACK
from qwen_advisor.values import replace

_LM_STUDIO = 1234


def transformers(given: Given) -> Recipe:
    """``transformers serve`` on port 8000; ``--format python`` writes a script instead."""
    wish, settings = given.wish, given.plan.settings
    source, prepare = _source(given)
    argv = given.server.argv
    port = wish.port or 8000
    argv = (*argv[:2], source, *put(argv[3:], "--port", str(port)))
    argv += options(
        ("--reasoning", "on" if given.template.get("enable_thinking") else None),
        ("--host", None if wish.host == LOOPBACK else wish.host),
    )
    notes = list(given.launch.notes)
    stretch = rope.override(given.catalog, given.plan.checkpoint, settings.context)
    if stretch:
        notes = ["transformers serve takes no rope scaling: --format python writes a script that sets it"]
    if given.plan.format in ("NF4", "INT8"):
        notes.append("the weights are quantized by bitsandbytes while they load: pip install bitsandbytes")
    if given.sampling:
        notes.append("sampling values go with each request: the server takes those of generation_config.json otherwise")
    return given.recipe(
        replace(given.server, argv=argv),
        prepare=prepare,
        model=source,
        port=port,
        health="/health",
        rope=stretch,
        notes=(*notes, *given.modelscope()),
    )


def mlx(given: Given) -> Recipe:
    """``mlx_lm.server`` or ``mlx_vlm.server`` on port 8080."""
    wish, plan = given.wish, given.plan
    argv = given.server.argv
    made = argv[argv.index("--model") + 1] if plan.artifact.repo is None else None
    source, prepare = (made, given.launch.steps[:-1]) if made and not wish.weights else _source(given)
    port = wish.port or 8080
    argv = put(put(argv, "--model", source), "--port", str(port))
    sees = argv[0].startswith("mlx_vlm")
    if given.template and "--chat-template-args" not in argv and not sees:
        argv = (*argv, "--chat-template-args", '{"enable_thinking": true}')
    argv = (
        *argv,
        *(() if sees else sampling.mlx_options(given.sampling)),
        *options(("--host", None if wish.host == LOOPBACK else wish.host)),
    )
    notes = list(given.launch.notes)
    if "presence_penalty" in given.sampling or "repetition_penalty" in given.sampling:
        notes.append("penalties go with each request: the server has no option for them")
    return given.recipe(
        Step(argv=argv),
        prepare=prepare,
        model=source,
        port=port,
        health="/v1/models" if sees else "/health",
        notes=(*notes, *given.modelscope()),
    )


def lmstudio(given: Given) -> Recipe:
    """``lms``: fetch, load with the plan's context, serve on port 1234."""
    wish = given.wish
    if wish.source == "modelscope":
        raise UsageError("LM Studio fetches from Hugging Face only", hint="download a file and name it by --weights")
    port = wish.port or _LM_STUDIO
    fetch, load, serve = given.launch.steps
    if wish.weights:
        fetch = Step(argv=("lms", "import", wish.weights))
    identifier = ("--identifier", given.plan.checkpoint.id)
    server = options(("--port", port if port != _LM_STUDIO else None), ("--bind", _unless(wish.host, LOOPBACK)))
    notes = list(given.launch.notes)
    if given.sampling:
        notes.append("sampling values go with each request, or into the preset that LM Studio keeps for the model")
    if given.template:
        notes.append("thinking is switched in LM Studio's own window, or by the soft switches of the model")
    return given.recipe(
        replace(serve, argv=(*serve.argv, *server)),
        prepare=(fetch, replace(load, argv=(*load.argv, *identifier))),
        model=given.plan.checkpoint.id,
        port=port,
        health="/v1/models",
        notes=tuple(notes),
    )


def onnxruntime(given: Given) -> Recipe:
    """The model builder's command; ``--format python`` writes the script that runs what it makes."""
    source, prepare = _source(given)
    # -m names a repository; weights that are on disk are an input folder. The first -m is Python's own.
    kind = "-i" if given.wish.weights or given.wish.source == "modelscope" else "-m"
    argv = given.server.argv
    build = replace(given.server, argv=(*argv[:3], kind, source, *argv[5:]))
    chat: tuple[Step, ...] = ()
    foundry = given.spec.names.get(given.plan.checkpoint.id)
    if foundry:
        chat = (Step(argv=("foundry", "run", foundry), where="or let Foundry Local fetch and run its own"),)
    return given.recipe(
        prepare=(*prepare, build),
        chat=chat,
        model=_value(build, "-o"),
        port=0,
        notes=("--format python writes the script that loads it", *given.modelscope()),
    )


def openvino(given: Given) -> Recipe:
    """The export with Optimum; ``--format python`` writes the script that runs what it makes."""
    source, prepare = _source(given)
    export = given.launch.steps[0]
    export = replace(export, argv=put(export.argv, "--model", source))
    return given.recipe(
        prepare=(*prepare, export),
        model=export.argv[-1],
        port=0,
        notes=("--format python writes the script that loads it", *given.launch.notes, *given.modelscope()),
    )


def _source(given: Given) -> tuple[str, tuple[Step, ...]]:
    """What the weights are loaded from, and the step that fetches them where the engine does not do so itself."""
    plan, wish = given.plan, given.wish
    repo = plan.artifact.repo or plan.checkpoint.id
    if wish.weights:
        return wish.weights, ()
    if wish.source == "modelscope":
        folder = repo.rsplit("/", 1)[-1]
        return folder, (Step(argv=("modelscope", "download", "--model", repo, "--local_dir", folder)),)
    return repo, ()


def _value(step: Step, option: str) -> str:
    return step.argv[step.argv.index(option) + 1]


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value
