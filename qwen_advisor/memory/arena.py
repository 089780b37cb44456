"""The memory that llama.cpp's graph allocator needs, found the way it finds it: best fit over the free blocks.

ggml plans the addresses of all intermediate tensors of a graph before it allocates one buffer for them
(``ggml-alloc.c``: ``ggml_dyn_tallocr_alloc`` and ``ggml_dyn_tallocr_free_bytes``). The buffer is as large as the
highest address in that plan, fragmentation included, so the plan itself is repeated here.
"""

from __future__ import annotations

Block = tuple[int, int]  # offset, size

_ENDLESS = 1 << 62


class Arena:
    """One buffer of a graph plan. Sizes and offsets are bytes."""

    __slots__ = ("_align", "_free", "offsets", "peak")

    def __init__(self, alignment: int = 32) -> None:
        """Start an empty buffer whose blocks are rounded up to ``alignment`` bytes."""
        self._align = alignment
        self._free: list[list[int]] = [[0, _ENDLESS]]
        self.offsets: list[int] = []  # of every block taken, in order
        self.peak = 0

    def take(self, size: int) -> Block:
        """Place a tensor of ``size`` bytes: in the smallest hole that holds it, otherwise at the end."""
        size = -(-size // self._align) * self._align
        free = self._free
        chosen = free[-1]
        best = _ENDLESS
        for block in free[:-1]:
            if size <= block[1] <= best:
                chosen, best = block, block[1]
        offset = chosen[0]
        if chosen[1] == size:
            free.remove(chosen)
        else:
            chosen[0] = offset + size
            chosen[1] -= size
        self.peak = max(self.peak, offset + size)
        self.offsets.append(offset)
        return offset, size

    def plan(self, size: int) -> Block:
        """Place a tensor that the graph holds a place for and that a batch of tokens never writes."""
        return self.take(size)

    def give(self, block: Block) -> None:
        """Free a block; it merges with free neighbours."""
        offset, size = block
        free = self._free
        index = 0
        while free[index][0] < offset:
            index += 1
        after = free[index]
        joins_after = offset + size == after[0]
        before = free[index - 1] if index else None
        if before is not None and before[0] + before[1] == offset:
            before[1] += size
            if joins_after:
                before[1] += after[1]
                del free[index]
        elif joins_after:
            after[0] = offset
            after[1] += size
        else:
            free.insert(index, [offset, size])


class Sizes(Arena):
    """An arena that only notes the sizes asked for: the same graph with another batch, to lay over a plan."""

    __slots__ = ("sizes",)

    def __init__(self) -> None:
        """Start with no sizes."""
        super().__init__(1)
        self.sizes: list[int] = []

    def take(self, size: int) -> Block:
        """Note the size; the offset has no meaning."""
        self.sizes.append(size)
        return 0, size

    def plan(self, size: int) -> Block:
        """Nothing of it is written."""
        self.sizes.append(0)
        return 0, size

    def give(self, block: Block) -> None:
        """Nothing is planned, so nothing is freed."""


def covered(offsets: list[int], sizes: list[int]) -> int:
    """Bytes of a planned buffer that are ever written when its tensors have these actual sizes.

    llama.cpp keeps the addresses planned for the worst case and writes only as much of each tensor as the batch
    fills, so pages beyond that never become resident.
    """
    total = end = 0
    for offset, size in sorted(zip(offsets, sizes, strict=True)):
        stop = offset + size
        if stop > end:
            total += stop - max(offset, end)
            end = stop
    return total
