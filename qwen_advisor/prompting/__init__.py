"""Well-made requests: the messages, the switches and the sampling values of a task on a model."""

from __future__ import annotations

from qwen_advisor.prompting.commands import curl, python
from qwen_advisor.prompting.request import prompt
from qwen_advisor.prompting.wish import Effort, Prompt, Wish

__all__ = ["Effort", "Prompt", "Wish", "curl", "prompt", "python"]
