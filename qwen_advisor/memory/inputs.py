"""How a graph of llama.cpp begins: inputs and embedding on a host, on the first device, on a later device."""

from __future__ import annotations

from qwen_advisor.memory.graph import Inputs, Walk


def embed(walk: Walk) -> Inputs:
    """Inputs and embedding where everything is on the CPU (``build_inp_embd``)."""
    arena, s, b = walk.arena, walk.shape, walk.batch
    n = b.tokens
    wide = s.hidden * (1 + s.deepstack) * n
    tokens, mixed_tokens = arena.take(4 * n), arena.plan(4 * n)
    arena.plan(wide)  # raw embeddings: never freed
    slots, mixed = arena.plan(8 * n), arena.plan(wide)
    last = walk.attention_inputs()
    rows = arena.take(4 * b.outputs)
    embedded = arena.take(s.hidden * n)
    arena.give(tokens)
    other = arena.plan(s.hidden * n)
    arena.give(mixed_tokens)
    if s.deepstack:
        padded = arena.take(wide)
        arena.give(embedded)
        embedded = padded
        padded = arena.plan(wide)
        arena.give(other)
        other = padded
    arena.plan(wide)  # the copy that mixed rows are written into: never read by a batch of tokens, never freed
    for block in (mixed, other, slots):
        arena.give(block)
    return Inputs(residual=embedded, last=last, rows=rows, kept_layers=s.deepstack)


def embed_on_host(walk: Walk, copies: int) -> None:
    """What stays on the host where the layers are on devices: inputs and the two table look-ups."""
    arena, s, b = walk.arena, walk.shape, walk.batch
    n = b.tokens
    wide = s.hidden * (1 + s.deepstack) * n
    for _ in range(copies):
        for size in (4 * n, 4 * n, wide, 8 * n, wide):
            arena.take(size)
        walk.attention_inputs()
        arena.take(4 * b.outputs)
    arena.take(s.hidden * n)
    arena.take(s.hidden * n)


def embed_on_device(walk: Walk, copies: int, *, ends: bool, late: bool) -> Inputs:
    """Copies of the inputs on the first device. With pipeline parallelism there are four of each and none is freed.

    ``late`` inputs of attention arrive with a later split of the graph.
    """
    arena, s, b = walk.arena, walk.shape, walk.batch
    n = b.tokens
    wide = s.hidden * (1 + s.deepstack) * n
    narrow = s.hidden * n
    first, second = (narrow, narrow) if s.deepstack else (wide, narrow)
    looked_up = [arena.take(first) for _ in range(copies)]
    looked_up += [arena.take(second) for _ in range(copies)]
    passing = [arena.take(wide) for _ in range(copies)] if s.deepstack else []
    passing += [arena.take(8 * n) for _ in range(copies)]
    embedded = [] if s.deepstack else [arena.take(narrow) for _ in range(copies)]
    last = () if late else tuple(block for _ in range(copies) for block in walk.attention_inputs())
    rows = [arena.take(4 * b.outputs) for _ in range(copies)] if ends and not late else [arena.take(0)]
    fixed = copies > 1
    if s.deepstack:
        embedded = [arena.take(wide)]
        if not fixed:
            arena.give(looked_up.pop(0))
        padded = arena.take(wide)
        if not fixed:
            arena.give(looked_up.pop(0))
        arena.take(wide)
        arena.give(padded)
    else:
        arena.take(wide)
    if fixed:
        start = embedded[0] if s.deepstack else arena.take(0)
        return Inputs(residual=start, rows=arena.take(0), kept_layers=s.deepstack, late=late)
    for block in (*looked_up, *passing):
        arena.give(block)
    return Inputs(residual=embedded[0], last=last, rows=rows[0], kept_layers=s.deepstack, late=late)


def enter_device(walk: Walk, copies: int, *, ends: bool) -> Inputs:
    """Copies of what a later device gets from the one before it, and of the inputs."""
    arena, s, b = walk.arena, walk.shape, walk.batch
    normed = [arena.take(s.hidden * b.tokens) for _ in range(copies)]
    last = tuple(block for _ in range(copies) for block in walk.attention_inputs())
    residuals = [arena.take(s.hidden * b.tokens) for _ in range(copies)]
    rows = [arena.take(4 * b.outputs) for _ in range(copies)] if ends else [arena.take(0)]
    if copies > 1:
        return Inputs(residual=arena.take(0), rows=arena.take(0))
    arena.give(normed[0])
    return Inputs(residual=residuals[0], last=last, rows=rows[0])
