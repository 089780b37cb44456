"""Judgement: which candidates are ruled out, and what is said about the others."""

from __future__ import annotations

from qwen_advisor.rules.candidate import CANDIDATE_RULES
from qwen_advisor.rules.checkpoint import CHECKPOINT_RULES
from qwen_advisor.rules.plan import PLAN_RULES
from qwen_advisor.rules.rule import Question

__all__ = ["CANDIDATE_RULES", "CHECKPOINT_RULES", "PLAN_RULES", "Question"]
