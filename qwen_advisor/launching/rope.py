"""YaRN: what an engine is told where a context is longer than the model's own, and only there."""

from __future__ import annotations

from math import ceil
from typing import Any

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint


def refuse_beyond_reach(checkpoint: Checkpoint, context: int) -> None:
    """Nothing, where the model reaches this context.

    Raises:
        UsageError: it does not, with or without rope scaling.
    """
    reach = max(checkpoint.context.native or 0, checkpoint.context.extended or 0)
    if reach and context > reach:
        raise UsageError(f"{checkpoint.id} reaches {reach} tokens, not {context}", hint=f"ask for --context {reach}")


def override(catalog: Catalog, checkpoint: Checkpoint, context: int) -> dict[str, Any] | None:
    """What replaces ``rope_parameters`` in config.json; None where the context is native or no source says how.

    The factor is the least whole one that reaches the context, as the cards advise: a larger one costs more on short
    texts, because static YaRN applies it to all of them.
    """
    native = checkpoint.context.native
    scaling = catalog.rope_of(checkpoint.id)
    if native is None or context <= native or scaling is None:
        return None
    factor = min(scaling.largest_factor, float(ceil(context / native)))
    parameters = {**scaling.parameters, "factor": factor, "original_max_position_embeddings": native}
    changed: dict[str, Any] = {"rope_parameters": parameters}
    return {scaling.within: changed} if scaling.within else changed
