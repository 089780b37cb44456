"""Every file is one that its reader takes: by JSON Schemas of what we write, by systemd's and Ollama's grammar."""

from __future__ import annotations

import ast
import importlib.util
import json
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import yaml

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "golden").iterdir())


def _readers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launching_readers", HERE / "readers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


READERS = _readers()
SCHEMAS = {
    name: json.loads((HERE / "schemas" / f"{name}.json").read_text("utf-8")) for name in ("compose", "kubernetes")
}


def parts(path: Path) -> dict[str, str]:
    """The files of one golden, by name; a single one has the format's name."""
    form = path.name.removesuffix(".txt").rpartition(".")[2]
    text = path.read_text("utf-8")
    if not text.startswith("# ---- "):
        return {form: text}
    found = {}
    for part in text.split("# ---- ")[1:]:
        name, _, rest = part.partition(" ----\n")
        found[name] = rest
    return found


def of(form: str) -> list[Path]:
    return [path for path in GOLDEN if path.name.endswith(f".{form}.txt")]


@pytest.mark.parametrize("path", of("compose"), ids=lambda path: path.name)
def test_compose_files(path: Path) -> None:
    made = parts(path)
    document = yaml.safe_load(made.get("compose") or made["compose.yaml"])
    jsonschema.validate(document, SCHEMAS["compose"])
    declared = set(document["volumes"])
    for service in document["services"].values():
        used = {mount["source"] for mount in service["volumes"] if mount["type"] == "volume"}
        assert used <= declared
        assert set(service.get("depends_on", ())) <= set(document["services"])


@pytest.mark.parametrize("path", [*of("kubernetes"), *of("kserve")], ids=lambda path: path.name)
def test_kubernetes_files(path: Path) -> None:
    (text,) = parts(path).values()
    documents = list(yaml.safe_load_all(text))
    for document in documents:
        jsonschema.validate(document, SCHEMAS["kubernetes"])
    kinds = {document["kind"]: document for document in documents}
    if "Deployment" in kinds:
        pod = kinds["Deployment"]["spec"]["template"]
        assert pod["metadata"]["labels"].items() >= kinds["Service"]["spec"]["selector"].items()
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        assert {mount["name"] for mount in pod["spec"]["containers"][0]["volumeMounts"]} == volumes
        claims = {
            v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v
        }
        assert claims == {kinds["PersistentVolumeClaim"]["metadata"]["name"]}


@pytest.mark.parametrize("path", of("systemd"), ids=lambda path: path.name)
def test_systemd_units(path: Path) -> None:
    made = parts(path)
    text = made.get("systemd") or next(text for name, text in made.items() if name.endswith(".service"))
    unit = READERS.systemd_unit(text)
    words = READERS.systemd_words(unit["Service"]["ExecStart"][0])
    assert words[0] == "/usr/bin/env"
    for assignment in unit["Service"]["Environment"]:
        assert "=" in assignment


@pytest.mark.parametrize("path", of("modelfile"), ids=lambda path: path.name)
def test_modelfiles(path: Path) -> None:
    (text,) = parts(path).values()
    source, parameters = READERS.modelfile(text)
    assert source == "qwen3:8b"
    # the card of Qwen3-8B, thinking
    assert parameters == {"num_ctx": 8192, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0}


@pytest.mark.parametrize("path", of("python"), ids=lambda path: path.name)
def test_scripts_are_python(path: Path) -> None:
    (text,) = parts(path).values()
    tree = ast.parse(text)
    compile(tree, path.name, "exec")
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", of("command"), ids=lambda path: path.name)
def test_commands_are_words_of_a_shell(path: Path) -> None:
    made = parts(path)
    text = made.get("command") or next(text for name, text in made.items() if name.endswith(".sh"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert shlex.split(line)


@pytest.mark.parametrize("path", of("ray-serve"), ids=lambda path: path.name)
def test_ray_serve_files(path: Path) -> None:
    """As ServeDeploySchema and LLMConfig of Ray 2.52 name their fields."""
    (text,) = parts(path).values()
    (application,) = yaml.safe_load(text)["applications"]
    assert set(application) == {"name", "route_prefix", "import_path", "args"}
    (config,) = application["args"]["llm_configs"]
    assert set(config) == {"model_loading_config", "engine_kwargs", "deployment_config"}
    assert set(config["model_loading_config"]) == {"model_id", "model_source"}


@pytest.mark.parametrize(
    "path", [path for path in GOLDEN if "-server." in path.name and "kubernetes" not in path.name], ids=lambda p: p.name
)
def test_gateways(path: Path) -> None:
    made = parts(path)
    lines = READERS.caddyfile(made["Caddyfile"])
    assert lines[0] == "{$SITE_ADDRESS} {"
    assert "max_size 10MB" in lines
    config: dict[str, Any] = yaml.safe_load(made["litellm.yaml"])
    assert set(config) == {"model_list", "litellm_settings", "general_settings"}
    assert config["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    limits = config["litellm_settings"]["default_key_generate_params"]
    assert {"rpm_limit", "tpm_limit", "max_budget", "budget_duration"} <= set(limits)
    assert config["litellm_settings"]["turn_off_message_logging"] is True


@pytest.mark.parametrize("path", [path for path in GOLDEN if "-server." in path.name], ids=lambda path: path.name)
def test_no_file_holds_a_key(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "--api-key" not in text
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name in (
            "LITELLM_MASTER_KEY",
            "LITELLM_SALT_KEY",
            "POSTGRES_PASSWORD",
            "VLLM_API_KEY",
            "LLAMA_API_KEY",
        ):
            assert value == ""
