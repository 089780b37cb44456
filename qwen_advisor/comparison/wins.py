"""What wins where: for each thing that counts, the best of the models that run, and the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from qwen_advisor.advice import Recommendation
from qwen_advisor.comparison.answer import Compared, Criterion, Unit, Win


def wins(models: Sequence[Compared]) -> tuple[Win, ...]:
    """One entry for each criterion in which one model is strictly better than all others.

    Args:
        models: those that run, best first.
    """
    answers = [m.recommendation for m in models if m.recommendation is not None]
    if len(answers) < 2:
        return ()
    return tuple(_wins(answers, models))


def _wins(answers: list[Recommendation], models: Sequence[Compared]) -> Iterator[Win]:
    first, second = answers[:2]
    yield Win(
        criterion="overall",
        model=first.plan.checkpoint.id,
        value=first.score,
        runner_up=second.plan.checkpoint.id,
        runner_up_value=second.score,
        unit="score",
    )
    able = _most(answers, lambda a: a.ability.value - a.quantization_loss)
    if able is not None:
        one, other = able
        yield Win(
            criterion="ability",
            model=one.plan.checkpoint.id,
            value=one.ability.value - one.quantization_loss,
            runner_up=other.plan.checkpoint.id,
            runner_up_value=other.ability.value - other.quantization_loss,
            unit="logits",
            # The errors of two models are taken to be independent.
            error=math.hypot(one.ability.standard_error, other.ability.standard_error),
        )
    yield from _plain(answers)
    free = [m for m in models if m.permissive]
    if len(free) == 1:
        other_model = next(m for m in models if not m.permissive)
        yield Win(
            criterion="license",
            model=free[0].checkpoint.id,
            value=1.0,
            runner_up=other_model.checkpoint.id,
            runner_up_value=0.0,
            unit="license",
        )


def _plain(answers: list[Recommendation]) -> Iterator[Win]:
    def win(criterion: Criterion, unit: Unit, value: Callable[[Recommendation], float], sign: float) -> Iterator[Win]:
        pair = _most(answers, lambda answer: sign * value(answer))
        if pair is not None:
            yield Win(
                criterion=criterion,
                model=pair[0].plan.checkpoint.id,
                value=value(pair[0]),
                runner_up=pair[1].plan.checkpoint.id,
                runner_up_value=value(pair[1]),
                unit=unit,
            )

    if all(a.plan.settings.output_tokens > 1 for a in answers):  # an embedding is not decoded
        yield from win("decode", "tokens per second", lambda a: a.plan.speed.decode.expected, 1)
    yield from win("answer", "seconds", lambda a: a.plan.speed.time_to_answer, -1)
    yield from win("memory", "bytes", lambda a: a.plan.memory.total, -1)
    yield from win("download", "bytes", lambda a: a.plan.artifact.bytes, -1)
    yield from win("context", "tokens", lambda a: a.largest_context or 0, 1)


def _most(
    answers: list[Recommendation], value: Callable[[Recommendation], float]
) -> tuple[Recommendation, Recommendation] | None:
    """The one with most and the next; None where two are even."""
    one, other = sorted(answers, key=lambda answer: -value(answer))[:2]
    return (one, other) if value(one) > value(other) else None
