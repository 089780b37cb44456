"""What no machine can beat: a quick look at memory and bandwidth before anything is laid on it."""

from __future__ import annotations

from qwen_advisor.candidates import candidates
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.rules import Question
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The fewest bytes that a model's weights take, and the fewest of them that one token reads."""

    weights: int
    read: float
    spilt_share: float  # of what does not lie on accelerators, the share that one token reads

    @classmethod
    def of(cls, question: Question, checkpoint: Checkpoint) -> Bound:
        """Over all engines and all formats that the question allows.

        A token reads the active parameters; the others are taken to have the same bits. What is put into main memory
        first are experts, of which a token reads the ones it is routed to.
        """
        engines = tuple(question.catalog.engines.values())
        wanted = question.requirements.quantizations
        sizes = [c.footprint.tensor_bytes for c in candidates(question.catalog, checkpoint, engines, wanted)]
        least = min(sizes, default=0)
        total = checkpoint.parameters_total or 0
        share = (checkpoint.parameters_active or total) / total if total else 0.0
        text = question.catalog.architectures[checkpoint.architecture].text
        experts = text.moe if text else None
        spilt = experts.num_experts_per_tok / experts.num_experts if experts else _LEAST_READ
        return cls(weights=least, read=least * min(1.0, share) * _LEAST_READ, spilt_share=min(spilt, _LEAST_READ))

    @staticmethod
    def room(machine: Machine) -> int:
        """Bytes that all pools of all nodes have for a model."""
        own = sum(a.budget for a in machine.accelerators if not a.shared)
        return (own + machine.memory.budget) * machine.nodes

    def lies_on_cards(self, machine: Machine) -> bool:
        """Whether accelerators with memory of their own have room enough for the weights and as much again."""
        own = sum(a.budget for a in machine.accelerators if not a.shared) * machine.nodes
        return own > 2 * self.weights

    def rate(self, machine: Machine) -> float:
        """Tokens per second that one request cannot exceed, 0 where the weights have no room.

        Every token reads its weights once, at most at full bandwidth: what lies on accelerators, which read at the same
        time, and then what does not.
        """
        if self.room(machine) < self.weights:
            return 0.0
        cards = [a for a in machine.accelerators if not a.shared]
        own = sum(a.budget for a in cards) * machine.nodes
        fast = sum(a.memory_bandwidth or 0.0 for a in cards) * machine.nodes
        slow = max(machine.cpu.memory_bandwidth or 0.0, *(a.memory_bandwidth or 0.0 for a in machine.accelerators), 1.0)
        if not fast:
            return slow / self.read if self.read else float("inf")
        host = machine.cpu.memory_bandwidth or slow
        spilt = min(self.read, self.spilt_share * max(0, self.weights - own))
        seconds = spilt / host + (self.read - spilt) / fast
        return 1 / seconds if seconds else float("inf")


_LEAST_READ = 0.8  # embeddings are looked up and not read: at most a fifth of the smallest models
