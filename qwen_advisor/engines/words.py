"""What the engines for safetensors share: how Qwen models think and call tools in their words, and what is ready."""

from __future__ import annotations

from qwen_advisor.advice import Plan
from qwen_advisor.engines.steps import Launch
from qwen_advisor.model import Checkpoint

# These lines of models write a call as XML, the way Qwen3-Coder began; those before them as JSON, the way Hermes did.
_XML_CALLS = ("qwen3.5", "qwen3.6", "qwen3.8", "qwen3-coder")


# What these engines load from the full-precision repository; any other format needs a repository of its own.
_FROM_FULL_PRECISION = frozenset({"BF16", "FP16", "FP8", "NF4", "INT8"})


def in_file_names(fmt: str) -> str:
    """A format as GGUF files and the tags of their repositories spell it: 16 bits are ``BF16`` there."""
    return fmt.removesuffix("-GGUF")


def no_weights(plan: Plan) -> Launch | None:
    """That a plan's format has to be made first, where no repository of it is known; None where it can be served."""
    if plan.artifact.repo is not None or plan.format in _FROM_FULL_PRECISION:
        return None
    return Launch(steps=(), notes=(f"no repository of {plan.checkpoint.id} in {plan.format} is known: make one first",))


def reasoning_parser(checkpoint: Checkpoint) -> str | None:
    """The parser that tells thoughts from the answer; None for a model that does not think."""
    if checkpoint.thinking not in ("always", "hybrid"):
        return None
    return "deepseek_r1" if "QwQ" in checkpoint.id else "qwen3"


def calls_in_xml(checkpoint: Checkpoint) -> bool:
    """Whether tool calls come as XML (``qwen3_coder``) rather than JSON (``hermes``, ``qwen25``)."""
    name = checkpoint.id.rsplit("/", 1)[-1].lower()
    return name.startswith(_XML_CALLS)


def thinks_when_told(checkpoint: Checkpoint) -> bool:
    """Whether ``enable_thinking`` in the chat template switches thinking."""
    return checkpoint.thinking == "hybrid"


def stretched(checkpoint: Checkpoint, context: int) -> str | None:
    """What to say where a context is longer than the model's own."""
    native = checkpoint.context.native
    if native is None or context <= native:
        return None
    how = checkpoint.context.extension or "rope scaling"
    return f"{context} tokens are more than the {native} of training: set {how} in config.json as the model card says"
