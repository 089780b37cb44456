"""What became of a fleet as a whole."""

from __future__ import annotations

from collections import Counter

from qwen_advisor.fleet.answering import Answered
from qwen_advisor.fleet.picks import Fault, Nothing


class Summary:
    """Counts that grow answer by answer."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.machines = 0
        self.nothing = 0
        self.faults = 0
        self.different = 0  # descriptions, of rows that describe a machine
        self.picks: Counter[tuple[str, str, str]] = Counter()  # model, quantization, engine

    @property
    def answered(self) -> int:
        """Machines with a pick."""
        return self.picks.total()

    def add(self, answered: Answered) -> None:
        """Count one row."""
        self.machines += 1
        answer = answered.answer
        if isinstance(answer, Fault):
            self.faults += 1
            return
        self.different += answered.first
        if isinstance(answer, Nothing):
            self.nothing += 1
        else:
            self.picks[answer.model, answer.quantization, answer.engine] += 1
