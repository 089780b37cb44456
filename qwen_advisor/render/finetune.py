"""The answers of ``finetune`` and ``recommend --for finetune``: as reports, as rows, as shell variables."""

from __future__ import annotations

from collections.abc import Iterator

from qwen_advisor.errors import NothingFits
from qwen_advisor.plan import Rate
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text, env_text
from qwen_advisor.render.documents import four_digits
from qwen_advisor.render.report import Facts, Grid, Lines, Report
from qwen_advisor.training.choice import TrainingAdvice
from qwen_advisor.training.examples import DataReport
from qwen_advisor.training.plan import TrainingPlan
from qwen_advisor.units import gib

_BAR = 24
_SHARDING = {
    "none": "a whole copy on each",
    "zero1": "ZeRO-1",
    "zero2": "ZeRO-2",
    "zero3": "ZeRO-3",
    "fsdp": "FSDP",
    "layers": "layers apart",
    "megatron": "Megatron",
}
_COLUMNS = (
    "model",
    "method",
    "framework",
    "base_format",
    "seq_len_tokens",
    "batch",
    "rank",
    "optimizer",
    "gradient_checkpointing",
    "loss",
    "sharding",
    "gpus",
    "fits",
    "per_gpu_bytes",
    "total_bytes",
    "budget_bytes",
    "largest_seq_len_tokens",
    "largest_batch",
    "trained_parameters",
    "tokens_per_second_low",
    "tokens_per_second",
    "tokens_per_second_high",
    "dataset_tokens",
    "seconds_low",
    "seconds",
    "seconds_high",
)


def report(plan: TrainingPlan, data: DataReport | None = None) -> Report:
    """Whether it fits, the parts of the memory, the speed, the data set, and what to change."""
    verdict = "fits" if plan.fits else "does not fit"
    cards = f"{plan.run.gpus} × {plan.place.name}" if plan.run.gpus > 1 else plan.place.name
    return Report(
        headline=f"{plan.run.method} of {plan.checkpoint.id} {verdict} on {cards}",
        good=plan.fits,
        blocks=(
            Facts(pairs=tuple(_facts(plan, data))),
            _memory(plan),
            Lines(title="What to change, best first", lines=tuple(_remedies(plan))),
            Lines(title="Notes", lines=plan.notes),
        ),
    )


def nothing(plan: TrainingPlan) -> NothingFits:
    """The refusal in a sentence, with the best remedy as the next step."""
    best = plan.remedies[0] if plan.remedies else None
    hint = "no change that is known makes it fit: describe another machine with --gpu"
    if best is not None:
        hint = f"{best.change}: {best.option} ({gib(best.device)})"
    return NothingFits(
        f"{plan.run.method} of {plan.checkpoint.id} needs {gib(plan.memory.device)} on each GPU,"
        f" and there are {gib(plan.place.budget)}",
        hint=hint,
    )


def identifier(plan: TrainingPlan) -> str:
    """One line with the model's repository."""
    return f"{plan.checkpoint.id}\n"


def environment(plan: TrainingPlan) -> str:
    """The run as shell variables."""
    run = plan.run
    return env_text(
        {
            "QWEN_ADVISOR_MODEL": plan.checkpoint.id,
            "QWEN_ADVISOR_METHOD": run.method,
            "QWEN_ADVISOR_SEQ_LEN": str(run.seq_len),
            "QWEN_ADVISOR_BATCH": str(run.batch),
            "QWEN_ADVISOR_FITS": "true" if plan.fits else "false",
            "QWEN_ADVISOR_PER_GPU_BYTES": str(plan.memory.device),
        }
    )


def csv(plan: TrainingPlan) -> str:
    """One row, numbers in full."""
    run, speed = plan.run, plan.speed
    rate = [None] * 3 if speed is None else _three(speed.tokens)
    time = [None] * 3 if speed is None or speed.seconds is None else _three(speed.seconds)
    row: tuple[Cell, ...] = (
        plan.checkpoint.id,
        run.method,
        run.framework,
        run.format,
        run.seq_len,
        run.batch,
        run.rank if run.adapters else None,
        run.optimizer,
        run.checkpointing,
        run.loss,
        run.sharding,
        run.gpus,
        plan.fits,
        plan.memory.device,
        plan.memory.total,
        plan.place.budget,
        plan.largest_seq_len,
        plan.largest_batch,
        plan.memory.trained.total,
        *rate,
        plan.dataset_tokens,
        *time,
    )
    return csv_text(_COLUMNS, [row])


def _three(rate: Rate) -> list[Cell]:
    return [four_digits(rate.low), four_digits(rate.expected), four_digits(rate.high)]


def _facts(plan: TrainingPlan, data: DataReport | None) -> Iterator[tuple[str, str]]:
    run, trained = plan.run, plan.memory.trained
    yield "machine", words.machine(plan.machine)
    how = f"rank {run.rank} on {', '.join(trained.modules) or 'experts'}, " if run.adapters else ""
    yield "trains", f"{how}{trained.total:,} parameters, base in {run.format}"
    yield (
        "batch",
        f"{run.batch} × {run.seq_len:,} tokens on each GPU, {run.tokens_per_step:,} before the optimizer steps",
    )
    if run.gpus > 1:
        yield "GPUs", f"{run.gpus}: {_SHARDING[run.sharding]}"
    yield "memory", f"{words.used(plan.memory.device, plan.place.budget)} on each GPU"
    if plan.largest_seq_len is not None or plan.largest_batch is not None:
        yield "room", _room(plan)
    if plan.speed is None:
        yield "speed", "not known: nothing is known of the arithmetic of this device"
    else:
        yield "speed", f"{words.rate(plan.speed.tokens)} tokens/s, {plan.speed.basis}"
        if plan.speed.seconds is not None and plan.dataset_tokens is not None:
            time = plan.speed.seconds
            yield (
                "time",
                (
                    f"{_time(time.expected)} ({_time(time.low)} to {_time(time.high)})"
                    f" for {plan.dataset_tokens:,} tokens, {plan.epochs:g} times"
                ),
            )
    if data is not None:
        over = f"{data.over:,} longer than a sequence, which cuts {data.cut:,} tokens" if data.over else "none is cut"
        again = f", {data.duplicates:,} stand there twice" if data.duplicates else ""
        yield "data", f"{data.rows:,} rows of {data.shape}, {data.tokens:,} tokens by {data.counted_by}"
        yield "", f"middle {data.median:,}, longest {data.longest:,} tokens; {over}{again}"


def _room(plan: TrainingPlan) -> str:
    """How far the run could grow."""
    length = "none" if plan.largest_seq_len is None else f"up to {plan.largest_seq_len:,} tokens"
    batch = "none of this length" if plan.largest_batch is None else f"up to {plan.largest_batch:,}"
    return f"sequences: {length}; batch: {batch}"


def _time(seconds: float) -> str:
    hours = seconds / 3600
    return f"{words.figure(hours)} h" if hours >= 0.95 else words.seconds(seconds)


def _memory(plan: TrainingPlan) -> Grid:
    budget = max(1, plan.place.budget)
    rows: list[tuple[str, ...]] = [
        (part.name.replace("_", " "), gib(part.bytes), words.bar(part.bytes, budget, _BAR), part.basis, part.source)
        for part in plan.memory.parts
    ]
    taken = plan.memory.device
    share = f"{100 * taken / budget:.0f} % of {gib(plan.place.budget)}"
    rows.append(("total", gib(taken), words.bar(taken, budget, _BAR), share, ""))
    return Grid(
        title="Memory of each GPU at the peak" if plan.place.card else "Main memory at the peak",
        headings=("", "size", "share", "basis", "source"),
        rows=tuple(rows),
        right=frozenset({1}),
    )


def _remedies(plan: TrainingPlan) -> Iterator[str]:
    for remedy in plan.remedies:
        yield f"{remedy.change}: {remedy.option} -> {gib(remedy.device)}; cost: {remedy.cost}"


def choice_report(advice: TrainingAdvice) -> Report:
    """The models to train here, best first."""
    best = advice.choices[0] if advice.choices else None
    place = advice.place.name
    slow = () if advice.place.card else ("without a GPU training is for trying a script, not for a result",)
    task = advice.requirements.task
    if best is None:
        near = advice.smallest
        lines = () if near is None else (f"nearest: {near.checkpoint.id} by {near.run.method}, {gib(near.device)}",)
        return Report(
            headline=f"No model for {task} can be trained on {place} ({gib(advice.place.budget)})",
            good=False,
            blocks=(Lines(title="", lines=lines),),
        )
    rows = tuple(
        (
            str(choice.rank),
            words.short(choice.checkpoint.id),
            choice.run.method,
            gib(choice.device),
            words.rate(choice.speed.tokens) if choice.speed else "not known",
            f"{choice.ability:.2f} ± {choice.standard_error:.2f}",
        )
        for choice in advice.choices
    )
    return Report(
        headline=f"Train {best.checkpoint.id} by {best.run.method} for {task} on {place}",
        good=True,
        blocks=(
            Grid(
                title="",
                headings=("", "model", "method", "memory", "tokens/s", "ability"),
                rows=rows,
                right=frozenset({0, 3}),
            ),
            Lines(
                title="",
                lines=(
                    (
                        f"sequences of {best.run.seq_len:,} tokens one at a time, rank {best.run.rank}, TRL;"
                        f" {advice.too_large} models are too large for {gib(advice.place.budget)}"
                    ),
                    (
                        f"next: qwen-advisor finetune {words.short(best.checkpoint.id)} --method {best.run.method}"
                        f" --seq-len {best.run.seq_len} --format script -o train.py"
                    ),
                    *slow,
                ),
            ),
        ),
    )


def choice_csv(advice: TrainingAdvice) -> str:
    """A row for each model."""
    header = ("rank", "model", "method", "per_gpu_bytes", "budget_bytes", "tokens_per_second", "ability")
    return csv_text(
        header,
        [
            (
                choice.rank,
                choice.checkpoint.id,
                choice.run.method,
                choice.device,
                advice.place.budget,
                None if choice.speed is None else four_digits(choice.speed.tokens.expected),
                four_digits(choice.ability),
            )
            for choice in advice.choices
        ],
    )


def choice_environment(advice: TrainingAdvice) -> str:
    """The first model as shell variables; empty values where there is none."""
    best = advice.choices[0] if advice.choices else None
    return env_text(
        {
            "QWEN_ADVISOR_MODEL": best.checkpoint.id if best else "",
            "QWEN_ADVISOR_METHOD": best.run.method if best else "",
            "QWEN_ADVISOR_SEQ_LEN": str(best.run.seq_len) if best else "",
        }
    )
