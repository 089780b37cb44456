"""``qwen-advisor settings``: what is settled beforehand, and where each value comes from."""

from __future__ import annotations

import os

from qwen_advisor.cli import preferences
from qwen_advisor.cli.options import Format, FormatOption, JsonOption, chosen_format
from qwen_advisor.cli.output import emit, look
from qwen_advisor.cli.preferences import CONFIG, KEYS, OTHER_VARIABLES, Setting
from qwen_advisor.cli.settled import shown
from qwen_advisor.render.data import csv_text, document_text, env_text
from qwen_advisor.render.report import Facts, Grid, Report
from qwen_advisor.render.settings_shapes import SettingsDocument, SettingShape

EPILOG = """\b
Examples:
  qwen-advisor settings
  qwen-advisor settings --json

An option beats a variable, a variable the file, the file the default. The file is config.toml in the directory of
your configuration, or what QWEN_ADVISOR_CONFIG names; if that is empty, no file is read.
"""

_FORMATS: tuple[Format, ...] = ("table", "json", "yaml", "csv", "markdown", "env")


def settings(*, format_given: FormatOption = None, as_json: JsonOption = False) -> None:
    """What is settled for all calls by variables and the configuration file, and where each value comes from."""
    form = chosen_format(format_given, as_json=as_json, allowed=_FORMATS)
    emit(_text(list(preferences.settings().values()), form), form)


def _text(found: list[Setting], form: Format) -> str:
    match form:
        case "json" | "yaml":
            return document_text(_document(found), form)
        case "csv":
            header = ("name", "value", "default", "source", "where", "option", "variable")
            return csv_text(header, [[_cell(cell) for cell in _row(setting).values()] for setting in found])
        case "env":
            return env_text({row["variable"]: _cell(row["value"]) for row in map(_row, found) if row["value"]})
        case "markdown":
            from qwen_advisor.render.markdown import markdown  # noqa: PLC0415  as below

            return markdown(_report(found))
        case _:
            from qwen_advisor.render.paint import paint  # noqa: PLC0415  only tables pay for it

            return paint(_report(found), look())


def _document(found: list[Setting]) -> SettingsDocument:
    path = preferences.config_file()
    return {
        "schema": "qwen-advisor/settings/1",
        "file": None if path is None else str(path),
        "file_exists": path is not None and os.path.isfile(path),  # noqa: PTH113  the method raises without rights
        "settings": [_row(setting) for setting in found],
        "variables": [
            {"name": name, "value": os.environ.get(name), "meaning": meaning} for name, meaning in _variables().items()
        ],
    }


def _variables() -> dict[str, str]:
    return {CONFIG: "the configuration file; empty: none is read", **OTHER_VARIABLES}


def _row(setting: Setting) -> SettingShape:
    key = KEYS[setting.name]
    return {
        "name": setting.name,
        "value": setting.value,
        "default": key.default,
        "source": setting.source,
        "where": setting.where,
        "option": key.option,
        "variable": preferences.variable(setting.name),
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return os.pathsep.join(value) if any(os.sep in part for part in value) else ",".join(value)
    return "" if value is None else str(value)


def _report(found: list[Setting]) -> Report:
    path = preferences.config_file()
    settled = sum(setting.source != "default" for setting in found)
    there = "none is read" if path is None else f"{path}{'' if os.path.isfile(path) else ' (not there)'}"  # noqa: PTH113
    rows = tuple(
        (
            setting.name,
            KEYS[setting.name].default if setting.value is None else shown(setting.value),
            setting.where or "default",
            KEYS[setting.name].option,
            preferences.variable(setting.name),
        )
        for setting in found
    )
    variables = tuple((name, os.environ.get(name) or "not set", meaning) for name, meaning in _variables().items())
    return Report(
        headline=f"{settled or 'no'} setting{'s' * (settled != 1)} beside the defaults",
        good=True,
        blocks=(
            Facts(pairs=(("file", there),)),
            Grid(title="Settings", headings=("name", "value", "from", "option", "variable"), rows=rows),
            Grid(title="Other variables", headings=("name", "value", "what it is"), rows=variables),
        ),
    )
