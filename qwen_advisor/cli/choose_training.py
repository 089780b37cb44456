"""``qwen-advisor recommend --for finetune``: which model to train on a machine."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from qwen_advisor.cli import talk
from qwen_advisor.cli.options import Format, read
from qwen_advisor.cli.output import emit, look
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.render import finetune as render
from qwen_advisor.task import Requirements
from qwen_advisor.training import Training, TrainingAdvice, choose
from qwen_advisor.units import parse_tokens

_SEQ_LEN = 2048  # a conversation of a few turns


def refuse_foreign(given: Mapping[str, object]) -> None:
    """Options that say how a model is run, and nothing of how it is trained.

    Raises:
        UsageError: one of them was given.
    """
    said = [option for option, value in given.items() if value]
    if said:
        raise UsageError(f"{', '.join(said)} says nothing of training", hint="leave it out, or see finetune --help")


def choose_training(
    catalog: Catalog, machine: Machine, requirements: Requirements, form: Format, *, seq_len: str | None
) -> None:
    """Write the answer; ``seq_len`` is the text of ``--context``, the sequences to train on.

    Raises:
        Exit: nothing fits.
    """
    length = read("--context", parse_tokens, seq_len) or _SEQ_LEN
    run = Training(framework="trl", loss="chunked", seq_len=length)
    advice = choose(catalog, machine, requirements, run)
    emit(_text(advice, form), form)
    if not advice.choices:
        if form != "table":
            talk.fail(render.choice_report(advice).headline, hint="describe a machine with a larger GPU by --gpu")
        raise typer.Exit(NothingFits.exit_code)


def _text(advice: TrainingAdvice, form: Format) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.choice_report(advice), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.choice_report(advice))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.finetune_documents import choice_document  # noqa: PLC0415

            return document_text(choice_document(advice), form)
        case "csv":
            return render.choice_csv(advice)
        case "id":
            return "".join(f"{choice.checkpoint.id}\n" for choice in advice.choices[:1])
        case "env":
            return render.choice_environment(advice)
