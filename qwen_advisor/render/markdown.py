"""Reports in GitHub's Markdown, for a job summary or an issue."""

from __future__ import annotations

from qwen_advisor.render.data import markdown_table, markdown_text, one_line
from qwen_advisor.render.report import Block, Commands, Facts, Grid, Lines, Picture, Report


def markdown(report: Report) -> str:
    """The report under one heading of the second level."""
    parts = [f"## {markdown_text(report.headline)}\n", *filter(None, map(_block, report.blocks))]
    return "\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Facts() if block.pairs:
            return "".join(f"- **{markdown_text(label)}**: {markdown_text(value)}\n" for label, value in block.pairs)
        case Lines() if block.lines:
            return _title(block.title) + "".join(f"- {markdown_text(line)}\n" for line in block.lines)
        case Grid() if block.rows:
            return _title(block.title) + markdown_table(block.headings, block.rows, right=block.right)
        case Commands() if block.steps or block.notes:
            lines = [line for step in block.steps for line in (f"# {step.where}" if step.where else None, step.shell)]
            fence = (
                "```sh\n" + "".join(f"{one_line(line)}\n" for line in lines if line) + "```\n" if block.steps else ""
            )
            notes = "".join(f"- {markdown_text(note)}\n" for note in block.notes)
            return _title(block.title) + fence + ("\n" * bool(fence and notes)) + notes
        case Picture():
            return "```text\n" + "".join(f"{line}\n" for line in (block.title, *block.lines)) + "```\n"
        case _:
            return ""


def _title(title: str) -> str:
    return f"### {markdown_text(title)}\n\n" if title else ""
