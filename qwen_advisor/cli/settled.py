"""Settings laid under the options of a verb."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from qwen_advisor.cli import preferences, talk
from qwen_advisor.cli.preferences import KEYS, Setting

_ONE_LINE = ("id", "env")


def settle(words: Sequence[str]) -> None:
    """Read the settings for a call.

    Raises:
        UsageError: one of them is not what it may be.
    """
    preferences.active = {}
    if not words or words[0] in preferences.UNSETTLED_VERBS or {"--help", "-h", "--version"} & set(words):
        return
    found = preferences.settings()
    preferences.active = {name: setting for name, setting in found.items() if setting.value is not None}
    extra = preferences.active.get("catalog-extra")
    if extra is not None and extra.source == "file":
        from qwen_advisor.catalog.loading import EXTRA  # noqa: PLC0415  only where it is settled

        os.environ[EXTRA] = os.pathsep.join(extra.value)  # for what reads the catalogue, in this process and in others


def defaults(target: Callable[..., Any], words: Sequence[str]) -> dict[str, Any]:
    """What the settings say of the options of a verb, by the name of its parameter; says so on stderr."""
    if not preferences.active:
        return {}
    from typing import get_type_hints  # noqa: PLC0415  only where something is settled

    hints = get_type_hints(target)
    found: dict[str, Any] = {}
    used: list[Setting] = []
    for name, setting in preferences.active.items():
        key = KEYS[name]
        if key.parameter not in hints or (name == "top" and _is_one_line(words)):
            continue
        one = key.several and "list[" not in str(hints[key.parameter])
        found[key.parameter] = setting.value[0] if one else setting.value
        if not _said(key.option, words):
            used.append(setting)
    if used and not {"-q", "--quiet"} & set(words):
        told = ", ".join(f"{setting.name} {shown(setting.value)}" for setting in used)
        talk.hint(f"settled beforehand: {told} (qwen-advisor settings says where)")
    return found


def shown(value: Any) -> str:
    """A value in words."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _said(option: str, words: Sequence[str]) -> bool:
    return any(word == option or word.startswith(f"{option}=") for word in words)


def _is_one_line(words: Sequence[str]) -> bool:
    return any(
        word in tuple(f"--format={form}" for form in _ONE_LINE) or (word in _ONE_LINE and before == "--format")
        for before, word in zip(("", *words), words, strict=False)
    )
