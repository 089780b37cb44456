"""The engines of one desk: Transformers 5, MLX-LM 0.32, LM Studio, ONNX Runtime GenAI 0.15, OpenVINO GenAI 2026.3."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch, Step, options
from qwen_advisor.engines.words import in_file_names, stretched, thinks_when_told

_NO_THOUGHTS = '{"enable_thinking": false}'


def transformers(plan: Plan) -> Launch:
    """``transformers serve`` with the model loaded before the first request."""
    checkpoint = plan.checkpoint
    argv = (
        *("transformers", "serve", plan.artifact.repo or checkpoint.id),
        *options(
            ("--quantization", {"NF4": "bnb-4bit", "INT8": "bnb-8bit"}.get(plan.format)),
            ("--continuous-batching", plan.settings.parallel > 1),
            ("--reasoning", "off" if thinks_when_told(checkpoint) and plan.thinking == "off" else None),
            ("--port", 8000),
        ),
    )
    long = stretched(checkpoint, plan.settings.context)
    return Launch(steps=(Step(argv=argv),), notes=(long,) if long else ())


def mlx(plan: Plan) -> Launch:
    """``mlx_lm.server``, or ``mlx_vlm.server`` where images go in; weights are converted where none are ready."""
    checkpoint, settings = plan.checkpoint, plan.settings
    name = checkpoint.id.rsplit("/", 1)[-1]
    steps: list[Step] = []
    model = plan.artifact.repo
    sees = "image" in checkpoint.modalities_in and settings.vision
    module = "mlx_vlm" if sees else "mlx_lm"
    if model is None:
        bits = plan.format.removeprefix("MLX-").removesuffix("bit")
        model = f"{name}-{plan.format}"
        convert = (f"{module}.convert", "--hf-path", checkpoint.id, "-q", "--q-bits", bits, "--mlx-path", model)
        steps.append(Step(argv=convert))
    kv_bits = {"q8_0": 8, "q4_0": 4}.get(settings.kv_type)
    quiet = thinks_when_told(checkpoint) and plan.thinking == "off" and not sees
    serve = (
        *(f"{module}.server", "--model", model),
        *options(
            ("--kv-bits", kv_bits if not sees else None),
            ("--decode-concurrency", settings.parallel if settings.parallel > 1 and not sees else None),
            ("--chat-template-args", _NO_THOUGHTS if quiet else None),
            ("--port", 8080),
        ),
    )
    long = stretched(checkpoint, settings.context)
    return Launch(steps=(*steps, Step(argv=serve)), notes=(long,) if long else ())


def lmstudio(plan: Plan) -> Launch:
    """``lms``: fetch, load with the plan's context, serve on port 1234."""
    repo = plan.artifact.repo
    if repo is None:
        return Launch(steps=(), notes=("no repository with these weights is known",))
    mlx_weights = plan.format.startswith("MLX-")
    source = (
        f"https://huggingface.co/{repo}"
        if mlx_weights
        else f"https://huggingface.co/{repo}@{in_file_names(plan.format)}"
    )
    place = plan.placement
    share = "off" if place.mode == "cpu" else "max"
    if place.mode == "hybrid":
        share = f"{place.gpu_layers / place.layers:.2f}"
    load = ("lms", "load", "--context-length", str(plan.settings.context), "--gpu", share)
    return Launch(
        steps=(
            Step(argv=("lms", "get", source, "--mlx" if mlx_weights else "--gguf")),
            Step(argv=load, where="choose the model that was just fetched"),
            Step(argv=("lms", "server", "start")),
        )
    )


def onnxruntime(plan: Plan) -> Launch:
    """The model builder; what it writes is run by ONNX Runtime GenAI's own chat example or by Foundry Local."""
    name = plan.checkpoint.id.rsplit("/", 1)[-1]
    provider = "cpu" if plan.placement.mode == "cpu" else "cuda"
    precision = "int4" if "4" in plan.format else "fp16"
    builder = ("python", "-m", "onnxruntime_genai.models.builder")
    argv = (*builder, "-m", plan.checkpoint.id, "-o", f"{name}-onnx", "-p", precision, "-e", provider)
    return Launch(steps=(Step(argv=argv),), notes=(f"{name}-onnx is then loaded by onnxruntime_genai.Model",))


def openvino(plan: Plan) -> Launch:
    """The export with Optimum, and one answer from ``LLMPipeline``."""
    name = plan.checkpoint.id.rsplit("/", 1)[-1]
    kind = "int4" if "4" in plan.format else "int8" if "8" in plan.format else "fp16"
    folder = f"{name}-ov-{kind}"
    device = "CPU" if plan.placement.mode == "cpu" else "GPU"
    export = ("optimum-cli", "export", "openvino", "--model", plan.checkpoint.id, "--weight-format", kind, folder)
    script = (
        f"import openvino_genai; print(openvino_genai.LLMPipeline({folder!r}, {device!r}).generate('Hello',"
        f" max_new_tokens={plan.settings.output_tokens}))"
    )
    return Launch(steps=(Step(argv=export), Step(argv=("python", "-c", script))))
