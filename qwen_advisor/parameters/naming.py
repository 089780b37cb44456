"""How the repositories of each ``model_type`` name and lay out their tensors."""

from __future__ import annotations

from qwen_advisor.errors import CatalogError
from qwen_advisor.parameters.feed_forward import ExpertLayout
from qwen_advisor.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Prefixes and names of one ``model_type``."""

    decoder: str = "model."
    layers: str = "layers.{layer}."
    embedding: str = "model.embed_tokens.weight"
    head: str = "lm_head.weight"
    layer_norms: tuple[str, str] = ("input_layernorm", "post_attention_layernorm")
    final_norm: str = "norm"
    experts: ExpertLayout = "separate"
    vision: str = "visual."
    audio: str = "audio_tower."


_PLAIN = Naming()
_NESTED = Naming(
    decoder="model.language_model.", embedding="model.language_model.embed_tokens.weight", vision="model.visual."
)
_THINKER = Naming(
    decoder="thinker.model.",
    embedding="thinker.model.embed_tokens.weight",
    head="thinker.lm_head.weight",
    vision="thinker.visual.",
    audio="thinker.audio_tower.",
)

_NAMING = {
    "qwen": Naming(
        decoder="transformer.",
        layers="h.{layer}.",
        embedding="transformer.wte.weight",
        layer_norms=("ln_1", "ln_2"),
        final_norm="ln_f",
        vision="transformer.visual.",
        audio="transformer.audio.",
    ),
    "qwen2": _PLAIN,
    "qwen2_moe": _PLAIN,
    "qwen2_vl": _PLAIN,
    "qwen2_5_vl": _PLAIN,
    "qwen3": _PLAIN,
    "qwen3_moe": _PLAIN,
    "qwen3_next": _PLAIN,
    "qwen3_guard_stream": _PLAIN,
    "qwen3_5_moe_text": replace(_PLAIN, experts="fused"),
    "qwen3_vl": _NESTED,
    "qwen3_vl_moe": replace(_NESTED, experts="fused transposed"),
    "qwen3_5": _NESTED,
    "qwen3_5_moe": replace(_NESTED, experts="fused"),
    "qwen4_exp": replace(_NESTED, experts="fused"),
    "qwen2_audio": Naming(
        decoder="language_model.model.",
        embedding="language_model.model.embed_tokens.weight",
        head="language_model.lm_head.weight",
    ),
    "qwen2_5_omni": _THINKER,
    "qwen3_omni_moe": _THINKER,
    "qwen3_asr": _THINKER,
    "qwen3_forced_aligner": _THINKER,
    "qwen3_tts": Naming(
        decoder="talker.model.", embedding="talker.model.codec_embedding.weight", head="talker.codec_head.weight"
    ),
}


def naming_of(model_type: str) -> Naming:
    """Names of the tensors of a ``model_type``.

    Raises:
        CatalogError: no naming is known, so its tensors cannot be counted.
    """
    if model_type not in _NAMING:
        raise CatalogError(
            f"the tensors of model_type {model_type!r} are not known",
            hint=f"known are {', '.join(sorted(_NAMING))}",
        )
    return _NAMING[model_type]
