"""What is asked for beside the plan: where the weights come from, who may reach the server, how many machines."""

from __future__ import annotations

from typing import Literal

from qwen_advisor.errors import UsageError
from qwen_advisor.values import dataclass

Source = Literal["huggingface", "modelscope"]
Profile = Literal["local", "server"]
Executor = Literal["ray", "mp"]

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104  inside a container only, whose port is published on the loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One launch as it was asked for."""

    source: Source = "huggingface"
    version: str | None = None  # of the engine; the one whose options are known if None
    tools: bool = False
    use: str = "general"  # which of a card's sampling values: general, code, reasoning, vision
    weights: str | None = None  # a file or folder on disk, used instead of a download
    projector: str | None = None  # llama.cpp: the mmproj file that goes with it
    profile: Profile = "local"
    host: str = LOOPBACK
    port: int | None = None  # the engine's own if None
    container: bool = False  # the command runs in the engine's image
    nodes: int = 1
    executor: Executor = "ray"  # what spans nodes for vLLM
    head: str = "HEAD_IP"  # address of the first machine; the word stands for one that is not known yet


def safe_path(path: str, option: str) -> str:
    """The path as a word that no engine takes for an option.

    Raises:
        UsageError: it is empty or holds a control character, which no configuration file can carry.
    """
    if not path or not path.isprintable():
        raise UsageError(f"{option}: {path!r} cannot be written into a configuration", hint="rename the file")
    return f"./{path}" if path.startswith("-") else path


def in_container(path: str, folder: str) -> str:
    """Where a file of the host stands in a container that has its folder mounted at ``folder``."""
    return f"{folder}/{path.rstrip('/').rsplit('/', 1)[-1]}"


def folder_of(path: str) -> str:
    """The folder that holds a file or folder; ``.`` where the path names none."""
    head, slash, _ = path.rstrip("/").rpartition("/")
    return head or ("/" if slash else ".")
