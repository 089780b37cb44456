"""The verbs. Only the module of the verb that was called is imported; of the others their line is known here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from qwen_advisor.cli import talk
from qwen_advisor.cli.completing import COMPLETE, postpone, verb_on_the_line
from qwen_advisor.cli.output import emit_version
from qwen_advisor.cli.settled import defaults, settle

# verb -> where it is, and its line in the list of verbs; a verb with verbs of its own is a Typer app
VERBS = {
    "recommend": ("qwen_advisor.cli.recommend:recommend", "Which model, and how to run it."),
    "inspect-hardware": ("qwen_advisor.cli.inspect_hardware:inspect_hardware", "What this machine is."),
    "report": ("qwen_advisor.cli.report:report", "The answer as a page, or its charts as a picture."),
    "estimate": ("qwen_advisor.cli.estimate:estimate", "Memory and speed of one model."),
    "compare": ("qwen_advisor.cli.compare:compare", "Models side by side."),
    "why-not": ("qwen_advisor.cli.why_not:why_not", "Why a model is not the first answer."),
    "plan": ("qwen_advisor.cli.plan:plan", "What hardware a model needs."),
    "check": ("qwen_advisor.cli.check:check", "A gate for CI: does a model fit as asked?"),
    "pull": ("qwen_advisor.cli.pull:pull", "Fetch the files of a model."),
    "launch": ("qwen_advisor.cli.launch:launch", "The command that runs it, or a configuration file."),
    "finetune": ("qwen_advisor.cli.finetune:finetune", "What training a model takes, and a script for it."),
    "prompt": ("qwen_advisor.cli.prompt:prompt", "A well-made request for a task."),
    "bench": ("qwen_advisor.cli.bench:bench", "Measure a live server."),
    "health": ("qwen_advisor.cli.health:health", "Whether a live server is well."),
    "fleet": ("qwen_advisor.cli.fleet:fleet", "A pick for each machine of an inventory."),
    "mcp": ("qwen_advisor.cli.mcp:mcp", "The answers as tools for agents."),
    "settings": ("qwen_advisor.cli.settings:settings", "What is settled for all calls, and where."),
    "catalog": ("qwen_advisor.cli.catalog:catalog_app", "The models and the facts about them."),
}
_OURS = ("-h", "--help", "--version", "--install-completion", "--show-completion")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

HELP = """Which Qwen model, which quantization, which engine and which settings, for a task on a machine.

Without a verb it looks at this machine and recommends a model for chat.
"""
EPILOG = """\b
Examples:
  qwen-advisor recommend --task code --ram 16G
  qwen-advisor estimate qwen3:8b --context 32k --gpu "RTX 4090"
"""


def run(words: Sequence[str]) -> int:
    """Run one call and return its exit code; faults rise as exceptions."""
    bare = not words
    if bare or (words[0].startswith("-") and words[0].split("=")[0] not in _OURS):
        words = ["recommend", *words]
    words = list(words)
    completing = COMPLETE in os.environ
    if completing:
        postpone()
    else:
        settle(words)
    code = build(_needed(words), words)(args=list(words), prog_name="qwen-advisor", standalone_mode=False)
    if bare and not code:
        talk.hint("ask for a task or another machine: qwen-advisor recommend --task code --ram 16G")
        talk.hint("everything else: qwen-advisor --help")
    return code if isinstance(code, int) else 0


def _needed(words: Sequence[str]) -> dict[str, bool]:
    """The verbs that this call must know, and whether it can reach them.

    Help and a misspelt verb need the names of all, completion those and the options of the verb on the line.
    """
    if COMPLETE in os.environ:
        return {verb: verb == verb_on_the_line() for verb in VERBS}
    if words[0] == "--version":
        return {}
    return {words[0]: True} if words[0] in VERBS else dict.fromkeys(VERBS, False)


def build(verbs: Mapping[str, bool], words: Sequence[str] = ()) -> typer.Typer:
    """The command line with these verbs; those that are marked are imported now, of the others only the line is there.

    Settings stand under the options of the verb that is called.
    """
    app = typer.Typer(
        name="qwen-advisor",
        help=HELP,
        epilog=EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings=_CONTEXT,
    )
    app.callback()(_callback)
    for verb, reached in verbs.items():
        place, line = VERBS[verb]
        if not reached:
            app.command(verb, short_help=line)(_unreached)
            continue
        module_name, name = place.split(":")
        module: Any = import_module(module_name)
        target = getattr(module, name)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=verb, short_help=line)
        else:
            settled = {"default_map": defaults(target, words)} if words[:1] == [verb] else {}
            context = {**_CONTEXT, **settled}
            app.command(verb, short_help=line, epilog=module.EPILOG, context_settings=context)(target)
    return app


def _unreached() -> None:
    """Stands for a verb that is named and not called."""


def _show_version(wanted: bool) -> None:
    if wanted:
        emit_version()
        raise typer.Exit


def _callback(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass
