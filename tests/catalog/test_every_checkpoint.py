"""What must hold for each checkpoint by itself."""

from __future__ import annotations

import re
from datetime import date

from qwen_advisor.facts import License
from qwen_advisor.model import Architecture, Checkpoint, RepoFile
from qwen_advisor.parameters import count
from qwen_advisor.weights import VARIANTS

# Names of engines in the interface that scripts rely on.
ENGINES = {"llama.cpp", "ollama", "vllm", "sglang", "transformers", "mlx", "onnxruntime", "openvino", "lmstudio"}
COMMUNITY = {"ggml-org", "lmstudio-community", "unsloth", "bartowski"}
MAKERS = {"Qwen", "Alibaba-NLP"}
QUANTIZATION = re.compile(r"(UD-)?(I?Q[1-8]_[A-Z0-9]+(_[A-Z]+)?|F16|BF16-GGUF|MXFP4_MOE)")


def doubts(checkpoint: Checkpoint) -> str:
    return " ".join(checkpoint.unverified)


def test_is_named_by_its_file(checkpoint, root):
    owner, name = checkpoint.id.split("/")
    assert owner in MAKERS
    assert (root / "models" / f"{name.lower()}.yaml").is_file()


def test_weights_equal_what_the_architecture_gives(checkpoint: Checkpoint, architectures: dict[str, Architecture]):
    counted = count(architectures[checkpoint.architecture])
    if checkpoint.parameters_total is None:
        assert "parameters_total" in doubts(checkpoint)
    else:
        assert counted.total == checkpoint.parameters_total
    if checkpoint.parameters_active is not None:
        assert counted.active == checkpoint.parameters_active


def test_only_mixtures_have_fewer_active_weights(checkpoint, architectures):
    text = architectures[checkpoint.architecture].text
    mixture = text is not None and text.moe is not None
    assert (checkpoint.parameters_active is not None) == mixture


def test_a_head_stored_twice_is_a_tied_one(checkpoint, architectures):
    text = architectures[checkpoint.architecture].text
    if checkpoint.extra_weights:
        assert text.tie_word_embeddings
        assert checkpoint.extra_weights == text.vocab_size * text.hidden_size


def test_is_dated_or_says_why_not(checkpoint):
    if checkpoint.released is None:
        assert "released" in doubts(checkpoint)
    else:
        assert date(2023, 8, 3) <= date.fromisoformat(checkpoint.released) <= date(2026, 11, 30)


def test_license_is_known_or_in_doubt(checkpoint: Checkpoint, licenses: dict[str, License]):
    if checkpoint.license is None:
        assert "license" in doubts(checkpoint)
    else:
        assert checkpoint.license in licenses


def test_family_is_known(checkpoint, facts):
    assert checkpoint.family in facts.values("families")


def test_context_says_by_what_it_is_stretched(checkpoint):
    context = checkpoint.context
    assert (context.extended is None) == (context.extension is None)
    if context.extended is not None:
        assert context.native is not None
        assert context.extended > context.native
    language_model = checkpoint.kind in ("base", "instruct", "thinking", "hybrid")
    if language_model and context.native is None:
        assert "context.native" in doubts(checkpoint)


def test_thinking_fits_the_kind(checkpoint):
    assert (checkpoint.kind == "hybrid") == (checkpoint.thinking == "hybrid")
    if checkpoint.kind == "thinking":
        assert checkpoint.thinking == "always"
    if checkpoint.kind in ("base", "instruct", "embedding", "reranker", "guard", "reward"):
        assert checkpoint.thinking == "none"
    assert (checkpoint.thinking_default is not None) == (checkpoint.thinking == "hybrid")


def test_base_models_call_no_tools(checkpoint):
    if checkpoint.kind not in ("instruct", "thinking", "hybrid"):
        assert not checkpoint.tool_calling


def test_embedding_models_tell_their_dimensions(checkpoint, architectures):
    assert (checkpoint.embedding_dimensions is not None) == (checkpoint.kind == "embedding")
    if checkpoint.embedding_dimensions is not None:
        assert checkpoint.embedding_dimensions == architectures[checkpoint.architecture].text.hidden_size


def test_modalities_have_an_encoder(checkpoint, architectures):
    architecture = architectures[checkpoint.architecture]
    if architecture.text is None:
        return
    if {"image", "video"} & set(checkpoint.modalities_in):
        assert architecture.vision is not None
    if "audio" in checkpoint.modalities_in:
        speaker = any(part.name == "speaker_encoder" for part in architecture.components)
        assert architecture.audio is not None or speaker


def test_engines_are_those_of_the_interface(checkpoint):
    assert set(checkpoint.engines) <= ENGINES
    assert not set(checkpoint.other_engines) & ENGINES
    assert checkpoint.engines or checkpoint.other_engines


def version(text):
    return tuple(int(part) for part in re.findall(r"\d+", text))


def test_needs_later_engines_only_where_its_type_does_not(checkpoint, architectures, facts):
    model_type = architectures[checkpoint.architecture].model_type
    for engine, first in checkpoint.engine_versions.items():
        assert engine in checkpoint.engines
        support = facts.values("engines")[engine].models[model_type]
        assert support.min_version is None or version(first) > version(support.min_version)


def test_names_sources_that_a_reader_can_open(checkpoint):
    assert checkpoint.sources[0] == f"https://huggingface.co/{checkpoint.id}"
    assert len(checkpoint.sources) == len(set(checkpoint.sources))
    for source in checkpoint.sources:
        assert re.fullmatch(r"https://[\w.-]+/[\w./%*~+-]+", source)


def test_ready_weights_come_from_known_publishers(checkpoint):
    repositories = [ready.repo for ready in checkpoint.quantized]
    assert len(repositories) == len(set(repositories))
    for ready in checkpoint.quantized:
        owner = ready.repo.split("/")[0]
        assert owner in (MAKERS if ready.official else COMMUNITY)
        assert ready.source == f"https://huggingface.co/{ready.repo}"
        assert ready.format == "GGUF" or not (ready.files or ready.projector or ready.variant)
        if not ready.official and ready.format == "GGUF":
            assert ready.files


def test_words_for_what_a_publisher_does_are_known(checkpoint):
    for ready in checkpoint.quantized:
        assert set(ready.variant) <= set(VARIANTS) | {"own-mix"}


def complete(files: RepoFile) -> bool:
    """Whether all parts of a split file are named, in order."""
    parts = [re.search(r"-(\d{5})-of-(\d{5})\.gguf$", name) for name in files.names]
    if parts == [None]:
        return True
    return [part and (int(part[1]), int(part[2])) for part in parts] == [
        (number, len(parts)) for number in range(1, len(parts) + 1)
    ]


def test_files_are_whole(checkpoint):
    for ready in checkpoint.quantized:
        for quantization, files in ready.files.items():
            assert QUANTIZATION.fullmatch(quantization)
            assert complete(files)
            assert all(name.endswith(".gguf") and "mmproj" not in name for name in files.names)
            assert files.bytes is None or files.bytes > 10_000_000
        for quantization, files in ready.projector.items():
            assert quantization in ("F16", "BF16", "F32", "Q8_0")
            assert all("mmproj" in name for name in files.names)


def test_makers_files_leave_nothing_to_others_of_the_same_kind(checkpoint):
    own = {q for ready in checkpoint.quantized if ready.official for q in ready.files}
    for ready in checkpoint.quantized:
        if not ready.official:
            assert not own & set(ready.files)


def test_tags_are_written_as_ollama_takes_them(checkpoint):
    for tag in checkpoint.ollama:
        assert re.fullmatch(r"[a-z0-9.-]+:[A-Za-z0-9._-]+", tag.tag)
        assert not tag.tag.endswith("cloud")
        assert tag.quantization is None or QUANTIZATION.fullmatch(tag.quantization)
        if tag.quantization is None:
            assert tag.note
