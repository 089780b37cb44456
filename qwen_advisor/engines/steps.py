"""What it takes to start a server: commands in their order, as argument lists and never as strings."""

from __future__ import annotations

import shlex

from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command. ``where`` says on which machine or terminal, where that is not the obvious one."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    where: str = ""

    @property
    def shell(self) -> str:
        """The command as a POSIX shell reads it."""
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.environment]
        return " ".join([*settings, shlex.join(self.argv)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How an engine is started for a plan: the steps, and what no option of the engine can say."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def options(*pairs: tuple[str, object | None]) -> tuple[str, ...]:
    """Those options that have a value: ``True`` is a bare switch, ``None`` and ``False`` leave it out."""
    words: list[str] = []
    for name, value in pairs:
        if value is None or value is False:
            continue
        words.append(name)
        if value is not True:
            words.append(str(value))
    return tuple(words)
