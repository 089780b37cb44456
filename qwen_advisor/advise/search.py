"""The search: the best setting of each checkpoint, or the rule that came nearest to letting it in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Literal

from qwen_advisor.advice import Finding, Plan, Rejection
from qwen_advisor.candidates import Candidate, candidates, hardware_class
from qwen_advisor.engine import EngineSpec
from qwen_advisor.evidence import Ability
from qwen_advisor.fit import Calibration, Fitted, Fitter, Shortfall, settings_for
from qwen_advisor.machine import Machine
from qwen_advisor.model import Checkpoint
from qwen_advisor.plan import KvType, Placement, Settings
from qwen_advisor.quality import ability_in_language, find_ability, quantization_loss
from qwen_advisor.rank import Scored, best_possible, score
from qwen_advisor.rules import CANDIDATE_RULES, CHECKPOINT_RULES, PLAN_RULES, Question
from qwen_advisor.units import gib
from qwen_advisor.values import dataclass, replace

Thinking = Literal["on", "off", "none"]
LAST_RESORT = "transformers"
_UNKNOWN_ERROR = 1.5  # logits: the spread between the best and the worst models of one generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan of one checkpoint, and the candidate it was made of."""

    scored: Scored
    candidate: Candidate
    fitted: Fitted
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """The setting of a checkpoint that came nearest to being let in."""

    stage: int  # how far it came: 1 ruled out as a candidate, 2 not enough memory, 3 laid out and then ruled out
    lack: float  # the share of what it had to have that it lacks
    rejection: Rejection
    candidate: Candidate
    found: Found | None = None  # from stage 3 on


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one checkpoint: a plan, or a rejection, or a plan that only a task default rules out."""

    found: Found | None = None
    slow: Found | None = None
    rejection: Rejection | None = None
    expected: bool = True  # False where nobody would have expected the model (another kind, another line)
    miss: Miss | None = None  # what the rejection is about, where it is about a setting


class Search:
    """Searches model x format x engine x placement x KV type x thinking mode for one question."""

    def __init__(self, question: Question, fitter: Fitter) -> None:
        """Take the question and the means to answer it."""
        self.question = question
        self.fitter = fitter
        self.engines = engines_for(question)
        self.scale = question.profile.ability
        self._weights = question.catalog.ranking

    def abilities(self, checkpoint: Checkpoint) -> dict[Thinking, Ability]:
        """The checkpoint's settings of thinking that the question allows, with its ability in each."""
        wanted = self.question.requirements.thinking
        if wanted == "auto":
            wanted = self.question.profile.thinking
        modes: dict[Thinking, tuple[Literal["on", "off"], bool]] = {
            "on": ("on", checkpoint.thinking in ("always", "hybrid") and wanted != "off"),
            "off": ("off", checkpoint.thinking == "hybrid" and wanted != "on"),
            "none": ("off", checkpoint.thinking not in ("always", "hybrid")),
        }
        return {mode: self._ability(checkpoint, setting) for mode, (setting, allowed) in modes.items() if allowed}

    def bound(self, checkpoint: Checkpoint) -> float:
        """No plan of this checkpoint can be worth more than this."""
        values = self.abilities(checkpoint).values()
        return max(
            (
                best_possible(
                    a,
                    profile=self.question.profile,
                    requirements=self.question.requirements,
                    weights=self._weights,
                )
                for a in values
            ),
            default=float("-inf"),
        )

    def admit(self, checkpoint: Checkpoint) -> Outcome | None:
        """Apply the rules on the checkpoint alone: an outcome where one rules it out, None where all pass."""
        for rule in CHECKPOINT_RULES:
            finding = rule.check(checkpoint, self.question)
            if finding is not None:
                return Outcome(rejection=rejection_of(checkpoint, finding), expected=finding.rule != "T101")
        return None

    def best(self, checkpoint: Checkpoint) -> Outcome:
        """The best plan of an admitted checkpoint."""
        found: Found | None = None
        slow: Found | None = None
        nearest: Miss | None = None
        for candidate, ruled_out in self._candidates(checkpoint):
            finding = ruled_out
            if finding is None:
                if found is not None and self._at_most(candidate) < found.scored.terms.total:
                    continue
                result = self.fitter.options(candidate, self._settings(candidate))
                if not isinstance(result, Shortfall):
                    for item in chain.from_iterable(self.scored(candidate, fitted) for fitted in result):
                        failing = next((w for w in item.warnings if w.verdict == "fail"), None)
                        if failing is None:
                            found = _better(found, item)
                            continue
                        if failing.rule == "S102":
                            slow = _better(slow, item)
                        nearest = _nearer(nearest, 3, failing, candidate, item)
                    continue
                finding = memory_finding(candidate, result, self.question)
            nearest = _nearer(nearest, 2 if finding.rule == "M101" else 1, finding, candidate)
        if found is not None:
            return Outcome(found=found)
        if nearest is None:
            nothing = Finding(rule="E103", verdict="fail", message="cannot be had in a format that an engine here runs")
            return Outcome(slow=slow, rejection=rejection_of(checkpoint, nothing))
        return Outcome(slow=slow, rejection=nearest.rejection, miss=nearest)

    def admitted(self, checkpoint: Checkpoint) -> tuple[Candidate, ...]:
        """What every rule lets onto the machine, before anybody knows whether it fits."""
        return tuple(candidate for candidate, ruled_out in self._candidates(checkpoint) if ruled_out is None)

    def lay(self, candidate: Candidate) -> Fitted | Shortfall:
        """A candidate on the machine at the settings that the question asks for."""
        return self.fitter.fit(candidate, self._settings(candidate))

    def _candidates(self, checkpoint: Checkpoint) -> Iterator[tuple[Candidate, Finding | None]]:
        wanted = self.question.requirements.quantizations
        offered = candidates(
            self.question.catalog, checkpoint, self._engines(checkpoint), wanted, self.question.machine.shelf
        )
        for candidate in offered:
            failing = (rule.check(candidate, self.question) for rule in CANDIDATE_RULES)
            yield candidate, next((f for f in failing if f is not None), None)

    def _at_most(self, candidate: Candidate) -> float:
        """What no way to lay this candidate can be worth more than: no waiting, and memory for nothing."""
        loss, loss_error = self._loss(candidate, "f16")
        spread = self.question.profile.ability_spread
        lost: float = (loss + self._weights["loss_aversion"] * loss_error) / spread
        return self.bound(candidate.checkpoint) - lost - self._penalties(candidate, None)

    def _settings(self, candidate: Candidate) -> Settings:
        needs = any(modality != "text" for modality in self.question.profile.modalities_in)
        return settings_for(candidate.engine.id, self.question.requirements, vision=needs)

    def _engines(self, checkpoint: Checkpoint) -> tuple[EngineSpec, ...]:
        """Transformers runs everything, mostly slower: it is searched where nothing else knows the model."""
        model_type = self.question.catalog.architectures[checkpoint.architecture].model_type
        known = tuple(
            s for s in self.engines if model_type in s.models and (not checkpoint.engines or s.id in checkpoint.engines)
        )
        if self.question.requirements.engines:
            return self.engines
        return tuple(s for s in known if s.id != LAST_RESORT) or known or self.engines

    def scored(self, candidate: Candidate, fitted: Fitted) -> Iterator[Found]:
        """What a candidate that is laid on the machine is worth, in each way of thinking that the question allows."""
        requirements, profile = self.question.requirements, self.question.profile
        checkpoint = candidate.checkpoint
        loss, loss_error = self._loss(candidate, fitted.settings.kv_type)
        for thinking, ability in self.abilities(checkpoint).items():
            tokens = profile.reasoning_tokens if thinking == "on" else 0
            timed = self.fitter.retimed(candidate, fitted, tokens) if tokens else fitted
            plan = Plan(
                checkpoint=checkpoint,
                architecture=candidate.architecture,
                format=candidate.format.name,
                artifact=candidate.artifact,
                settings=timed.settings,
                placement=timed.placement,
                memory=timed.memory,
                budget=timed.room.budget,
                fill=timed.room.fill,
                # A split fills the accelerators as far as they go: a layer fewer there makes room at once.
                brim=timed.room.host_fill if timed.placement.mode == "hybrid" else None,
                speed=timed.speed,
                thinking=thinking,
            )
            terms = score(
                plan,
                ability,
                loss,
                profile=profile,
                requirements=requirements,
                weights=self._weights,
                loss_error=loss_error,
                penalties=self._penalties(candidate, timed.placement),
                floored="S102" not in self.question.lifted,
            )
            findings = (rule.check(plan, self.question) for rule in PLAN_RULES)
            yield Found(
                scored=Scored(plan=plan, ability=ability, loss=loss, terms=terms),
                candidate=candidate,
                fitted=timed,
                warnings=tuple(f for f in findings if f is not None),
            )

    def _loss(self, candidate: Candidate, kv_type: KvType) -> tuple[float, float]:
        """What the number formats of weights and KV cache take from the ability, and its standard error; logits."""
        return quantization_loss(
            self.question.catalog.quantization_loss,
            fmt=candidate.format,
            bits_per_weight=8 * candidate.footprint.tensor_bytes / max(1, candidate.footprint.parameters),
            total_parameters=candidate.checkpoint.parameters_total or candidate.footprint.parameters,
            moe=candidate.architecture.text is not None and candidate.architecture.text.moe is not None,
            scale=self.scale,
            kv_type=kv_type,
        )

    def _penalties(self, candidate: Candidate, placement: Placement | None) -> float:
        """The small fixed costs of a candidate, and those of a placement if there is one."""
        weights, machine = self._weights, self.question.machine
        prefer = weights["terms"][self.question.requirements.prefer]
        klass = hardware_class(machine, self.question.requirements.concurrency)
        rank = candidate.engine.preference.get(klass, 1 + max(candidate.engine.preference.values(), default=1))
        total: float = prefer["engine"] * (rank - 1)
        if machine.engines and candidate.engine.id not in {e.name for e in machine.engines}:
            total += weights["not_installed"]
        if not candidate.known:
            total += weights["convert_yourself"]
        elif not candidate.artifact.official:
            total += weights["foreign_files"]
        if candidate.format.name in weights["fallback_formats"] and not self.question.requirements.quantizations:
            total += weights["few_bits"]
        if placement is not None and _idles(placement, machine):
            total += weights["split_layers"]
        return total

    def _ability(self, checkpoint: Checkpoint, thinking: Literal["on", "off"]) -> Ability:
        abilities = self.question.catalog.abilities
        language = self.question.requirements.language
        found = (
            ability_in_language(abilities, checkpoint.id, self.scale, thinking, language)
            if language
            else find_ability(abilities, checkpoint.id, self.scale, thinking)
        )
        if found is not None:
            return found
        known = [a.value for settings in abilities.get(self.scale, {}).values() for a in settings]
        return Ability(
            checkpoint=checkpoint.id,
            scale=self.scale,
            thinking=thinking,
            value=min(known, default=0.0),
            standard_error=_UNKNOWN_ERROR,
            published=False,
        )


def fitter_for(question: Question, calibration: Calibration | None = None, *, beside: Fitter | None = None) -> Fitter:
    """What lays candidates on the question's machine, with accelerators until the speed that is wanted is reached.

    Args:
        question: the question.
        calibration: factors measured on its machine.
        beside: another one with the same facts, whose memo is shared.
    """
    wanted = max(question.profile.comfortable_speed, question.requirements.min_speed or 0.0)
    return Fitter(question.catalog, question.machine, comfortable=wanted, calibration=calibration, beside=beside)


def engines_for(question: Question) -> tuple[EngineSpec, ...]:
    """The engines to search: those asked for, else those installed and the first choices for this hardware."""
    specs = question.catalog.engines
    asked = question.requirements.engines
    if asked:
        return tuple(specs[name] for name in asked)
    klass = hardware_class(question.machine, question.requirements.concurrency)
    installed = {e.name for e in question.machine.engines}

    def serves(spec: EngineSpec) -> bool:
        profile = question.profile
        return (
            question.machine.os in spec.systems
            and all(m in spec.modalities for m in profile.modalities_in)
            and any(m in spec.outputs for m in profile.modalities_out)
        )

    able = [s for s in specs.values() if serves(s)]
    able.sort(key=lambda s: (s.preference.get(klass, 99), s.id))
    first = [s for s in able if klass in s.preference][:2] or able[:2]
    last_resort = [s for s in able if s.id == LAST_RESORT]
    chosen = {s.id: s for s in (*first, *(s for s in able if s.id in installed), *last_resort)}
    return tuple(chosen.values())


def memory_finding(candidate: Candidate, lack: Shortfall, question: Question) -> Finding:
    """Rule M101: weights, KV cache and buffers fit in the pools they are placed in."""
    return Finding(
        rule="M101",
        verdict="fail",
        message=(
            f"{candidate.format.name} at {question.requirements.context:,} tokens needs {gib(lack.needed)} "
            f"of {lack.pool}, free are {gib(lack.available)}"
        ),
        needed=lack.needed,
        available=lack.available,
    )


def _better(best: Found | None, item: Found) -> Found:
    return item if best is None or item.scored.order < best.scored.order else best


def _nearer(
    nearest: Miss | None, stage: int, finding: Finding, candidate: Candidate, found: Found | None = None
) -> Miss:
    """The miss that came furthest, and of those the one that lacked least."""
    lack = _lack(finding)
    if nearest is not None and (nearest.stage, -nearest.lack) >= (stage, -lack):
        return nearest
    rejection = rejection_of(candidate.checkpoint, finding)
    return Miss(stage=stage, lack=lack, rejection=rejection, candidate=candidate, found=found)


def _lack(finding: Finding) -> float:
    if finding.needed is None or finding.available is None:
        return 0.0
    return abs(finding.needed - finding.available) / max(finding.needed, 1e-9)


def rejection_of(checkpoint: Checkpoint, finding: Finding) -> Rejection:
    """A finding as the reason why a checkpoint was ruled out."""
    return Rejection(
        model=checkpoint.id,
        rule=finding.rule,
        message=finding.message,
        needed=finding.needed,
        available=finding.available,
    )


def lifted(question: Question, rule: str) -> Question:
    """The same question with one task default lifted."""
    return replace(question, lifted=question.lifted | {rule})


def _idles(placement: Placement, machine: Machine) -> bool:
    """Whether accelerators stand idle: all along, or while the CPU works on whole layers of its own."""
    if placement.mode == "cpu":
        return bool(machine.accelerators)
    return placement.mode == "hybrid" and not placement.cpu_expert_layers
