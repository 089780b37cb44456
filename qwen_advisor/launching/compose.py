"""A Compose file, as https://compose-spec.io has it."""

from __future__ import annotations

from typing import Any

from qwen_advisor.launching.container import CACHE, SHARED_MEMORY_GIB, WEIGHTS, Container, container
from qwen_advisor.launching.recipe import LaunchFile, Recipe

NAME = "compose.yaml"
_START_SECONDS = 1800  # the first start downloads the weights


def compose(recipe: Recipe, *, behind_gateway: bool = False) -> dict[str, Any]:
    """The document: one service, its port on the loopback, its downloads in a volume.

    Args:
        recipe: what is run.
        behind_gateway: leave the port unpublished, because only a gateway of the same network asks it.
    """
    box = container(recipe)
    service: dict[str, Any] = {"image": literal(box.image)}
    if box.command:
        service["entrypoint"] = [literal(word) for word in box.command]
    if box.arguments:
        service["command"] = [literal(word) for word in box.arguments]
    environment = {name: literal(value) for name, value in box.environment}
    environment |= {name: f"${{{name}:?put it into the file .env}}" for name in recipe.secrets}
    if environment:
        service["environment"] = environment
    if not behind_gateway:
        service["ports"] = [f"{_bracketed(recipe.wish.host)}:{recipe.port}:{recipe.port}"]
    service["volumes"] = _volumes(box)
    service |= _devices(box)
    if box.cache == CACHE and box.gpus > 1:
        service["shm_size"] = f"{SHARED_MEMORY_GIB}gb"
    service["healthcheck"] = {
        "test": ["CMD", *(literal(word) for word in box.check)],
        "interval": "15s",
        "timeout": "10s",
        "retries": 3,
        "start_period": f"{_START_SECONDS}s",
    }
    service["restart"] = "unless-stopped"
    return {"services": {"model": service}, "volumes": {"downloads": {}}}


def compose_file(recipe: Recipe) -> LaunchFile:
    """The file, with what else has to be typed as comments."""
    return LaunchFile(name=NAME, documents=(compose(recipe),), comments=comments(recipe))


def comments(recipe: Recipe) -> tuple[str, ...]:
    """What has to be done beside ``docker compose up``."""
    lines = ["docker compose up -d --wait"]
    if recipe.spec.id == "ollama":
        lines += [f"docker compose exec model {step.shell}" for step in recipe.prepare if step.argv[1] == "pull"]
    elif recipe.prepare:
        lines += ["before the first start:", *(step.shell for step in recipe.prepare)]
    return tuple(lines)


def literal(text: str) -> str:
    """The text as Compose reads it back: a dollar sign would begin a variable."""
    return text.replace("$", "$$")


def _volumes(box: Container) -> list[Any]:
    volumes: list[Any] = [{"type": "volume", "source": "downloads", "target": box.cache}]
    if box.weights:
        mount = {"type": "bind", "source": literal(box.weights), "target": WEIGHTS, "read_only": True}
        volumes.append(mount)
    return volumes


def _devices(box: Container) -> dict[str, Any]:
    match box.vendor:
        case "nvidia":
            wanted = {"driver": "nvidia", "count": box.gpus, "capabilities": ["gpu"]}
            return {"deploy": {"resources": {"reservations": {"devices": [wanted]}}}}
        case "amd":
            return {"devices": ["/dev/kfd:/dev/kfd", "/dev/dri:/dev/dri"], "group_add": ["video", "render"]}
        case "intel" | "other":
            return {"devices": ["/dev/dri:/dev/dri"], "group_add": ["video", "render"]}
        case "cpu":
            return {}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
