"""Every reader of what others write, each with hostile inputs for it: it gives a value or one of our errors.

``tests/unbreakable/test_fuzz.py`` runs them with fixed seeds, ``benchmarks/fuzz.py`` with new ones for as long as it
may. An act that raises anything but an `AdvisorError` is a finding.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from hypothesis import strategies as st

from benchmarks import fuzz_inputs as inputs
from benchmarks import fuzz_samples as samples
from benchmarks.fuzz_samples import catalog
from qwen_advisor import api, calibration
from qwen_advisor.bench import address, chat, counters, history
from qwen_advisor.bench.events import Events
from qwen_advisor.bench.records import ServerTimings
from qwen_advisor.catalog.overlays import overlay
from qwen_advisor.catalog.strict_yaml import MAX_BYTES, parse_yaml
from qwen_advisor.catalog.structure import plain
from qwen_advisor.cli import preferences
from qwen_advisor.cli.app import run
from qwen_advisor.cli.dataset import checked
from qwen_advisor.cli.faults import as_advisor_error
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import AdvisorError
from qwen_advisor.fleet.inventory import Row, read_inventory
from qwen_advisor.fleet.picks import machine_of
from qwen_advisor.gate.lock_file import parse_lock
from qwen_advisor.gate.policy_file import parse_policy
from qwen_advisor.hub import headers, huggingface, modelscope, record
from qwen_advisor.hub.configs import architecture_of
from qwen_advisor.hub.installed import ollama_tags
from qwen_advisor.listing import parse_parameters, search
from qwen_advisor.names import resolve_model
from qwen_advisor.parameters.counting import count
from qwen_advisor.profiles.document import machine_document
from qwen_advisor.profiles.files import parse_profile
from qwen_advisor.requirements import resolve
from qwen_advisor.units import parse_bandwidth, parse_reserve, parse_size, parse_tokens


@dataclasses.dataclass(frozen=True)
class Target:
    """One reader."""

    inputs: st.SearchStrategy[Any]
    act: Callable[[Any], object]
    examples: int = 60  # in the suite, where all of them together have half a minute


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="qwen-advisor-fuzz-")


def _file(name: str, data: bytes) -> Path:
    path = Path(_folder().name, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def call(*words: str) -> int:
    """The command line in this process; strangers among its faults rise as they are."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            return run(list(words))
        except Exception as error:
            known = as_advisor_error(error)
            if known.code == AdvisorError.code:
                raise
            raise known from error


def _units(text: str) -> None:
    read: tuple[Callable[[str], float], ...] = (
        parse_size, parse_reserve, parse_bandwidth, parse_tokens, parse_parameters,
    )  # fmt: skip
    for parse in read:
        with contextlib.suppress(AdvisorError):
            value = parse(text)
            assert 0 <= value < 1 << 62, (parse, text, value)  # noqa: S101  an answer out of bounds is a finding


def _requirements(wishes: dict[str, Any]) -> None:
    for name, word in wishes.items():
        with contextlib.suppress(AdvisorError):
            resolve(catalog(), **{name: word})


_WISHES = st.fixed_dictionaries(
    dict.fromkeys(("task", "license", "language", "thinking", "prefer", "family", "released_after"), inputs.WORDS)
    | {name: st.lists(inputs.WORDS, max_size=2) for name in ("engines", "quantizations")}
    | {"min_speed": st.floats(), "context": st.integers(), "top": st.integers()}
)


def _names(text: str) -> None:
    for name in (text, f"Qwen/{text}", f"qwen3:{text}", f"hf.co/{text}"):
        with contextlib.suppress(AdvisorError):
            resolve_model(catalog(), name)
    search(catalog(), text)
    with contextlib.suppress(AdvisorError):
        address.parse_address(text)
    with contextlib.suppress(AdvisorError):
        address.parse_address(f"http://{text}")


def _described(words: tuple[str, str]) -> None:
    for said in (Description(gpus=words), Description(device=words[0]), Description(gpus=(words[0],), nodes=2)):
        with contextlib.suppress(AdvisorError):
            machine = describe(catalog(), said)
            assert len(machine.accelerators) <= 4096  # noqa: S101  a word must not fill the memory


_SPECS = st.one_of(
    inputs.WORDS,
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "2x", "999999999x", "0x", "-1x", "2 × ", "9" * 400 + "x"]),
        st.sampled_from(["RTX 4090", "3090", "M3 Max", "H100", "MacBook Pro", "g5.xlarge"]),
        st.sampled_from(["", " 24GB", " 0GB", " 1e9GB", " 999999999999999GB", ","]),
        st.sampled_from(["", " x2", " " * 3000, "\0"]),
    ),
)


def _profile(data: bytes) -> None:
    machine = parse_profile(data, "profile", catalog())
    assert json.dumps(machine_document(machine), allow_nan=False)  # noqa: S101


def _answered(document: Any) -> None:
    call("recommend", "--hardware", str(_file("profile.json", inputs.json_bytes(document))), "--json", "--top", "1")


def _inventory(data: tuple[str, bytes]) -> None:
    path = _file(f"fleet.{data[0]}", data[1])
    for row in read_inventory(path).rows:
        if isinstance(row, Row):
            with contextlib.suppress(AdvisorError):
                machine_of(row.words, catalog())


def _yaml(data: bytes) -> None:
    node, faults = parse_yaml(data, "file")
    assert faults or node is not None  # noqa: S101
    if node is not None:
        plain(node)


def _overlay(document: Any) -> None:
    kind = document.get("kind") if isinstance(document, dict) else None
    entry = document.get("entry") if isinstance(document, dict) else document
    root = Path(_folder().name, "extra")
    for old in root.glob("*/own.yaml"):
        old.unlink()
    _file(f"extra/{kind if kind in ('models', 'architectures') else 'models'}/own.yaml", inputs.yaml_bytes(entry))
    laid = overlay(catalog(), root)
    for model in laid.models.values():
        if model.id not in catalog().models:
            resolve_model(laid, model.id)


def _policy(data: bytes) -> None:
    parse_policy(data, "policy", catalog())


def _judged(document: tuple[Any, date]) -> None:
    policy = _file("policy.yaml", inputs.yaml_bytes(document[0]))
    words = ("--policy", str(policy), "--today", document[1].isoformat(), "--json")
    call("check", "Qwen3-8B", "--ram", "16G", *words)


def _locked(document: Any) -> None:
    parse_lock(document, "lock", catalog())
    call("check", "--lock", str(_file("lock.json", inputs.json_bytes(document))), "--json")


def _settings(data: bytes) -> None:
    with mock.patch.dict(os.environ, {preferences.CONFIG: str(_file("config.toml", data))}):
        preferences.settings()


def _reader(data: bytes) -> headers.Read:
    """Like a range of a file; who asks for more than a header may have is a finding."""

    def read(first: int, end: int) -> bytes:
        assert 0 <= first <= end <= headers.MOST_SAFETENSORS + 8, (first, end)  # noqa: S101
        return data[first:end]

    return read


def _config(document: Any) -> None:
    if isinstance(document, dict):
        count(architecture_of(document, id="new", source="https://example.org/config.json"))


def _info(document: Any) -> None:
    from huggingface_hub.hf_api import ModelInfo  # noqa: PLC0415  heavy

    hub = SimpleNamespace(
        model_info=lambda *_, **__: ModelInfo(**document), list_models=lambda **_: [ModelInfo(**document)]
    )
    with mock.patch.object(huggingface, "_api", return_value=hub):
        with contextlib.suppress(AdvisorError):
            huggingface.repositories("Qwen", 10)
        _stay_inside(huggingface.listing("Qwen/x"))


def _modelscope(document: Any) -> None:
    with mock.patch.object(modelscope, "document", return_value=document):
        _stay_inside(modelscope.listing("Qwen/x"))


def _stay_inside(remote: Any) -> None:
    for file in remote.files:
        assert Path("/root", file.path).resolve().is_relative_to("/root")  # noqa: S101


def _manifest(document: Any) -> None:
    _file("ollama/manifests/registry.ollama.ai/library/qwen3/8b", inputs.json_bytes(document))
    ollama_tags(Path(_folder().name, "ollama"))


def _note(document: Any) -> None:
    path = _file("pulled.json", inputs.json_bytes(document))
    with mock.patch.object(record, "record_file", return_value=path):
        record.Record().vouches(path, "x")


def _data_set(lines: list[bytes]) -> None:
    checked(_file("data.jsonl", b"\n".join(lines)), model="Qwen/Qwen3-8B", tokenizer=None, seq_len=64)


def _stream(pieces: list[bytes]) -> None:
    """What is no UTF-8 or no JSON is a ValueError here, which the wire makes a sentence of."""
    events = Events()
    with contextlib.suppress(ValueError):
        for data in (data for piece in pieces for _, data in events.feed(piece)):
            _rates(chat.read_piece(data).timings)
        for _, data in events.end():
            chat.read_piece(data)


def _rates(timings: ServerTimings | None) -> None:
    if timings is not None:
        assert timings.prompt_tokens / timings.prompt_seconds >= 0  # noqa: S101


def _metrics(text: str) -> None:
    for engine in counters._NAMES:  # noqa: SLF001  every engine that has counters
        found = counters.read_counts(text, engine)
        assert found is None or (found.decode is None or found.decode >= 0)  # noqa: S101


@functools.cache
def _counters() -> tuple[bytes, ...]:
    return tuple(
        "".join(f'# TYPE {name} counter\n{name}{{model="x",le="+Inf"}} 12.5\n' for name in names).encode()
        for names in counters._NAMES.values()  # noqa: SLF001  as above
    )


@functools.cache
def _own() -> tuple[Any, str, str]:
    machine = dataclasses.replace(api.machine_for(catalog(), ram="16G"), described=False)
    return machine, calibration.fingerprint(machine), calibration.efficiencies(catalog())


def _calibrated(document: Any) -> None:
    machine, mark, today = _own()
    text = (
        json.dumps(document)
        .replace('"' + "0" * 16 + '"', f'"{mark}"', 1)
        .replace('"' + "0" * 16 + '"', f'"{today}"', 1)
    )
    path = _file("calibration.json", text.encode("utf-8", "surrogatepass"))
    factors: Mapping[Any, Any] = calibration.load(machine, catalog(), path)
    api.recommend(task="code", machine=machine, catalog=catalog(), calibration=factors)


def _history(lines: list[bytes]) -> None:
    path = _file("bench.jsonl", b"\n".join(lines))
    with mock.patch("qwen_advisor.cli.bench.history_file", return_value=path):
        for form in ("json", "table"):
            call("bench", "--history", "--format", form)
    for group in history.groups(history.last(path, 50)):
        history.average(group)


def _lines(documents: tuple[Any, ...]) -> st.SearchStrategy[list[bytes]]:
    return st.lists(inputs.bent(documents).map(inputs.json_bytes) | st.sampled_from(documents).map(inputs.json_bytes)
                    | st.binary(max_size=20), max_size=5)  # fmt: skip


def _events() -> st.SearchStrategy[list[bytes]]:
    event = inputs.bent(samples.PIECES).map(lambda tree: b"data: " + inputs.json_bytes(tree) + b"\n\n")
    other = st.sampled_from(
        [b"data: [DONE]\n\n", b"event: error\r\n", b"error: x\n\n", b":\n", b"data:" * 9, b"[" * 9000]
    )
    return st.lists(event | other | st.binary(max_size=20) | event.map(lambda data: data[:17]), max_size=8)


def targets() -> dict[str, Target]:
    """All of them, by name."""
    bent, damaged, to_json = inputs.bent, inputs.damaged, inputs.json_bytes
    profiles, locks = samples.profiles(), samples.locks()
    return {
        "units": Target(inputs.WORDS, _units, 300),
        "requirements": Target(_WISHES, _requirements),
        "names and addresses": Target(inputs.WORDS, _names, 50),
        "machines in words": Target(st.tuples(_SPECS, _SPECS), _described, 100),
        "profiles": Target(bent(profiles).map(to_json) | damaged(tuple(map(to_json, profiles))), _profile, 200),
        "profiles that are answered": Target(bent(profiles), _answered, 30),
        "inventories": Target(
            st.tuples(st.just("csv"), damaged(samples.ROWS))
            | st.tuples(st.just("yaml"), bent(samples.FLEET).map(to_json)),
            _inventory,
            150,
        ),
        "yaml": Target(
            st.sampled_from(inputs.YAML_SNARES) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
            | damaged((inputs.BOMB, to_json(samples.POLICY), *map(to_json, profiles)))
            | st.just(b" " * (MAX_BYTES + 1)),
            _yaml,
            200,
        ),
        "catalogue entries": Target(bent(samples.entries()), _overlay, 60),
        "policies": Target(bent((samples.POLICY,)).map(to_json) | damaged((to_json(samples.POLICY),)), _policy, 150),
        "policies that judge": Target(st.tuples(bent((samples.POLICY,)), st.dates()), _judged, 30),
        "locks": Target(bent(locks), _locked, 60),
        "settings": Target(damaged((samples.CONFIG,)), _settings, 150),
        "safetensors": Target(
            inputs.safetensors_heads(samples.TENSORS), lambda data: headers.safetensors(_reader(data), "file"), 150
        ),
        "gguf": Target(inputs.gguf_heads(), lambda data: headers.gguf(_reader(data), "file"), 300),
        "configs": Target(bent(samples.CONFIGS), _config, 200),
        "hub descriptions": Target(bent(samples.INFOS), _info, 150),
        "modelscope descriptions": Target(bent(samples.FILES), _modelscope, 150),
        "ollama manifests": Target(bent(samples.MANIFESTS), _manifest, 60),
        "pull records": Target(bent(samples.NOTES), _note, 60),
        "data sets": Target(_lines(samples.EXAMPLES), _data_set, 150),
        "streams": Target(_events(), _stream, 150),
        "counters": Target(damaged(_counters()).map(lambda data: data.decode("utf-8", "replace")), _metrics, 100),
        "calibrations": Target(bent(samples.MEASURED), _calibrated, 30),
        "histories": Target(_lines((samples.ENTRY,)), _history, 50),
    }  # fmt: skip


def findings(target: Target, value: Any) -> None:
    """Run a target on an input; returns quietly where it gave a value or one of our errors."""
    try:
        target.act(value)
    except AdvisorError as error:
        assert error.message.strip()  # noqa: S101, PT017  most inputs raise nothing
