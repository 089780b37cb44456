"""The answers of ``catalog``: checkpoints as rows, one checkpoint in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qwen_advisor.catalog.faults import Fault
from qwen_advisor.downloads import Quantization
from qwen_advisor.facts import Catalog
from qwen_advisor.model import Checkpoint
from qwen_advisor.render import words
from qwen_advisor.render.data import Cell, csv_text
from qwen_advisor.render.report import Block, Facts, Grid, Lines, Report

_COLUMNS = (
    "model",
    "family",
    "line",
    "kind",
    "parameters_total",
    "parameters_active",
    "context_native_tokens",
    "context_extended_tokens",
    "license",
    "released",
    "thinking",
    "tool_calling",
    "superseded_by",
)


def list_csv(models: Iterable[Checkpoint]) -> str:
    """One row per checkpoint, numbers in full."""

    def row(model: Checkpoint) -> Sequence[Cell]:
        return (
            model.id,
            model.family,
            model.line,
            model.kind,
            model.parameters_total,
            model.parameters_active or model.parameters_total,
            model.context.native,
            model.context.extended,
            model.license,
            model.released,
            model.thinking,
            model.tool_calling,
            model.superseded_by,
        )

    return csv_text(_COLUMNS, map(row, models))


_DOWNLOADS = (
    "model",
    "quantization",
    "container",
    "file_bytes",
    "tensor_bytes",
    "projector_bytes",
    "repo",
    "official",
    "files",
    "bytes",
)


def show_csv(catalog: Catalog, model: Checkpoint, quantizations: Iterable[Quantization]) -> str:
    """One row per quantization and repository that has it; files are apart by spaces, which no repository allows."""
    rows: list[Sequence[Cell]] = []
    for each in quantizations:
        weights = each.footprint
        sizes = (weights.file_bytes, weights.tensor_bytes, weights.projector_bytes)
        first: Sequence[Cell] = (model.id, weights.format, catalog.formats[weights.format].container, *sizes)
        rows += [(*first, d.repo, d.official, " ".join(d.files) or None, d.bytes) for d in each.downloads]
        if not each.downloads:
            rows.append((*first, None, None, None, None))
    return csv_text(_DOWNLOADS, rows)


def list_report(catalog: Catalog, models: Sequence[Checkpoint], *, narrow: bool = False) -> Report:
    """One row per checkpoint; a narrow one leaves out what can be done without."""

    def row(model: Checkpoint) -> tuple[str, ...]:
        name, license_, released = words.short(model.id), model.license or "unknown", model.released or "unknown"
        if narrow:
            native = model.context.native
            return name, count(model.parameters_total), words.tokens(native) if native else "", license_, released
        successor = words.short(model.superseded_by or "")
        return name, parameters(model), model.kind, context(model), license_, released, model.family, successor

    wide = ("Model", "Parameters", "Kind", "Context", "License", "Released", "Family", "Superseded by")
    return Report(
        headline=f"{len(models)} of {len(catalog.models)} models",
        good=bool(models),
        blocks=(
            Grid(
                title="",
                headings=("Model", "Size", "Context", "License", "Released") if narrow else wide,
                rows=tuple(map(row, models)),
                right=frozenset({1, 2} if narrow else {1, 3}),
            ),
            Lines(title="", lines=("everything about one: qwen-advisor catalog show MODEL",)),
        ),
    )


def parameters(model: Checkpoint) -> str:
    """``30.5B, 3.3B active``."""
    total = count(model.parameters_total)
    active = model.parameters_active
    return f"{total}, {count(active)} active" if active and active != model.parameters_total else total


def count(number: int | None) -> str:
    """Parameters in three digits: ``752M``, ``8.19B``, ``1.02T``."""
    if number is None:
        return "unknown"
    for scale, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        value = number / scale
        if value >= 0.9995:
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:.{digits}f}{unit}"
    return str(number)


def context(model: Checkpoint) -> str:
    """``32,768 (131,072)``: native, and extended where there is a longer one."""
    native, extended = model.context.native, model.context.extended
    told = words.tokens(native) if native else "unknown"
    return f"{told} ({words.tokens(extended)})" if extended else told


def engines(catalog: Catalog, model: Checkpoint) -> Iterator[tuple[str, str | None, str]]:
    """Engine, least version and remark for each program that runs the model."""
    model_type = catalog.architectures[model.architecture].model_type
    for name in model.engines:
        spec = catalog.engines.get(name)
        support = spec.models.get(model_type) if spec else None
        yield name, support.min_version if support else None, support.note if support else ""


def show_report(catalog: Catalog, model: Checkpoint, quantizations: Sequence[Quantization]) -> Report:
    """Everything that is known, for a person."""
    blocks: tuple[Block, ...] = (
        Facts(pairs=tuple((label, value) for label, value in _facts(catalog, model) if value)),
        Grid(
            title="Quantizations",
            headings=("Format", "Computed", "On disk", "Difference", "Official", "Repository"),
            rows=tuple(_rows(quantizations)),
            right=frozenset({1, 2, 3}),
        ),
        Lines(title="Formats without a known repository, computed", lines=tuple(_unpublished(catalog, quantizations))),
        Grid(
            title="Engines",
            headings=("Engine", "From version", "Remark"),
            rows=tuple((name, version or "not known", note) for name, version, note in engines(catalog, model)),
        ),
        Grid(
            title="Ollama",
            headings=("Tag", "Quantization", "Remark"),
            rows=tuple(
                (tag.tag, tag.quantization or "not known", "; ".join(filter(None, _remarks(tag.note, tag.verified))))
                for tag in model.ollama
            ),
        ),
        Lines(title="Not confirmed by a source", lines=model.unverified),
        Lines(title="Sources", lines=model.sources),
    )
    return Report(headline=f"{model.id}: {parameters(model)}", good=True, blocks=blocks)


def _remarks(note: str, verified: bool) -> tuple[str, str]:
    return note, "" if verified else "no digest confirms this tag"


def _rows(quantizations: Sequence[Quantization]) -> Iterator[tuple[str, ...]]:
    for each in quantizations:
        for index, download in enumerate(each.downloads):
            own, known = download.computed_bytes, download.bytes
            yield (
                each.footprint.format if index == 0 else "",
                words.gigabytes(own) if own is not None else "",
                words.gigabytes(known) if known else "",
                f"{own - known:+,} B" if own is not None and known else "",
                "yes" if download.official else "no",
                download.repo,
            )


def _unpublished(catalog: Catalog, quantizations: Sequence[Quantization]) -> Iterator[str]:
    rest = [each.footprint for each in quantizations if not each.downloads]
    on_load = [each for each in rest if catalog.formats[each.format].quantized_on_load]
    if on_load:
        sizes = _sizes((each.format, each.tensor_bytes) for each in on_load)
        yield f"made from BF16 while it is loaded, in memory: {sizes}"
    others = [each for each in rest if each not in on_load]
    if others:
        yield f"to be converted: {_sizes((each.format, each.file_bytes) for each in others)}"


def _sizes(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {words.gigabytes(size)}" for name, size in pairs)


def _facts(catalog: Catalog, model: Checkpoint) -> Iterator[tuple[str, str]]:
    license_ = catalog.licenses.get(model.license or "")
    reach = model.context
    yield "Family", f"{model.family}, {model.line}"
    yield "Kind", model.kind + (f": {model.special_purpose}" if model.special_purpose else "")
    yield "Released", model.released or "unknown"
    yield "Superseded by", model.superseded_by or ""
    yield (
        "Parameters",
        f"{model.parameters_total:,}"
        + (f"; {model.parameters_active:,} active per token" if model.parameters_active else "")
        if model.parameters_total
        else "unknown",
    )
    native = f"{words.tokens(reach.native)} tokens" if reach.native else "unknown"
    yield "Context", native + (f"; {words.tokens(reach.extended)} by {reach.extension}" if reach.extended else "")
    yield "Input, output", f"{', '.join(model.modalities_in)} → {', '.join(model.modalities_out)}"
    yield "Thinking", _thinking(model)
    yield "Tool calling", {True: "yes", False: "no", None: "no source says"}[model.tool_calling]
    yield "Languages", str(model.languages or "")
    yield "Good at", ", ".join(model.specialties)
    yield "Embedding", f"{model.embedding_dimensions} dimensions" if model.embedding_dimensions else ""
    yield "License", f"{license_.title}: {license_.summary}" if license_ else "no source states it"
    yield "Architecture", _architecture(catalog, model)
    yield "Note", model.note


def _thinking(model: Checkpoint) -> str:
    match model.thinking:
        case "hybrid":
            return "can be switched" + (f", {model.thinking_default} by default" if model.thinking_default else "")
        case "always":
            return "always"
        case "none":
            return "never"
        case None:
            return "no source says"


def _architecture(catalog: Catalog, model: Checkpoint) -> str:
    architecture = catalog.architectures[model.architecture]
    text = architecture.text
    parts = [architecture.model_type]
    if text:
        linear = text.layer_types.count("linear_attention")
        parts.append(f"{text.num_hidden_layers} layers" + (f", {linear} of them linear attention" if linear else ""))
        parts.append(f"{text.num_attention_heads} heads, {text.num_key_value_heads} for keys and values")
        if text.moe:
            parts.append(f"{text.moe.num_experts} experts, {text.moe.num_experts_per_tok} per token")
    parts += ["vision tower"] * bool(architecture.vision) + ["audio encoder"] * bool(architecture.audio)
    parts += [f"{part.name} of {count(part.parameters)}" for part in architecture.components]
    return "; ".join(parts)


def faults_csv(faults: Iterable[Fault]) -> str:
    """One row per fault."""
    header = ("file", "line", "column", "path", "message")
    return csv_text(header, [(f.file, f.line, f.column, f.path, f.message) for f in faults])


def faults_report(checked: str, faults: Sequence[Fault]) -> Report:
    """Every fault with its place."""
    count = f"{len(faults)} fault{'s' * (len(faults) != 1)}" if faults else "no fault"
    rows = tuple((f"{f.file}:{f.line}" if f.line else f.file, f.path, f.message) for f in faults)
    grid = Grid(title="", headings=("place", "field", "fault"), rows=rows)
    return Report(headline=f"{count} in {checked}", good=not faults, blocks=(grid,))
