"""Ability and what quantization takes from it. Everything is in logits: the unit of the ability scales.

The loss follows from two fitted curves (``catalog/quantization_loss.yaml``; docs/reference/ranking.md says how). The
first gives the divergence of the quantized model from the original, in nats per token: its logarithm falls by a fixed
step with each bit per weight and with each decade of parameters, and differs between families of formats and between
dense models and mixtures of experts. The second turns a divergence into lost logits on a scale, by a power law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qwen_advisor.evidence import Ability
from qwen_advisor.quantization import Format
from qwen_advisor.values import replace

LANGUAGE = "language-"
_LEGACY = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL")
_UNQUANTIZED_CACHE = ("f32", "f16", "bf16")


def find_ability(
    abilities: Mapping[str, Mapping[str, tuple[Ability, ...]]], checkpoint: str, scale: str, thinking: str
) -> Ability | None:
    """The ability of a checkpoint on a scale with thinking ``on`` or ``off``, or None where it has no place there.

    A language in which the checkpoint was never asked is answered by its multilingual ability, as not published.
    """
    settings = abilities[scale].get(checkpoint, ()) if scale in abilities else ()
    for ability in settings:
        if ability.thinking == thinking:
            return ability
    if scale.startswith(LANGUAGE):
        general = find_ability(abilities, checkpoint, "multilingual", thinking)
        return None if general is None else replace(general, scale=scale, published=False, evidence=())
    return None


def ability_in_language(
    abilities: Mapping[str, Mapping[str, tuple[Ability, ...]]],
    checkpoint: str,
    scale: str,
    thinking: str,
    language: str,
) -> Ability | None:
    """The ability at a task in a language: the mean of the task's ability and the language's.

    English is what the scales of the tasks are measured in, so it changes nothing. The errors are added as if the two
    were wrong together.

    Args:
        abilities: the catalogue's abilities.
        checkpoint: its id.
        scale: the task's scale.
        thinking: ``on`` or ``off``.
        language: ISO 639 code.
    """
    task = find_ability(abilities, checkpoint, scale, thinking)
    if task is None or language == "en":
        return task
    spoken = find_ability(abilities, checkpoint, LANGUAGE + language, thinking)
    if spoken is None:
        return task
    return replace(
        task,
        value=(task.value + spoken.value) / 2,
        standard_error=(task.standard_error + spoken.standard_error) / 2,
        published=task.published and spoken.published,
        evidence=(*task.evidence[:2], *spoken.evidence[:2]),
    )


def expected_score(value: float) -> float:
    """The share, 0 to 100, that an ability solves of the scale's average benchmark; the logistic function of it."""
    if value >= 0:
        return 100 / (1 + math.exp(-value))
    odds = math.exp(value)
    return 100 * odds / (1 + odds)


def quantization_loss(
    parameters: Mapping[str, Any],
    *,
    fmt: Format,
    bits_per_weight: float,
    total_parameters: int,
    moe: bool,
    scale: str,
    kv_type: str = "f16",
) -> tuple[float, float]:
    """What quantized weights and a quantized KV cache take from the ability on a scale.

    Args:
        parameters: the catalogue's ``quantization_loss``.
        fmt: the format of the weights.
        bits_per_weight: bytes of all weights times 8, over their number; read for GGUF mixes, whose bits differ
            between tensors. The other formats keep some tensors whole: there the format's own bits count.
        total_parameters: of the whole model.
        moe: whether it is a mixture of experts.
        scale: the ability scale.
        kv_type: the type of the KV cache.

    Returns:
        The loss and its standard error in units of the scale, both at least 0.

    Raises:
        ValueError: nothing is known of the format's kind or of the type of the KV cache.
    """
    size = math.log10(max(total_parameters, 1) / parameters["divergence"]["reference_parameters"])
    size_and_kind = -parameters["divergence"]["per_decade"] * size + parameters["divergence"]["moe"] * moe
    weights, weights_error = _weights_loss(parameters, fmt, bits_per_weight, size_and_kind, scale)
    cache, cache_error = _cache_loss(parameters, kv_type, size_and_kind, scale)
    return weights + cache, math.hypot(weights_error, cache_error)


def _weights_loss(
    parameters: Mapping[str, Any], fmt: Format, bits_per_weight: float, size_and_kind: float, scale: str
) -> tuple[float, float]:
    name = family(fmt)
    if name is None:
        return 0.0, 0.0
    divergence, own = parameters["divergence"], parameters["families"][name]
    bits = bits_per_weight if fmt.kind == "gguf-mix" else fmt.bits + own.get("overhead", 0.0)
    logarithm = divergence["log_at_reference"] - divergence["per_bit"] * (bits - divergence["reference_bits"])
    logarithm += size_and_kind + own["log_offset"]
    return _converted(parameters, logarithm, own["error"], scale)


def _cache_loss(parameters: Mapping[str, Any], kv_type: str, size_and_kind: float, scale: str) -> tuple[float, float]:
    if kv_type in _UNQUANTIZED_CACHE:
        return 0.0, 0.0
    cache = parameters["kv_cache"]
    if kv_type not in cache["bits"]:
        raise ValueError(f"nothing is known of what a KV cache of type {kv_type!r} loses")
    logarithm = cache["log_at_reference"] - cache["per_bit"] * (cache["bits"][kv_type] - cache["reference_bits"])
    return _converted(parameters, logarithm + size_and_kind, cache["error"], scale)


def _converted(parameters: Mapping[str, Any], logarithm: float, error: float, scale: str) -> tuple[float, float]:
    """Lost logits of a divergence, given by its logarithm, and their standard error."""
    conversion = parameters["conversion"]
    by_scale = conversion["scales"]
    own = by_scale.get(scale) or by_scale["multilingual" if scale.startswith(LANGUAGE) else "other"]
    capped = min(logarithm, math.log(conversion["largest_divergence"]))
    loss = math.exp(own["log_factor"] + conversion["exponent"] * capped)
    relative = math.hypot(own["error"], conversion["exponent"] * error)
    return loss, math.hypot(loss * relative, conversion["least_error"])


def family(fmt: Format) -> str | None:
    """The family of formats whose loss was measured together, or None where nothing is lost.

    Raises:
        ValueError: the format's kind is unknown.
    """
    if fmt.kind == "float":
        return None
    if fmt.kind == "gguf-mix":
        return _gguf_family(fmt)
    lower = fmt.name.lower()
    named = next((name for name in ("mxfp4", "nvfp4", "mxfp8") if name in lower), None)
    if named is not None:
        return "fp8" if named == "mxfp8" else named
    if fmt.kind == "weight-only":
        if lower.startswith("awq"):
            return "awq"
        return "gptq-int8" if fmt.bits >= 8 else "gptq"
    if fmt.kind == "bitsandbytes":
        return "nf4" if lower == "nf4" else "int8"
    if fmt.kind in ("fp8", "int8", "mlx"):
        return fmt.kind
    raise ValueError(f"nothing is known of what the format {fmt.name!r} of kind {fmt.kind!r} loses")


def _gguf_family(fmt: Format) -> str:
    if fmt.publisher_mix:
        return "gguf-ud"
    if fmt.name.startswith("MXFP4"):
        return "mxfp4"
    if fmt.name in _LEGACY:
        return "gguf-legacy"
    return "gguf-iq" if fmt.name.startswith("IQ") else "gguf-k"
