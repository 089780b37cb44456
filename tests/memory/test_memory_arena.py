"""The allocator, held against what best fit must give, and its laws."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwen_advisor.memory.arena import Arena, Sizes, covered


def test_the_smallest_hole_that_holds_a_tensor_is_taken() -> None:
    arena = Arena(1)
    blocks = [arena.take(size) for size in (100, 10, 50, 10, 70, 10)]
    for index in (0, 2, 4):
        arena.give(blocks[index])
    assert arena.take(60) == (170, 60)
    assert arena.take(45) == (110, 45)
    assert arena.take(101) == (250, 101)
    assert arena.peak == 351


def test_neighbours_merge() -> None:
    arena = Arena(32)
    first, second, third = arena.take(10), arena.take(20), arena.take(64)
    arena.give(first)
    arena.give(second)
    assert arena.take(64) == (0, 64)
    arena.give(third)
    assert arena.take(1000) == (64, 1024)


@given(st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=60), st.sampled_from([1, 32, 128]))
def test_live_blocks_never_overlap(steps: list[tuple[int, bool]], alignment: int) -> None:
    arena, live = Arena(alignment), []
    for size, free in steps:
        if free and live:
            arena.give(live.pop(len(live) // 2))
        block = arena.take(size)
        assert all(block[0] >= at + length or at >= block[0] + block[1] for at, length in live)
        live.append(block)
    assert arena.peak >= sum(length for _, length in live)
    for block in live:
        arena.give(block)
    assert arena.take(arena.peak or 1)[0] == 0


def test_covered_counts_each_byte_once() -> None:
    assert covered([0, 50, 200], [100, 100, 10]) == 160
    sizes = Sizes()
    sizes.take(7)
    sizes.plan(9)
    assert sizes.sizes == [7, 0]
