"""Ollama's Modelfile (docs/modelfile.mdx of ollama/ollama): what the model is made of, and its parameters."""

from __future__ import annotations

from qwen_advisor.errors import UsageError
from qwen_advisor.launching import ollama
from qwen_advisor.launching.recipe import LaunchFile, Recipe


def modelfile(recipe: Recipe) -> LaunchFile:
    """The Modelfile. How to make a model of it stands in its first lines.

    Raises:
        UsageError: the path of the weights cannot be written into one.
    """
    source = ollama.base(recipe.plan, recipe.wish)
    name = f"{recipe.plan.checkpoint.id.rsplit('/', 1)[-1].lower()}-{recipe.plan.format.lower()}"
    lines = [
        f"# ollama create {name} -f Modelfile && ollama run {name}",
        f"FROM {quoted(source)}",
        *(f"PARAMETER {key} {value}" for key, value in ollama.parameters(recipe.plan, recipe.sampling)),
    ]
    return LaunchFile(name="Modelfile", text="\n".join(lines) + "\n")


def quoted(text: str) -> str:
    """An argument as Ollama's parser reads it: to the end of the line, or between double quotes, without escapes.

    Raises:
        UsageError: it holds a quote or a control character.
    """
    if '"' in text or not text.isprintable():
        raise UsageError(f"{text!r} cannot be written into a Modelfile", hint="rename the file")
    return f'"{text}"' if " " in text or text.startswith("#") else text
