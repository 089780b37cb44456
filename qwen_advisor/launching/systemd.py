"""A systemd unit for a server that was installed on the host."""

from __future__ import annotations

from qwen_advisor.launching.recipe import LaunchFile, Recipe
from qwen_advisor.launching.wish import folder_of

_ESCAPES = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\t": "\\t", "%": "%%", "$": "$$"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./:,@")
_STATE = "%S/qwen"  # systemd puts /var/lib in for %S


def unit(recipe: Recipe) -> LaunchFile:
    """The unit: it starts at boot, comes back after a fault, is a user of its own and writes to one folder only."""
    step = recipe.servers[0]
    name = f"{recipe.name}.service"
    lines = [
        f"# /etc/systemd/system/{name}",
        f"# systemctl daemon-reload && systemctl enable --now {name}",
        *(f"# before: {prepared.shell}" for prepared in recipe.prepare if recipe.spec.id != "ollama"),
        *(f"# then: {prepared.shell}" for prepared in recipe.prepare if recipe.spec.id == "ollama"),
        "[Unit]",
        f"Description={_specifiers(recipe.plan.checkpoint.id)} on {recipe.spec.title}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        f"ExecStart=/usr/bin/env {' '.join(word(part) for part in step.argv)}",
        *(f"Environment={quoted(f'{variable}={value}')}" for variable, value in step.environment),
        f"Environment=HOME={_STATE}",
    ]
    if recipe.spec.id == "ollama":
        lines.append(f"Environment=OLLAMA_MODELS={_STATE}/models")
    if recipe.secrets:
        lines.append(f"# holds {', '.join(recipe.secrets)}; root's, mode 600")
        lines.append(f"EnvironmentFile=/etc/qwen/{recipe.name}.env")
    lines += [
        "Restart=on-failure",
        "RestartSec=10",
        "TimeoutStartSec=infinity",
        "DynamicUser=yes",
        "SupplementaryGroups=video render",
        "StateDirectory=qwen",
        f"WorkingDirectory={_STATE}",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        "PrivateTmp=yes",
        "ProtectKernelTunables=yes",
        "ProtectControlGroups=yes",
        "RestrictSUIDSGID=yes",
        "UMask=0077",
    ]
    if recipe.wish.weights:
        lines.append(f"ReadOnlyPaths={quoted(folder_of(recipe.wish.weights))}")
    lines += ["", "[Install]", "WantedBy=multi-user.target"]
    return LaunchFile(name=name, text="\n".join(lines) + "\n")


def word(text: str) -> str:
    """One argument of ``ExecStart``, as systemd.service(5) and systemd.syntax(7) quote it."""
    if text and all(char in _PLAIN for char in text):
        return text
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def quoted(text: str) -> str:
    """A value of ``Environment=`` or a path: quoted, with specifiers escaped; dollar signs mean nothing there."""
    if text and all(char in _PLAIN for char in text):
        return text
    return '"' + "".join(_ESCAPES[char] if char in _ESCAPES and char != "$" else char for char in text) + '"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
