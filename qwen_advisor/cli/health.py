"""``qwen-advisor health``: whether a live server is well, once or again and again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from qwen_advisor.bench.health import EXIT_CODES, Health, Limits, failed, look_at
from qwen_advisor.bench.records import MemoryUse
from qwen_advisor.cli.endpoint_options import (
    DEFAULT_URL,
    ApiKeyOption,
    ApiOption,
    ServedModelOption,
    TimeoutOption,
    UrlOption,
    wire_from_options,
    within,
)
from qwen_advisor.cli.options import Format, JsonOption, chosen_format, read
from qwen_advisor.cli.output import emit, look
from qwen_advisor.errors import UsageError
from qwen_advisor.files import replace_file
from qwen_advisor.render import health as render
from qwen_advisor.units import parse_size, show_size

EPILOG = """\b
Examples:
  qwen-advisor health --url http://127.0.0.1:11434 --model qwen3:8b
  qwen-advisor health --watch 30 --format prometheus --output qwen.prom

Exit codes: 0 healthy, 8 degraded (a limit is passed), 9 unhealthy (no answer, or a wrong one);
of several checks, that of the worst.
"""

HealthFormat = Literal["table", "json", "yaml", "csv", "markdown", "prometheus", "id"]
_LIMITS = Limits()
_DAY = 86400.0


def health(
    *,
    url: UrlOption = DEFAULT_URL,
    model: ServedModelOption = None,
    api_key_env: ApiKeyOption = None,
    api: ApiOption = "chat",
    timeout: TimeoutOption = 60.0,
    max_response: Annotated[
        float, typer.Option(metavar="SECONDS", help="Most for the answer to a trivial question.")
    ] = _LIMITS.response_seconds,
    min_speed: Annotated[float, typer.Option(metavar="TOK_S", help="Least tokens generated per second.")] = (
        _LIMITS.tokens_per_second
    ),
    max_growth: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help=f"Most that its memory may grow by; {show_size(_LIMITS.growth)} if not said"),
    ] = None,
    watch: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Look again and again, so many seconds apart.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="End a watch after so many looks; never if not said.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write there instead, each answer in place of the last, never half written."),
    ] = None,
    format_given: Annotated[
        HealthFormat | None,
        typer.Option("--format", help="How the answer is written; a table if not said.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="One word, the verdict; the same as --format id.")
    ] = False,
) -> None:
    """Whether a live OpenAI-compatible server is well: right, in time, fast enough, not growing.

    It asks for a sum and for 64 tokens of a story. Memory is looked at where the server runs on this machine.
    """
    form = _form(format_given, as_json=as_json, quiet=quiet)
    if count is not None and watch is None:
        raise UsageError("--count counts the looks of a watch", hint="give --watch SECONDS too")
    if watch is not None and form == "prometheus" and output is None:
        raise UsageError(
            "one Prometheus text holds one look, so a watch cannot print several",
            hint="give --output FILE, which the textfile collector of node_exporter reads",
        )
    limits = Limits(
        response_seconds=within("--max-response", max_response, 0.001, _DAY),
        tokens_per_second=within("--min-speed", min_speed, 0.0, 1e6),
        growth=_LIMITS.growth if max_growth is None else read("--max-growth", parse_size, max_growth) or 0,
    )
    pause = None if watch is None else within("--watch", watch, 0.1, _DAY)
    wire = wire_from_options(url, api_key_env, timeout)
    worst, looks = 0, 0
    baseline: MemoryUse | None = None
    while True:
        began = time.monotonic()
        try:
            found = look_at(wire, model, api, limits, baseline=baseline)
        except UsageError as error:
            # The first look finds what is off about the call; later ones what has become of the server.
            if not looks:
                raise
            found = failed(wire, model, error)
        looks += 1
        baseline = baseline or found.memory
        worst = max(worst, EXIT_CODES[found.verdict])
        watching = pause is not None and output is None
        _write(_text(found, limits, form, watching=watching, first=looks == 1), form, output)
        if pause is None or looks == count:
            raise typer.Exit(worst)
        time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _form(given: HealthFormat | None, *, as_json: bool, quiet: bool) -> HealthFormat:
    wish, allowed = cast("Format | None", given), cast("tuple[Format, ...]", get_args(HealthFormat))
    return cast("HealthFormat", chosen_format(wish, as_json=as_json, quiet=quiet, allowed=allowed))


def _text(found: Health, limits: Limits, form: HealthFormat, *, watching: bool, first: bool) -> str:
    """One look; those of a watch follow each other on stdout, each in a form that lets them."""
    match form:
        case "json" | "yaml":
            from qwen_advisor.render.data import json_text, yaml_text  # noqa: PLC0415  as below

            document = render.document(found, limits)
            if form == "yaml":
                return "---\n" * watching + yaml_text(document)
            return json.dumps(document, ensure_ascii=False) + "\n" if watching else json_text(document)
        case "csv":
            return render.csv(found, header=first or not watching)
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(found, limits))
        case "prometheus":
            return render.prometheus(found)
        case "id":
            return f"{found.verdict}\n"
        case "table" if watching:
            return render.line(found)
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(found, limits), look())


def _write(text: str, form: HealthFormat, output: Path | None) -> None:
    if output is None:
        emit(text, form)
    else:
        replace_file(output, text)
