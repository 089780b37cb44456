"""The shape of the JSON answer of ``settings``; see `shapes`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict


class SettingShape(TypedDict):
    """One setting."""

    name: Annotated[str, "As the file has it"]
    value: Annotated[str | int | list[str] | None, "Null where nothing is settled"]
    default: Annotated[str, "What holds where nothing is settled, in words"]
    source: Literal["environment", "file", "default"]
    where: Annotated[str | None, "The variable, or file and line"]
    option: Annotated[str, "What beats it"]
    variable: str


class VariableShape(TypedDict):
    """A variable that is read beside the settings."""

    name: str
    value: str | None
    meaning: str


class SettingsDocument(TypedDict):
    """The answer of ``settings --json``."""

    schema: Literal["qwen-advisor/settings/1"]
    file: Annotated[str | None, "The configuration file; null where none is read"]
    file_exists: bool
    settings: list[SettingShape]
    variables: list[VariableShape]


SETTINGS_DOCUMENTS: dict[str, Any] = {"settings-1": SettingsDocument}
