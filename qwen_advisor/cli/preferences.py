"""What a person has settled for all calls: environment before configuration file before default; options beat all.

The variables that ``--format env`` prints have other names than these, so that the answer of one call never steers the
next. What describes a machine cannot be settled: a call's words say which machine it is about, or it is this one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from qwen_advisor.engine import EngineId
from qwen_advisor.errors import UsageError
from qwen_advisor.task import Prefer, ThinkingChoice
from qwen_advisor.values import dataclass

CONFIG = "QWEN_ADVISOR_CONFIG"
FORMATS = ("table", "json", "yaml", "csv", "markdown")  # what nearly every verb can print
# Read before anything else is, and by no option.
OTHER_VARIABLES = {
    "QWEN_ADVISOR_CATALOG": "a directory that stands in for the whole catalogue",
    "QWEN_ADVISOR_DEBUG": "1 keeps the traceback of a fault",
}
_MOST_BYTES = 1 << 20
# A gate must say the same for everybody who runs it.
UNSETTLED_VERBS = frozenset({"check"})

Source = Literal["environment", "file", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One thing that can be settled. ``check`` turns a text into the value or raises `UsageError`."""

    parameter: str  # of the functions behind the verbs
    option: str
    default: str  # in words
    check: Callable[[str], Any]
    several: bool = False
    separator: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value, and where it comes from."""

    name: str
    value: Any  # None: the verb's own default
    source: Source
    where: str | None = None  # the variable, or file and line


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        found = next((choice for choice in choices if choice.lower() == text.strip().lower()), None)
        if found is None:
            raise UsageError(f"must be one of {', '.join(choices)}, not {text!r}")
        return found

    return check


def _count(text: str) -> int:
    if not re.fullmatch(r"\s*[1-9][0-9]{0,5}\s*", text):
        raise UsageError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def _size(text: str) -> str:
    from qwen_advisor.units import parse_reserve  # noqa: PLC0415  only where a size is settled

    parse_reserve(text)
    return text


def _text(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise UsageError(f"must be a word, not {text!r}")
    return text.strip()


def _directory(text: str) -> str:
    path = os.path.expanduser(text)  # noqa: PTH111  the method raises where there is no home
    if not os.path.isdir(path):  # noqa: PTH112  as above
        raise UsageError(
            f"{text} is not a directory",
            hint="give a directory laid out as the catalogue is: models/, architectures/, ...",
        )
    return path


KEYS: dict[str, Key] = {
    "engines": Key(
        parameter="engine",
        option="--engine",
        default="what suits the hardware",
        check=_one_of(*get_args(EngineId)),
        several=True,
    ),
    "quants": Key(parameter="quant", option="--quant", default="the usual ones", check=_text, several=True),
    "format": Key(parameter="format", option="--format", default="table", check=_one_of(*FORMATS)),
    "prefer": Key(parameter="prefer", option="--prefer", default="balanced", check=_one_of(*get_args(Prefer))),
    "thinking": Key(
        parameter="thinking", option="--thinking", default="auto", check=_one_of(*get_args(ThinkingChoice))
    ),
    "license": Key(parameter="license_wanted", option="--license", default="any", check=_text),
    "language": Key(parameter="language", option="--language", default="none asked for", check=_text),
    "max-download": Key(parameter="max_download", option="--max-download", default="no limit", check=_size),
    "reserve": Key(parameter="reserve", option="--reserve", default="what a system usually keeps", check=_size),
    "top": Key(parameter="top", option="--top", default="5", check=_count),
    "catalog-extra": Key(
        parameter="",
        option="--catalog-extra",
        default="none",
        check=_directory,
        several=True,
        separator=os.pathsep,
    ),
}
active: Mapping[str, Setting] = {}  # those of the call that runs


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"QWEN_ADVISOR_{name.upper().replace('-', '_')}"


def config_file() -> Path | None:
    """The configuration file, which need not exist; None where ``QWEN_ADVISOR_CONFIG`` is empty: then none is read."""
    named = os.environ.get(CONFIG)
    if named is not None:
        return Path(os.path.expanduser(named)) if named else None  # noqa: PTH111  as above
    from qwen_advisor.catalog import config_directory  # noqa: PLC0415  most calls import it later anyway

    return config_directory() / "config.toml"


def settings() -> dict[str, Setting]:
    """Every setting, with its value and source.

    Raises:
        UsageError: the file cannot be read, has a key that is not known, or a value is not what it may be; the message
            names the file and the line, or the variable.
    """
    path = config_file()
    filed = _filed(path) if path is not None else {}
    return {name: _environment(name, key) or filed.get(name) or _default(name) for name, key in KEYS.items()}


def default_format(allowed: tuple[str, ...]) -> str:
    """The settled format where an answer can have it, else a table."""
    setting = active.get("format")
    return setting.value if setting is not None and setting.value in allowed else "table"


def _default(name: str) -> Setting:
    return Setting(name=name, value=None, source="default")


def _environment(name: str, key: Key) -> Setting | None:
    text = os.environ.get(variable(name), "")
    if not text.strip():
        return None
    try:
        if key.several:
            value: Any = [key.check(part) for part in text.split(key.separator) if part.strip()]
        else:
            value = key.check(text)
    except UsageError as error:
        raise UsageError(f"{variable(name)}: {error.message}", hint=error.hint or _CORRECT) from None
    return Setting(name=name, value=value, source="environment", where=variable(name))


_CORRECT = "correct it, or unset it; qwen-advisor settings --help lists all"


def _filed(path: Path) -> dict[str, Setting]:
    text = _read(path)
    if text is None:
        return {}
    import tomllib  # noqa: PLC0415  only who has a file pays for it

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError of its own
        place = re.search(r"\(at line (\d+)", str(error))
        line = f":{place[1]}" if place else ""
        what = re.sub(r" \(at .*", "", str(error))
        raise UsageError(f"{path}{line}: is no TOML: {what}", hint="correct the file") from None
    found = {}
    for name, given in document.items():
        where = f"{path}:{_line(text, name)}"
        key = KEYS.get(name.replace("_", "-"))
        if key is None:
            raise UsageError(f"{where}: {name} is not a setting", hint=f"settings are {', '.join(KEYS)}")
        name = name.replace("_", "-")  # noqa: PLW2901  the same setting, as everybody else spells it
        try:
            found[name] = Setting(name=name, value=_value(key, given, path.parent), source="file", where=where)
        except UsageError as error:
            raise UsageError(f"{where}: {name}: {error.message}", hint=error.hint or "correct the file") from None
    return found


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{path} is larger than {_MOST_BYTES >> 20} MiB", hint="it holds a few settings only")
        return data.decode("utf-8-sig")
    except OSError as error:
        if not os.path.exists(path):  # noqa: PTH110  nor in a home that is somebody else's
            if CONFIG not in os.environ:
                return None
            raise UsageError(f"{CONFIG} names {path}, which is not there", hint=f"unset it, or write {path}") from None
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint="correct its permissions") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: is no UTF-8", hint="write the file in UTF-8") from None


def _value(key: Key, given: Any, folder: Path) -> Any:
    if isinstance(given, int) and abs(given) >> 63:
        raise UsageError("is a number that no setting has")
    if key.several:
        parts = given if isinstance(given, list) else [given]
        if not parts or not all(isinstance(part, str) for part in parts):
            raise UsageError("must be a text, or a list of texts")
        if key.check is _directory:
            parts = [str(folder / os.path.expanduser(part)) for part in parts]  # noqa: PTH111  as above
        return [key.check(part) for part in parts]
    if key.check is _count:
        if not isinstance(given, int) or isinstance(given, bool):
            raise UsageError(f"must be a whole number, not {_shown(given)}")
        return key.check(str(given))
    if not isinstance(given, str):
        raise UsageError(f"must be a text, such as {key.option} takes it, not {_shown(given)}")
    return key.check(given)


def _shown(given: Any) -> str:
    """What stands there, in few characters."""
    match given:
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return repr(given)[:80]


def _line(text: str, name: str) -> int:
    pattern = re.compile(rf"\s*[\[\"']*{re.escape(name)}\b")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)
