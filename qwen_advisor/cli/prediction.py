"""What the advisor would have predicted of a server that was measured."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_advisor import api
from qwen_advisor.advice import Estimate
from qwen_advisor.bench.holding import believable, factors
from qwen_advisor.bench.identify import identify
from qwen_advisor.bench.records import Level, Measurement, Server
from qwen_advisor.calibration import Measured, efficiencies, fingerprint
from qwen_advisor.errors import UsageError
from qwen_advisor.facts import Catalog
from qwen_advisor.fit import Calibration
from qwen_advisor.machine import Machine
from qwen_advisor.names import resolve_model
from qwen_advisor.plan import SHARED_CONTEXT
from qwen_advisor.requirements import engine as engine_name
from qwen_advisor.requirements import quantization as quantization_name
from qwen_advisor.values import dataclass, replace

# Of the bytes that a plan has on GPUs; less on them means that the server was started otherwise.
_ON_GPU = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is served, in the catalogue's names."""

    model: str
    quantization: str
    engine: str


def target(
    catalog: Catalog, server: Server, *, checkpoint: str | None, quant: str | None, engine: str | None
) -> Target:
    """What is served: as somebody who knows says, else as the server tells.

    Raises:
        UsageError: a name that is given is not known; or the server does not tell, and the option that would.
    """
    told = resolve_model(catalog, checkpoint) if checkpoint is not None else None
    found = identify(catalog, server, told)
    serving = engine_name(catalog, engine) if engine is not None else server.engine
    if found is None:
        raise UsageError(f"{server.model!r} is no model of the catalogue", hint="name its checkpoint by --checkpoint")
    format_name = quantization_name(catalog, quant) if quant is not None else found.quantization
    if format_name is None:
        raise UsageError("the server does not tell the quantization of its weights", hint="name it by --quant")
    if serving is None:
        raise UsageError("the server does not tell which engine it is", hint="name it by --engine")
    return Target(model=found.checkpoint.id, quantization=format_name, engine=serving)


def predict(
    catalog: Catalog,
    wanted: Target,
    measurement: Measurement,
    machine: Machine,
    calibration: Calibration,
) -> tuple[Estimate, ...]:
    """The estimate of each level, with lengths as they were measured, on the machine as it is when idle.

    Raises:
        UsageError: that engine does not run that model so on such a machine.
    """
    return tuple(
        _estimate(catalog, wanted, measurement, level, _idle(machine), calibration) for level in measurement.levels
    )


def _estimate(
    catalog: Catalog, wanted: Target, measurement: Measurement, level: Level, machine: Machine, calibration: Calibration
) -> Estimate:
    server = measurement.server
    at_once = min(level.concurrency, server.slots or level.concurrency)
    prompt = round(level.prompt_tokens or measurement.prompt_tokens)
    output = max(1, round(level.output_tokens))
    context = server.context or prompt + output
    return api.estimate(
        wanted.model,
        machine=machine,
        catalog=catalog,
        quantization=wanted.quantization,
        engine=wanted.engine,
        context=context * at_once if wanted.engine in SHARED_CONTEXT else context,
        parallel=at_once,
        prompt_tokens=prompt,
        output_tokens=output,
        calibration=calibration,
    )


def _idle(machine: Machine) -> Machine:
    """The machine before the server took its memory, which is when the server chose where its layers lie."""
    memory = replace(machine.memory, available=machine.memory.total)
    return replace(machine, memory=memory, accelerators=tuple(replace(a, free=a.memory) for a in machine.accelerators))


def elsewhere(measurement: Measurement, estimates: Sequence[Estimate]) -> bool:
    """Whether the server holds far less on GPUs than predicted, so that the prediction is of another setting.

    Where a GPU shares main memory, its driver does not tell what of it belongs to the GPU.
    """
    held = measurement.memory.gpu if measurement.memory else None
    apart = [item for item in estimates if item.placement.mode != "unified"]
    return held is not None and any(held < _ON_GPU * item.memory.device for item in apart)


def calibrated(
    catalog: Catalog, measurement: Measurement, machine: Machine, plain: Sequence[Estimate], wanted: Target
) -> Measured:
    """The factors that would have made the prediction of single requests right.

    Args:
        catalog: the facts.
        measurement: with a level of one request at a time.
        machine: this one.
        plain: the estimates without any factor of this machine.
        wanted: what was measured.

    Raises:
        UsageError: the measurement is of something else than the prediction.
    """
    level, estimate = next(pair for pair in zip(measurement.levels, plain, strict=True) if pair[0].concurrency == 1)
    if level.accepted_share is not None:
        raise UsageError("nothing is stored: the server speculates", hint="start it without a draft model")
    if elsewhere(measurement, plain):
        raise UsageError(
            "nothing is stored: the server holds fewer layers on the GPU than it could",
            hint="start it with all layers that fit, as recommend says",
        )
    found = factors(level, estimate.speed)
    if not believable(found):
        told = ", ".join(f"{name} {factor:.3g} times" for name, factor in found.items()) or "no rate"
        raise UsageError(
            f"nothing is stored: measured is {told} what is predicted, which no machine differs by",
            hint="is it this model, in this quantization? name them by --checkpoint and --quant",
        )
    return Measured(
        machine=fingerprint(machine),
        engine=wanted.engine,
        format_kind=catalog.formats[wanted.quantization].kind,
        mode=estimate.placement.mode,
        model=wanted.model,
        quantization=wanted.quantization,
        against=efficiencies(catalog),
        at=measurement.at,
        decode=found.get("decode"),
        prefill=found.get("prefill"),
    )
