"""Reading a lock file: every value is held against what it may be, and the first that is off is named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args

from qwen_advisor.engines import Step
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.gate.lock import SCHEMA, Lock, LockedFile
from qwen_advisor.machine import Machine
from qwen_advisor.plan import KvType, Mode, Placement, Settings
from qwen_advisor.profiles.document import machine_from
from qwen_advisor.requirements import resolve
from qwen_advisor.task import Requirements

_MOST_BYTES = 4 << 20
_LARGEST = 1 << 60
_HINT = "write it anew by: qwen-advisor recommend … --lock FILE"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_lock(path: Path, catalog: Catalog) -> Lock:
    """The lock in a file.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint=_HINT) from error
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no lock file: {error}", hint=_HINT) from None
    return parse_lock(document, str(path), catalog)


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def parse_lock(document: Any, where: str, catalog: Catalog) -> Lock:
    """The lock that a document holds; fields that later versions may add are passed over.

    Raises:
        UsageError: a value is missing, or not what it may be; ``where`` names the file.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{where} is no lock file: its schema is not {SCHEMA}", hint=_HINT)
    top = _Part(where, "", document)
    model, artifact, expected = top.part("model"), top.part("artifact"), top.part("expected")
    return Lock(
        program=top.text("program"),
        catalog_version=top.part("catalog").text("version"),
        catalog_models=top.part("catalog").count("models"),
        requirements=_requirements(top.part("requirements"), catalog),
        machine=_machine(top.part("hardware"), where),
        model=model.text("id"),
        released=model.text_or_none("released"),
        license=model.text_or_none("license"),
        quantization=top.text("quantization"),
        thinking=cast("Literal['on', 'off', 'none']", top.choice("thinking", ("on", "off", "none"))),
        repo=artifact.text_or_none("repo"),
        revision=artifact.matching("revision", _COMMIT, "a commit of 40 digits"),
        files=_files(artifact, "files"),
        projector=_files(artifact, "projector"),
        bytes=artifact.count("bytes"),
        exact=artifact.flag("exact"),
        ollama=artifact.text_or_none("ollama"),
        settings=_settings(top.part("settings"), top.text("engine")),
        placement=_placement(top.part("placement")),
        memory=expected.count("memory_bytes"),
        decode=expected.number("decode_tokens_per_second"),
        ability=expected.number("ability", least=-math.inf),
        steps=tuple(
            Step(
                argv=step.texts("argv"),
                environment=tuple(step.part("environment").every_text().items()),
                where=step.text("where"),
            )
            for step in top.parts("steps")
        ),
        calibration={key: top.part("calibration").number(key) for key in top.part("calibration").holding},
    )


def _requirements(part: _Part, catalog: Catalog) -> Requirements:
    wishes: dict[str, Any] = {
        "task": part.text("task"),
        "context": part.count("context_tokens"),
        "prompt_tokens": part.count("prompt_tokens"),
        "output_tokens": part.count("output_tokens"),
        "concurrency": part.count("concurrency"),
        "min_speed": part.number_or_none("min_speed_tokens_per_second"),
        "engines": part.texts("engines"),
        "quantizations": part.texts("quantizations"),
        "license": part.text("license"),
        "language": part.text_or_none("language"),
        "thinking": part.text("thinking"),
        "tools": part.flag("tools"),
        "max_download": part.count_or_none("max_download_bytes"),
        "family": part.text_or_none("family"),
        "released_after": part.text_or_none("released_after"),
        "prefer": part.text("prefer"),
        "top": part.count("top"),
    }
    try:
        return resolve(catalog, **wishes)
    except UsageError as error:
        raise UsageError(f"{part.where}: requirements: {error.message}", hint=error.hint or _HINT) from None


def _files(part: _Part, key: str) -> tuple[LockedFile, ...]:
    return tuple(
        LockedFile(
            name=file.text("name"),
            bytes=file.count_or_none("bytes"),
            sha256=file.matching("sha256", _SHA256, "a SHA-256 of 64 digits"),
        )
        for file in part.parts(key)
    )


def _machine(part: _Part, where: str) -> Machine:
    return machine_from(part.holding, f"{where}: hardware")


def _settings(part: _Part, engine: str) -> Settings:
    kv_types = get_args(KvType)
    return Settings(
        engine=engine,
        context=part.count("context_tokens", least=1),
        parallel=part.count("parallel", least=1),
        kv_type=cast("KvType", part.choice("kv_cache_type", kv_types)),
        kv_type_v=cast("KvType", part.choice("kv_cache_type_v", kv_types)) if part.given("kv_cache_type_v") else None,
        flash_attention=part.flag("flash_attention") if part.given("flash_attention") else None,
        batch=part.count("batch_tokens", least=1),
        ubatch=part.count("ubatch_tokens", least=1),
        gpu_layers=part.count_or_none("gpu_layers"),
        mmap=part.flag("mmap"),
        repack=part.flag("repack"),
        kv_unified=part.flag("kv_unified"),
        mtp=part.flag("mtp"),
        vision=part.flag("vision"),
        prompt_tokens=part.count("prompt_tokens"),
        output_tokens=part.count("output_tokens"),
    )


def _placement(part: _Part) -> Placement:
    return Placement(
        mode=cast("Mode", part.choice("mode", get_args(Mode))),
        layers=part.count("layers"),
        gpu_layers=part.count("gpu_layers"),
        cpu_expert_layers=part.count("cpu_expert_layers"),
        tensor_parallel=part.count("tensor_parallel", least=1),
        pipeline_parallel=part.count("pipeline_parallel", least=1),
        kv_cache_type=cast("KvType", part.choice("kv_cache_type", get_args(KvType))),
        device_layers=part.counts("device_layers"),
    )


class _Part:
    """A mapping of the document, and where it stands."""

    def __init__(self, where: str, path: str, holding: Any) -> None:
        self.where, self.path = where, path
        if not isinstance(holding, dict):
            raise self.fault("", "a mapping", holding)
        self.holding: Mapping[str, Any] = holding

    def fault(self, key: str, wanted: str, value: Any) -> UsageError:
        place = ".".join(step for step in (self.path, key) if step)
        shown = "missing" if value is None else ascii(value)[:80]
        return UsageError(f"{self.where}: {place} must be {wanted}, it is {shown}", hint=_HINT)

    def given(self, key: str) -> bool:
        return self.holding.get(key) is not None

    def part(self, key: str) -> _Part:
        return _Part(self.where, f"{self.path}.{key}".strip("."), self.holding.get(key))

    def parts(self, key: str) -> list[_Part]:
        path = f"{self.path}.{key}".strip(".")
        return [_Part(self.where, f"{path}[{i}]", value) for i, value in enumerate(self.list(key))]

    def list(self, key: str) -> list[Any]:
        value = self.holding.get(key)
        if not isinstance(value, list):
            raise self.fault(key, "a list", value)
        return value

    def text(self, key: str) -> str:
        value = self.holding.get(key)
        if not isinstance(value, str):
            raise self.fault(key, "text", value)
        return value

    def text_or_none(self, key: str) -> str | None:
        return self.text(key) if self.given(key) else None

    def matching(self, key: str, pattern: re.Pattern[str], wanted: str) -> str | None:
        value = self.text_or_none(key)
        if value is not None and not pattern.fullmatch(value):
            raise self.fault(key, wanted, value)
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.holding.get(key)
        if value not in choices:
            raise self.fault(key, f"one of {', '.join(choices)}", value)
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.list(key)
        if not all(isinstance(value, str) for value in values):
            raise self.fault(key, "a list of texts", values)
        return tuple(values)

    def every_text(self) -> dict[str, str]:
        return {key: self.text(key) for key in self.holding}

    def flag(self, key: str) -> bool:
        value = self.holding.get(key)
        if not isinstance(value, bool):
            raise self.fault(key, "true or false", value)
        return value

    def count(self, key: str, *, least: int = 0) -> int:
        return self._count(key, self.holding.get(key), least)

    def count_or_none(self, key: str) -> int | None:
        return self.count(key) if self.given(key) else None

    def counts(self, key: str) -> tuple[int, ...]:
        return tuple(self._count(key, value) for value in self.list(key))

    def _count(self, key: str, value: Any, least: int = 0) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _LARGEST:
            raise self.fault(key, f"a whole number from {least} to 2**60", value)
        return value

    def number(self, key: str, *, least: float = 0.0) -> float:
        value = self.holding.get(key)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value < _LARGEST:
            raise self.fault(key, "a number", value)
        return float(value)

    def number_or_none(self, key: str) -> float | None:
        return self.number(key) if self.given(key) else None
