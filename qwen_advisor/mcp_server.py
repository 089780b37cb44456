"""The answers as tools for agents, over the Model Context Protocol. Needs the extra ``[mcp]``.

Each tool takes typed arguments and gives back two things: a report in Markdown for the model to read, and the document
that the command of the same name prints as JSON, under its published schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from qwen_advisor import __version__, answers, api
from qwen_advisor.engine import EngineId
from qwen_advisor.errors import AdvisorError
from qwen_advisor.facts import Catalog
from qwen_advisor.machine import Machine
from qwen_advisor.plan import KvType
from qwen_advisor.render import compare as compare_report
from qwen_advisor.render import estimate as estimate_report
from qwen_advisor.render import hardware as hardware_report
from qwen_advisor.render import plan as plan_report
from qwen_advisor.render import recommend as recommend_report
from qwen_advisor.render import why_not as why_not_report
from qwen_advisor.render.compare_documents import compare_document
from qwen_advisor.render.documents import estimate_document, recommend_document
from qwen_advisor.render.markdown import markdown
from qwen_advisor.render.plan_documents import plan_document
from qwen_advisor.render.report import Report
from qwen_advisor.render.schema import json_schema
from qwen_advisor.render.why_not_documents import why_not_document
from qwen_advisor.task import Prefer, TaskId, ThinkingChoice
from qwen_advisor.units import parse_size, parse_tokens

INSTRUCTIONS = """\
Says which Qwen model, quantization and engine to run for a task on a machine, and what a model takes in memory and how
fast it runs; compares models, says why one is not the answer, and what hardware one needs. Nothing is fetched and
nothing is changed. Describe a machine by ram, vram, gpu or device; without them the machine that this server runs on
is looked at.
"""
_REJECTED = 10  # models that were ruled out, in an answer that did not ask for an explanation

Ram = Annotated[str | None, Field(description="Main memory, such as 16G. Alone: a machine without a GPU.")]
Vram = Annotated[str | None, Field(description="Memory of each GPU, such as 24G.")]
Gpu = Annotated[list[str] | None, Field(description='GPUs by name, such as ["RTX 4090"] or ["2x RTX 3090"].')]
Device = Annotated[
    str | None, Field(description="A whole machine by name, such as MacBook Pro M3 Max 64GB or g5.xlarge.")
]
CpuCores = Annotated[int | None, Field(ge=1, description="Physical cores.")]
Nodes = Annotated[int, Field(ge=1, description="How many such machines work together.")]
Model = Annotated[str, Field(description="Repository (Qwen/Qwen3-8B), short form (Qwen3-8B) or Ollama tag (qwen3:8b).")]
Context = Annotated[str | int | None, Field(description="Tokens of context, such as 32768 or 32k.")]


class Advisor:
    """The tools, over one catalogue and the user's own entries as they are at each call."""

    def __init__(self, extra: Sequence[Path] = ()) -> None:
        """Take directories of own entries; errors as `server`."""
        self._extra = tuple(extra)
        api.load_catalog(self._extra)

    @property
    def _catalog(self) -> Catalog:
        return api.load_catalog(self._extra)

    def recommend(
        self,
        task: Annotated[TaskId, Field(description="What the model is for.")] = "chat",
        ram: Ram = None,
        vram: Vram = None,
        gpu: Gpu = None,
        device: Device = None,
        cpu_cores: CpuCores = None,
        nodes: Nodes = 1,
        context: Context = None,
        concurrency: Annotated[int, Field(ge=1, description="Requests served at the same time.")] = 1,
        min_speed: Annotated[float | None, Field(gt=0, description="Least tokens per second per request.")] = None,
        engines: Annotated[list[EngineId] | None, Field(description="Allow these engines only.")] = None,
        quantizations: Annotated[list[str] | None, Field(description="Allow these only, such as Q4_K_M.")] = None,
        license: Annotated[str, Field(description="any, permissive, or an SPDX id.")] = "any",  # noqa: A002  the contract's word
        language: Annotated[str | None, Field(description="ISO 639 code of a language it must speak.")] = None,
        thinking: Annotated[ThinkingChoice, Field(description="Whether it thinks before it answers.")] = "auto",
        tools: Annotated[bool, Field(description="It must call tools.")] = False,
        max_download: Annotated[str | None, Field(description="Most to download, such as 8G.")] = None,
        family: Annotated[str | None, Field(description="Only models of this family, such as Qwen3.")] = None,
        released_after: Annotated[str | None, Field(description="Only models released after this day.")] = None,
        prefer: Annotated[Prefer, Field(description="What to lean towards.")] = "balanced",
        top: Annotated[int, Field(ge=1, le=50, description="How many answers.")] = 3,
        explain: Annotated[bool, Field(description="List every model that was ruled out, and all terms.")] = False,
    ) -> CallToolResult:
        """Which Qwen model, quantization, engine and settings to run for a task on a machine, ranked, with reasons."""
        advice = api.recommend(
            machine=self._machine(ram, vram, gpu, device, cpu_cores, nodes),
            catalog=self._catalog,
            explain=explain,
            task=task,
            context=_tokens(context),
            concurrency=concurrency,
            min_speed=min_speed,
            engines=engines or (),
            quantizations=quantizations or (),
            license=license,
            language=language,
            thinking=thinking,
            tools=tools,
            max_download=None if max_download is None else parse_size(max_download),
            family=family,
            released_after=released_after,
            prefer=prefer,
            top=top,
        )
        document = recommend_document(advice)
        if not explain:
            document["rejected"] = document["rejected"][:_REJECTED]
        return _result(recommend_report.report(advice, explain=explain), document)

    def estimate(
        self,
        model: Model,
        quantization: Annotated[str | None, Field(description="Such as Q4_K_M; about four bits if not said.")] = None,
        engine: Annotated[EngineId, Field(description="Which engine.")] = "llama.cpp",
        context: Context = None,
        parallel: Annotated[int, Field(ge=1, description="Slots, or requests at once.")] = 1,
        kv_type: Annotated[KvType, Field(description="Type of the KV cache.")] = "f16",
        prompt_tokens: Annotated[int, Field(ge=1, description="Length of the prompt.")] = 512,
        output_tokens: Annotated[int, Field(ge=1, description="Length of the answer.")] = 128,
        ram: Ram = None,
        vram: Vram = None,
        gpu: Gpu = None,
        device: Device = None,
        cpu_cores: CpuCores = None,
        nodes: Nodes = 1,
    ) -> CallToolResult:
        """Memory by part, and speed, of one model at one setting on a machine, whether it fits or not."""
        answer = api.estimate(
            model,
            machine=self._machine(ram, vram, gpu, device, cpu_cores, nodes),
            catalog=self._catalog,
            quantization=quantization,
            engine=engine,
            context=_tokens(context),
            parallel=parallel,
            kv_type=kv_type,
            prompt_tokens=prompt_tokens,
            output_tokens=output_tokens,
        )
        return _result(estimate_report.report(answer), estimate_document(answer))

    def plan(
        self,
        model: Model,
        task: Annotated[
            TaskId | None, Field(description="What requests look like; the model's own if not said.")
        ] = None,
        context: Context = None,
        concurrency: Annotated[int, Field(ge=1, description="Requests served at the same time.")] = 1,
        min_speed: Annotated[float | None, Field(gt=0, description="Least tokens per second per request.")] = None,
        engines: Annotated[list[EngineId] | None, Field(description="Allow these engines only.")] = None,
        quantizations: Annotated[list[str] | None, Field(description="Allow these only, such as Q4_K_M.")] = None,
    ) -> CallToolResult:
        """What hardware a model needs: the least, the sensible and the comfortable, and memory by quantization."""
        answer = answers.plan(
            model,
            catalog=self._catalog,
            task=task,
            context=_tokens(context),
            concurrency=concurrency,
            min_speed=min_speed,
            engines=engines or (),
            quantizations=quantizations or (),
        )
        return _result(plan_report.report(answer), plan_document(answer))

    def compare(
        self,
        models: Annotated[list[str], Field(min_length=1, description="Repositories, short forms or Ollama tags.")],
        task: Annotated[TaskId | None, Field(description="What for; one that all answer if not said.")] = None,
        ram: Ram = None,
        vram: Vram = None,
        gpu: Gpu = None,
        device: Device = None,
        cpu_cores: CpuCores = None,
        nodes: Nodes = 1,
        context: Context = None,
        concurrency: Annotated[int, Field(ge=1, description="Requests served at the same time.")] = 1,
        min_speed: Annotated[float | None, Field(gt=0, description="Least tokens per second per request.")] = None,
        prefer: Annotated[Prefer, Field(description="What to lean towards.")] = "balanced",
    ) -> CallToolResult:
        """Models side by side on a machine: the best setting of each, what wins where, and what does not run."""
        answer = answers.compare(
            *models,
            machine=self._machine(ram, vram, gpu, device, cpu_cores, nodes),
            catalog=self._catalog,
            task=task,
            context=_tokens(context),
            concurrency=concurrency,
            min_speed=min_speed,
            prefer=prefer,
        )
        return _result(compare_report.report(answer), compare_document(answer))

    def why_not(
        self,
        model: Model,
        task: Annotated[TaskId, Field(description="What the model is for.")] = "chat",
        ram: Ram = None,
        vram: Vram = None,
        gpu: Gpu = None,
        device: Device = None,
        cpu_cores: CpuCores = None,
        nodes: Nodes = 1,
        context: Context = None,
        concurrency: Annotated[int, Field(ge=1, description="Requests served at the same time.")] = 1,
        min_speed: Annotated[float | None, Field(gt=0, description="Least tokens per second per request.")] = None,
        license: Annotated[str, Field(description="any, permissive, or an SPDX id.")] = "any",  # noqa: A002  the contract's word
        tools: Annotated[bool, Field(description="It must call tools.")] = False,
        prefer: Annotated[Prefer, Field(description="What to lean towards.")] = "balanced",
    ) -> CallToolResult:
        """Why a model is not the first answer of recommend, and the smallest changes that let it in or put it first."""
        answer = answers.why_not(
            model,
            machine=self._machine(ram, vram, gpu, device, cpu_cores, nodes),
            catalog=self._catalog,
            task=task,
            context=_tokens(context),
            concurrency=concurrency,
            min_speed=min_speed,
            license=license,
            tools=tools,
            prefer=prefer,
        )
        return _result(why_not_report.report(answer), why_not_document(answer))

    def inspect_hardware(
        self,
        ram: Ram = None,
        vram: Vram = None,
        gpu: Gpu = None,
        device: Device = None,
        cpu_cores: CpuCores = None,
        nodes: Nodes = 1,
    ) -> CallToolResult:
        """What the machine of this server is, or one that is described: memory, bandwidth, what a model may use."""
        machine = self._machine(ram, vram, gpu, device, cpu_cores, nodes)
        return _result(hardware_report.report(machine), hardware_report.machine_json(machine))

    def _machine(
        self,
        ram: str | None,
        vram: str | None,
        gpu: Sequence[str] | None,
        device: str | None,
        cpu_cores: int | None,
        nodes: int,
    ) -> Machine:
        return api.machine_for(
            self._catalog, ram=ram, vram=vram, gpu=gpu or (), device=device, cpu_cores=cpu_cores, nodes=nodes
        )


def server(extra: Sequence[Path] = ()) -> MCPServer:
    """The server with its tools.

    Args:
        extra: directories of own catalogue entries.

    Raises:
        CatalogError: an entry is invalid.
    """
    advisor = Advisor(extra)
    tools: tuple[tuple[str, Callable[..., CallToolResult], str], ...] = (
        ("recommend", advisor.recommend, "recommend-1"),
        ("estimate", advisor.estimate, "estimate-1"),
        ("plan", advisor.plan, "plan-1"),
        ("compare", advisor.compare, "compare-1"),
        ("why_not", advisor.why_not, "why-not-1"),
        ("inspect_hardware", advisor.inspect_hardware, "hardware-1"),
    )
    return MCPServer(
        "qwen-advisor",
        instructions=INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
        tools=[_tool(name, answer, json_schema(schema)) for name, answer, schema in tools],
    )


def serve(extra: Sequence[Path] = ()) -> None:
    """Answer over stdin and stdout until stdin ends; errors as `server`."""
    server(extra).run("stdio")


def _tool(name: str, answer: Callable[..., CallToolResult], schema: dict[str, Any]) -> Tool:
    """A tool whose faults are told to the model in a sentence, and whose result has a published schema."""
    tool = Tool.from_function(
        answer,
        name=name,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
        structured_output=False,
    )
    tool.fn_metadata.output_schema = schema
    tool.fn = _telling(answer)
    return tool


def _telling(answer: Callable[..., CallToolResult]) -> Callable[..., CallToolResult]:
    def tell(**arguments: Any) -> CallToolResult:
        try:
            return answer(**arguments)
        except AdvisorError as error:
            more = [f"did you mean {' or '.join(error.suggestions)}?"] if error.suggestions else []
            more += [error.hint] if error.hint else []
            raise ToolError("; ".join([error.message, *more])) from error

    return tell


def _result(report: Report, document: Mapping[str, Any]) -> CallToolResult:
    """A report to read, and the document; by way of JSON, so that it holds nothing but JSON."""
    text = TextContent(type="text", text=markdown(report))
    return CallToolResult(content=[text], structured_content=json.loads(json.dumps(document, allow_nan=False)))


def _tokens(context: str | int | None) -> int | None:
    return parse_tokens(context) if isinstance(context, str) else context
