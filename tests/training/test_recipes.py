"""Scripts and configurations: they parse, they say what the run is, and nothing hostile gets into them."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from typing import Any, get_args

import pytest
import yaml

from qwen_advisor.errors import UsageError
from qwen_advisor.training import TrainingPlan
from qwen_advisor.training.recipes import FRAMEWORK_OF, TOOLS, Tool, recipe
from qwen_advisor.training.recipes.llamafactory import template_of

Plan = Callable[..., TrainingPlan]

HOSTILE = 'a "b" $(touch x) \'c\' \\n\nimport os; os.remove("x") # @MODEL@.jsonl'


def written(plan_of: Plan, tool: Tool, model: str = "Qwen3-4B", data: str | None = None, **settings: Any) -> str:
    return recipe(plan_of(model, framework=FRAMEWORK_OF[tool], **settings), tool, data)


def options(text: str) -> dict[str, list[str]]:
    """The options of a shell command, each with its words."""
    command = text[text.index(" sft ") :].replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    name = ""
    for word in shlex.split(command)[1:]:
        if word.startswith("--"):
            name = word[2:]
            found[name] = []
        else:
            found[name].append(word)
    return found


VARIANTS: list[dict[str, Any]] = [
    {},
    {"method": "full"},
    {"method": "qlora", "packing": True},
    {"train_embeddings": True, "dropout": 0.05, "rank": 64},
    {"sharding": "zero2", "gpus_per_node": 2},
    {"method": "full", "sharding": "fsdp", "gpus_per_node": 4},
    {"optimizer": "adamw-8bit", "checkpointing": False, "batch": 4, "accumulation": 8},
]


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("model", ["Qwen3-4B", "Qwen3.5-4B", "Qwen3-30B-A3B", "Qwen2.5-VL-7B-Instruct"])
@pytest.mark.parametrize("tool", TOOLS)
def test_it_can_be_read_by_its_tool(plan_of: Plan, tool: Tool, model: str, settings: dict[str, Any]) -> None:
    if tool == "unsloth" and settings.get("sharding"):
        pytest.skip("Unsloth shards nothing")
    text = written(plan_of, tool, model, **settings)
    match tool:
        case "script" | "unsloth":
            tree = ast.parse(text)
            assert compile(tree, "recipe", "exec")
            assert "@" not in text
        case "llamafactory" | "axolotl":
            document = yaml.safe_load(text)
            assert plan_of(model).checkpoint.id in document.values()
        case "ms-swift":
            assert options(text)["model"] == [plan_of(model).checkpoint.id]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_hostile_path_stays_a_path(plan_of: Plan, tool: Tool) -> None:
    text = written(plan_of, tool, data=HOSTILE)
    if tool in ("script", "unsloth"):
        strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        assert HOSTILE in strings
        calls = [
            node.func.attr
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ]
        assert "remove" not in calls
    elif tool == "ms-swift":
        assert options(text)["dataset"] == [HOSTILE]
    elif tool == "axolotl":
        assert yaml.safe_load(text)["datasets"][0]["path"] == HOSTILE
    else:
        assert set(yaml.safe_load(text)) == set(yaml.safe_load(written(plan_of, tool)))


def test_the_script_says_what_the_run_is(plan_of: Plan) -> None:
    text = written(
        plan_of, "script", method="qlora", rank=32, seq_len=4096, batch=2, accumulation=4, optimizer="adamw-8bit"
    )
    for line in (
        "r=32,",
        "max_length=4096,",
        "per_device_train_batch_size=2,",
        "gradient_accumulation_steps=4,",
        'optim="adamw_bnb_8bit",',
        'bnb_4bit_quant_type="nf4"',
    ):
        assert line in text


def test_towers_stay_out_of_adapters_and_of_training(plan_of: Plan) -> None:
    """Vision towers of Qwen2.5-VL have modules of the same names as the decoder."""
    assert "(?!.*(visual|audio_tower|talker))" in written(plan_of, "script", "Qwen2.5-VL-7B-Instruct")
    assert "requires_grad_(False)" in written(plan_of, "script", "Qwen3.5-4B", method="full")
    assert options(written(plan_of, "ms-swift", "Qwen3.5-4B"))["freeze_vit"] == ["true"]
    assert yaml.safe_load(written(plan_of, "llamafactory", "Qwen3.5-4B"))["freeze_vision_tower"] is True


def test_experts_are_named_as_parameters(plan_of: Plan) -> None:
    settings = {"targets": ("all-linear", "experts")}
    named = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    assert yaml.safe_load(written(plan_of, "axolotl", "Qwen3-30B-A3B", **settings))["lora_target_parameters"] == named
    assert f'target_parameters=["{named[0]}", "{named[1]}"]' in written(plan_of, "script", "Qwen3-30B-A3B", **settings)


def test_megatron_is_ms_swifts_alone(plan_of: Plan) -> None:
    settings = {"sharding": "megatron", "tensor_parallel": 2, "expert_parallel": 4, "gpus_per_node": 8}
    found = options(written(plan_of, "ms-swift", "Qwen3-30B-A3B", **settings))
    assert found["tensor_model_parallel_size"] == ["2"]
    assert found["expert_model_parallel_size"] == ["4"]
    with pytest.raises(UsageError, match="only ms-swift runs Megatron"):
        written(plan_of, "axolotl", "Qwen3-30B-A3B", **settings)


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "qwen"),
        ("Qwen/Qwen3-8B", "qwen3"),
        ("Qwen/Qwen3-4B-Instruct-2507", "qwen3_nothink"),
        ("Qwen/Qwen3-4B-Thinking-2507", "qwen3"),
        ("Qwen/Qwen3.5-9B", "qwen3_5"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "qwen2_vl"),
    ],
)
def test_llamafactory_templates(catalog: Any, model: str, template: str) -> None:
    assert template_of(catalog.models[model]) == template


def test_muon_where_there_is_one(plan_of: Plan) -> None:
    assert "torch.optim.Muon" in written(plan_of, "script", optimizer="muon")
    assert yaml.safe_load(written(plan_of, "axolotl", optimizer="muon"))["optimizer"] == "muon"
    assert yaml.safe_load(written(plan_of, "llamafactory", optimizer="muon"))["use_muon"] is True
    assert options(written(plan_of, "ms-swift", optimizer="muon"))["optimizer"] == ["muon"]


def test_a_quantized_base_is_told_by_ms_swift_only(plan_of: Plan) -> None:
    for tool in ("script", "llamafactory", "unsloth"):
        with pytest.raises(UsageError):
            written(plan_of, tool, method="qlora", base_format="AWQ")
    assert get_args(Tool) == TOOLS
