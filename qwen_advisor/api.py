"""The Python interface: the four answers as values, without a terminal.

>>> from qwen_advisor import recommend
>>> advice = recommend(task="code", ram="16G")  # doctest: +SKIP
>>> advice.recommendations[0].plan.checkpoint.id  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from qwen_advisor.advice import Advice, Artifact, Estimate
from qwen_advisor.advise import advise
from qwen_advisor.candidates import Candidate, candidates
from qwen_advisor.catalog import load_catalog as _load
from qwen_advisor.catalog import overlay_stamp
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration, Fitted, Fitter, settings_for
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.names import resolve_model
from qwen_advisor.plan import KvType, Settings
from qwen_advisor.probes import detect
from qwen_advisor.requirements import engine as engine_name
from qwen_advisor.requirements import formats_meant, resolve
from qwen_advisor.rules.plan import extension_needed
from qwen_advisor.task import Requirements
from qwen_advisor.units import parse_size
from qwen_advisor.values import replace

# What loads the vision tower unless told not to; llama-server is handed its projector as a file of its own.
_WITH_VISION = frozenset({"ollama", "vllm", "sglang", "transformers"})
_LEAST_CONTEXT = 4096  # llama-server's --fit-ctx


@lru_cache(maxsize=4)
def _cached(extra: tuple[Path, ...], _stamp: tuple[object, ...]) -> Catalog:
    """One catalogue for each state of the user's own entries, which may change while a server runs."""
    return _load(extra=extra)


def load_catalog(extra: Path | str | Sequence[Path | str] = ()) -> Catalog:
    """Return the catalogue, with the entries of the directories ``extra`` added or put in place of its own.

    It is kept until a file of own entries changes.

    Raises:
        UsageError: a directory that was named is not there.
        CatalogError: an entry is invalid; every fault is listed.
    """
    directories = (extra,) if isinstance(extra, (str, Path)) else extra
    paths = tuple(Path(directory) for directory in directories)
    return _cached(paths, overlay_stamp(paths))


def inspect_hardware(*, catalog: Catalog | None = None, measure: bool = False) -> Machine:
    """Look at this machine.

    Args:
        catalog: the facts that detection completes its readings with; the shipped ones if not given.
        measure: read main memory for a moment to measure its bandwidth.

    Raises:
        ProbeError: nothing could be read.
    """
    return detect(catalog or load_catalog(), measure=measure)


def machine_for(
    catalog: Catalog,
    *,
    ram: str | int | None = None,
    vram: str | int | None = None,
    gpu: str | Sequence[str] = (),
    device: str | None = None,
    cpu_cores: int | None = None,
    nodes: int = 1,
) -> Machine:
    """A described machine, or this one where nothing is given. Sizes are bytes, or text as the options take it.

    Raises:
        UsageError: a name that is not known, or not clear.
        ProbeError: nothing is given and this machine cannot be read.
    """
    gpus = (gpu,) if isinstance(gpu, str) else tuple(gpu)
    if ram is None and vram is None and not gpus and device is None and cpu_cores is None:
        return replace(inspect_hardware(catalog=catalog), nodes=nodes)
    return describe(
        catalog,
        Description(ram=_bytes(ram), vram=_bytes(vram), gpus=gpus, device=device, cpu_cores=cpu_cores, nodes=nodes),
    )


def _bytes(size: str | int | None) -> int | None:
    return parse_size(size) if isinstance(size, str) else size


def recommend(
    requirements: Requirements | None = None,
    *,
    machine: Machine | None = None,
    catalog: Catalog | None = None,
    explain: bool = False,
    everything: bool = False,
    calibration: Calibration | None = None,
    ram: str | int | None = None,
    vram: str | int | None = None,
    gpu: str | Sequence[str] = (),
    device: str | None = None,
    **asked: Any,
) -> Advice:
    """Rank what a machine can run for a task.

    Args:
        requirements: resolved requirements; or give them by name (``task="code"``, ``context=32768`` ...), as
            `qwen_advisor.requirements.resolve` takes them.
        machine: where; or describe it by the four names below; this machine if none is given.
        catalog: the facts; the shipped ones if not given.
        explain: say what would change the order; weighs every model.
        everything: weigh every model, also those that cannot reach the list, so that the frontier is complete.
        calibration: factors measured on ``machine``; where this machine is looked at, those that
            ``qwen-advisor bench --calibrate`` has stored, unless others are given.
        ram: main memory, bytes or text such as ``"16G"``.
        vram: memory of one accelerator, likewise.
        gpu: one or several accelerators by name.
        device: a whole machine by name.
        **asked: requirements by name.

    Raises:
        UsageError: a name that is not known, or both forms given at once.
        ProbeError: no machine is given and this one cannot be read.
    """
    if requirements is not None and asked:
        raise UsageError("requirements are given twice", hint="pass a Requirements value or names, not both")
    facts = catalog or load_catalog()
    place = machine or machine_for(facts, ram=ram, vram=vram, gpu=gpu, device=device)
    factors = factors_for(place, facts, calibration, given=machine is not None)
    wanted = requirements or resolve(facts, **asked)
    if place.shelf is None and (wanted.installed or (machine is None and not place.described)):
        place = with_downloads(place)
    return advise(facts, place, wanted, everything=explain or everything, explain=explain, calibration=factors)


def with_downloads(machine: Machine) -> Machine:
    """The machine with the models that this disk holds already, in the caches of this user's engines."""
    from qwen_advisor.hub.installed import shelf  # noqa: PLC0415  for this very machine only

    return replace(machine, shelf=shelf())


def factors_for(place: Machine, facts: Catalog, calibration: Calibration | None, *, given: bool) -> Calibration:
    """What was measured counts where this very machine was looked at; a machine that was handed in may be another."""
    if calibration is not None:
        return calibration
    if given or place.described:
        return {}
    from qwen_advisor.calibration import load  # noqa: PLC0415  for this very machine only

    return load(place, facts)


def estimate(
    model: str,
    *,
    machine: Machine | None = None,
    catalog: Catalog | None = None,
    quantization: str | None = None,
    engine: str = "llama.cpp",
    context: int | None = None,
    parallel: int = 1,
    kv_type: KvType = "f16",
    flash_attention: bool | None = None,
    gpu_layers: int | None = None,
    batch: int = 2048,
    ubatch: int = 512,
    prompt_tokens: int = 512,
    output_tokens: int = 128,
    vision: bool | None = None,
    mtp: bool = False,
    thinking: Literal["on", "off", "none"] = "none",
    calibration: Calibration | None = None,
) -> Estimate:
    """Memory by part and speed of one model at one setting, whether it fits or not.

    Args:
        model: repository, short form or Ollama tag.
        machine: where; this machine if not given.
        catalog: the facts; the shipped ones if not given.
        quantization: a format's name; Q4_K_M or the engine's first that the model can be had in if not given.
        engine: which engine.
        context: tokens in the engine's own terms (llama.cpp: the whole context that slots share); the model's native
            length, shortened until it fits the accelerators, if not given, as llama-server does it.
        parallel: slots or concurrent sequences.
        kv_type: type of the KV cache.
        flash_attention: on or off; the engine's own choice if None.
        gpu_layers: layers on accelerators; as many as fit if None.
        batch: logical batch in tokens.
        ubatch: physical batch in tokens.
        prompt_tokens: length of the prompt.
        output_tokens: length of the answer.
        vision: load the vision tower or projector where there is one; as the engine does it if None.
        mtp: speculate with the model's own blocks for multi-token prediction.
        thinking: whether a hybrid model is to think; says nothing about memory and speed.
        calibration: factors measured on ``machine``, as for `recommend`.

    Raises:
        UsageError: a name that is not known, or a setting that the engine does not have.
    """
    facts = catalog or load_catalog()
    place = machine or inspect_hardware(catalog=facts)
    checkpoint = resolve_model(facts, model)
    spec = facts.engines[engine_name(facts, engine)]
    if kv_type not in spec.kv_types:
        raise UsageError(
            f"{spec.title} has no {kv_type} KV cache",
            hint=f"it has {', '.join(spec.kv_types)}",
            suggestions=spec.kv_types,
        )
    wanted = () if quantization is None else formats_meant(facts, quantization, (spec.id,))
    candidate = _candidate(facts, checkpoint.id, spec.id, wanted)
    settings = replace(
        settings_for(
            spec.id,
            Requirements(prompt_tokens=prompt_tokens, output_tokens=output_tokens),
            vision=spec.id in _WITH_VISION if vision is None else vision,
        ),
        context=context if context is not None else checkpoint.context.native or _LEAST_CONTEXT,
        parallel=parallel,
        kv_type=kv_type,
        flash_attention=flash_attention,
        gpu_layers=gpu_layers,
        batch=batch,
        ubatch=ubatch,
        mtp=mtp,
    )
    fitter = Fitter(facts, place, calibration=factors_for(place, facts, calibration, given=machine is not None))
    try:
        result = fitter.nearest(candidate, settings)
        spilled = result.placement.mode == "hybrid" and gpu_layers is None
        if context is None and (spilled or not result.room.fits):
            result = _shortened(fitter, candidate, settings)
    except ValueError:
        raise UsageError(
            f"{spec.title} has no place for {candidate.format.name} on this machine",
            hint="describe another with --gpu, or name another --engine",
        ) from None
    return replace(_estimate(candidate, fitter, result, place), thinking=thinking)


def _shortened(fitter: Fitter, candidate: Candidate, settings: Settings) -> Fitted:
    """The longest context that fits, or the least that llama-server would go down to.

    As llama-server does it, context gives way before layers leave the accelerators.
    """
    least = replace(settings, context=max(_LEAST_CONTEXT, settings.prompt_tokens + settings.output_tokens))
    result = fitter.nearest(candidate, least)
    if not result.room.fits:
        return result
    return fitter.nearest(candidate, replace(settings, context=fitter.largest_context(candidate, result)))


def _candidate(catalog: Catalog, model: str, engine: str, wanted: tuple[str, ...]) -> Candidate:
    """The candidate of that engine and format; without a format the usual one of about four bits, or the first."""
    checkpoint, spec = catalog.models[model], catalog.engines[engine]
    offered = {c.format.name: c for c in candidates(catalog, checkpoint, (spec,), wanted)}
    if not offered and wanted:
        offered_all = sorted(catalog.footprints.get(checkpoint.architecture, {}))
        raise UsageError(
            f"{spec.title} does not run {wanted[0]} of {model}",
            hint=f"sizes are known for {', '.join(offered_all)}" if offered_all else "its architecture is not known",
        )
    for name in ("Q4_K_M", "MLX-4bit", "BF16"):
        if name in offered:
            return offered[name]
    if not offered:
        raise UsageError(f"{spec.title} has no format of {model}", hint="try another --engine")
    return next(iter(offered.values()))


def _estimate(candidate: Candidate, fitter: Fitter, result: Fitted, machine: Machine) -> Estimate:
    footprint = candidate.footprint
    artifact: Artifact = candidate.artifact
    return Estimate(
        checkpoint=candidate.checkpoint,
        architecture=candidate.architecture,
        format=candidate.format.name,
        artifact=artifact,
        settings=result.settings,
        placement=result.placement,
        memory=result.memory,
        budget=result.room.budget,
        fits=result.room.fits,
        speed=result.speed,
        machine=machine,
        file_bytes=artifact.bytes,
        projector_bytes=footprint.projector_bytes or None,
        largest_context=fitter.largest_context(candidate, result) if result.room.fits else None,
        notes=_beyond(candidate.checkpoint, result.settings.context_per_request),
    )


def _beyond(checkpoint: Checkpoint, wanted: int) -> tuple[str, ...]:
    """What is to be said of a request that is longer than the model's native context."""
    context = checkpoint.context
    reach = max(context.native or 0, context.extended or 0)
    if 0 < reach < wanted:
        return (f"{wanted:,} tokens go beyond the {reach:,} that {checkpoint.id} reaches",)
    note = extension_needed(context, wanted)
    return (note,) if note else ()
