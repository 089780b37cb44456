"""What an optimizer keeps for each trained parameter, and what its step takes for a moment."""

from __future__ import annotations

from qwen_advisor.training.settings import Optimizer
from qwen_advisor.training.trainable import Trainable

# bitsandbytes keeps a byte for each value and a float32 for each block of 256.
_EIGHT_BIT = 1 + 4 / 256
_SINGLE = 4


def state_bytes(optimizer: Optimizer, trained: Trainable, width: int) -> int:
    """Bytes of the states, where a trained parameter has ``width`` bytes.

    AdamW: two moments as wide as the parameter (Loshchilov & Hutter, arXiv 1711.05101; torch.optim.AdamW). Eight bits:
    the same in blocks of bytes, except embeddings, which the Trainer leaves in 32 bit (Dettmers et al., arXiv
    2110.02861; transformers/trainer.py). Adafactor: a row and a column of float32 for each matrix (Shazeer & Stern,
    arXiv 1804.04235). Muon: one momentum for each matrix of a layer, AdamW for the rest, such as embeddings and experts
    that are one parameter of three dimensions (Keller Jordan, https://kellerjordan.github.io/posts/muon/).
    """
    stacked = trained.experts if trained.inputs == 0 else 0
    rest = trained.embeddings + trained.vectors + stacked
    match optimizer:
        case "adamw":
            return 2 * width * trained.total
        case "adamw-8bit":
            return round(2 * _EIGHT_BIT * (trained.matrices + trained.vectors)) + 2 * _SINGLE * trained.embeddings
        case "adafactor":
            return _SINGLE * (trained.factored + trained.vectors)
        case "muon":
            return width * (trained.matrices - stacked) + 2 * width * rest


def step_bytes(optimizer: Optimizer, trained: Trainable) -> int:
    """Bytes that exist only while the optimizer steps.

    Adafactor and Muon work on one matrix at a time: an update in float32, or three products of Newton-Schulz in 16
    bit. AdamW is fused and takes nothing.
    """
    match optimizer:
        case "adafactor":
            return 2 * _SINGLE * trained.largest
        case "muon":
            return 3 * 2 * trained.largest
        case _:
            return 0
