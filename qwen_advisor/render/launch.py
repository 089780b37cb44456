"""The answer of ``launch``: its files as text, and all of it as a document."""

from __future__ import annotations

import json
from collections.abc import Sequence

from qwen_advisor.advice import Estimate
from qwen_advisor.engines import Step
from qwen_advisor.errors import UsageError
from qwen_advisor.launching import LaunchFile, LaunchFormat, Recipe, files, formats_of
from qwen_advisor.render.documents import estimate_document
from qwen_advisor.render.launch_shapes import LaunchDocument, LaunchFileShape
from qwen_advisor.render.shapes import StepShape


def file_text(file: LaunchFile) -> str:
    """The file as it is written."""
    if not file.documents:
        return file.text
    import yaml  # noqa: PLC0415  only these formats pay for it

    # By way of JSON, so that shared references become plain mappings without anchors.
    plain = [json.loads(json.dumps(document, allow_nan=False)) for document in file.documents]
    head = "".join(f"# {line}\n" for line in file.comments)
    return head + str(yaml.safe_dump_all(plain, sort_keys=False, allow_unicode=True, width=10_000))


def files_text(written: Sequence[LaunchFile]) -> str:
    """Several files one after the other, each under its name."""
    if len(written) == 1:
        return file_text(written[0])
    return "\n".join(f"# ---- {file.name} ----\n{file_text(file)}" for file in written)


def document(estimate: Estimate, recipe: Recipe, others: dict[LaunchFormat, Recipe]) -> LaunchDocument:
    """All of it for a program.

    Args:
        estimate: the plan with its memory and speed.
        recipe: how it is run on the host.
        others: the recipe of each format that needs one of its own.
    """
    whole = estimate_document(estimate)
    settings = recipe.plan.settings
    return {
        "schema": "qwen-advisor/launch/1",
        "model": recipe.plan.checkpoint.id,
        "quantization": recipe.plan.format,
        "engine": recipe.spec.id,
        "engine_version": recipe.version,
        "thinking": recipe.plan.thinking,
        "context_tokens": settings.context,
        "parallel": settings.parallel,
        "kv_cache_type": settings.kv_type,
        "nodes": recipe.wish.nodes,
        "fits": estimate.fits,
        "artifact": whole["artifact"],
        "settings": whole["settings"],
        "placement": whole["placement"],
        "memory": whole["memory"],
        "speed": whole["speed"],
        "hardware": whole["hardware"],
        "prepare": [_step(step) for step in recipe.prepare],
        "servers": [_step(step) for step in recipe.servers],
        "chat": [_step(step) for step in recipe.chat],
        "server": {
            "url": recipe.url,
            "model": recipe.model,
            "health": recipe.health,
            "metrics": recipe.metrics or None,
        }
        if recipe.servers
        else None,
        "sampling": dict(recipe.sampling),
        "chat_template": dict(recipe.template),
        "secrets": list(recipe.secrets),
        "formats": list(formats_of(recipe.spec.id, recipe.wish.nodes)),
        "files": _files(recipe, others),
        "notes": list(dict.fromkeys((*recipe.notes, *estimate.notes, *estimate.speed.notes))),
        "warnings": list(recipe.warnings),
    }


def _files(recipe: Recipe, others: dict[LaunchFormat, Recipe]) -> list[LaunchFileShape]:
    found: list[LaunchFileShape] = []
    for form in formats_of(recipe.spec.id, recipe.wish.nodes):
        if form == "json":
            continue
        try:
            written = files(others.get(form, recipe), form)
        except UsageError:
            continue  # such as no image for this hardware
        found += [{"format": form, "name": file.name, "text": file_text(file)} for file in written]
    return found


def _step(step: Step) -> StepShape:
    return {
        "argv": [str(word) for word in step.argv],
        "environment": dict(step.environment),
        "shell": step.shell,
        "where": step.where,
    }
