"""Engine versions: which options one has, and what is done without those that it lacks."""

from __future__ import annotations

from qwen_advisor.engine import EngineSpec, OptionSupport
from qwen_advisor.errors import UsageError
from qwen_advisor.model import Architecture, Checkpoint
from qwen_advisor.rules.candidate import version_key
from qwen_advisor.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is left of a command for one version, and what is to be said about the rest."""

    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def refuse_old(spec: EngineSpec, version: str, checkpoint: Checkpoint, architecture: Architecture) -> None:
    """Nothing, where the engine at this version runs the model.

    Raises:
        UsageError: the version is not one, is too old for the model, or no longer has it.
    """
    asked = version_key(version)
    if not asked:
        raise UsageError(f"{version!r} is not a version of {spec.title}", hint=f"write it like {spec.version_read}")
    support = spec.models.get(architecture.model_type)
    least = checkpoint.engine_versions.get(spec.id, support.min_version if support else None)
    if least and asked < version_key(least):
        raise UsageError(
            f"{checkpoint.id} needs {spec.title} {least}, not {version}", hint=f"install {spec.title} {least} or newer"
        )
    if support and support.until_version and asked >= version_key(support.until_version):
        raise UsageError(
            f"{spec.title} {support.until_version} and later no longer run {checkpoint.id}",
            hint=f"install a version before {support.until_version}, or take another --engine",
        )


def kept(spec: EngineSpec, version: str, argv: tuple[str, ...], environment: tuple[tuple[str, str], ...] = ()) -> Kept:
    """The command without the options that the engine does not have at this version.

    Raises:
        UsageError: one of them is needed for the plan to hold.
    """
    words: list[str] = []
    warnings: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        support = spec.options.get(word)
        if support is None or _has(support, version):
            words.append(word)
            continue
        warnings.append(_lack(spec, word, support, version))
        if rest and not rest[0].startswith("-"):
            rest.pop(0)
    variables = []
    for name, value in environment:
        support = spec.options.get(name)
        if support is None or _has(support, version):
            variables.append((name, value))
        else:
            warnings.append(_lack(spec, name, support, version))
    return Kept(argv=tuple(words), environment=tuple(variables), warnings=tuple(warnings))


def _has(support: OptionSupport, version: str) -> bool:
    asked = version_key(version)
    since, until = support.since, support.until
    return (since is None or asked >= version_key(since)) and (until is None or asked < version_key(until))


def _lack(spec: EngineSpec, name: str, support: OptionSupport, version: str) -> str:
    known = f"since {support.since}" if support.since and not _since(support, version) else f"until {support.until}"
    sentence = f"{spec.title} {version} has no {name} ({known})"
    if support.needed:
        raise UsageError(sentence + ", and without it this plan would not hold", hint=support.note or None)
    return f"{sentence}, it is left out" + (f": {support.note}" if support.note else "")


def _since(support: OptionSupport, version: str) -> bool:
    return support.since is None or version_key(version) >= version_key(support.since)
