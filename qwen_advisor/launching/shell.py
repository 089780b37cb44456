"""Commands, as they are pasted into a POSIX shell."""

from __future__ import annotations

from qwen_advisor.engines import Step
from qwen_advisor.launching.recipe import LaunchFile, Recipe


def commands(recipe: Recipe) -> LaunchFile:
    """Every step in its order; what is only said stands in comments."""
    plan = recipe.plan
    lines = [f"# {plan.checkpoint.id}, {plan.format}, on {recipe.spec.title} {recipe.version}"]
    lines += [
        f"# {secret} is read from the environment, such as: read -rs {secret} && export {secret}"
        for secret in recipe.secrets
    ]
    for step in _ordered(recipe):
        if step.where:
            lines.append(f"# {step.where}")
        lines.append(step.shell)
    for step in recipe.chat:
        lines.append(f"# {step.where or 'or, to talk to it in this terminal'}:")
        lines.append(f"# {step.shell}")
    return LaunchFile(name=f"{recipe.name}.sh", text="\n".join(lines) + "\n", executable=True)


def _ordered(recipe: Recipe) -> tuple[Step, ...]:
    """Ollama fetches through its server, so that comes first; LM Studio loads before it serves, as all others do."""
    if recipe.spec.id == "ollama":
        return (*recipe.servers, *recipe.prepare)
    return (*recipe.prepare, *recipe.servers)
