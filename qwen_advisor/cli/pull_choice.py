"""Which files ``pull`` means: by name, or by what this machine runs best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qwen_advisor import api
from qwen_advisor.advice import Artifact
from qwen_advisor.candidates import Candidate, candidates
from qwen_advisor.errors import NothingFits, UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint, RepoFile
from qwen_advisor.quantization import Container
from qwen_advisor.requirements import resolve
from qwen_advisor.values import dataclass

# Of the formats of a projector the smallest that loses nothing that can be measured, as llama.cpp's -hf prefers it.
_PROJECTORS = ("F16", "BF16", "Q8_0", "F32")


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

    Raises:
        NothingFits: no quantization of it fits the machine.
        UsageError: nobody is known to publish what fits.
    """
    alone = replace(checkpoint, special_purpose=None)
    task = task or _usual_task(catalog, checkpoint)
    ready = {c.format.name for c in candidates(catalog, alone, tuple(catalog.engines.values())) if _can_be_had(c)}
    if not ready:
        raise UsageError(f"no repository with ready weights of {checkpoint.id} is known")
    narrow = replace(catalog, models={alone.id: alone})
    # As recommend would have it; and where that has to be made first, the best of what is ready.
    for quantizations in ((), sorted(ready)):
        wanted = resolve(
            catalog,
            task=task,
            context=context,
            engines=(engine,) if engine else (),
            quantizations=quantizations,
            top=1,
        )
        advice = api.recommend(wanted, machine=machine, catalog=narrow, calibration=calibration)
        if not advice.recommendations:
            why = advice.rejected[0].message if advice.rejected else f"it does not answer {task} tasks"
            raise NothingFits(
                f"no quantization of {checkpoint.id} fits here: {why}",
                hint="name one that you want nonetheless: --quant",
            )
        plan = advice.recommendations[0].plan
        artifact = plan.artifact
        if artifact.repo is not None or (plan.settings.engine == "ollama" and artifact.ollama is not None):
            break
    return _choice(catalog, checkpoint, plan.format, plan.settings.engine, artifact, task)


def _usual_task(catalog: Catalog, checkpoint: Checkpoint) -> str:
    """The first task that a model of its kind, line and senses answers; chat for whoever can chat."""
    for name in ("chat", *sorted(catalog.tasks)):
        profile = catalog.tasks[name]
        if (
            checkpoint.kind in profile.kinds
            and (not profile.lines or checkpoint.line in profile.lines)
            and all(each in checkpoint.modalities_in for each in profile.modalities_in)
            and any(each in checkpoint.modalities_out for each in profile.modalities_out)
        ):
            return name
    raise UsageError(
        f"{checkpoint.id} is a {checkpoint.kind} model, which answers no task that could choose its files",
        hint="name what you want: --quant BF16",
    )


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
