"""The largest context that still fits where a plan has been laid."""

from __future__ import annotations

from collections.abc import Callable

from qwen_advisor.plan import Memory, Settings
from qwen_advisor.values import replace

_STEP = 256  # tokens; llama.cpp pads its cache to whole groups of this many cells


def largest_context(
    compute: Callable[[Settings], Memory],
    settings: Settings,
    *,
    host: int,
    devices: tuple[int, ...] = (),
    most: int,
) -> int:
    """Tokens that still fit with the same placement, found by bisection; 0 where not even the shortest does.

    Memory grows with the context, so bisection is exact to the step of 256 tokens.

    Args:
        compute: memory at given settings (`memory` with all else bound).
        settings: the settings whose context is varied.
        host: bytes that main memory has for the model.
        devices: bytes that each accelerator has for it, in the machine's order.
        most: longest context worth asking for, such as the model's own.
    """

    def fits(context: int) -> bool:
        found = compute(replace(settings, context=context))
        if found.host + found.untouched > host:
            return False
        return all(found.on_device(index) <= budget for index, budget in enumerate(devices))

    if most >= 1 and fits(most):
        return most
    low, high = 0, -(-most // _STEP)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle * _STEP):
            low = middle
        else:
            high = middle
    return low * _STEP
