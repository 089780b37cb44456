"""What a forward pass keeps for the backward pass, in bytes a token: a sum over what each operation saves.

Counted from the modelling code of Transformers (``modeling_qwen2.py``, ``modeling_qwen3.py``,
``modeling_qwen3_moe.py``, ``modeling_qwen3_5.py``) with 16 bit activations and an attention that keeps no scores
(FlashAttention, SDPA). An operation saves what its gradient needs: a product both factors, a linear layer its input if
its weight or an adapter on it is trained, SiLU its input, RMSNorm its input in float32.
"""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.model import Architecture, LinearAttention, TextDecoder
from qwen_advisor.training.settings import Training
from qwen_advisor.training.trainable import Trainable
from qwen_advisor.values import dataclass

_HALF, _SINGLE = 2, 4
_CHUNK = 64  # tokens of a chunk of the gated delta rule, flash-linear-attention's
_ON_THE_WAY_BACK = 4  # widths of gradients that live at once in the backward pass of a layer's widest part


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """Bytes for each token of a forward pass.

    Attributes:
        kept: by all layers until the backward pass comes to them.
        working: by the one layer that is computed again, with its gradients.
    """

    kept: float
    working: float


def activations(architecture: Architecture, run: Training, trained: Trainable) -> Activations:
    """What one token of a batch costs, with gradient checkpointing or without.

    With checkpointing only the input of each layer is kept and one layer at a time is computed again. Source: Chen et
    al. 2016, arXiv 1604.06174; Korthikanti et al. 2022, arXiv 2205.05198, section 4 for the count by operation.
    """
    text = architecture.text
    if text is None:
        raise UsageError(f"{architecture.id} is no language model", hint="choose another model")
    layers = [_layer(text, index, run) for index in range(text.num_hidden_layers)]
    adapters = trained.inputs * (_HALF + run.dropout_mask) / text.num_hidden_layers if run.adapters else 0.0
    widest = max(layers) + adapters
    gradients = _ON_THE_WAY_BACK * _HALF * _width(text)
    inputs = _HALF * text.hidden_size * text.num_hidden_layers
    split = run.tensor_parallel if run.sharding == "megatron" else 1
    stages = run.gpus if run.sharding == "layers" else run.pipeline_parallel
    if run.checkpointing:
        return Activations(kept=inputs / split / stages, working=(widest + gradients) / split)
    # Under autocast, which adapters are trained with, the residual stream is kept beside its float32 copy.
    whole = sum(layers) + (adapters * text.num_hidden_layers + inputs if run.adapters else 0.0)
    return Activations(kept=whole / split / stages, working=gradients / split)


def _layer(text: TextDecoder, index: int, run: Training) -> float:
    kind = text.layer_types[index]
    match kind:
        case "linear_attention" if text.linear_attention is not None:
            mixer = _delta(text.linear_attention, text.hidden_size, run)
        case "full_attention" | "sparse_attention":
            mixer = _attention(text, run)
        case _:
            raise UsageError(f"nothing is known of the activations of {kind} layers")
    norms = 2 * text.hidden_size * (_SINGLE + (0 if run.adapters else 2 * _HALF))
    streams = text.hyper_connections.hc_count * 2 * text.hidden_size * _HALF if text.hyper_connections else 0
    return norms + mixer + _feed_forward(text, index, run) + streams


def _attention(text: TextDecoder, run: Training) -> float:
    """Q, K and V after rotation, the output, and the log of the softmax's sum for each head."""
    queries = text.num_attention_heads * text.head_dim
    keys = text.num_key_value_heads * text.head_dim
    size = _HALF * (2 * queries + 2 * keys) + _SINGLE * text.num_attention_heads
    if text.qk_norm:
        size += (queries + keys) * (_SINGLE + (0 if run.adapters else _HALF))
    if text.linear_attention and text.linear_attention.attn_output_gate:
        size += _HALF * 2 * queries  # the gate's sigmoid and the attention that it scales
    return size


def _delta(linear: LinearAttention, hidden: int, run: Training) -> float:
    """Gated DeltaNet by flash-linear-attention: convolution in and out, normed Q and K, V, gates, output, its norm."""
    keys = linear.linear_num_key_heads * linear.linear_key_head_dim
    values = linear.linear_num_value_heads * linear.linear_value_head_dim
    repeated = linear.linear_num_value_heads * linear.linear_key_head_dim
    convolution = 2 * _HALF * (2 * keys + values)
    kernel = _HALF * (2 * repeated + 2 * values) + 2 * _SINGLE * linear.linear_num_value_heads
    triangle = _HALF * _CHUNK * linear.linear_num_value_heads
    states = _HALF * repeated * linear.linear_value_head_dim / _CHUNK  # computed again, one layer at a time
    normed = values * (_SINGLE + 2 * _HALF)
    inputs = 0 if run.adapters else _HALF * hidden
    return convolution + kernel + triangle + states + normed + inputs


def _feed_forward(text: TextDecoder, index: int, run: Training) -> float:
    """Gate, its SiLU and up; their product where the down projection is trained.

    Experts give an output for each choice, which is weighted, and keep a copy of the token where they are trained.
    """
    per_width = _HALF * (3 if run.adapters else 4)
    moe = text.moe
    if moe is None or not text.is_moe_layer(index):
        return per_width * text.intermediate_size
    copies = (1 if run.adapters else 2) * _HALF * text.hidden_size
    routed = moe.num_experts_per_tok * (per_width * moe.moe_intermediate_size + copies)
    return routed + per_width * moe.shared_expert_intermediate_size + _SINGLE * moe.num_experts


def _width(text: TextDecoder) -> int:
    moe = text.moe
    routed = moe.num_experts_per_tok * moe.moe_intermediate_size + moe.shared_expert_intermediate_size if moe else 0
    return max(text.intermediate_size if moe is None or moe.mlp_only_layers else 0, routed, text.hidden_size)
