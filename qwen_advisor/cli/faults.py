"""Faults for people and for programs: a sentence on stderr, and under ``--json`` an object on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qwen_advisor.cli import talk
from qwen_advisor.cli.output import emit
from qwen_advisor.errors import AdvisorError, CatalogError, DataError, UsageError


def report(error: Exception, words: Sequence[str]) -> int:
    """Say what went wrong and return the exit code."""
    known = as_advisor_error(error)
    if isinstance(known, UsageError) and known.hint is None:
        verb = f"{words[0]} " if words and not words[0].startswith("-") else ""
        known.hint = f"see 'qwen-advisor {verb}--help'"
    details = known.faults if isinstance(known, (CatalogError, DataError)) else ()
    message = known.message
    if not any(name in f"{message} {known.hint}" for name in known.suggestions) and known.suggestions:
        message += f"; did you mean {' or '.join(known.suggestions)}?"
    talk.fail(message, hint=known.hint, details=details)
    if json_wanted(words):
        from qwen_advisor.render.data import json_text  # noqa: PLC0415  only programs pay for it
        from qwen_advisor.render.documents import error_document  # noqa: PLC0415

        try:
            emit(json_text(error_document(known)), "json")
        except AdvisorError as unheard:  # such as a closed stdout; the exit code is still the first fault's
            if unheard.message != known.message:
                talk.fail(unheard.message)
    return known.exit_code


def as_advisor_error(error: Exception) -> AdvisorError:
    """Any fault as one of ours; the parser's own are usage errors, strangers are faults of the program."""
    if isinstance(error, AdvisorError):
        return error
    # Typer's usage errors have no public class in every version that we allow; these two names are their surface.
    say = getattr(error, "format_message", None)
    if callable(say) and getattr(error, "exit_code", None) == UsageError.exit_code:
        context = getattr(error, "ctx", None)
        command = getattr(context, "command_path", "qwen-advisor")
        message = str(say()).strip().rstrip(".")
        return UsageError(
            message, hint=f"see '{command} --help'", suggestions=getattr(error, "possibilities", None) or ()
        )
    if isinstance(error, PermissionError) and error.filename:
        return UsageError(f"{error.filename}: permission denied", hint="look at the rights of its folders")
    return AdvisorError(
        f"the program failed: {type(error).__name__}: {error}",
        hint="this is a fault of ours: run it again with QWEN_ADVISOR_DEBUG=1 and report what it prints",
    )


def json_wanted(words: Sequence[str]) -> bool:
    """Whether the words ask for JSON, even where they could not be parsed."""
    said = list(words[: words.index("--")] if "--" in words else words)
    return "--json" in said or "--format=json" in said or ("--format", "json") in pairwise(said)
