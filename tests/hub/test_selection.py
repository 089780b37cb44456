"""Which files of a repository are the model, and which names may be written."""

from __future__ import annotations

import time

import pytest

from qwen_advisor.errors import NetworkError, UsageError
from qwen_advisor.hub.remote import Remote, RemoteFile, checked, is_plain
from qwen_advisor.hub.selection import gaps, named, parts_of, whole_repository


def remote(*paths: str) -> Remote:
    files = tuple(RemoteFile(path=path, size=1) for path in paths)
    return Remote(source="huggingface", repo="Qwen/X", revision="0" * 40, files=files)


PARTS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
INDEX = "model.safetensors.index.json"


@pytest.mark.parametrize(
    ("container", "held", "left_out"),
    [
        ("safetensors", ("config.json", *PARTS, INDEX), ("pytorch_model.bin", "pytorch_model.bin.index.json")),
        ("safetensors", ("config.json", "model.safetensors"), (*PARTS, INDEX)),
        ("safetensors", ("config.json", *PARTS, INDEX), ("consolidated.safetensors",)),
        ("safetensors", ("config.json", "pytorch_model.bin"), ("tf_model.h5", "flax_model.msgpack", "onnx/model.onnx")),
        ("safetensors", ("unet/x.safetensors", "model_index.json"), ("unet/x.fp16.safetensors", "unet/x.bin")),
        ("safetensors", ("a.fp16.safetensors", "config.json"), ()),
        ("mlx", ("config.json", "model.safetensors"), ("x.gguf", "photo.JPG", "demo.mp4")),
        ("onnx", ("genai_config.json", "model.onnx", "model.onnx.data"), ("model.safetensors",)),
        ("openvino", ("config.json", "openvino_model.bin", "openvino_model.xml"), ("pytorch_model.bin",)),
    ],
)
def test_weights_once(container: str, held: tuple[str, ...], left_out: tuple[str, ...]) -> None:
    found = whole_repository(remote(*held, *left_out), container)  # type: ignore[arg-type]
    assert sorted(file.path for file in found) == sorted(held)


def test_weights_of_another_kind_are_no_weights() -> None:
    with pytest.raises(UsageError, match="holds no weights for openvino; it holds pytorch, safetensors"):
        whole_repository(remote("config.json", "a.bin", "model.safetensors"), "openvino")


def test_a_repository_without_a_part_is_not_whole() -> None:
    with pytest.raises(UsageError, match=r"lacks a part of its weights: model-00002-of-00002\.safetensors"):
        whole_repository(remote("config.json", PARTS[0], "README.md"), "safetensors")


def test_a_split_file_is_all_of_its_parts() -> None:
    names = ("x-00001-of-00003.gguf", "x-00002-of-00003.gguf", "x-00003-of-00003.gguf")
    assert parts_of(names[1]) == names
    assert [file.path for file in named(remote(*names, "y.gguf"), names[:1])] == list(names)
    assert gaps((*names[:2], "a", "b")) == (names[2],)
    assert gaps(names) == ()


def test_a_name_that_says_a_hundred_thousand_parts_costs_no_time() -> None:
    began = time.perf_counter()
    assert len(gaps(f"x{number}-00001-of-99999.gguf" for number in range(5000))) == 5000
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("path", ["a", "a/b.gguf", "UD-Q4_K_XL/x-00001-of-00002.gguf", "über.json", ".gitattributes"])
def test_plain_paths(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "./a", "a\\b", "C:a", "C:\\a", "nul", "a/COM1.txt", "a.",
     "a ", "a\n", "a\x00b", "a\u202eb", "a?b", "a*b", "a|b", "a" * 2000, "\x1b[2J"],
)  # fmt: skip
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert not is_plain(path)


def test_two_names_that_are_one_on_some_disks() -> None:
    with pytest.raises(NetworkError, match="twice"):
        checked([RemoteFile(path="a", size=1), RemoteFile(path="A", size=1)], "Qwen/X")


def test_a_repository_of_endless_files() -> None:
    with pytest.raises(NetworkError, match="more than 20000 files"):
        checked((RemoteFile(path=str(number), size=1) for number in range(10**9)), "Qwen/X")
