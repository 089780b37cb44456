"""How the programs that read these files take them apart again: systemd, Ollama, Compose, Kubernetes."""

from __future__ import annotations

import re

_UNESCAPED = {"n": "\n", "t": "\t", "s": " ", "\\": "\\", '"': '"', "'": "'"}
# https://www.freedesktop.org/software/systemd/man/systemd.directives.html, of those that a service may have
_KNOWN = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        *("ExecStart", "Environment", "EnvironmentFile", "Restart", "RestartSec", "TimeoutStartSec", "DynamicUser"),
        *("SupplementaryGroups", "StateDirectory", "WorkingDirectory", "NoNewPrivileges", "ProtectSystem"),
        *("ProtectHome", "PrivateTmp", "ProtectKernelTunables", "ProtectControlGroups", "RestrictSUIDSGID", "UMask"),
        "ReadOnlyPaths",
    },
    "Install": {"WantedBy"},
}
_REPEATABLE = {"Environment", "EnvironmentFile"}
# docs/modelfile.mdx of ollama/ollama: instructions, and the parameters with the type of their value
_PARAMETERS = {
    **dict.fromkeys(("num_ctx", "num_gpu", "top_k", "num_predict", "repeat_last_n", "seed"), int),
    **dict.fromkeys(("temperature", "top_p", "min_p", "repeat_penalty", "presence_penalty"), float),
}


def systemd_unit(text: str) -> dict[str, dict[str, list[str]]]:
    """Sections, each with the values of its directives; unknown or repeated ones are faults."""
    sections: dict[str, dict[str, list[str]]] = {}
    current = ""
    for line in text.splitlines():
        if not line or line.startswith(("#", ";")):
            continue
        if match := re.fullmatch(r"\[(\w+)\]", line):
            current = match[1]
            assert current in _KNOWN, f"no section [{current}]"
            assert current not in sections, f"[{current}] twice"
            sections[current] = {}
            continue
        key, equals, value = line.partition("=")
        assert equals, f"neither section nor directive: {line!r}"
        assert key in _KNOWN[current], f"{key} is no directive of [{current}]"
        values = sections[current].setdefault(key, [])
        assert key in _REPEATABLE or not values, f"{key} twice"
        assert not value.endswith("\\"), f"goes on on the next line: {line!r}"
        values.append(value)
    assert set(sections) == set(_KNOWN)
    return sections


def systemd_words(value: str, *, variables: bool = True) -> list[str]:
    """The words of a command line, by systemd.syntax(7): quotes, C escapes, ``%%`` and ``$$``; nothing is expanded."""
    words: list[str] = []
    word, quote, inside, at = "", "", False, 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
            assert value[at] in _UNESCAPED, f"no escape \\{value[at]}"
            word, inside = word + _UNESCAPED[value[at]], True
        elif char == "%":
            assert value[at : at + 2] == "%%", f"a specifier: {value[at : at + 2]!r}"
            word, inside, at = word + "%", True, at + 1
        elif char == "$" and variables:
            assert value[at : at + 2] == "$$", f"a variable: {value[at : at + 8]!r}"
            word, inside, at = word + "$", True, at + 1
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "\"'":
            quote, inside = char, True
        elif char.isspace():
            words, word, inside = [*words, word] if inside else words, "", False
        else:
            word, inside = word + char, True
        at += 1
    assert not quote, "a quote is left open"
    return [*words, word] if inside else words


def modelfile(text: str) -> tuple[str, dict[str, float]]:
    """What it is made from, and its parameters."""
    source, parameters = "", {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            assert not source, "FROM twice"
            source = rest[1:-1] if rest.startswith('"') else rest
            assert '"' not in source
        else:
            assert instruction == "PARAMETER", f"no instruction {instruction}"
            name, _, value = rest.partition(" ")
            assert name not in parameters, f"{name} twice"
            parameters[name] = _PARAMETERS[name](value)
    assert source, "no FROM"
    return source, parameters


def compose_word(text: str) -> str:
    """A value as Compose hands it on, where it names no variable."""
    assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", text), f"a variable in {text!r}"
    return text.replace("$$", "$")


def kubernetes_word(text: str) -> str:
    """An argument as Kubernetes hands it on, by third_party/forked/golang/expansion of kubernetes/kubernetes."""
    found, at = "", 0
    while at < len(text):
        if text[at] != "$" or at + 1 == len(text):
            found, at = found + text[at], at + 1
        elif text[at + 1] == "$":
            found, at = found + "$", at + 2
        else:
            closed = text[at + 1] == "(" and ")" in text[at + 2 :]
            assert not closed, f"a variable in {text!r}"
            found, at = found + text[at : at + 2], at + 2
    return found


def caddyfile(text: str) -> list[str]:
    """The directives, one a line; braces have to match."""
    depth, lines = 0, []
    for line in text.splitlines():
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        assert line.startswith("\t" * (depth - words.startswith("}"))), f"not indented as caddy fmt does: {line!r}"
        depth += words.endswith("{") - words.startswith("}")
        lines.append(words)
    assert depth == 0
    return lines
