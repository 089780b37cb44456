"""Whether weights lie on a machine's disk already, where the engine that is to run them finds them. Pure."""

from __future__ import annotations

from qwen_advisor.advice import Artifact
from qwen_advisor.machine import Shelf, Stored


def stored(shelf: Shelf | None, artifact: Artifact, fmt: str, engine: str) -> Stored | None:
    """Where the whole of an artifact lies; None where a part of it is missing or nobody looked.

    Args:
        shelf: what lies on the disk.
        artifact: what would be downloaded.
        fmt: its format, by which Ollama names weights that come from the Hub.
        engine: Ollama runs only what it has fetched itself and LM Studio what is in its own folder; the others take
            a file wherever it lies, but not out of Ollama's store.
    """
    if shelf is None:
        return None
    repo = (artifact.repo or "").casefold()
    if engine == "ollama":
        tags = (artifact.ollama, f"hf.co/{repo}:{fmt}" if repo else None)
        return next((shelf.tags[tag.casefold()] for tag in tags if tag and tag.casefold() in shelf.tags), None)
    if not artifact.files:
        return shelf.repositories.get(repo)
    found = [shelf.files.get((repo, name)) for name in artifact.files]
    if engine == "lmstudio":
        found = [each if each is not None and each.holder == "lmstudio" else None for each in found]
    return found[0] if all(each is not None for each in found) else None
