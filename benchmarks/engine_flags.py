"""Which options each engine declares, read from its own source at named versions, and kept as a record.

    python -m benchmarks.engine_flags vllm:0.33.0:DIR sglang:0.5.23:DIR llama.cpp:b11549:DIR --write

DIR is an unpacked release: the source distributions of vLLM and of llama-cpp-python (which carries llama.cpp) or a
wheel of SGLang. Nothing of it is run: argparse calls, fields that become options, and variables of the environment are
read from the syntax tree; llama.cpp's table of options by its pattern. ``tests/launching`` holds every command that
`qwen-advisor launch` writes against the record.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RECORD = Path(__file__).parent / "data" / "engine_flags.yaml"
HEAD = """# Made by `python -m benchmarks.engine_flags`: options and variables that the engines declare in their source.
# versions: the releases that were read, oldest first. first, last: the oldest and the newest of them that has it;
# an option without the two is in all of them.
"""
SOURCES = {
    "vllm": "https://pypi.org/project/vllm/ (sdist): vllm/engine/arg_utils.py, vllm/entrypoints, vllm/envs.py",
    "sglang": "https://pypi.org/project/sglang/ (wheel): srt/server_args.py, srt/arg_groups, srt/environ.py",
    "llama.cpp": "https://github.com/ggml-org/llama.cpp at 0c1e57098: common/arg.cpp (in llama-cpp-python 0.3.36)",
}
_DECLARING = {"FrontendArgs", "BaseFrontendArgs"}  # vLLM: their fields become options
_ANNOTATED = "A["  # SGLang from 0.5.15 on: a field of ServerArgs so annotated becomes an option
_LLAMA_OPTION = re.compile(r"add_opt\(common_arg\(\s*((?://[^\n]*\s*)*(?:\{[^}]*\}\s*,\s*)+)")
# Of the variables, those that launch may write.
_VARIABLE = re.compile(r"^(?:VLLM|SGLANG)_(?:API_KEY|USE_MODELSCOPE|ALLOW_[A-Z_]+|HOST_IP)$")


def declared(engine: str, root: Path) -> set[str]:
    """Options and variables that the sources below ``root`` declare.

    Raises:
        ValueError: the engine is not one whose sources are understood, or nothing was found.
    """
    match engine:
        case "vllm":
            found = set(_python(root / "vllm"))
        case "sglang":
            found = set(_python(root / "sglang" / "srt"))
        case "llama.cpp":
            found = set(_llama((root / "common" / "arg.cpp").read_text("utf-8")))
        case _:
            raise ValueError(f"the sources of {engine} are not understood")
    if not found:
        raise ValueError(f"no option of {engine} was found below {root}")
    return found


def _python(root: Path) -> Iterator[str]:
    places = [root / "engine" / "arg_utils.py", root / "server_args.py", root / "envs.py", root / "environ.py"]
    for folder in (root / "entrypoints", root / "arg_groups"):
        places += sorted(folder.rglob("*.py"))
    for path in places:
        if path.exists():
            tree = ast.parse(path.read_text("utf-8"))
            yield from _arguments(tree)
            yield from _fields(tree, every=path.parent.name == "fields")
            if path.name in ("envs.py", "environ.py"):
                yield from _variables(tree)


def _arguments(tree: ast.AST) -> Iterator[str]:
    """The names in every call of ``add_argument``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            for argument in node.args:
                if isinstance(argument, ast.Constant) and str(argument.value).startswith("-"):
                    yield str(argument.value)


def _fields(tree: ast.AST, *, every: bool) -> Iterator[str]:
    """Fields of the classes whose fields become options, with their aliases."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or not (every or node.name in {*_DECLARING, "ServerArgs"}):
            continue
        for item in node.body:
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                continue
            if node.name == "ServerArgs" and not ast.unparse(item.annotation).startswith(_ANNOTATED):
                continue
            if any(isinstance(part, ast.keyword) and part.arg == "no_cli" for part in ast.walk(item.annotation)):
                continue
            yield "--" + item.target.id.replace("_", "-")
            for part in ast.walk(item.annotation):
                if isinstance(part, ast.keyword) and part.arg == "aliases":
                    yield from (str(name.value) for name in ast.walk(part.value) if isinstance(name, ast.Constant))


def _variables(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.value if isinstance(node, ast.Constant) else None
        if isinstance(name, str) and _VARIABLE.match(name):
            yield name


def _llama(text: str) -> Iterator[str]:
    for match in _LLAMA_OPTION.finditer(text):
        yield from re.findall(r'"(--?[A-Za-z][A-Za-z0-9-]*)"', match[1])
    yield from re.findall(r'set_env\("(LLAMA_API_KEY)"\)', text)


def record(read: dict[str, dict[str, set[str]]]) -> dict[str, Any]:
    """The record of what was read: engine -> version, oldest first -> what it declares."""
    whole: dict[str, Any] = {}
    for engine, releases in read.items():
        versions = list(releases)
        options: dict[str, Any] = {}
        for name in sorted(set().union(*releases.values())):
            having = [version for version in versions if name in releases[version]]
            options[name] = {} if having == versions else {"first": having[0], "last": having[-1]}
        whole[engine] = {"source": SOURCES[engine], "versions": versions, "options": options}
    return whole


def text_of(whole: dict[str, Any]) -> str:
    """The record as it is kept."""
    return HEAD + yaml.safe_dump(whole, sort_keys=False, width=120, default_flow_style=None)


def main() -> int:
    """Read the releases that are named, and write the record or say how it differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("releases", nargs="+", metavar="ENGINE:VERSION:DIR", help="oldest first")
    parser.add_argument("--write", action="store_true", help="write the record")
    wanted = parser.parse_args()
    read: dict[str, dict[str, set[str]]] = {}
    for release in wanted.releases:
        engine, version, folder = release.split(":", 2)
        read.setdefault(engine, {})[version] = declared(engine, Path(folder))
    text = text_of(record(read))
    if wanted.write:
        RECORD.write_text(text, "utf-8")
        return 0
    same = RECORD.exists() and RECORD.read_text("utf-8") == text
    print("as recorded" if same else "the record differs: --write makes it anew", file=sys.stderr)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
