"""How able a model is at a task, in the way in which it would be run."""

from __future__ import annotations

from qwen_advisor.advise.search import Found
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.quality import find_ability, quantization_loss


def able_at(catalog: Catalog, checkpoint: Checkpoint, task: str, found: Found | None) -> float | None:
    """Ability after quantization in logits of the task's scale; before it where nothing says how the model is run.

    A model that can think or leave it counts as it is ablest; None where the scale does not know it.
    """
    scale = catalog.tasks[task].ability
    known = [find_ability(catalog.abilities, checkpoint.id, scale, setting) for setting in ("on", "off")]
    values = [ability.value for ability in known if ability is not None]
    if not values:
        return None
    return max(values) - (0.0 if found is None else _loss(catalog, found, scale))


def _loss(catalog: Catalog, found: Found, scale: str) -> float:
    candidate = found.candidate
    weights, text = candidate.footprint, candidate.architecture.text
    loss, _ = quantization_loss(
        catalog.quantization_loss,
        fmt=candidate.format,
        bits_per_weight=8 * weights.tensor_bytes / max(1, weights.parameters),
        total_parameters=candidate.checkpoint.parameters_total or weights.parameters,
        moe=text is not None and text.moe is not None,
        scale=scale,
        kv_type=found.scored.plan.settings.kv_type,
    )
    return loss
