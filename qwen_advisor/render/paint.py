"""Reports in a terminal. Emphasis is bold, green and red only, which a light and a dark background both bear."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from qwen_advisor.render.look import Look
from qwen_advisor.render.report import Block, Commands, Facts, Grid, Lines, Picture, Report

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_UNBOUNDED = 10_000  # columns: into a pipe or a file, a line is as long as it needs to be
_TO_ASCII = str.maketrans(
    {
        "±": "+/-",
        "–": "-",
        "×": "x",
        "→": "->",
        "█": "#",
        "░": ".",
        "·": "-",
        "≥": ">=",
        "≤": "<=",
        "│": "|",
        "┤": "+",
        "└": "+",
        "─": "-",
        "┬": "+",
    }
)


def paint(report: Report, look: Look) -> str:
    """The report as text; nothing is ever cut off, what is too long is folded."""
    from rich.console import Console  # noqa: PLC0415  only tables pay for it

    out = io.StringIO()
    console = Console(
        file=out,
        width=look.width or _UNBOUNDED,
        height=25,  # nothing here depends on it; with both given rich does not read COLUMNS, which may hold anything
        force_terminal=look.colour,
        force_jupyter=False,
        no_color=not look.colour,
        color_system="standard" if look.colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(
        _shown(report.headline), style="bold green" if report.good else "bold red", soft_wrap=look.width is None
    )
    for block in report.blocks:
        _block(console, block)
    text = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
    return text.translate(_TO_ASCII) if look.ascii_only else text


def _block(console: Console, block: Block) -> None:
    match block:
        case Facts() if block.pairs:
            grid = _table("", "", header=False)
            for label, value in block.pairs:
                grid.add_row(f"  {_shown(label)}", _shown(value))
            console.print()
            console.print(grid)
        case Lines() if block.lines:
            _title(console, block.title)
            for line in block.lines:
                _hang(console, "-", line)
        case Grid() if block.rows:
            _title(console, block.title)
            grid = _table(*block.headings, right=block.right)
            for row in block.rows:
                grid.add_row(*map(_shown, row))
            console.print(grid)
        case Commands() if block.steps or block.notes:
            _title(console, block.title)
            for step in block.steps:
                if step.where:
                    console.print(f"  # {_shown(step.where)}", soft_wrap=True)
                # Never wrapped by us: a terminal wraps it without putting newlines into what is copied.
                console.print(_bold(f"  {_shown(step.shell)}"), soft_wrap=True)
            for note in block.notes:
                _hang(console, "-", note)
        case Picture():
            _title(console, block.title)
            for number, line in enumerate(block.lines):
                console.print(_spotted(line, [column for row, column in block.strong if row == number]), soft_wrap=True)
        case _:
            return


def _shown(text: str) -> str:
    """The text without what steers a terminal or turns its direction: such characters are shown as their code."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def _bold(line: str) -> Text:
    """The line in bold; as a style of the whole print some versions of rich would make its end bold too."""
    from rich.text import Text  # noqa: PLC0415  as rich itself

    return Text(line, style="bold")


def _spotted(line: str, columns: list[int]) -> Text:
    from rich.text import Text  # noqa: PLC0415  only pictures pay for it

    text = Text(line)
    for column in columns:
        text.stylize("bold green", column, column + 1)
    return text


def _title(console: Console, title: str) -> None:
    console.print()
    if title:
        console.print(_shown(title), style="bold")


def _hang(console: Console, mark: str, text: str) -> None:
    grid = _table("", "", header=False, gap=1)
    grid.add_row(f"  {mark}", _shown(text))
    console.print(grid)


def _table(*headings: str, right: frozenset[int] = frozenset(), header: bool = True, gap: int = 2) -> Table:
    from rich.table import Table  # noqa: PLC0415  only tables pay for it

    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold", show_header=header)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index in right else "left", overflow="fold")
    return table
