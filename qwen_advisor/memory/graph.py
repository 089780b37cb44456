"""The intermediate tensors of llama.cpp's forward graphs, in the order in which its allocator meets them.

`Walk` goes through a graph (``src/llama-graph.cpp``, ``src/models/qwen*.cpp``, ``delta-net-base.cpp`` of build 11549)
and takes and gives blocks of an arena. In-place operations take nothing. All activations are float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from qwen_advisor.memory.arena import Block
from qwen_advisor.memory.shape import Batch, Shape, Staged
from qwen_advisor.values import dataclass, field

_RESIDENT = Staged()
_OFFLOAD_ROWS = 32  # GGML_OP_OFFLOAD_MIN_BATCH
_ROTATION_V = 64  # side of the Hadamard matrix that turns V


class Planner(Protocol):
    """What a graph is walked with: an `Arena`, or `Sizes`."""

    def take(self, size: int) -> Block:
        """Place a tensor."""
        ...

    def plan(self, size: int) -> Block:
        """Place a tensor that is never written."""
        ...

    def give(self, block: Block) -> None:
        """Free a tensor."""
        ...


@dataclass(slots=True)
class Inputs:
    """The input tensors of a graph that stay until they are last used."""

    residual: Block  # the embedded tokens
    rows: Block  # numbers of the rows that get logits
    last: tuple[Block, ...] = ()  # positions, cell numbers and mask: freed by the last attention layer
    kept_layers: int = 0  # layers that still read the embedding (deepstack)
    late: bool = False  # positions, cell numbers and mask are still to be placed


@dataclass(slots=True)
class Walk:
    """One way through a graph: tensors of ``shape`` for ``batch``, placed by ``arena``."""

    arena: Planner
    shape: Shape
    batch: Batch
    away: Staged = _RESIDENT
    arrive: Callable[[], None] | None = field(default=None)  # what the next split of the graph brings from the host
    arrive_first: Callable[[], None] | None = field(default=None)  # what comes before it: the positions, for rope

    def _product(self, size: int, weight: int, *, splits: bool = False) -> Block:
        """The result of a matrix product, with its weights staged beside it where they are elsewhere.

        Each staged weight starts a new split of the graph; one that ``splits`` also brings what has to arrive.
        """
        if not weight:
            return self.arena.take(size)
        copy = self.arena.take(weight)
        if splits:
            self._arrived()
        out = self.arena.take(size)
        self.arena.give(copy)
        return out

    def _arrived(self) -> None:
        if self.arrive:
            self.arrive()
            self.arrive = None

    def _turned(self, block: Block, size: int) -> Block:
        """The block multiplied by a rotation."""
        turned = self.arena.take(size)
        self.arena.give(block)
        return turned

    def attention(self, inputs: tuple[Block, ...] = ()) -> Block:
        """Softmax attention of one layer with its output projection; ``inputs`` are freed where last used."""
        s, b, away = self.shape, self.batch, self.away
        n = b.tokens
        take, give = self.arena.take, self.arena.give
        norm = take(s.hidden * n)
        full: Block | None = None
        if s.kind == "gated":
            full = self._product(2 * s.query * n, away.query)
            query = take(s.query * n)
        elif s.kind == "fused":
            full = self._product(3 * s.hidden * n, away.query)
            give(norm)
            query = take(s.query * n)
        else:
            raw = self._product(s.query * n, away.query)
            query = take(s.query * n)
            give(raw)
        if self.arrive_first:
            self.arrive_first()
            self.arrive_first = None
        if b.rotate_k:
            query = self._turned(query, s.query * n)
        if s.kind == "fused" and full is not None:
            give(take(s.key * n))
            give(full)
        else:
            self._keys_and_values(norm)
        mixed = self._scores(query, inputs)
        if b.rotate_v:
            mixed = self._turned(mixed, s.query * n)
        if s.kind == "gated" and full is not None:
            gate = take(s.query * n)
            give(full)
            if b.flash_attention:
                mixed, gate = gate, mixed
            give(gate)
        out = self._product(s.hidden * n, away.output)
        give(mixed)
        return out

    def _keys_and_values(self, norm: Block) -> None:
        """K and V of a batch, which are copied into the cache and freed; so is the normalised input."""
        s, b = self.shape, self.batch
        size = s.key * b.tokens
        give = self.arena.give
        value = self._product(size, self.away.key)
        if b.rotate_v:
            value = self._turned(value, size)
        raw = self._product(size, self.away.key)
        give(norm)
        key = self.arena.take(size)
        give(raw)
        if b.rotate_k:
            key = self._turned(key, size)
        give(key)
        give(value)

    def _scores(self, query: Block, inputs: tuple[Block, ...]) -> Block:
        """The attention itself; frees the query and the inputs."""
        s, b = self.shape, self.batch
        n, cells = b.tokens, b.cells * b.streams
        take, give = self.arena.take, self.arena.give
        caches: list[Block] = []
        if self.away.cache:
            caches = [take(b.cell_bytes * cells // 2) for _ in "kv"]
            self._arrived()
        scores = take(s.query * n + b.unpacked * cells if b.flash_attention else 4 * s.heads * b.cells * n)
        for block in (query, *caches, *inputs):
            give(block)
        if b.flash_attention:
            return scores
        raw = take(s.query * n)
        give(scores)
        return self._turned(raw, s.query * n)

    def linear_attention(self) -> Block:
        """A Gated DeltaNet layer with its output projection."""
        s, b = self.shape, self.batch
        n, sequences = b.tokens, b.sequences
        take, give = self.arena.take, self.arena.give
        conv_width = 2 * s.key_width + s.value_width
        norm = take(s.hidden * n)
        conv_state = take(s.conv_state * sequences)
        mixed = self._product(conv_width * n, self.away.query)
        joined = take(conv_width * n + s.conv_state * sequences)
        give(conv_state)
        give(mixed)
        state = take(s.recurrent_state * sequences)
        convolved = take(conv_width * n)
        give(joined)
        query, key, alpha, beta = self._delta_inputs()
        result = take(s.value_width * n + s.recurrent_state * sequences)
        for block in (query, key, convolved, alpha, beta, state):
            give(block)
        normed = take(s.value_width * n)
        give(result)
        gate = self._product(s.value_width * n, self.away.output)
        give(norm)
        silu = take(s.value_width * n)
        give(gate)
        give(silu)
        out = self._product(s.hidden * n, self.away.output)
        give(normed)
        return out

    def _delta_inputs(self) -> tuple[Block, Block, Block, Block]:
        """Normalised Q and K, decay and update gate of the delta rule."""
        s, n = self.shape, self.batch.tokens
        take, give = self.arena.take, self.arena.give
        gates = 4 * s.value_heads * n
        query = take(s.key_width * n)
        if s.next_style:
            query = self._turned(query, s.value_width * n)
            key = self._turned(take(s.key_width * n), s.value_width * n)
            both = take(2 * gates)
            alpha, beta = take(gates), take(gates)
            give(both)
            return query, key, alpha, beta
        key = take(s.key_width * n)
        alpha = self._turned(take(gates), gates)
        beta = self._turned(take(gates), gates)
        return query, key, alpha, beta

    def _swiglu(self, width: int, hidden: int, normed: Block | None, away: Staged) -> Block:
        """Gate, up and down projection; frees the normalised input if it is given."""
        take, give = self.arena.take, self.arena.give
        gate = self._product(width, away.gate)
        up = self._product(width, away.gate)
        if normed is not None:
            give(normed)
        product = take(width)
        give(gate)
        give(up)
        out = self._product(hidden, away.down)
        give(product)
        return out

    def _experts(self, tokens: int, normed: Block, away: Staged) -> Block:
        """Router, chosen experts and shared expert; frees the normalised input."""
        s, n = self.shape, tokens
        take, give = self.arena.take, self.arena.give
        scores = take(4 * s.experts * n)
        order = take(4 * s.experts * n)
        weights = take(4 * s.experts_used * n)
        give(scores)
        if s.normalised_routing:
            total = take(4 * n)
            weights = self._turned(weights, 4 * s.experts_used * n)
            give(total)
        width = s.experts_used * s.expert_width * n
        gate = self._product(width, away.gate)
        up = self._product(width, away.gate)
        if not s.shared_width:
            give(normed)
        product = take(width)
        give(gate)
        give(up)
        down = self._product(s.experts_used * s.hidden * n, away.down, splits=True)
        for block in (product, order, weights):
            give(block)
        out = take(s.hidden * n)
        give(down)
        if s.shared_width:
            side = self._swiglu(s.shared_width * n, s.hidden * n, None, _RESIDENT)
            gate = take(4 * n)
            for block in (normed, gate, side):
                give(block)
        return out

    def feed_forward(self, tokens: int, residual: Block) -> Block:
        """Norm, feed-forward part and residual sum of one layer."""
        s = self.shape
        away = self.away if tokens >= _OFFLOAD_ROWS else _RESIDENT
        normed = self.arena.take(s.hidden * tokens)
        if s.experts:
            out = self._experts(tokens, normed, away)
        else:
            out = self._swiglu(s.feed_forward * tokens, s.hidden * tokens, normed, away)
        self.arena.give(residual)
        return out

    def layers(self, inputs: Inputs, count: int, *, ends: bool = True) -> Block:
        """Walk ``count`` layers; with ``ends`` the last is the model's last, where only output rows go on."""
        s, give = self.shape, self.arena.give
        residual = inputs.residual

        def arrive() -> None:
            inputs.last = self.attention_inputs()
            inputs.late = False

        def arrive_first() -> None:
            """The positions, placed beside a copy of the norm's weights that is given back at once."""
            beside = self.arena.take(4 * s.head_dim)
            inputs.last = (self.arena.take(s.position * self.batch.tokens),)
            self.arena.give(beside)

        def arrive_mask() -> None:
            inputs.last = (*inputs.last, *self.rotations(), self.arena.take(self.batch.mask_bytes))
            inputs.late = False

        for index in range(count):
            final = ends and index == count - 1
            if final or (index + 1) % s.interval == 0:
                if inputs.late:
                    self.arrive = arrive_mask if self.away.cache else arrive
                    self.arrive_first = arrive_first if self.away.cache else None
                out = self.attention(inputs.last if final else ())
                if final:
                    return self._last(inputs, out, residual)
                if index or not inputs.kept_layers:
                    give(residual)
                residual = out
            else:
                give(self.linear_attention())
            entering = inputs.late and not self.away.cache and index == min(count, s.interval - 1) - 1
            self.arrive = arrive if entering else None
            residual = self.feed_forward(self.batch.tokens, residual)
            if inputs.kept_layers and index == inputs.kept_layers - 1:
                give(inputs.residual)
        return residual

    def _last(self, inputs: Inputs, out: Block, residual: Block) -> Block:
        """The last layer's feed-forward part, on output rows alone."""
        size = self.shape.hidden * self.batch.outputs
        rows = self._turned(out, size)
        skip = self._turned(residual, size)
        self.arena.give(inputs.rows)
        self.arena.give(skip)
        return self.feed_forward(self.batch.outputs, rows)

    def logits(self) -> None:
        """The head over the output rows."""
        self.arena.take(self.shape.vocabulary * self.batch.outputs)

    def attention_inputs(self) -> tuple[Block, ...]:
        """Positions, cell numbers, rotations and mask (``build_attn_inp_kv``, ``build_inp_pos``)."""
        s, b, take = self.shape, self.batch, self.arena.take
        n = b.tokens
        blocks = []
        if s.value_heads:
            take(4 * b.sequences)
        if b.rotate_k:
            side = s.head_dim & -s.head_dim
            blocks.append(take(4 * side * side))
        blocks.append(take(s.position * n))
        if b.rotate_v:
            blocks.append(take(4 * _ROTATION_V * _ROTATION_V))
        blocks.append(take(8 * n))
        blocks.append(take(8 * n if b.flash_attention else 2 * s.key * n))
        blocks.append(take(b.mask_bytes))
        return tuple(blocks)

    def rotations(self) -> tuple[Block, ...]:
        """The matrices that turn K and V before a quantized cache."""
        s, b = self.shape, self.batch
        side = s.head_dim & -s.head_dim
        sizes = [4 * side * side] if b.rotate_k else []
        sizes += [4 * _ROTATION_V * _ROTATION_V] if b.rotate_v else []
        return tuple(self.arena.take(size) for size in sizes)
