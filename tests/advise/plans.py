"""Small plans by hand, for tests of order."""

from __future__ import annotations

from qwen_advisor.advice import Artifact, Plan
from qwen_advisor.evidence import Ability
from qwen_advisor.model import Architecture, Checkpoint, Context
from qwen_advisor.plan import Memory, MemoryPart, Placement, Rate, Settings, Speed
from qwen_advisor.rank import Scored, score
from qwen_advisor.task import Requirements, TaskProfile

WEIGHTS = {
    "risk_aversion": 0.25,
    "loss_aversion": 1.0,
    "below_floor": 1.5,
    "floor_reach": 0.75,
    "terms": {
        "balanced": {"wait": 0.25, "rate": 0.15, "memory": 0.02, "headroom": 0.15, "context": 0.01, "engine": 0.03},
        "speed": {"wait": 1.2, "rate": 1.2, "memory": 0.02, "headroom": 0.15, "context": 0.01, "engine": 0.03},
        "quality": {"wait": 0.08, "rate": 0.05, "memory": 0.0, "headroom": 0.1, "context": 0.01, "engine": 0.03},
        "memory": {"wait": 0.2, "rate": 0.1, "memory": 3.0, "headroom": 0.15, "context": 0.0, "engine": 0.03},
    },
}
PROFILE = TaskProfile(
    id="chat",
    title="Conversation",
    ability="chat",
    ability_spread=1.0,
    kinds=("instruct",),
    context=8192,
    prompt_tokens=512,
    output_tokens=400,
    reasoning_tokens=1200,
    comfortable_speed=20.0,
    floor_speed=5.0,
    patience=30.0,
)
_SHAPE = Architecture(id="shape", model_type="qwen3", text=None)


def plan(name: str, *, decode: float = 20.0, answer: float = 30.0, size: int = 8 << 30, fill: float = 0.5) -> Plan:
    """A plan of which only the numbers that rank matter. Tokens/s, seconds, bytes, share."""
    checkpoint = Checkpoint(
        id=name,
        architecture="shape",
        family="F",
        line="general",
        kind="instruct",
        released="2026-01-01",
        license="apache-2.0",
        modalities_in=("text",),
        modalities_out=("text",),
        parameters_total=1,
        context=Context(native=32768),
    )
    rate = Rate(low=decode * 0.8, expected=decode, high=decode * 1.2)
    return Plan(
        checkpoint=checkpoint,
        architecture=_SHAPE,
        format="Q4_K_M",
        artifact=Artifact(repo=name, files=(), bytes=size),
        settings=Settings(engine="llama.cpp", context=8192),
        placement=Placement(mode="cpu", layers=1),
        memory=Memory(parts=(MemoryPart(name="weights", group="weights", bytes=size, pool="host", basis="exact"),)),
        budget=16 << 30,
        fill=fill,
        speed=Speed(
            decode=rate,
            prefill=rate,
            bound="bandwidth",
            basis="roofline",
            throughput=decode,
            time_to_first_token=1.0,
            time_to_answer=answer,
        ),
        thinking="none",
    )


def scored(value: float, made: Plan, *, loss: float = 0.0, prefer: str = "balanced") -> Scored:
    """The plan with what it is worth."""
    ability = Ability(
        checkpoint=made.checkpoint.id,
        scale="chat",
        thinking="off",
        value=value,
        standard_error=0.1,
        published=True,
    )
    terms = score(
        made,
        ability,
        loss,
        profile=PROFILE,
        requirements=Requirements(prefer=prefer),  # type: ignore[arg-type]
        weights=WEIGHTS,
    )
    return Scored(plan=made, ability=ability, loss=loss, terms=terms)
