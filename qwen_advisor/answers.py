"""The Python interface, second part: answers about models that are asked for by name."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor.api import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.names import resolve_model
from qwen_advisor.requirements import resolve
from qwen_advisor.rules.natural import natural_task
from qwen_advisor.sizing import HardwarePlan, plan_hardware


def plan(
    model: str,
    *,
    catalog: Catalog | None = None,
    task: str | None = None,
    context: int | None = None,
    concurrency: int = 1,
    min_speed: float | None = None,
    engines: Sequence[str] = (),
    quantizations: Sequence[str] = (),
    prompt_tokens: int | None = None,
    output_tokens: int | None = None,
) -> HardwarePlan:
    """What hardware a model needs: the least, the sensible and the comfortable, and what it takes in each format.

    Args:
        model: repository, short form or Ollama tag.
        catalog: the facts; the shipped ones if not given.
        task: what a request looks like; the model's own first task if not given.
        context: tokens that one request may reach; the task's default if not given.
        concurrency: requests served at once.
        min_speed: least decode rate per request, tokens per second; what the task wants if not given.
        engines: the engines to consider; any if empty.
        quantizations: the formats to consider; the usual ones if empty.
        prompt_tokens: length of one prompt.
        output_tokens: length of one answer.

    Raises:
        UsageError: a name that is not known, or an impossible number.
    """
    facts = catalog or load_catalog()
    checkpoint = resolve_model(facts, model)
    wanted = task if task is not None else natural_task(facts, [checkpoint])
    requirements = resolve(
        facts,
        task=wanted,
        context=context,
        concurrency=concurrency,
        min_speed=min_speed,
        engines=engines,
        quantizations=quantizations,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )
    return plan_hardware(facts, checkpoint, requirements, any_kind=task is None)
