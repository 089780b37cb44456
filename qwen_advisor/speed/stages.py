"""A placement as stages: which processor does which share of a token's work."""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.plan import Placement
from qwen_advisor.speed.hardware import Processor
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One processor's share of the layers. ``width`` processors of the kind work on each of its matrices at once."""

    processor: Processor
    attention: float  # share of the layers whose attention and dense weights are here
    experts: float  # share of the layers whose routed experts are here
    head: float  # 1 where the output head is here
    width: int = 1


def stages(placement: Placement, devices: tuple[Processor, ...], central: Processor) -> tuple[Stage, ...]:
    """The stages that one token passes, devices first.

    Raises:
        UsageError: the placement names layers on accelerators that the machine does not have.
    """
    if placement.mode == "cpu":
        return (Stage(processor=central, attention=1.0, experts=1.0, head=1.0),)
    if not devices:
        raise UsageError("the placement puts layers on an accelerator, but the machine has none")
    layers = placement.layers
    if placement.tensor_parallel > 1:
        slowest = min(devices, key=lambda processor: processor.bandwidth)
        return (Stage(processor=slowest, attention=1.0, experts=1.0, head=1.0, width=placement.tensor_parallel),)
    on = placement.device_layers or (placement.gpu_layers or layers,)
    placed = sum(on)
    moved = placement.cpu_expert_layers / layers
    found: list[Stage] = []
    for count, processor in zip(on, devices, strict=False):
        if count:
            found.append(
                Stage(
                    processor=processor,
                    attention=count / layers,
                    experts=max(0.0, count / layers - moved * count / placed),
                    head=count / placed if placed >= layers else 0.0,
                )
            )
    if placed < layers or moved:
        rest = 1.0 - placed / layers
        head = 1.0 if placed < layers else 0.0
        found.append(Stage(processor=central, attention=rest, experts=min(1.0, rest + moved), head=head))
    return tuple(found)
