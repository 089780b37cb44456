"""What a model takes in each of its formats, whatever machine it will stand on."""

from __future__ import annotations

from collections.abc import Callable

from qwen_advisor.advise.search import LAST_RESORT
from qwen_advisor.candidates import Candidate, candidates, supports
from qwen_advisor.describe import Description, describe
from qwen_advisor.engine import EngineSpec
from qwen_advisor.fit import Fitted, Fitter, settings_for
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import Placement, Settings
from qwen_advisor.quality import quantization_loss
from qwen_advisor.rules import CANDIDATE_RULES, Question
from qwen_advisor.sizing.answer import FormatNeeds
from qwen_advisor.units import GIB, MIB

# Machines by which the memory on one accelerator is counted: one of each vendor that engines serve, so large that
# nothing has to be left out. What a model takes does not depend on how much there is.
_REFERENCES = ("--gpu B300 SXM6 AC", "--gpu Instinct MI355X", "--device Mac Studio M3 Ultra", "--gpu Arc Pro B70")
_ORDER = ("llama.cpp", "vllm", "mlx", "ollama", "lmstudio", "sglang", "openvino", "onnxruntime", LAST_RESORT)


def formats(question: Question, checkpoint: Checkpoint) -> tuple[FormatNeeds, ...]:
    """A row for each format that an engine of the question runs, fewest bits first."""
    found: dict[str, FormatNeeds] = {}
    catalog, asked = question.catalog, question.requirements
    references = [_reference(question, text) for text in _REFERENCES]
    for candidate in candidates(catalog, checkpoint, _engines(question, checkpoint), asked.quantizations):
        if candidate.format.name not in found and not _ruled_out(candidate, question):
            row = _needs(candidate, question, references)
            if row.device is not None or row.ram is not None:
                found[candidate.format.name] = row
    return tuple(sorted(found.values(), key=lambda row: (row.bits_per_weight, row.format)))


def _engines(question: Question, checkpoint: Checkpoint) -> tuple[EngineSpec, ...]:
    """The engines that know the model, those that most people run first."""
    asked = question.requirements.engines
    model_type = question.catalog.architectures[checkpoint.architecture].model_type
    able = [
        spec
        for spec in question.catalog.engines.values()
        if (not asked or spec.id in asked)
        and model_type in spec.models
        and (not checkpoint.engines or spec.id in checkpoint.engines)
    ]
    return tuple(sorted(able, key=lambda spec: _ORDER.index(spec.id)))


def _ruled_out(candidate: Candidate, question: Question) -> bool:
    """Whether a rule that has nothing to do with the machine rules it out."""
    aside = ("E102", "E103", "E105", "D102")
    return any(rule.check(candidate, question) for rule in CANDIDATE_RULES if rule.__name__ not in aside)


def _reference(question: Question, text: str) -> Machine:
    option, _, name = text.partition(" ")
    said = Description(gpus=(name,)) if option == "--gpu" else Description(device=name, ram=512 * GIB)
    return describe(question.catalog, said)


def _needs(candidate: Candidate, question: Question, references: list[Machine]) -> FormatNeeds:
    vision = any(modality != "text" for modality in question.profile.modalities_in)
    settings = settings_for(candidate.engine.id, question.requirements, vision=vision)
    loss, error = quantization_loss(
        question.catalog.quantization_loss,
        fmt=candidate.format,
        bits_per_weight=_bits(candidate),
        total_parameters=candidate.checkpoint.parameters_total or candidate.footprint.parameters,
        moe=candidate.architecture.text is not None and candidate.architecture.text.moe is not None,
        scale=question.profile.ability,
    )
    ram, kv_type = _least_ram(candidate, settings, question)
    return FormatNeeds(
        format=candidate.format.name,
        engine=candidate.engine.id,
        download=candidate.artifact.bytes + candidate.footprint.projector_bytes * vision,
        bits_per_weight=_bits(candidate),
        quantization_loss=loss,
        loss_error=error,
        device=_on_one_device(candidate, settings, question, references),
        ram=ram,
        ram_kv_type=kv_type,
    )


def _bits(candidate: Candidate) -> float:
    return 8 * candidate.footprint.tensor_bytes / max(1, candidate.footprint.parameters)


def _on_one_device(
    candidate: Candidate, settings: Settings, question: Question, references: list[Machine]
) -> int | None:
    for machine in references:
        if supports(candidate.engine, candidate.format, machine) is None or not _serves(candidate, machine):
            continue
        text = candidate.architecture.text
        count = text.num_hidden_layers if text else 1
        placement = Placement(
            mode="unified" if machine.memory.unified else "gpu",
            layers=count,
            gpu_layers=count,
            device_layers=(count,),
            kv_cache_type=settings.kv_type,
        )
        memory, _ = Fitter(question.catalog, machine).at(candidate, settings, placement)
        return memory.total if machine.memory.unified else memory.device
    return None


def _serves(candidate: Candidate, machine: Machine) -> bool:
    vendors = {vendor for entry in candidate.engine.supports for vendor in entry.vendors}
    return machine.accelerators[0].vendor in vendors and machine.os in candidate.engine.systems


def _least_ram(candidate: Candidate, settings: Settings, question: Question) -> tuple[int | None, str | None]:
    """The least main memory of a machine without an accelerator, to the MiB, and the type of its KV cache."""

    def on(size: int) -> Fitted | None:
        machine = describe(question.catalog, Description(ram=size * MIB))
        laid = Fitter(question.catalog, machine).fit(candidate, settings)
        return laid if isinstance(laid, Fitted) else None

    probe = describe(question.catalog, Description(ram=GIB))
    if supports(candidate.engine, candidate.format, probe) is None or probe.os not in candidate.engine.systems:
        return None, None
    enough = 1024
    try:
        while on(enough) is None:
            enough *= 2
    except ValueError:  # the engine has no placement on such a machine
        return None, None
    size = smallest(lambda mebibytes: on(mebibytes) is not None, enough // 2, enough)
    fitted = on(size)
    return size * MIB, fitted.settings.kv_type if fitted else None


def smallest(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The smallest number above ``low`` and up to ``high`` for which ``holds`` is true, which it is of ``high``."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
