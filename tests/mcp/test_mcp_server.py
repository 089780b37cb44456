"""``mcp``: the answers as an agent gets them, through the SDK's own client over stdio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from qwen_advisor import compare, estimate, load_catalog, plan, recommend, why_not
from qwen_advisor.api import machine_for
from qwen_advisor.cli import main
from qwen_advisor.errors import UsageError
from qwen_advisor.mcp_server import Advisor
from qwen_advisor.render.compare_documents import compare_document
from qwen_advisor.render.documents import estimate_document, recommend_document
from qwen_advisor.render.plan_documents import plan_document
from qwen_advisor.render.schema import json_schema
from qwen_advisor.render.why_not_documents import why_not_document

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    "recommend": "recommend-1",
    "estimate": "estimate-1",
    "plan": "plan-1",
    "compare": "compare-1",
    "why_not": "why-not-1",
    "inspect_hardware": "hardware-1",
}


def session(work: Callable[[Client], Awaitable[Any]]) -> Any:
    """What ``work`` finds out from a server in a process of its own."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "qwen_advisor", "mcp"], env={"PYTHONPATH": path}, cwd=ROOT
    )

    async def talk() -> Any:
        with anyio.fail_after(60), open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123, ASYNC230
            async with Client(stdio_client(server, errlog=nowhere)) as client:
                return await work(client)

    return anyio.run(talk)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """Everything that these tests look at, from one server."""

    async def ask(client: Client) -> dict[str, Any]:
        return {
            "info": client.server_info,
            "tools": {tool.name: tool for tool in (await client.list_tools()).tools},
            "recommend": await client.call_tool("recommend", {"task": "code", "ram": "16G", "top": 2}),
            "all": await client.call_tool("recommend", {"ram": "16G", "explain": True, "context": "32k"}),
            "nothing": await client.call_tool("recommend", {"ram": "512M"}),
            "estimate": await client.call_tool("estimate", {"model": "qwen3:8b", "gpu": ["RTX 4090"], "context": 8192}),
            "plan": await client.call_tool("plan", {"model": "Qwen3-0.6B", "context": "16k"}),
            "no plan": await client.call_tool("plan", {"model": "Qwen3-8B", "context": "2m"}),
            "compare": await client.call_tool("compare", {"models": ["Qwen3-8B", "Qwen3.5-9B"], "ram": "16G"}),
            "why not": await client.call_tool("why_not", {"model": "Qwen3-8B", "ram": "16G"}),
            "hardware": await client.call_tool("inspect_hardware", {"device": "Raspberry Pi 5 8GB"}),
            "here": await client.call_tool("inspect_hardware", {}),
            "wrong model": await client.call_tool("estimate", {"model": "Qwen3-9B", "ram": "16G"}),
            "wrong size": await client.call_tool("recommend", {"ram": "lots"}),
            "wrong task": await client.call_tool("recommend", {"task": "cooking"}),
            "wrong number": await client.call_tool("recommend", {"ram": "16G", "top": 0}),
        }

    found: dict[str, Any] = session(ask)
    return found


def test_every_tool_has_typed_schemas(told: dict[str, Any]) -> None:
    assert told["info"].name == "qwen-advisor"
    assert set(told["tools"]) == set(SCHEMAS)
    for name, tool in told["tools"].items():
        assert tool.output_schema == json_schema(SCHEMAS[name])
        assert tool.description
        assert tool.annotations.read_only_hint is True
        for argument, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{name}.{argument}"
    properties = told["tools"]["recommend"].input_schema["properties"]
    assert "speech-to-text" in properties["task"]["enum"]
    assert properties["prefer"]["enum"] == ["quality", "balanced", "speed", "memory"]
    assert told["tools"]["estimate"].input_schema["required"] == ["model"]


def test_recommend_is_the_command_s_document(told: dict[str, Any]) -> None:
    document = told["recommend"].structured_content
    jsonschema.validate(document, json_schema("recommend-1"))
    whole = json.loads(json.dumps(recommend_document(recommend(task="code", ram="16G", top=2))))
    assert document | {"rejected": []} == whole | {"rejected": []}
    assert document["rejected"] == whole["rejected"][:10]
    assert told["recommend"].content[0].text.startswith("## Use ")
    assert len(told["all"].structured_content["rejected"]) > 10
    assert told["all"].structured_content["requirements"]["context_tokens"] == 32768


def test_plan_compare_and_why_not_are_the_commands_documents(told: dict[str, Any]) -> None:
    answers = {
        "plan": plan_document(plan("Qwen3-0.6B", context=16384)),
        "compare": compare_document(compare("Qwen3-8B", "Qwen3.5-9B", ram="16G")),
        "why not": why_not_document(why_not("Qwen3-8B", ram="16G")),
    }
    for name, document in answers.items():
        assert told[name].structured_content == json.loads(json.dumps(document)), name
        assert told[name].content[0].text.startswith("## ")
    assert not told["no plan"].is_error
    assert told["no plan"].structured_content["rejected"]["rule"] == "T107"


def test_nothing_fits_is_an_answer(told: dict[str, Any]) -> None:
    assert not told["nothing"].is_error
    assert told["nothing"].structured_content["recommendations"] == []
    assert "Nothing fits" in told["nothing"].content[0].text


def test_estimate_is_the_command_s_document(told: dict[str, Any]) -> None:
    catalog = load_catalog()
    answer = estimate("Qwen3-8B", machine=machine_for(catalog, gpu="RTX 4090"), catalog=catalog, context=8192)
    assert told["estimate"].structured_content == json.loads(json.dumps(estimate_document(answer)))
    assert "fits" in told["estimate"].content[0].text


def test_hardware_is_described_or_looked_at(told: dict[str, Any]) -> None:
    for key, described in (("hardware", True), ("here", False)):
        jsonschema.validate(told[key].structured_content, json_schema("hardware-1"))
        assert told[key].structured_content["described"] is described


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("wrong model", ("no model", "Qwen3-8B")),
        ("wrong size", ("'lots' is not a size",)),
        ("wrong task", ("task",)),
        ("wrong number", ("top",)),
    ],
)
def test_a_fault_is_told_in_words(call: str, words: tuple[str, ...], told: dict[str, Any]) -> None:
    assert told[call].is_error
    for word in words:
        assert word in told[call].content[0].text
    assert "Traceback" not in told[call].content[0].text


def test_stdout_holds_the_protocol_alone_and_the_end_of_stdin_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qwen_advisor", "mcp"],
        input="",
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_extra_it_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp"]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err.splitlines() == [
        "error: mcp needs the package mcp",
        "hint: pip install 'qwen-advisor[mcp]'",
    ]


CARD = """\
acme-9000:
  name: Acme 9000
  vendor: nvidia
  kind: discrete
  memory: 24 GiB
  memory_bandwidth: 1000 GB/s
  fp16_flops: 100 TFLOPS
  compute_capability: "8.9"
  source: made up for a test
"""


def test_own_entries_are_seen_without_a_new_start(tmp_path: Path) -> None:
    advisor = Advisor([tmp_path])
    with pytest.raises(UsageError, match="no accelerator is called 'Acme 9000'"):
        advisor.inspect_hardware(gpu=["Acme 9000"])
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "nvidia.yaml").write_text(CARD, "utf-8")
    document = advisor.inspect_hardware(gpu=["Acme 9000"]).structured_content
    assert document is not None
    assert document["accelerators"][0]["memory_bytes"] == 24 << 30
