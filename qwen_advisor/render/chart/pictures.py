"""Charts in characters, as wide as the terminal is, for a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from qwen_advisor.render.chart.panels import Panel
from qwen_advisor.render.report import Picture

_LEAST_WIDTH = 36  # columns below which a chart says nothing
_MOST_WIDTH = 72
_BESIDE = 100  # columns from which two charts stand side by side
_PIPED = 80  # columns where nothing bounds the line
_GAP = 4
_ROWS = 14
_MARGIN = 5  # columns left of the frame, for the scores


def pictures(panels: Sequence[Panel], width: int | None) -> tuple[Picture, ...]:
    """The panels in ``width`` columns, beside each other where there is room; none where there is too little."""
    room = width or _PIPED
    if room < _LEAST_WIDTH:
        return ()
    if room < _BESIDE:
        return tuple(_picture(panel, min(room, _MOST_WIDTH)) for panel in panels)
    each = min((room - _GAP * (len(panels) - 1)) // len(panels), _MOST_WIDTH)
    return tuple(_beside([_picture(panel, each) for panel in panels], each))


def _picture(panel: Panel, width: int) -> Picture:
    columns = width - _MARGIN - 1
    canvas = [[" "] * columns for _ in range(_ROWS)]
    for column, row in _trail(panel, columns):
        canvas[row][column] = "."
    strong = set()
    taken: set[tuple[int, int]] = set()
    for mark in panel.marks:
        column, row = _free(_cell(mark.x, mark.y, columns), taken, columns)
        taken.add((column, row))
        canvas[row][column] = mark.label
        if mark.frontier:
            strong.add((row + 1, column + _MARGIN + 1))
    named = {_ROWS - 1 - round(place * (_ROWS - 1)): word for place, word in panel.y.ticks}
    lines = [panel.y.title]
    for row, cells in enumerate(canvas):
        word = named.get(row, "")
        lines.append(f"{word:>{_MARGIN - 1}} {'┤' if word else '│'}{''.join(cells)}".rstrip())
    lines += _foot(panel, columns)
    return Picture(title=panel.title, lines=tuple(lines), strong=frozenset(strong))


def _cell(x: float, y: float, columns: int) -> tuple[int, int]:
    return round(x * (columns - 1)), _ROWS - 1 - round(y * (_ROWS - 1))


def _trail(panel: Panel, columns: int) -> Iterator[tuple[int, int]]:
    """Every other cell of the stairs."""
    for (left, low), (right, high) in pairwise(panel.stairs):
        (start, floor), (end, roof) = _cell(left, low, columns), _cell(right, high, columns)
        yield from ((column, floor) for column in range(start, end + 1, 2))
        yield from ((end, row) for row in range(roof, floor + 1))


def _free(cell: tuple[int, int], taken: set[tuple[int, int]], columns: int) -> tuple[int, int]:
    """The cell itself, or the nearest beside it, so that no mark hides another."""
    column, row = cell
    aside = (step * sign for step in range(columns) for sign in (1, -1))
    return next(
        ((column + step, row) for step in aside if 0 <= column + step < columns and (column + step, row) not in taken),
        cell,
    )


def _foot(panel: Panel, columns: int) -> Iterator[str]:
    rule, names = ["─"] * columns, [" "] * columns
    end = -2
    for place, word in panel.x.ticks:
        column = round(place * (columns - 1))
        start = min(max(0, column - len(word) // 2), columns - len(word))
        if start <= end + 1:
            continue
        rule[column] = "┬"
        names[start : start + len(word)] = word
        end = start + len(word) - 1
    indent = " " * (_MARGIN + 1)
    yield f"{' ' * _MARGIN}└{''.join(rule)}"
    yield (indent + "".join(names)).rstrip()
    yield indent + panel.x.title


def _beside(several: Sequence[Picture], each: int) -> Iterator[Picture]:
    """One picture of all of them, titles included."""
    columns = [(picture.title, *picture.lines) for picture in several]
    lines = [
        (" " * _GAP).join(f"{line:<{each}}" for line in row).rstrip() for row in zip_longest(*columns, fillvalue="")
    ]
    strong = {
        (row, column + index * (each + _GAP)) for index, picture in enumerate(several) for row, column in picture.strong
    }
    yield Picture(title=lines[0], lines=tuple(lines[1:]), strong=frozenset(strong))
