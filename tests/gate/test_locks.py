"""Lock files: what is written is read back, holds while nothing changes, and says what has changed when it does."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_advisor.api import machine_for, recommend
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.lock import Lock, lock_of
from qwen_advisor.gate.lock_file import parse_lock
from qwen_advisor.render.check_documents import lock_document
from qwen_advisor.render.schema import json_schema

Say = Callable[..., Any]
LOCK = "qwen-advisor.lock.json"
CODE = ("--task", "code", "--ram", "16G")


def _locked(say: Say, *words: str) -> dict[str, Any]:
    said = say("recommend", *words, "--lock", LOCK, "--json")
    assert said.code == 0, said.err
    document = json.loads(Path(LOCK).read_text("utf-8"))
    jsonschema.validate(document, json_schema("lock-1"))
    return document


def _held(say: Say, *words: str) -> tuple[int, dict[str, str]]:
    said = say("check", "--lock", LOCK, *words, "--json")
    assert said.code in (0, 3), said.err
    document = json.loads(said.out)
    jsonschema.validate(document, json_schema("check-1"))
    assert document["lock"]["file"] == LOCK
    (model,) = document["models"]
    return said.code, {f["rule"]: f["level"] for f in model["findings"]}


def test_the_lock_says_what_was_recommended(say: Say) -> None:
    said = say("recommend", *CODE, "--lock", LOCK, "--json")
    first, lock = json.loads(said.out)["recommendations"][0], json.loads(Path(LOCK).read_text("utf-8"))
    assert lock["model"]["id"] == first["model"]["id"]
    assert lock["quantization"] == first["quantization"]
    assert lock["engine"] == first["engine"]
    assert lock["artifact"]["repo"] == first["artifact"]["repo"]
    assert [file["name"] for file in lock["artifact"]["files"]] == first["artifact"]["files"]
    assert lock["artifact"]["bytes"] == first["artifact"]["bytes"]
    assert lock["artifact"]["revision"] is None
    sizes = [file["bytes"] for file in lock["artifact"]["files"]]
    assert (sizes == [lock["artifact"]["bytes"]]) is lock["artifact"]["exact"]
    assert lock["expected"]["memory_bytes"] == first["memory"]["total_bytes"]
    assert [step["argv"] for step in lock["steps"]] == [step["argv"] for step in first["launch"]["steps"]]
    assert lock["requirements"] == json.loads(said.out)["requirements"]


@pytest.mark.parametrize(
    "words",
    [
        CODE,
        ("--task", "chat", "--gpu", "RTX 4090", "--license", "permissive", "--tools"),
        ("--task", "agent", "--gpu", "2x RTX 3090", "--context", "64k"),
        ("--task", "chat", "--gpu", "RTX 4090", "--concurrency", "16", "--engine", "vllm"),
        ("--task", "chat", "--device", "MacBook Pro M3 Max 64GB"),
        ("--task", "vision", "--gpu", "RTX 3060 12GB", "--language", "de"),
        ("--task", "embedding", "--ram", "8G"),
        ("--task", "code", "--ram", "4G", "--min-speed", "1"),
        ("--task", "agent", "--device", "Raspberry Pi 4 8GB"),  # nothing there is as fast as an agent wants
    ],
    ids=" ".join,
)
def test_a_lock_holds_where_nothing_has_changed(words: tuple[str, ...], say: Say) -> None:
    document = _locked(say, *words)
    code, findings = _held(say)
    assert (code, "fail" in findings.values()) == (0, False)
    assert "K105" not in findings  # today's first answer is still the locked one
    assert say("check", "--lock", LOCK, "-q").out == f"{document['model']['id']}\n"


def test_the_same_answer_makes_the_same_bytes(say: Say) -> None:
    _locked(say, *CODE)
    first = Path(LOCK).read_bytes()
    _locked(say, *CODE)
    assert Path(LOCK).read_bytes() == first


def test_a_lock_is_read_back_as_it_was_written(catalog: Catalog) -> None:
    for machine in (machine_for(catalog, ram="16G"), machine_for(catalog, gpu=("RTX 4090", "RTX 4090"), nodes=2)):
        advice = recommend(task="code", machine=machine, catalog=catalog, min_speed=1.5)
        factors = {("llama.cpp", "gguf-mix", "cpu"): {"decode": 0.8, "prefill": 1.25}}
        lock = lock_of(advice, advice.recommendations[0], catalog, program="0.1.0", calibration=factors)
        back = parse_lock(json.loads(json.dumps(lock_document(lock))), LOCK, catalog)
        assert _rounded(back) == _rounded(lock)


def _rounded(lock: Lock) -> Lock:
    from dataclasses import replace  # noqa: PLC0415

    # Sources of values are told on the command line alone; rates are written in four digits.
    return replace(lock, decode=float(f"{lock.decode:.4g}"), ability=round(lock.ability, 4))


def test_a_detected_machine_leaves_no_path_in_the_lock(say: Say) -> None:
    said = say("recommend", "--task", "code", "--lock", LOCK, "--json")
    assert said.code == 0, said.err
    text = Path(LOCK).read_text("utf-8")
    assert json.loads(text)["hardware"]["disk"] is None
    assert str(Path.home()) not in text
    assert _held(say)[0] == 0


# What was changed in the lock, and the rule that must notice.
CHANGES: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("model gone", lambda d: d["model"].update(id="Qwen/Qwen0-Gone"), "K101"),
    ("format gone", lambda d: d.update(quantization="Q9_X"), "K101"),
    ("engine gone", lambda d: d.update(engine="tgi"), "K101"),
    ("other repository", lambda d: d["artifact"].update(repo="someone/else-GGUF"), "K102"),
    ("other file", lambda d: d["artifact"]["files"][0].update(name="other.gguf"), "K102"),
    ("one more file", lambda d: d["artifact"]["files"].append({"name": "b", "bytes": 1, "sha256": None}), "K102"),
    ("other license", lambda d: d["model"].update(license="qwen-research"), "K106"),
    ("less memory", lambda d: d["hardware"]["memory"].update(total_bytes=2**32, available_bytes=2**32), "M101"),
    ("more context", lambda d: d["settings"].update(context_tokens=2**20), "M101"),
    ("faster", lambda d: d["requirements"].update(min_speed_tokens_per_second=500.0), "S101"),
    ("another license asked", lambda d: d["requirements"].update(license="qwen-research"), "L101"),
    ("another family asked", lambda d: d["requirements"].update(family="Qwen2.5"), "T103"),
    ("later", lambda d: d["requirements"].update(released_after="2030-01-01"), "T104"),
    ("smaller download", lambda d: d["requirements"].update(max_download_bytes=1), "D101"),
    ("on GPUs", lambda d: d["placement"].update(mode="gpu", gpu_layers=32, device_layers=[32]), "K103"),
]


@pytest.mark.parametrize(("change", "rule"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_has_changed_is_noticed(change: Callable[[dict[str, Any]], Any], rule: str, say: Say) -> None:
    document = _locked(say, *CODE)
    change(document)
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    code, findings = _held(say)
    assert code == 3
    assert findings[rule] == "fail"


def test_a_machine_given_by_options_takes_the_place_of_the_locked_one(say: Say) -> None:
    _locked(say, "--task", "code", "--gpu", "RTX 4090")
    assert _held(say)[0] == 0
    assert _held(say, "--gpu", "2x RTX 4090")[0] == 0
    code, findings = _held(say, "--ram", "64G")
    assert (code, findings["K103"]) == (3, "fail")
    code, findings = _held(say, "--gpu", "RTX 3060 12GB")
    assert (code, findings["M101"]) == (3, "fail")


def test_what_is_newer_and_dominates_is_said(say: Say, catalog: Catalog) -> None:
    """A later generation is abler at the same size: the best of an old family is outdone once all may answer."""
    old = _locked(say, "--task", "chat", "--ram", "16G", "--family", "Qwen2.5")
    assert "K104" not in _held(say)[1]
    old["requirements"]["family"] = None
    Path(LOCK).write_text(json.dumps(old), "utf-8")
    said = say("check", "--lock", LOCK, "--json")
    assert said.code == 0  # it holds all the same
    found = {f["rule"]: f for f in json.loads(said.out)["models"][0]["findings"]}
    assert found["K104"]["level"] == "warn"
    newer = next(model for model in catalog.models if f"{model} in " in found["K104"]["message"])
    assert (catalog.models[newer].released or "") > old["model"]["released"]
    assert found["K105"]["level"] == "warn"
    assert say("check", "--lock", LOCK, "--strict").code == 3
    old["model"]["released"] = "2099-01-01"  # nothing is newer than this
    Path(LOCK).write_text(json.dumps(old), "utf-8")
    assert "K104" not in _held(say)[1]


EIGHT = ("--task", "chat", "--family", "Qwen3", "--quant", "Q4_K_M", "--ram", "16G", "--max-download", "5G")


def test_a_size_counts_where_a_source_states_it(say: Say) -> None:
    """5,027,783,488 bytes is the file in Qwen/Qwen3-8B-GGUF; a derived size may change with what it is derived from."""
    document = _locked(say, *EIGHT)
    artifact = document["artifact"]
    assert (artifact["repo"], artifact["bytes"], artifact["exact"]) == ("Qwen/Qwen3-8B-GGUF", 5_027_783_488, True)
    artifact["bytes"] -= 1
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    assert _held(say)[1]["K102"] == "fail"
    artifact["exact"] = False
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    assert "K102" not in _held(say)[1]


def test_a_repository_that_is_no_longer_preferred_is_said_and_no_more(say: Say, catalog: Catalog) -> None:
    """Several publish the GGUF files of Qwen2.5-VL; a lock on one that is not the first holds while it has them."""
    document = _locked(say, "--task", "vision", "--family", "Qwen2.5-VL", "--quant", "Q4_K_M", "--ram", "8G")
    artifact = document["artifact"]
    other = next(
        repo
        for repo in catalog.models[document["model"]["id"]].quantized
        if "Q4_K_M" in repo.files and repo.repo != artifact["repo"]
    )
    names = other.files["Q4_K_M"].names
    artifact |= {
        "repo": other.repo,
        "files": [{"name": name, "bytes": None, "sha256": None} for name in names],
        "projector": [],
        "exact": False,
    }
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    code, findings = _held(say)
    assert (code, findings["K102"]) == (0, "warn")
    artifact["files"][0]["name"] += "x"
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    assert _held(say)[1]["K102"] == "fail"


def test_the_projector_is_locked_where_images_are_seen(say: Say) -> None:
    words = ("--family", "Qwen2.5-VL", "--quant", "Q4_K_M", "--ram", "8G", "--engine", "llama.cpp", "--task")
    document = _locked(say, *words, "vision")
    (projector,) = document["artifact"]["projector"]
    assert projector["name"].startswith("mmproj-")
    assert _held(say)[0] == 0
    projector["name"] = "mmproj-other.gguf"
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    assert _held(say)[1]["K102"] == "fail"
    assert _locked(say, *CODE)["artifact"]["projector"] == []


def test_measured_factors_go_with_the_lock_and_stay_with_its_machine(say: Say) -> None:
    document = _locked(say, *EIGHT)

    def rate(*words: str) -> float:
        answer = json.loads(say("check", "--lock", LOCK, *words, "--json").out)
        return float(answer["models"][0]["choice"]["speed"]["decode_tokens_per_second"]["expected"])

    plain = rate()
    document["calibration"] = {"decode": 2.0}
    Path(LOCK).write_text(json.dumps(document), "utf-8")
    assert rate() == pytest.approx(2 * plain, rel=0.01)
    assert rate("--ram", "32G") == pytest.approx(plain, rel=0.05)


def test_a_policy_is_held_against_a_lock(say: Say) -> None:
    _locked(say, *CODE)
    Path("policy.yaml").write_text("max_parameters: 1B\n", "utf-8")
    code, findings = _held(say, "--policy", "policy.yaml")
    assert (code, findings["P112"]) == (3, "fail")


BROKEN: list[tuple[str, str]] = [
    ("", "is no lock file"),
    ("{", "is no lock file"),
    ("[]", "its schema is not qwen-advisor/lock/1"),
    ('{"schema": "qwen-advisor/lock/2"}', "its schema is not qwen-advisor/lock/1"),
    ('{"schema": "qwen-advisor/lock/1"}', "must be"),
    ('{"schema": "qwen-advisor/lock/1", "program": NaN}', "is no lock file"),
    ("[" * 100_000, "is no lock file"),
]


@pytest.mark.parametrize(("text", "sentence"), BROKEN, ids=[row[0][:40] for row in BROKEN])
def test_a_broken_lock_ends_with_2(text: str, sentence: str, say: Say) -> None:
    Path(LOCK).write_text(text, "utf-8")
    said = say("check", "--lock", LOCK)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert "recommend … --lock FILE" in said.err


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, item in inside for p in _paths(item, (*path, key))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_of_a_lock_breaks_the_reader(catalog: Catalog, data: st.DataObject) -> None:
    document = copy.deepcopy(_sample(catalog))
    *way, last = data.draw(st.sampled_from(_paths(document)))
    inside: Any = document
    for step in way:
        inside = inside[step]
    inside[last] = data.draw(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([]), st.just({}))
    )
    try:
        lock = parse_lock(document, LOCK, catalog)
    except UsageError as error:
        assert LOCK in error.message  # noqa: PT017  either is fine, a traceback is not
    else:
        assert isinstance(lock, Lock)


_SAMPLES: list[dict[str, Any]] = []


def _sample(catalog: Catalog) -> dict[str, Any]:
    if not _SAMPLES:
        advice = recommend(task="code", machine=machine_for(catalog, gpu="RTX 4090"), catalog=catalog)
        lock = lock_of(advice, advice.recommendations[0], catalog, program="0.1.0", calibration={})
        _SAMPLES.append(json.loads(json.dumps(lock_document(lock))))
    return _SAMPLES[0]


def test_every_missing_field_is_named(catalog: Catalog) -> None:
    """Fields of the top and of each part: without one the file is refused, but for those that may be null."""
    sample = _sample(catalog)
    for path in _paths(sample):
        if path[0] == "hardware" or any(isinstance(step, int) for step in path):
            continue
        document = copy.deepcopy(sample)
        inside: Any = document
        for step in path[:-1]:
            inside = inside[step]
        was = inside.pop(path[-1])
        try:
            parse_lock(document, LOCK, catalog)
        except UsageError as error:
            assert str(path[-1]) in error.message or "schema" in error.message  # noqa: PT017
        else:
            optional = was is None or path[-1] in ("license", "released", "repo", "ollama", "installed")
            assert optional or path[0] in ("calibration", "environment"), path
