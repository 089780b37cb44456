"""``qwen-advisor prompt``: a well-made request for a task and a model."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from qwen_advisor import api
from qwen_advisor.cli import completion, talk
from qwen_advisor.cli.options import CatalogExtraOption, Format, JsonOption, QuietOption, chosen_format
from qwen_advisor.cli.output import emit, look
from qwen_advisor.engine import EngineId
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.files import replace_file
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import resolve_model
from qwen_advisor.prompting import Effort, Prompt, Wish, curl, python
from qwen_advisor.prompting import prompt as make
from qwen_advisor.render import prompt as render
from qwen_advisor.requirements import engine as engine_name
from qwen_advisor.requirements import resolve
from qwen_advisor.task import ThinkingChoice
from qwen_advisor.values import replace

EPILOG = """\b
Examples:
  qwen-advisor prompt code --model Qwen3-8B --programming-language Rust --text "parse a CSV file" --format curl
  qwen-advisor prompt vision --model Qwen3-VL-8B-Instruct --image photo.jpg --text "what is broken?" --format body
  qwen-advisor prompt math --model qwen3:8b --engine ollama --thinking off --json

Exit codes: 0 there is a request, 2 the model or the engine cannot do it, 3 no model for the task fits this machine.
"""

PromptFormat = Literal["table", "json", "yaml", "markdown", "id", "body", "curl", "python"]
_USUAL: tuple[Format, ...] = ("table", "json", "yaml", "markdown", "id")
_ENGINE = "vllm"
_LARGEST = 20 << 20  # bytes of one file that goes into a request


def prompt(
    *,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            autocompletion=completion.tasks,
            help="chat, code, math, reasoning, agent, multilingual, long-context, writing, vision, documents, video, "
            "audio, speech-to-text, omni, embedding, rerank or moderation.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",  # Typer 0.27 takes a metavar that is the parameter's name for the option's
            metavar="MODEL",
            autocompletion=completion.models,
            help="Whom to ask; what recommend names for the task on this machine if not said.",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text", metavar="TEXT", help="The question, problem or query; - reads it from stdin; else a blank."
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A system message of your own, before what the task adds.")
    ] = None,
    thinking: Annotated[
        ThinkingChoice, typer.Option(case_sensitive=False, help="Whether the model thinks before it answers.")
    ] = "auto",
    effort: Annotated[
        Effort | None,
        typer.Option(case_sensitive=False, help="How long it thinks, where its template has degrees (Qwen3.8)."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="Language of the answer, such as de or ja.")
    ] = None,
    programming_language: Annotated[
        str | None, typer.Option(metavar="NAME", help="Language of code, such as Rust.")
    ] = None,
    constraint: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="What the answer keeps to. Repeatable.")
    ] = None,
    image: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="An image, by address or as a file. Repeatable.")
    ] = None,
    video: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A film, by address or as a file. Repeatable.")
    ] = None,
    audio: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A recording, by address or as a file. Repeatable.")
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="A passage to read, embed or rank; @FILE reads it. Repeatable."),
    ] = None,
    instruction: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What an embedding or a ranking is for, in English.")
    ] = None,
    tools: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Definitions of functions: a JSON list, as OpenAI has it.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Room for the answer; the card's if not said.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.engines,
            help="Engine whose server is asked; vllm if not said, or what recommend names with the model.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Its address; the engine's usual port here if not said.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of to stdout.")
    ] = None,
    catalog_extra: CatalogExtraOption = None,
    format_given: Annotated[
        PromptFormat | None,
        typer.Option(
            "--format",
            help="body: the JSON that is sent; json: that and what has to be known of it; a table if not said.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """A well-made request for a task: messages, the card's sampling values, thinking switched as the model has it."""
    form = _form(format_given, as_json=as_json, quiet=quiet)
    catalog = api.load_catalog(catalog_extra or ())
    asked = resolve(catalog, task=task, language=language, thinking=thinking)
    wish = Wish(
        task=asked.task,
        text=_said(text),
        system=system,
        thinking=asked.thinking,
        effort=effort,
        language=catalog.languages[asked.language]["title"] if asked.language else None,
        programming_language=programming_language,
        constraints=tuple(constraint or ()),
        images=tuple(_address(each, "image") for each in image or ()),
        videos=tuple(_address(each, "video") for each in video or ()),
        audios=tuple(_address(each, "audio") for each in audio or ()),
        documents=tuple(_passage(each) for each in document or ()),
        instruction=instruction,
        tools=_tools(tools),
        max_tokens=max_tokens,
        engine=cast("EngineId", engine_name(catalog, engine or _ENGINE)),
        url=_server(url),
    )
    _refuse_idle(wish)
    if model is not None:
        checkpoint = resolve_model(catalog, model)
    else:
        checkpoint, wish = _recommended(catalog, wish, engine_said=engine is not None, quiet=quiet)
    made = make(catalog, checkpoint, wish)
    if not quiet and form in ("body", "curl", "python"):
        for note in made.notes:
            talk.hint(note)
    written = _text(made, form)
    if output is None:
        emit(written, "json" if form == "body" else form)
    else:
        replace_file(output, written)


def _form(given: PromptFormat | None, *, as_json: bool, quiet: bool) -> PromptFormat:
    if given in ("body", "curl", "python"):
        if as_json:
            raise UsageError(f"--format {given} and --json contradict each other", hint="give one of them")
        return given  # --quiet then silences the notes beside it
    return cast(
        "PromptFormat", chosen_format(cast("Format | None", given), as_json=as_json, quiet=quiet, allowed=_USUAL)
    )


def _recommended(catalog: Catalog, wish: Wish, *, engine_said: bool, quiet: bool) -> tuple[Checkpoint, Wish]:
    """The model that is recommended for the task on this machine, and the wish on the engine that goes with it."""
    engines = (wish.engine,) if engine_said else ()
    requirements = resolve(
        catalog, task=wish.task, thinking=wish.thinking, tools=bool(wish.tools), top=1, engines=engines
    )
    advice = api.recommend(requirements, catalog=catalog)
    if not advice.recommendations:
        raise NothingFits(f"no model for {wish.task} fits this machine", hint="name one with --model")
    plan = advice.recommendations[0].plan
    if not quiet:
        talk.hint(
            f"{plan.checkpoint.id} on {plan.settings.engine} is what recommend names for this machine;"
            " --model asks another"
        )
    return plan.checkpoint, replace(wish, engine=cast("EngineId", plan.settings.engine))


def _refuse_idle(wish: Wish) -> None:
    """Options that say nothing for the task."""
    idle = [
        name
        for name, given, tasks in (
            ("--programming-language", wish.programming_language, ("code",)),
            ("--document", wish.documents, ("long-context", "embedding", "rerank")),
            ("--instruction", wish.instruction, ("embedding", "rerank")),
        )
        if given and wish.task not in tasks
    ]
    if wish.task in ("embedding", "rerank", "moderation"):
        idle += [
            name
            for name, given in (
                ("--system", wish.system),
                ("--language", wish.language),
                ("--constraint", wish.constraints),
                ("--tools", wish.tools),
                ("--max-tokens", wish.max_tokens and wish.task != "moderation"),
            )
            if given
        ]
    if idle:
        raise UsageError(f"{', '.join(idle)} says nothing in {wish.task} requests", hint="leave it out")


def _said(text: str | None) -> str | None:
    if text != "-":
        return text
    if sys.stdin is None:
        raise UsageError("there is no standard input to read", hint="give the text itself, or open stdin")
    try:
        read = sys.stdin.read(_LARGEST + 1)
    except UnicodeDecodeError as error:
        raise UsageError(f"the text on stdin is not {error.encoding}", hint="send it in UTF-8") from None
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror or error}") from error
    if len(read) > _LARGEST:
        raise UsageError(f"the text on stdin is longer than {_LARGEST >> 20} MiB", hint="shorten it")
    return read.strip() or None


def _passage(text: str) -> str:
    return _bytes(Path(text[1:])).decode("utf-8", "replace") if text.startswith("@") else text


def _address(text: str, kind: str) -> str:
    """An address as it is, or a file as a data URI."""
    if text.startswith(("http://", "https://", "data:")):
        return text
    path = Path(text)
    mime = mimetypes.guess_type(path.name)[0] or ""
    if not mime.startswith(f"{kind}/"):
        raise UsageError(
            f"{text} is no {kind}: neither an address nor a file of that kind", hint="give a URL or a file"
        )
    return f"data:{mime};base64,{base64.b64encode(_bytes(path)).decode('ascii')}"


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _LARGEST:
        raise UsageError(f"{path} is larger than {_LARGEST >> 20} MiB", hint="give an address instead")
    return data


def _tools(path: Path | None) -> tuple[dict[str, Any], ...]:
    if path is None:
        return ()
    try:
        found = json.loads(_bytes(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {str(error)[:80]}") from None
    named = isinstance(found, list) and all(
        isinstance(tool, dict) and isinstance(tool.get("function"), dict) and "name" in tool["function"]
        for tool in found
    )
    if not named or not found:
        raise UsageError(
            f"{path} is no list of functions", hint='write [{"type": "function", "function": {"name": ...}}]'
        )
    return tuple(found)


def _server(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is no address of a server", hint="write it like http://127.0.0.1:8000")
    return url.rstrip("/").removesuffix("/v1")


def _text(made: Prompt, form: PromptFormat) -> str:
    match form:
        case "table":
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(render.report(made), look())
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415

            return markdown(render.report(made))
        case "json" | "yaml":
            from qwen_advisor.render.data import document_text  # noqa: PLC0415

            return document_text(render.prompt_document(made), form)
        case "id":
            return f"{made.model}\n"
        case "body":
            from qwen_advisor.render.data import json_text  # noqa: PLC0415

            return json_text(made.body)
        case "curl":
            return curl(made)
        case "python":
            return python(made)
