"""Where in the stack each layer lies, as far as any rule of ``llama-quantize`` asks."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from qwen_advisor.model import TextDecoder
from qwen_advisor.values import dataclass
from qwen_advisor.weights.gguf_tensors import decoder


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer lies, as far as any rule asks: ``layer`` of ``layers`` (MTP blocks counted)."""

    value_first_2: bool  # the value projection, by its own count
    value_first_4: bool
    value_more_bits: bool
    own_more_bits: bool  # counted among the layers of the same kind of attention
    first_sixteenth: bool
    first_eighth: bool
    middle: bool  # neither the first nor the last eighth
    outer: bool  # first or last eighth, without the layer at seven eighths
    more_bits: bool
    early_downs: int  # how many of its ffn_down matrices still fall into the first eighth by count

    @classmethod
    def nowhere(cls) -> Place:
        """The place of what lies outside the layers."""
        return cls(*(False,) * 9, early_downs=0)


def more_bits(number: int, of: int) -> bool:
    """``use_more_bits``: the first and the last eighth, and every third in between."""
    return number < of // 8 or number >= 7 * of // 8 or (number - of // 8) % 3 == 2


def place(layer: int, layers: int, value: tuple[int, int], own: tuple[int, int], downs_before: int) -> Place:
    """The place of ``layer`` of ``layers``, counted from 0.

    ``value`` and ``own`` are its numbers and totals among the value projections and among the layers with the same
    kind of attention; ``downs_before`` ffn_down matrices were visited before it.
    """
    eighth = layers // 8
    return Place(
        value_first_2=value[0] < 2,
        value_first_4=value[0] < 4,
        value_more_bits=more_bits(*value),
        own_more_bits=more_bits(*own),
        first_sixteenth=layer < layers // 16,
        first_eighth=layer < eighth,
        middle=eighth <= layer < 7 * layers // 8,
        outer=layer < eighth or layer > 7 * layers // 8,
        more_bits=more_bits(layer, layers),
        early_downs=max(0, eighth - downs_before),
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """Kind and place of every layer, how often each pair of them occurs, and the place after the last layer."""

    layers: tuple[tuple[int, Place], ...]
    counts: tuple[tuple[tuple[int, Place], int], ...]
    end: Place


@lru_cache(maxsize=1024)
def layout(text: TextDecoder, model_type: str, *, one_input: bool, mtp: bool, old_qkv_rule: bool) -> Layout:
    """Places of all layers by the counters of llama-quantize; an MTP block counts as one layer more."""
    tensors = decoder(text, model_type, one_input=one_input)
    kinds, of_layer = tensors.kinds, tensors.kind_of_layer
    layers = len(of_layer) + mtp
    downs = [kind.count("ffn_down") for kind in kinds]
    fused = [kind.count("attn_qkv") for kind in kinds]
    plain = [kind.count("attn_v") for kind in kinds]
    # Both kinds of value projection are counted; under the old rule fused ones did not move the counter.
    values = sum(fused[kind] + plain[kind] for kind in of_layer) + mtp
    moves = plain if old_qkv_rule else [f + p for f, p in zip(fused, plain, strict=True)]
    linear = [kind.count("attn_output") == 0 for kind in kinds]
    same = Counter(linear[kind] for kind in of_layer)
    same[False] += mtp
    downs_before = values_before = 0
    seen: Counter[bool] = Counter()
    found = []
    for layer, kind in enumerate(of_layer):
        own = (seen[linear[kind]], same[linear[kind]])
        found.append((kind, place(layer, layers, (values_before, values), own, downs_before)))
        downs_before += downs[kind]
        values_before += moves[kind]
        seen[linear[kind]] += 1
    end = place(layers - 1, layers, (values_before, values), (seen[False], same[False]), downs_before)
    return Layout(layers=tuple(found), counts=tuple(Counter(found).items()), end=end)
