"""The JSON answers about models that are asked for by name."""

from __future__ import annotations

from typing import Any

from qwen_advisor.render.compare_shapes import CompareDocument
from qwen_advisor.render.finetune_shapes import FINETUNE_DOCUMENTS
from qwen_advisor.render.plan_shapes import PlanDocument
from qwen_advisor.render.prompt_shapes import PROMPT_DOCUMENTS
from qwen_advisor.render.why_not_shapes import WhyNotDocument

NAMED_DOCUMENTS: dict[str, Any] = {
    "plan-1": PlanDocument,
    "compare-1": CompareDocument,
    "why-not-1": WhyNotDocument,
    **FINETUNE_DOCUMENTS,
    **PROMPT_DOCUMENTS,
}
