"""``qwen-advisor plan``: what hardware a model needs."""

from __future__ import annotations

from typing import Annotated

import typer

from qwen_advisor import answers, api
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.account import Account, VerboseOption
from qwen_advisor.cli.machine_options import InterconnectOption
from qwen_advisor.cli.options import (
    CatalogExtraOption,
    Format,
    FormatOption,
    JsonOption,
    QuietOption,
    chosen_format,
    read,
)
from qwen_advisor.cli.output import emit, look
from qwen_advisor.cli.requirement_options import (
    ConcurrencyOption,
    ContextOption,
    EnginesOption,
    MinSpeedOption,
    OutputTokensOption,
    PromptTokensOption,
    QuantizationsOption,
)
from qwen_advisor.errors import NothingFits
from qwen_advisor.render import plan as render
from qwen_advisor.sizing import HardwarePlan
from qwen_advisor.units import parse_tokens

EPILOG = """\b
Examples:
  qwen-advisor plan Qwen3-8B
  qwen-advisor plan qwen3:30b --context 32k --concurrency 32 --engine vllm --min-speed 20
  qwen-advisor plan Qwen3-Coder-480B-A35B-Instruct --quant FP8 --json
  qwen-advisor plan Qwen3-235B-A22B --nodes 2 --gpus-per-node 8 --interconnect infiniband

Exit codes: 0 there is such hardware, 3 the catalogue has none.
"""


def plan(
    *,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            autocompletion=completion.models,
            help="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b), in any case.",
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.tasks,
            help="What a request looks like and how fast is fast enough; the model's own first task if not said.",
            show_default=False,
        ),
    ] = None,
    context: ContextOption = None,
    prompt_tokens: PromptTokensOption = None,
    output_tokens: OutputTokensOption = None,
    concurrency: ConcurrencyOption = 1,
    min_speed: MinSpeedOption = None,
    engine: EnginesOption = None,
    quant: QuantizationsOption = None,
    nodes: Annotated[
        int | None, typer.Option("--nodes", metavar="N", min=1, help="Exactly so many machines working together.")
    ] = None,
    gpus_per_node: Annotated[
        int | None, typer.Option("--gpus-per-node", metavar="N", min=1, help="Exactly so many GPUs in each machine.")
    ] = None,
    interconnect: InterconnectOption = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: FormatOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """What hardware a model needs: the least, the sensible and the comfortable, and what each quantization takes.

    No machine is looked at or described: every real one of the catalogue is tried, class by class; with --nodes,
    --gpus-per-node and --interconnect those that are put together so.
    """
    account = Account(wanted=verbose)
    form = chosen_format(format_given, as_json=as_json, quiet=quiet)
    catalog = api.load_catalog(catalog_extra or ())
    account.catalog(catalog)
    answer = answers.plan(
        model,
        catalog=catalog,
        task=task,
        context=read("--context", parse_tokens, context),
        concurrency=concurrency,
        min_speed=min_speed,
        engines=engine or (),
        quantizations=quant or (),
        prompt_tokens=read("--prompt-tokens", parse_tokens, prompt_tokens),
        output_tokens=read("--output-tokens", parse_tokens, output_tokens),
        nodes=nodes,
        gpus_per_node=gpus_per_node,
        interconnect=interconnect,
    )
    account.say(f"{len(answer.classes)} classes of machines tried")
    emit(_text(answer, form), form)
    if answer.best is None:
        if form != "table":
            nothing = render.nothing(answer)
            talk.fail(nothing.message, hint=nothing.hint)
        raise typer.Exit(NothingFits.exit_code)


def _text(answer: HardwarePlan, form: Format) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(answer), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(answer))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415
            from qwen_advisor.render.plan_documents import plan_document  # noqa: PLC0415

            return document_text(plan_document(answer), form)
        case "csv":
            return render.csv(answer)
        case "id":
            return render.identifier(answer)
        case "env":
            return render.environment(answer)
