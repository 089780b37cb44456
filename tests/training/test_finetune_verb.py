"""``finetune`` and ``recommend --for finetune`` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from qwen_advisor.render.schema import json_schema

Say = Callable[..., tuple[int, str, str]]

WHERE = ("--gpu", "RTX 4090", "--ram", "64G")
GOOD = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


def test_json_fits_its_schema_and_sums_up(say: Say) -> None:
    code, out, _ = say("finetune", "Qwen3-8B", *WHERE, "--dataset-tokens", "10m", "--json")
    assert code == 0
    answer = json.loads(out)
    jsonschema.validate(answer, json_schema("finetune-1"))
    memory = answer["memory"]
    assert memory["per_gpu_bytes"] == sum(part["bytes"] for part in memory["parts"])
    named = ("weights", "adapters", "gradients", "optimizer_states", "activations", "runtime_overhead")
    assert memory["per_gpu_bytes"] == sum(memory[f"{name}_bytes"] for name in named)
    assert memory["device_bytes"] == memory["total_bytes"] == memory["per_gpu_bytes"]
    assert answer["dataset"] == {
        "tokens": 10 << 20,
        "epochs": 3.0,
        "seconds": answer["dataset"]["seconds"],
    }


def test_what_does_not_fit_ends_with_3_and_is_printed_all_the_same(say: Say) -> None:
    code, out, err = say("finetune", "Qwen3-32B", *WHERE, "--method", "full", "--json")
    assert code == 3
    answer = json.loads(out)
    jsonschema.validate(answer, json_schema("finetune-1"))
    assert answer["fits"] is False
    assert answer["largest_batch"] is None
    assert answer["remedies"]
    assert "needs 263 GiB on each GPU" in err


@pytest.mark.parametrize("form", ["yaml", "csv", "markdown", "id", "env", "table"])
def test_every_format(say: Say, form: str) -> None:
    code, out, _ = say("finetune", "qwen3:8b", *WHERE, "--format", form)
    assert code == 0
    assert "Qwen3-8B" in out


def test_env_and_id(say: Say) -> None:
    _, out, _ = say("finetune", "Qwen3-8B", *WHERE, "--format", "env")
    assert out.splitlines()[:4] == [
        "QWEN_ADVISOR_MODEL=Qwen/Qwen3-8B",
        "QWEN_ADVISOR_METHOD=lora",
        "QWEN_ADVISOR_SEQ_LEN=1024",
        "QWEN_ADVISOR_BATCH=1",
    ]
    assert say("finetune", "Qwen3-8B", *WHERE, "-q")[1] == "Qwen/Qwen3-8B\n"


def test_a_script_goes_into_a_file(say: Say, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    code, out, _ = say("finetune", "Qwen3-8B", *WHERE, "--format", "script", "-o", str(path))
    assert (code, out) == (0, "")
    assert "SFTTrainer" in path.read_text("utf-8")


def test_the_tool_of_the_format_decides_on_the_loss(say: Say) -> None:
    """TRL never holds all logits, so that its run takes less than one on Transformers' trainer."""
    trl = json.loads(say("finetune", "Qwen3-8B", *WHERE, "--framework", "trl", "--json")[1])
    plain = json.loads(say("finetune", "Qwen3-8B", *WHERE, "--json")[1])
    assert trl["settings"]["loss"] == "chunked"
    assert trl["memory"]["per_gpu_bytes"] < plain["memory"]["per_gpu_bytes"]
    config = yaml.safe_load(say("finetune", "Qwen3-8B", *WHERE, "--loss", "fused", "--format", "llamafactory")[1])
    assert config["enable_liger_kernel"] is True


def test_bad_rows_end_with_2_and_nothing_is_written(say: Say, tmp_path: Path) -> None:
    data, script = tmp_path / "train.jsonl", tmp_path / "train.py"
    data.write_text(GOOD + '{"messages": []}\n' + GOOD, "utf-8")
    words = ("finetune", "Qwen3-8B", *WHERE, "--data", str(data), "--format", "script", "-o", str(script))
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert "error: 1 of 3 rows" in err
    assert "  line 2: has no messages" in err
    assert not script.exists()
    code, out, _ = say("finetune", "Qwen3-8B", *WHERE, "--data", str(data), "--json")
    assert code == 2
    error = json.loads(out)
    jsonschema.validate(error, json_schema("error-1"))
    assert error["error"]["code"] == "bad_data"
    assert error["error"]["details"] == ["line 2: has no messages"]


def test_data_is_counted(say: Say, tmp_path: Path) -> None:
    data = tmp_path / "train.jsonl"
    data.write_text(GOOD * 4, "utf-8")
    code, out, _ = say("finetune", "Qwen3-8B", *WHERE, "--data", str(data), "--json")
    assert code == 0
    answer = json.loads(out)
    jsonschema.validate(answer, json_schema("finetune-1"))
    assert answer["data"]["rows"] == 4
    assert answer["data"]["duplicates"] == 3
    assert answer["dataset"]["tokens"] == answer["data"]["tokens"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--zero", "2", "--fsdp"], "--zero and --fsdp exclude each other"),
        (["--method", "full", "--rank", "8"], "--method full has no adapters for --rank"),
        (["--quant", "AWQ"], "--quant AWQ is of a quantized base"),
        (["--method", "qlora", "--quant", "Q4_K_M"], "adapters are not trained on Q4_K_M"),
        (["--method", "qlora", "--quant", "QX"], "there is no quantization"),
        (["--loss", "full", "--framework", "trl"], "trl never holds all logits"),
        (["--loss", "chunked", "--framework", "axolotl"], "axolotl has no chunked loss"),
        (["--format", "axolotl", "--framework", "trl"], "--format axolotl is for axolotl, not trl"),
        (["--format", "script", "--json"], "contradict each other"),
        (["--tokenizer", "x"], "--tokenizer counts a data set"),
        (["--target-modules", "c_attn"], "has no module 'c_attn'"),
        (["--seq-len", "long"], "--seq-len"),
        (["--data", "/nowhere.jsonl"], "cannot be read"),
        (["--gpus-per-node", "2", "--gpu", "2x3090", "--zero", "5"], "zero"),
    ],
)
def test_calls_that_are_off(say: Say, words: list[str], sentence: str) -> None:
    where = () if "--gpu" in words else WHERE
    code, out, err = say("finetune", "Qwen3-8B", *where, *words)
    assert code == 2
    assert sentence in err
    assert out == "" or "--json" in words


def test_gpus_of_nodes(say: Say) -> None:
    words = ("finetune", "Qwen3-8B", "--gpu", "H100", "--ram", "512G", "--gpus-per-node", "8", "--nodes", "2", "--json")
    answer = json.loads(say(*words, "--zero", "3", "--method", "full")[1])
    assert (answer["settings"]["gpus_per_node"], answer["settings"]["nodes"]) == (8, 2)
    assert answer["memory"]["total_bytes"] == 16 * answer["memory"]["per_gpu_bytes"]
    one = json.loads(
        say("finetune", "Qwen3-8B", "--gpu", "4x3090", "--ram", "128G", "--gpus-per-node", "1", "--json")[1]
    )
    assert one["settings"]["gpus_per_node"] == 1


def test_the_model_to_train_here(say: Say) -> None:
    code, out, _ = say("recommend", "--for", "finetune", "--task", "code", *WHERE, "--json")
    assert code == 0
    answer = json.loads(out)
    jsonschema.validate(answer, json_schema("finetune-choice-1"))
    best = answer["recommendations"][0]
    assert best["per_gpu_bytes"] <= best["budget_bytes"]
    assert say("recommend", "--for", "finetune", "--task", "code", *WHERE, "-q")[1] == f"{best['model']['id']}\n"
    for form in ("table", "csv", "markdown", "yaml", "env"):
        code, out, _ = say("recommend", "--for", "finetune", "--task", "code", *WHERE, "--format", form)
        assert code == 0
        assert best["model"]["id"].split("/")[1] in out


def test_no_model_to_train_ends_with_3(say: Say) -> None:
    code, out, _ = say("recommend", "--for", "finetune", "--ram", "2G", "--json")
    assert code == 3
    assert json.loads(out)["recommendations"] == []


def test_options_of_inference_are_refused_for_training(say: Say) -> None:
    code, _, err = say("recommend", "--for", "finetune", *WHERE, "--concurrency", "4", "--engine", "vllm")
    assert code == 2
    assert "--concurrency, --engine says nothing of training" in err
