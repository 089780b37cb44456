"""Options that say what is asked of a model, for verbs beside ``recommend`` that ask the same."""

from __future__ import annotations

from typing import Annotated

import typer

from qwen_advisor.cli import completion

TaskOption = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="NAME",
        autocompletion=completion.tasks,
        help="What the model is for, such as chat, code, agent or embedding; recommend --help lists all.",
    ),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", metavar="TOKENS", help="Context that must fit, such as 8192 or 32k.")
]
PromptTokensOption = Annotated[
    str | None, typer.Option("--prompt-tokens", metavar="N", help="Length of one prompt; the task has a default.")
]
OutputTokensOption = Annotated[
    str | None, typer.Option("--output-tokens", metavar="N", help="Length of one answer; the task has a default.")
]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, help="Requests served at the same time.")
]
MinSpeedOption = Annotated[
    float | None,
    typer.Option("--min-speed", metavar="TOK_S", help="Least decode speed per request, tokens per second."),
]
EnginesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine", metavar="NAME", autocompletion=completion.engines, help="Allow this engine only; repeatable."
    ),
]
QuantizationsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--quant",
        metavar="NAME",
        autocompletion=completion.quantizations,
        help="Allow this quantization only; repeatable.",
    ),
]
LicenseOption = Annotated[
    str, typer.Option("--license", metavar="permissive|any|SPDX", help="Licenses that are acceptable.")
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="A language the model must speak, such as de or ja.")
]
ToolsOption = Annotated[bool, typer.Option("--tools", help="The model must call tools.")]
MaxDownloadOption = Annotated[
    str | None, typer.Option("--max-download", metavar="SIZE", help="Most to download, such as 8G.")
]
FamilyOption = Annotated[
    str | None,
    typer.Option("--family", metavar="NAME", autocompletion=completion.families, help="Only models of this family."),
]
ReleasedAfterOption = Annotated[
    str | None,
    typer.Option("--released-after", metavar="DATE", help="Only models released after this day, such as 2025-07-31."),
]
