"""What a plan and a wish become in each engine's words. Sampling values: the cards that `sampling.yaml` cites."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.launching import rope, sampling
from qwen_advisor.launching.given import share
from qwen_advisor.launching.sampling import use_of
from qwen_advisor.model import Context
from qwen_advisor.plan import Placement
from qwen_advisor.units import GIB
from qwen_advisor.values import replace


def value(argv: tuple[str, ...], option: str) -> str | None:
    return argv[argv.index(option) + 1] if option in argv else None


@pytest.mark.parametrize(
    ("model", "thinking", "use", "expected"),
    [
        ("Qwen/Qwen3-8B", "on", "general", {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0}),
        ("Qwen/Qwen3-8B", "off", "general", {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0.0}),
        (
            "Qwen/Qwen3-Coder-30B-A3B-Instruct",
            "none",
            "code",
            {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05},
        ),
        (
            "Qwen/Qwen3.5-27B",
            "on",
            "general",
            {"temperature": 1.0, "top_p": 0.95, "top_k": 20, "min_p": 0.0, "presence_penalty": 1.5},
        ),
        ("Qwen/Qwen3.5-27B", "on", "code", {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0}),
        ("Qwen/Qwen3-8B-Base", "none", "general", {}),
    ],
)
def test_the_card_s_values(model: str, thinking: Any, use: str, expected: dict[str, float], catalog: Catalog) -> None:
    assert sampling.recommended(catalog, model, thinking, use) == expected


@pytest.mark.parametrize(
    ("task", "use"), [("code", "code"), ("math", "reasoning"), ("documents", "vision"), ("chat", "general")]
)
def test_tasks_are_uses(task: str, use: str) -> None:
    assert use_of(task) == use


class TestRope:
    def test_nothing_is_stretched_within_the_native_length(self, kitchen: Any) -> None:
        assert "--hf-overrides" not in kitchen.argv("vllm", plan=kitchen.plan("vllm", settings={"context": 32768}))

    @pytest.mark.parametrize(("context", "factor"), [(32769, 2.0), (65536, 2.0), (65537, 3.0), (131072, 4.0)])
    def test_the_least_whole_factor_reaches_it(self, context: int, factor: float, kitchen: Any) -> None:
        argv = kitchen.argv("vllm", plan=kitchen.plan("vllm", settings={"context": context}))
        # docs/features/context_extension of vLLM, for a Qwen3
        assert json.loads(value(argv, "--hf-overrides") or "") == {
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 1000000,
                "factor": factor,
                "original_max_position_embeddings": 32768,
            }
        }

    def test_sglang_and_its_variable(self, kitchen: Any) -> None:
        made = kitchen.cook("sglang", plan=kitchen.plan("sglang", settings={"context": 65536}))
        assert '"factor": 2.0' in (value(made.servers[0].argv, "--json-model-override-args") or "")
        assert ("SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN", "1") in made.servers[0].environment

    def test_models_that_see_keep_it_in_their_text_part(self, catalog: Catalog) -> None:
        # card of Qwen3.5-27B, "Processing Ultra-Long Texts"
        assert rope.override(catalog, catalog.models["Qwen/Qwen3.5-27B"], 524288) == {
            "text_config": {
                "rope_parameters": {
                    "mrope_interleaved": True,
                    "mrope_section": [11, 11, 10],
                    "rope_type": "yarn",
                    "rope_theta": 10000000,
                    "partial_rotary_factor": 0.25,
                    "factor": 2.0,
                    "original_max_position_embeddings": 262144,
                }
            }
        }

    def test_beyond_reach_is_refused(self, kitchen: Any) -> None:
        with pytest.raises(UsageError, match="reaches 131072 tokens"):
            kitchen.cook("vllm", plan=kitchen.plan("vllm", settings={"context": 131073}))

    def test_every_stretched_checkpoint_says_so(self, catalog: Catalog) -> None:
        for entry in catalog.rope.values():
            for model in entry.models:
                context = catalog.models[model].context
                assert "yarn" in (context.extension or "").lower(), model
                if "VL" not in model:  # positions of images grow slower, so a factor of 3 reaches 1,000,000 there
                    assert (context.extended or 0) <= (context.native or 0) * entry.largest_factor, model


class TestThinking:
    @pytest.mark.parametrize(
        ("engine", "words"),
        [
            ("llama.cpp", "--reasoning off"),
            ("vllm", """--default-chat-template-kwargs '{"enable_thinking": false}'"""),
            ("sglang", """--default-chat-template-kwargs '{"enable_thinking": false}'"""),
            ("transformers", "--reasoning off"),
            ("mlx", """--chat-template-args '{"enable_thinking": false}'"""),
        ],
    )
    def test_it_is_switched_off(self, engine: str, words: str, kitchen: Any) -> None:
        assert words in kitchen.text(engine, plan=kitchen.plan(engine, thinking="off"))
        assert words not in kitchen.text(engine)

    @pytest.mark.parametrize(
        ("engine", "words"),
        [
            ("llama.cpp", "--reasoning on"),
            ("vllm", '{"enable_thinking": true}'),
            ("sglang", '{"enable_thinking": true}'),
            ("transformers", "--reasoning on"),
            ("mlx", '{"enable_thinking": true}'),
            ("ollama", "--think=true"),
        ],
    )
    def test_it_is_switched_on_where_the_model_does_not_of_itself(self, engine: str, words: str, kitchen: Any) -> None:
        quiet = replace(kitchen.hand.DENSE, thinking_default="off")
        assert words in kitchen.text(engine, plan=kitchen.plan(engine, checkpoint=quiet))

    def test_ollama_is_told_at_each_run(self, kitchen: Any) -> None:
        assert "ollama run qwen3:8b --think=false" in kitchen.text(
            "ollama", plan=kitchen.plan("ollama", thinking="off")
        )

    def test_a_script_hands_it_to_the_template(self, kitchen: Any) -> None:
        plan = kitchen.plan("transformers", thinking="off")
        assert "enable_thinking=False" in kitchen.text("transformers", "python", plan=plan)


class TestVersions:
    def test_an_option_that_an_old_version_lacks_is_left_out_and_said(self, kitchen: Any) -> None:
        made = kitchen.cook("vllm", plan=kitchen.plan("vllm", thinking="off"), version="0.11.0")
        assert "--default-chat-template-kwargs" not in made.servers[0].argv
        assert '{"enable_thinking": false}' not in made.servers[0].argv
        assert made.warnings == (
            (
                "vLLM 0.11.0 has no --default-chat-template-kwargs (since 0.17.0), it is left out:"
                " each request has to carry chat_template_kwargs"
            ),
        )

    def test_one_that_the_plan_needs_is_refused(self, kitchen: Any) -> None:
        plan = kitchen.plan("vllm", placement=Placement(mode="gpu", layers=36, gpu_layers=36, pipeline_parallel=2))
        with pytest.raises(UsageError, match=r"vLLM 0\.10\.0 has no --nnodes \(since 0\.13\.0\)") as caught:
            kitchen.cook("vllm", plan=plan, nodes=2, executor="mp", version="0.10.0")
        assert "--executor ray" in (caught.value.hint or "")
        assert kitchen.cook("vllm", plan=plan, nodes=2, executor="ray", version="0.10.0").warnings == ()

    def test_a_version_too_old_for_the_model_is_refused(self, kitchen: Any) -> None:
        with pytest.raises(UsageError, match=r"needs vLLM 0\.8\.5, not 0\.6\.0"):
            kitchen.cook("vllm", version="0.6.0")

    def test_nonsense_is_no_version(self, kitchen: Any) -> None:
        with pytest.raises(UsageError, match="'latest' is not a version of vLLM"):
            kitchen.cook("vllm", version="latest")

    def test_the_image_is_of_the_version(self, kitchen: Any) -> None:
        assert "image: vllm/vllm-openai:v0.20.0\n" in kitchen.text("vllm", "compose", version="0.20.0")


class TestMemory:
    def test_a_desktop_leaves_less_to_the_engine(self, kitchen: Any) -> None:
        card = kitchen.hand.GPU.accelerators[0]
        busy = replace(kitchen.hand.GPU, accelerators=(replace(card, free=18 * GIB, reserve=0),))
        assert share(kitchen.hand.GPU, 9 * GIB, 0.9) == 0.9
        assert share(busy, 9 * GIB, 0.9) == 0.75
        assert value(kitchen.argv("vllm", machine=busy), "--gpu-memory-utilization") == "0.75"

    def test_sglang_leaves_room_for_what_a_step_computes_with(self, kitchen: Any) -> None:
        # 23 GiB are free of 24, a step takes 1: 22 / 24 = 0.916, and no more than 0.9
        assert value(kitchen.argv("sglang"), "--mem-fraction-static") == "0.90"
        card = kitchen.hand.GPU.accelerators[0]
        busy = replace(kitchen.hand.GPU, accelerators=(replace(card, free=19 * GIB, reserve=0),))
        assert value(kitchen.argv("sglang", machine=busy), "--mem-fraction-static") == "0.75"

    def test_a_cpu_has_no_fraction(self, kitchen: Any) -> None:
        assert value(kitchen.argv("vllm", plan=kitchen.plan("vllm", cpu=True)), "--gpu-memory-utilization") is None


class TestSources:
    @pytest.mark.parametrize(
        ("engine", "words"),
        [
            ("llama.cpp", "MODEL_ENDPOINT=https://www.modelscope.cn/ llama-server"),
            ("ollama", "ollama pull modelscope.cn/Qwen/Qwen3-8B-GGUF:Q4_K_M"),
            ("vllm", "VLLM_USE_MODELSCOPE=true vllm serve Qwen/Qwen3-8B-AWQ"),
            ("sglang", "SGLANG_USE_MODELSCOPE=true python -m sglang.launch_server --model-path Qwen/Qwen3-8B-AWQ"),
            (
                "transformers",
                "modelscope download --model Qwen/Qwen3-8B --local_dir Qwen3-8B\ntransformers serve Qwen3-8B",
            ),
        ],
    )
    def test_modelscope(self, engine: str, words: str, kitchen: Any) -> None:
        assert words in kitchen.text(engine, source="modelscope")

    def test_lm_studio_has_no_other_source(self, kitchen: Any) -> None:
        with pytest.raises(UsageError, match="Hugging Face only"):
            kitchen.cook("lmstudio", source="modelscope")

    def test_weights_that_nobody_offers_can_lie_on_the_disk(self, kitchen: Any) -> None:
        plan = kitchen.plan("vllm")
        nowhere = replace(plan, artifact=replace(plan.artifact, repo=None))
        with pytest.raises(UsageError, match="no repository of Qwen/Qwen3-8B in AWQ is known"):
            kitchen.cook("vllm", plan=nowhere)
        argv = kitchen.argv("vllm", plan=nowhere, weights="/models/mine")
        assert argv[:3] == ("vllm", "serve", "/models/mine")
        assert value(argv, "--served-model-name") == "Qwen/Qwen3-8B"

    def test_a_projector_goes_with_a_file(self, kitchen: Any) -> None:
        plan = kitchen.plan("llama.cpp", checkpoint=kitchen.hand.SEES, thinking="none")
        made = kitchen.cook("llama.cpp", plan=plan, weights="/m/a.gguf", projector="/m/p.gguf")
        assert made.servers[0].argv[:5] == ("llama-server", "-m", "/m/a.gguf", "--mmproj", "/m/p.gguf")
        assert any("--projector" in note for note in kitchen.cook("llama.cpp", plan=plan, weights="/m/a.gguf").notes)


class TestAddresses:
    @pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
    def test_nothing_listens_to_the_network_unless_asked(self, engine: str, kitchen: Any) -> None:
        assert value(kitchen.argv(engine), "--host") in (None, "127.0.0.1")
        assert value(kitchen.argv(engine, host="10.1.2.3", port=9000), "--host") == "10.1.2.3"
        assert value(kitchen.argv(engine, host="10.1.2.3", port=9000), "--port") == "9000"
        assert "127.0.0.1:" in kitchen.text(engine, "compose")

    def test_ollama_by_its_variable(self, kitchen: Any) -> None:
        assert "OLLAMA_HOST=10.1.2.3:9000" in kitchen.text("ollama", host="10.1.2.3", port=9000)

    def test_a_script_asks_the_same_address(self, kitchen: Any) -> None:
        assert "base_url='http://[::1]:8080/v1'" in kitchen.text("llama.cpp", "python", host="::1")


class TestServerProfile:
    @pytest.mark.parametrize(("engine", "secret"), [("llama.cpp", "LLAMA_API_KEY"), ("vllm", "VLLM_API_KEY")])
    def test_keys_come_from_the_environment(self, engine: str, secret: str, kitchen: Any) -> None:
        assert kitchen.cook(engine, profile="server").secrets == (secret,)
        assert f"${{{secret}:?" in kitchen.text(engine, "compose", profile="server")
        assert "secretKeyRef" in kitchen.text(engine, "kubernetes", profile="server")
        assert "EnvironmentFile=/etc/qwen/qwen3-8b.env" in kitchen.text(engine, "systemd", profile="server")

    def test_llama_server_hides_what_others_ask(self, kitchen: Any) -> None:
        argv = kitchen.argv("llama.cpp", profile="server")
        assert {"--metrics", "--no-slots", "--no-ui"} <= set(argv)

    def test_only_the_proxy_has_ports(self, kitchen: Any) -> None:
        assert kitchen.text("vllm", "compose", profile="server").count("ports:") == 1

    def test_the_gateway_sends_the_card_s_values(self, kitchen: Any) -> None:
        text = kitchen.text("sglang", "compose", profile="server", plan=kitchen.plan("sglang", thinking="off"))
        assert "temperature: 0.7" in text
        assert "enable_thinking: false" in text


def test_tool_parsers_by_line(kitchen: Any) -> None:
    coder = kitchen.plan("vllm", checkpoint=kitchen.hand.CODER, thinking="none")
    assert "--tool-call-parser qwen3_coder" in kitchen.text("vllm", plan=coder, tools=True)
    assert "--tool-call-parser hermes" in kitchen.text("vllm", tools=True)
    assert "--tool-call-parser qwen25" in kitchen.text("sglang", tools=True)


def test_embeddings_have_no_sampling_and_no_talk(kitchen: Any) -> None:
    embedding = replace(kitchen.hand.DENSE, kind="embedding", thinking=None)
    made = kitchen.cook("llama.cpp", plan=kitchen.plan("llama.cpp", checkpoint=embedding, thinking="none"))
    assert "--embeddings" in made.servers[0].argv
    assert "--temp" not in made.servers[0].argv
    assert made.chat == ()
    with pytest.raises(UsageError, match="does not chat"):
        kitchen.text("llama.cpp", "python", plan=made.plan)


def test_ollama_gets_the_layers_that_the_plan_decided(kitchen: Any) -> None:
    half = Placement(mode="hybrid", layers=36, gpu_layers=20, device_layers=(20,))
    assert "PARAMETER num_gpu 21\n" in kitchen.text("ollama", "modelfile", plan=kitchen.plan("ollama", placement=half))
    assert "PARAMETER num_gpu 0\n" in kitchen.text("ollama", "modelfile", plan=kitchen.plan("ollama", cpu=True))
    assert "num_gpu" not in kitchen.text("ollama", "modelfile")


@pytest.mark.parametrize(
    ("vendor", "device", "image"),
    [
        ("amd", "/dev/kfd:/dev/kfd", "server-rocm-b11549"),
        ("intel", "/dev/dri:/dev/dri", "server-intel-b11549"),
        ("other", "/dev/dri:/dev/dri", "server-vulkan-b11549"),
    ],
)
def test_containers_of_other_makers(vendor: str, device: str, image: str, kitchen: Any) -> None:
    card = replace(kitchen.hand.GPU.accelerators[0], vendor=vendor)
    text = kitchen.text("llama.cpp", "compose", machine=replace(kitchen.hand.GPU, accelerators=(card,)))
    assert image in text
    assert device in text


def test_a_mac_has_no_containers_with_a_gpu(kitchen: Any) -> None:
    card = replace(kitchen.hand.GPU.accelerators[0], vendor="apple")
    with pytest.raises(UsageError, match="Mac"):
        kitchen.text("llama.cpp", "compose", machine=replace(kitchen.hand.GPU, accelerators=(card,)))


def test_commands_of_a_shell_are_the_argv(kitchen: Any) -> None:
    text = kitchen.text("vllm", plan=kitchen.plan("vllm", settings={"context": 65536}), tools=True)
    line = next(line for line in text.splitlines() if "vllm serve" in line)
    assert tuple(shlex.split(line)[1:]) == kitchen.argv(
        "vllm", plan=kitchen.plan("vllm", settings={"context": 65536}), tools=True
    )


def test_contexts_without_a_known_length_pass(kitchen: Any) -> None:
    unknown = replace(kitchen.hand.DENSE, context=Context(native=None))
    assert kitchen.cook("vllm", plan=kitchen.plan("vllm", checkpoint=unknown)).rope is None
