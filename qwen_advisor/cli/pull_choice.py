"""Which files ``pull`` means: by name, or by what this machine runs best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qwen_advisor import api
from qwen_advisor.advice import Artifact, Rejection
from qwen_advisor.candidates import Candidate, candidates
from qwen_advisor.engine import EngineSpec
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint, RepoFile
from qwen_advisor.quantization import Container
from qwen_advisor.requirements import resolve
from qwen_advisor.task import Requirements
from qwen_advisor.values import dataclass

# Of the formats of a projector the smallest that loses nothing that can be measured, as llama.cpp's -hf prefers it.
_PROJECTORS = ("F16", "BF16", "Q8_0", "F32")
_UNQUANTIZED = "BF16"
_MEMORY = "M101"  # the rule that says what is lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be fetched. ``projector`` are files of the same repository; ``tag`` is for Ollama alone."""

    model: str
    quantization: str
    engine: str
    container: Container
    repo: str
    files: tuple[str, ...]  # none means the whole repository
    projector: tuple[str, ...] = ()
    tag: str | None = None
    bytes: int = 0  # of the weights, as the catalogue has them


def choose_by_name(
    catalog: Catalog, checkpoint: Checkpoint, *, quantization: str, engine: str | None, task: str | None
) -> Choice:
    """The files of one quantization, for one engine or the first that runs them.

    Raises:
        UsageError: nobody is known to publish it, or the engine does not run it.
    """
    wanted = resolve(catalog, task=task or "chat", engines=(engine,) if engine else (), quantizations=(quantization,))
    name = wanted.quantizations[0]
    specs = tuple(catalog.engines[each] for each in wanted.engines) or tuple(catalog.engines.values())
    offered = [each for each in candidates(catalog, checkpoint, specs, (name,)) if _can_be_had(each)]
    if not offered:
        raise UsageError(
            f"no repository with {name} of {checkpoint.id}{f' for {wanted.engines[0]}' if engine else ''} is known",
            hint=_had_in(catalog, checkpoint, wanted.engines),
        )
    best = min(offered, key=lambda each: min(each.engine.preference.values(), default=99))
    return _choice(catalog, best.checkpoint, name, best.engine.id, best.artifact, task)


def choose_by_machine(
    catalog: Catalog,
    checkpoint: Checkpoint,
    machine: Machine,
    *,
    engine: str | None,
    task: str | None,
    context: int | None,
    calibration: Calibration,
) -> Choice:
    """The files that `recommend` names first for this model alone, of those that can be fetched ready.

    A model that answers no task (a base model, say, or one that makes pictures) has its own repository.

    Raises:
        NothingFits: no quantization of it fits the machine.
        UsageError: nobody is known to publish what fits.
    """
    use = task or _usual_task(catalog, checkpoint)
    if use is None:
        return choose_by_name(catalog, checkpoint, quantization=_UNQUANTIZED, engine=engine, task=task)
    every = tuple(spec for spec in catalog.engines.values() if machine.os in spec.systems)
    ready = sorted({c.format.name for c in candidates(catalog, checkpoint, every) if _can_be_had(c)})
    if not ready:
        raise UsageError(f"no repository with ready weights of {checkpoint.id} is known")
    alone = replace(checkpoint, special_purpose=None, superseded_by=None)
    narrow = replace(catalog, models={alone.id: alone})
    rejected: list[Rejection] = []
    unready: list[str] = []
    for engines, quantizations in _attempts(engine, every, ready):
        wanted = resolve(catalog, task=use, context=context, engines=engines, quantizations=quantizations, top=1)
        if context is None and checkpoint.context.native is not None:
            wanted = _shortened(wanted, checkpoint.context.native)
        advice = api.recommend(wanted, machine=machine, catalog=narrow, calibration=calibration)
        rejected += advice.rejected
        for item in advice.recommendations:
            plan = item.plan
            if plan.artifact.repo is not None or (plan.settings.engine == "ollama" and plan.artifact.ollama):
                return _choice(catalog, checkpoint, plan.format, plan.settings.engine, plan.artifact, task)
            unready.append(f"{plan.format} would, and nobody is known to publish it")
    short = [each.message for each in rejected if each.rule == _MEMORY] or [each.message for each in rejected]
    why = next(iter((*unready, *short)), f"nothing is known to run it for {use}")
    raise NothingFits(
        f"no quantization of {checkpoint.id} fits here: {why}", hint="name one that you want nonetheless: --quant"
    )


def _attempts(
    engine: str | None, every: Sequence[EngineSpec], ready: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    """Engines and quantizations to ask for in turn: as recommend would; what is ready; what is ready for any engine."""
    given = (engine,) if engine else ()
    yield given, ()
    yield given, ready
    if not given:
        yield tuple(spec.id for spec in every), ready


def _shortened(wanted: Requirements, native: int) -> Requirements:
    """No longer a context than the model has without extension; a prompt and an answer that go into it."""
    if native >= wanted.context:
        return wanted
    output = min(wanted.output_tokens, native // 2)
    return replace(
        wanted, context=native, output_tokens=output, prompt_tokens=min(wanted.prompt_tokens, native - output)
    )


def _usual_task(catalog: Catalog, checkpoint: Checkpoint) -> str | None:
    """What a model is for: a task of its own line, chat, or the first that its kind and senses answer."""
    answered = [
        profile
        for name in ("chat", *sorted(catalog.tasks))
        if checkpoint.kind in (profile := catalog.tasks[name]).kinds
        and (not profile.lines or checkpoint.line in profile.lines)
        and all(each in checkpoint.modalities_in for each in profile.modalities_in)
        and any(each in checkpoint.modalities_out for each in profile.modalities_out)
        and (name != "agent" or checkpoint.tool_calling)
    ]
    chat = [profile for profile in answered if profile.id == "chat"]
    own = sorted((profile for profile in answered if profile.lines), key=lambda profile: len(profile.lines))
    return next((profile.id for profile in (*chat, *own, *answered)), None)


def _can_be_had(candidate: Candidate) -> bool:
    return candidate.artifact.repo is not None or (
        candidate.engine.id == "ollama" and candidate.artifact.ollama is not None
    )


def _had_in(catalog: Catalog, checkpoint: Checkpoint, engines: tuple[str, ...]) -> str:
    specs = tuple(catalog.engines[name] for name in engines) or tuple(catalog.engines.values())
    every = {c.format.name for c in candidates(catalog, checkpoint, specs) if _can_be_had(c)}
    return f"it can be had in {', '.join(sorted(every))}" if every else "none of its weights can be had ready for it"


def _choice(
    catalog: Catalog, checkpoint: Checkpoint, name: str, engine: str, artifact: Artifact, task: str | None
) -> Choice:
    tag = None
    if engine == "ollama":
        tag = artifact.ollama or f"hf.co/{artifact.repo}:{name}"
    return Choice(
        model=checkpoint.id,
        quantization=name,
        engine=engine,
        container=catalog.formats[name].container,
        repo=artifact.repo or "",
        files=artifact.files,
        projector=_projector(catalog, checkpoint, artifact, task) if artifact.files else (),
        tag=tag,
        bytes=artifact.bytes,
    )


def _projector(catalog: Catalog, checkpoint: Checkpoint, artifact: Artifact, task: str | None) -> tuple[str, ...]:
    """The projector's files: where the task shows or plays something to the model, or no task was named."""
    if task is not None and all(modality == "text" for modality in catalog.tasks[task].modalities_in):
        return ()
    for files in _projectors(checkpoint, artifact):
        for name in (*_PROJECTORS, *files):
            if name in files:
                return files[name].names
    return ()


def _projectors(checkpoint: Checkpoint, artifact: Artifact) -> Iterator[dict[str, RepoFile]]:
    yield from (repo.projector for repo in checkpoint.quantized if repo.repo == artifact.repo and repo.projector)
