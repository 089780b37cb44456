"""Weights counted from the architecture: every tensor by its real shape, in groups.

Nothing here knows how weights are stored; `qwen_advisor.weights` turns the inventory into bytes.
"""

from qwen_advisor.parameters.counting import ParameterCount, count, inventory
from qwen_advisor.parameters.tensors import Group, Part, Tensor

__all__ = ["Group", "ParameterCount", "Part", "Tensor", "count", "inventory"]
