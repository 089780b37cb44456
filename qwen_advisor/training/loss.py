"""What the loss takes: logits of the whole vocabulary and their gradient, which dominate small models."""

from __future__ import annotations

from qwen_advisor.model import TextDecoder
from qwen_advisor.training.settings import Training

_HALF, _SINGLE = 2, 4
# Cross entropy in float32 holds, when its backward pass begins, the log-probabilities, the gradient that picks the
# target and the gradient of the logits; the 16 bit logits themselves lie in a block that is too small to be used for
# any of them. Source: torch.nn.functional.cross_entropy is log_softmax and nll_loss; the upcast is `ForCausalLMLoss` of
# transformers/loss/loss_utils.py.
FULL = 3 * _SINGLE + _HALF
# trl/kernels/chunked_logprob.py and trl/trainer/utils.py (TRL 1.16): tiles of so many tokens and vocabulary entries.
_TILE_TOKENS, _TILE_VOCABULARY = 4096, 32768


def loss_bytes(text: TextDecoder, run: Training, *, head_trained: bool, full: int = FULL) -> int:
    """Bytes at the peak of the loss on one GPU.

    ``full`` keeps the logits of every token. ``fused`` (Liger's, Unsloth's) walks over chunks of tokens, each as large
    as the hidden states are. ``chunked`` (TRL's) walks over tiles. Both keep a gradient of the hidden states, and one
    of the head where it is trained.
    """
    if not text.lm_head:
        return 0  # an embedding model compares pooled states
    vocabulary, hidden, tokens = text.vocab_size, text.hidden_size, run.tokens
    match run.loss:
        case "full":
            return (full * vocabulary * tokens) // (run.tensor_parallel if run.sharding == "megatron" else 1)
        case "chunked":
            tile = _HALF * min(tokens, _TILE_TOKENS) * min(vocabulary, _TILE_VOCABULARY)
            return tile + _SINGLE * hidden * tokens + (_SINGLE * vocabulary * hidden if head_trained else 0)
        case "fused":
            rows = _liger_rows(tokens, vocabulary, hidden)
            logits = (_HALF + _SINGLE) * rows * vocabulary
            return logits + _HALF * hidden * tokens + (_HALF * vocabulary * hidden if head_trained else 0)


def _liger_rows(tokens: int, vocabulary: int, hidden: int) -> int:
    """Tokens of one chunk. Source: liger_kernel/ops/fused_linear_cross_entropy.py."""
    chunks = -(-vocabulary // hidden)
    per_chunk = -(-tokens // chunks)
    return min(tokens, 1 << (per_chunk - 1).bit_length())
