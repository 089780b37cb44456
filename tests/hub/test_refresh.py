"""``catalog refresh``: what differs from the Hub is said, what is new becomes usable, what is hostile stays outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qwen_advisor import load_catalog
from qwen_advisor.facts import Catalog
from qwen_advisor.hub.overlay import write
from qwen_advisor.hub.proposals import Proposal
from qwen_advisor.model import Architecture
from qwen_advisor.parameters.counting import count
from qwen_advisor.render.schema import json_schema
from qwen_advisor.values import replace
from tests.hub import weight_files
from tests.hub.written_configs import config_of

Call = Callable[..., Any]
REFRESH = ("catalog", "refresh")
TEMPLATE = b"{% if tools %}{{ tools }}{% endif %}{% if enable_thinking is false %}<think></think>{% endif %}"


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture
def agreeing(hub: Any, catalog: Catalog) -> Any:
    """A Hub that holds exactly what the catalogue does."""
    for model in catalog.models.values():
        hub.add(model.id, {"config.json": b"{}"}, says={"tags": tags(catalog, model.license)})
        for repo in model.quantized:
            if repo.official:
                names = [name for file in (*repo.files.values(), *repo.projector.values()) for name in file.names]
                hub.add(repo.repo, dict.fromkeys(names, b"") or {"config.json": b"{}"})
    return hub


def tags(catalog: Catalog, license_id: str | None) -> list[str]:
    """As the Hub writes licenses: those that it knows by their id, others by the name that their maker gave."""
    if license_id is None:
        return []
    known = catalog.licenses[license_id].spdx
    return [f"license:{license_id}"] if known else ["license:other", f"license_name:{license_id}"]


def wider(catalog: Catalog, base: str = "qwen3-8b") -> Architecture:
    """An architecture that the catalogue does not have."""
    shape = catalog.architectures[base]
    assert shape.text is not None
    return replace(shape, text=replace(shape.text, num_hidden_layers=shape.text.num_hidden_layers + 4))


def checkpoint(shape: Architecture, **more: bytes) -> dict[str, bytes]:
    """The files of a checkpoint, its weights only described."""
    return {
        "config.json": json.dumps(config_of(shape)).encode(),
        "chat_template.jinja": TEMPLATE,
        "model.safetensors": weight_files.safetensors_of(shape),
    } | more


def changes(said: Any) -> list[tuple[str, ...]]:
    return [(c["what"], c["repo"], c["field"], c["catalog"], c["hub"]) for c in said.json["changes"]]


class TestAgreeing:
    def test_nothing_to_say(self, agreeing: Any, call: Call) -> None:
        said = call(*REFRESH, "--json")
        assert said.code == 0
        jsonschema.validate(said.json, json_schema("catalog-refresh-1"))
        assert changes(said) == []
        assert said.json["listed"] == sum(name.startswith("Qwen/") for name in agreeing.repos)
        assert call(*REFRESH).out.startswith("The catalogue agrees with the Hub\n")

    def test_page_by_page(self, agreeing: Any, call: Call) -> None:
        agreeing.page = 150
        assert changes(call(*REFRESH, "--json")) == []
        pages = [path for _, path, _ in agreeing.asked if path.startswith("/api/models?")]
        assert len(pages) == -(-len([name for name in agreeing.repos if name.startswith("Qwen/")]) // 150)

    @pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "markdown", "id"])
    def test_every_format(self, form: str, agreeing: Any, call: Call, catalog: Catalog) -> None:
        agreeing.add("Qwen/Qwen3-9B", checkpoint(wider(catalog)))
        said = call(*REFRESH, "--format", form)
        assert said.code == 0
        assert "Qwen/Qwen3-9B" in said.out

    def test_env_holds_no_such_answer(self, call: Call) -> None:
        assert call(*REFRESH, "--format", "env").code == 2


class TestNew:
    def test_a_checkpoint_is_read_without_its_weights(self, agreeing: Any, call: Call, catalog: Catalog) -> None:
        shape = wider(catalog)
        agreeing.add("Qwen/Qwen3-9B", checkpoint(shape), says={"tags": ["license:apache-2.0"]})
        said = call(*REFRESH, "--json")
        weights = count(shape).total
        assert changes(said) == [
            (
                "new",
                "Qwen/Qwen3-9B",
                "model",
                "",
                f"hybrid, {weights / 1e9:.2f} billion parameters, a new architecture, apache-2.0",
            )
        ]
        (proposal,) = said.json["proposals"]
        assert proposal["checks"] == [
            f"the headers hold {weights:,} unique weights, exactly as many as config.json makes"
        ]
        model = proposal["model"]
        assert {key: model[key] for key in ("id", "architecture", "family", "line", "kind", "released", "license")} == {
            "id": "Qwen/Qwen3-9B",
            "architecture": "qwen3-9b",
            "family": "Qwen3",
            "line": "general",
            "kind": "hybrid",
            "released": "2026-11-20",
            "license": "apache-2.0",
        }
        assert (model["parameters_total"], model["context"], model["tool_calling"]) == (
            weights,
            {"native": 40960},
            True,
        )
        assert (model["thinking"], model["thinking_default"]) == ("hybrid", "on")
        assert "family, line, kind (taken from its name)" in model["unverified"]
        assert proposal["architecture"]["text"]["num_hidden_layers"] == 40
        jsonschema.validate(model, schema("models"))
        jsonschema.validate(proposal["architecture"], schema("architectures"))
        bodies = [h.get("range") for m, path, h in agreeing.asked if m == "GET" and path.startswith("/cdn/")]
        assert bodies
        assert None not in bodies

    def test_a_shape_that_is_known_is_referred_to(self, agreeing: Any, call: Call, catalog: Catalog) -> None:
        agreeing.add("Qwen/Qwen3-8B-Instruct-2611", checkpoint(catalog.architectures["qwen3-8b"]))
        (proposal,) = call(*REFRESH, "--json").json["proposals"]
        assert proposal["architecture"] is None
        assert (proposal["model"]["architecture"], proposal["model"]["kind"]) == ("qwen3-8b", "instruct")

    def test_a_tied_head_that_is_stored_is_counted_once(self, agreeing: Any, call: Call, catalog: Catalog) -> None:
        shape = catalog.architectures["qwen3-0.6b"]
        files = checkpoint(shape) | {"model.safetensors": weight_files.safetensors_of(shape, twice=True)}
        agreeing.add("Qwen/Qwen3-0.6B-Instruct-2611", files)
        (proposal,) = call(*REFRESH, "--json").json["proposals"]
        # Qwen/Qwen3-0.6B: 596,049,920 unique weights, its head of 151,936 x 1,024 written out.
        assert proposal["model"]["parameters_total"] == 596_049_920
        assert proposal["model"]["extra_weights"] == 155_582_464

    def test_weights_that_do_not_match_are_said(self, agreeing: Any, call: Call, catalog: Catalog) -> None:
        header = json.dumps({"model.x": {"dtype": "BF16", "shape": [10], "data_offsets": [0, 20]}}).encode()
        files = checkpoint(wider(catalog)) | {"model.safetensors": weight_files.safetensors(header)}
        agreeing.add("Qwen/Qwen3-9B", files)
        (proposal,) = call(*REFRESH, "--json").json["proposals"]
        assert proposal["checks"][0].startswith("the headers hold 10 weights, config.json makes ")
        assert "architecture (its weights are not as many as it makes)" in proposal["model"]["unverified"]

    def test_files_of_a_known_model(self, agreeing: Any, call: Call) -> None:
        agreeing.add(
            "Qwen/Qwen3-4B-Base-GGUF",
            {
                "Qwen3-4B-Base-Q4_K_M.gguf": weight_files.gguf(15),
                "q8/Qwen3-4B-Base-Q8_0-00001-of-00002.gguf": weight_files.gguf(7),
                "q8/Qwen3-4B-Base-Q8_0-00002-of-00002.gguf": b"more",
                "mmproj-Qwen3-4B-Base-F16.gguf": b"eyes",
            },
        )
        said = call(*REFRESH, "--json")
        assert changes(said) == [("new", "Qwen/Qwen3-4B-Base-GGUF", "quantized", "", "GGUF of Qwen/Qwen3-4B-Base")]
        added = said.json["proposals"][0]["model"]["quantized"][-1]
        assert list(added["files"]) == ["Q4_K_M", "Q8_0"]
        assert added["files"]["Q8_0"]["names"] == [
            f"q8/Qwen3-4B-Base-Q8_0-0000{number}-of-00002.gguf" for number in (1, 2)
        ]
        assert added["files"]["Q4_K_M"]["bytes"] == len(weight_files.gguf(15))
        assert added["projector"] == {"F16": {"names": ["mmproj-Qwen3-4B-Base-F16.gguf"], "bytes": 4}}

    def test_a_header_that_contradicts_its_name(self, agreeing: Any, call: Call) -> None:
        agreeing.add("Qwen/Qwen3-4B-Base-GGUF", {"Qwen3-4B-Base-Q4_K_M.gguf": weight_files.gguf(7)})
        said = call(*REFRESH, "--json")
        assert changes(said)[0][4] == "Qwen3-4B-Base-Q4_K_M.gguf says in its header that it is Q8_0"

    def test_a_namesake_takes_nobody_s_place(self, hub: Any, call: Call, catalog: Catalog) -> None:
        hub.add("somebody/Qwen3-8B", checkpoint(wider(catalog)))
        (proposal,) = call(*REFRESH, "somebody/Qwen3-8B", "--json").json["proposals"]
        assert proposal["architecture"]["id"] == proposal["model"]["architecture"] == "somebody-qwen3-8b"

    def test_single_repositories_by_name(self, hub: Any, call: Call, catalog: Catalog) -> None:
        hub.add("somebody/Qwen3-8B-mine", checkpoint(catalog.architectures["qwen3-8b"]))
        said = call(*REFRESH, "somebody/Qwen3-8B-mine", "--json")
        assert [c[:3] for c in changes(said)] == [("new", "somebody/Qwen3-8B-mine", "model")]
        assert call(*REFRESH, "Qwen3-9000B").code == 2


def schema(name: str) -> Any:
    path = Path(__file__).parents[2] / "schemas" / f"catalog-{name}.json"
    return json.loads(path.read_text("utf-8"))


class TestWriting:
    def test_what_is_new_is_used_from_then_on(self, agreeing: Any, call: Call, catalog: Catalog, home: Path) -> None:
        shape = wider(catalog)
        agreeing.add("Qwen/Qwen3-9B", checkpoint(shape))
        agreeing.add("Qwen/Qwen3-9B-GGUF", {"Qwen3-9B-Q4_K_M.gguf": weight_files.gguf(15)})
        said = call(*REFRESH, "--write", "--json")
        own = home / "qwen-advisor" / "catalog"
        assert said.json["written"] == [str(own / "architectures/qwen3-9b.yaml"), str(own / "models/qwen3-9b.yaml")]
        shown = call("catalog", "show", "qwen3-9b", "--json").json
        assert any("family, line, kind" in doubt for doubt in shown["entry"]["unverified"])
        estimate = call("estimate", "Qwen3-9B", "--ram", "16G", "--quant", "Q4_K_M", "--json")
        assert estimate.code == 0
        assert estimate.json["artifact"]["files"] == ["Qwen3-9B-Q4_K_M.gguf"]
        assert changes(call(*REFRESH, "--json")) == []

    def test_files_read_like_the_catalogue_s_own(self, agreeing: Any, call: Call, catalog: Catalog, home: Path) -> None:
        agreeing.add("Qwen/Qwen3-9B", checkpoint(wider(catalog)))
        call(*REFRESH, "--write")
        text = (home / "qwen-advisor" / "catalog" / "models" / "qwen3-9b.yaml").read_text()
        assert text.startswith("# Written by qwen-advisor catalog refresh.")
        assert "\nthinking_default: 'on'\n" in text
        assert text.isascii()
        assert yaml.safe_load(text)["kind"] == "hybrid"

    def test_an_entry_of_the_user_s_is_left_as_it_is(self, agreeing: Any, call: Call, home: Path) -> None:
        folder = home / "qwen-advisor" / "catalog" / "models"
        folder.mkdir(parents=True)
        mine = (Path(__file__).parents[2] / "catalog" / "models" / "qwen3-4b-base.yaml").read_text()
        (folder / "qwen3-4b-base.yaml").write_text(mine)
        agreeing.add("Qwen/Qwen3-4B-Base-GGUF", {"Qwen3-4B-Base-Q4_K_M.gguf": weight_files.gguf(15)})
        said = call(*REFRESH, "--write", "--json")
        assert said.json["written"] == []
        assert "is there already and was left as it is" in said.json["notes"][0]
        assert (folder / "qwen3-4b-base.yaml").read_text() == mine

    def test_an_entry_that_would_be_faulty_is_not_written(self, catalog: Catalog, tmp_path: Path) -> None:
        odd = replace(catalog.models["Qwen/Qwen3-8B"], id="Qwen/Odd", architecture="nowhere", ollama=())
        written, left_out = write(catalog, [Proposal(checkpoint=odd, architecture=None, checks=())], tmp_path)
        assert written == []
        assert left_out == ["Qwen/Odd: architecture: 'nowhere' is not among the architectures"]
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_written_without_asking(self, agreeing: Any, call: Call, catalog: Catalog, home: Path) -> None:
        agreeing.add("Qwen/Qwen3-9B", checkpoint(wider(catalog)))
        said = call(*REFRESH)
        assert "hint: add what is new to your own entries: qwen-advisor catalog refresh --write" in said.err
        assert not (home / "qwen-advisor").exists()


class TestGoneAndChanged:
    def test_gone_moved_and_closed(self, agreeing: Any, call: Call) -> None:
        del agreeing.repos["Qwen/Qwen3-4B"]
        agreeing.repos["Qwen/Qwen3-1.7B"].now = "Qwen/Qwen3-1.7B-Hybrid"
        agreeing.add("Qwen/Qwen3-1.7B-Hybrid", {"config.json": b"{}"}, status=200)
        agreeing.repos["Qwen/Qwen3-0.6B"].status = 403
        agreeing.repos["Qwen/Qwen3-0.6B"].code = "GatedRepo"
        del agreeing.repos["Qwen/Qwen3-8B-AWQ"]
        found = {change[:2]: change for change in changes(call(*REFRESH, "--json"))}
        assert found["gone", "Qwen/Qwen3-4B"]
        assert found["gone", "Qwen/Qwen3-8B-AWQ"]
        assert found["moved", "Qwen/Qwen3-1.7B"][3:] == ("Qwen/Qwen3-1.7B", "Qwen/Qwen3-1.7B-Hybrid")
        assert found["closed", "Qwen/Qwen3-0.6B"]

    def test_a_license_that_changed(self, agreeing: Any, call: Call) -> None:
        agreeing.repos["Qwen/Qwen3-4B"].says["tags"] = ["license:other", "license_name:qwen-research"]
        assert changes(call(*REFRESH, "--json")) == [
            ("changed", "Qwen/Qwen3-4B", "license", "apache-2.0", "qwen-research")
        ]

    def test_files_that_came_and_went(self, agreeing: Any, call: Call) -> None:
        files = agreeing.repos["Qwen/Qwen3-8B-GGUF"].files
        del files["Qwen3-8B-Q4_K_M.gguf"]
        files["Qwen3-8B-Q4_0.gguf"] = b""
        assert changes(call(*REFRESH, "--json")) == [
            ("changed", "Qwen/Qwen3-8B-GGUF", "files", "Qwen3-8B-Q4_K_M.gguf", ""),
            ("changed", "Qwen/Qwen3-8B-GGUF", "files", "", "Qwen3-8B-Q4_0.gguf"),
        ]

    def test_a_known_model_in_depth(self, hub: Any, call: Call, catalog: Catalog) -> None:
        hub.add("Qwen/Qwen3-8B", checkpoint(catalog.architectures["qwen3-8b"]), says={"tags": ["license:apache-2.0"]})
        assert changes(call(*REFRESH, "qwen3:8b", "--json")) == []
        hub.add("Qwen/Qwen3-8B", checkpoint(wider(catalog)), says={"tags": ["license:apache-2.0"]})
        found = changes(call(*REFRESH, "qwen3:8b", "--json"))
        assert len(found) == 2
        assert found[0] == ("changed", "Qwen/Qwen3-8B", "text.num_hidden_layers", "36", "40")
        assert found[1][2:4] == ("parameters_total", "8190735360")


class TestHostile:
    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"config.json": b"not json"}, "config.json is no JSON object"),
            ({"config.json": b"[]"}, "config.json is no JSON object"),
            ({"config.json": b"[" * 100_000}, "config.json is no JSON object"),
            ({"config.json": b" " * (2 << 20)}, "which no such file has"),
            ({"config.json": b'{"model_type": "llama"}'}, "model_type 'llama' is not one that can be read"),
            ({"model.safetensors": weight_files.safetensors(b"{}", 1 << 50)}, "which none has"),
            ({"model.safetensors": b""}, "is too short for a safetensors file"),
            ({"chat_template.jinja": b"x" * (2 << 20)}, "which no such file has"),
        ],
    )
    def test_one_odd_repository_spoils_no_other(
        self, change: dict[str, bytes], sentence: str, agreeing: Any, call: Call, catalog: Catalog
    ) -> None:
        agreeing.add("Qwen/Qwen3-9B", checkpoint(wider(catalog)) | change)
        agreeing.add("Qwen/Qwen3-8B-Instruct-2611", checkpoint(catalog.architectures["qwen3-8b"]))
        said = call(*REFRESH, "--json")
        assert said.code == 0
        found = {change[1]: change for change in changes(said)}
        assert found["Qwen/Qwen3-9B"][0] == "unread"
        assert sentence in found["Qwen/Qwen3-9B"][4]
        assert found["Qwen/Qwen3-8B-Instruct-2611"][0] == "new"

    def test_no_config(self, agreeing: Any, call: Call) -> None:
        agreeing.add("Qwen/Qwen3-9B", {"README.md": b"soon"})
        assert changes(call(*REFRESH, "--json")) == [("unread", "Qwen/Qwen3-9B", "", "", "has no config.json")]

    @pytest.mark.parametrize("name", ["Qwen/../../x", "Qwen/\x1b[2Jx", "Qwen/x y", "Qwen/", "Qwen/" + "x" * 300])
    def test_a_name_that_is_none(self, name: str, agreeing: Any, call: Call, home: Path) -> None:
        agreeing.add(name, {"config.json": b"{}"})
        said = call(*REFRESH, "--write", "--json")
        assert said.code == 0
        assert [change[0] for change in changes(said)] == ["unread"]
        assert "\x1b" not in said.out
        assert not (home / "qwen-advisor").exists()

    def test_a_path_that_leads_out(self, agreeing: Any, call: Call, catalog: Catalog) -> None:
        repo = agreeing.add("Qwen/Qwen3-9B", checkpoint(wider(catalog)))
        repo.paths["config.json"] = "../../config.json"
        assert "could land outside its folder" in changes(call(*REFRESH, "--json"))[0][4]

    def test_a_host_that_knows_no_ranges_is_not_read_to_its_end(
        self, agreeing: Any, call: Call, catalog: Catalog
    ) -> None:
        agreeing.ignores_ranges = True
        shape = wider(catalog)
        files = checkpoint(shape)
        agreeing.add("Qwen/Qwen3-9B", files)
        assert changes(call(*REFRESH, "--json"))[0][0] in ("new", "unread")


class TestNetwork:
    def test_nobody_there(self, call: Call, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert home.exists()
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        said = call(*REFRESH, "--json")
        assert said.code == 6
        assert said.json["error"]["code"] == "network"

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_host_that_takes_no_more(
        self, status: int, agreeing: Any, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda _: None)
        agreeing.list_status = status
        assert call(*REFRESH, "--json").code == 6

    def test_it_gives_up_when_the_host_falls_silent_midway(
        self, agreeing: Any, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda _: None)
        for number in range(9):
            agreeing.add(f"Qwen/Qwen9-{number}B", {"config.json": b"{}"})
        agreeing.describe_status = 429
        said = call(*REFRESH)
        assert said.code == 6
        assert "takes no more requests for now (429)" in said.err
