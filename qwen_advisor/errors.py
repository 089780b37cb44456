"""What can go wrong, as a tree: each branch has an exit code, a sentence and a next step."""

from __future__ import annotations

from collections.abc import Sequence


class AdvisorError(Exception):
    """A fault that the user is told about in one sentence.

    Attributes:
        exit_code: what the process ends with.
        code: the name of this kind of fault in JSON.
        message: what is wrong, one sentence.
        hint: what to do next, or None.
        suggestions: the nearest known names, for a name that is not known.
    """

    exit_code = 1
    code = "fault"

    def __init__(self, message: str, *, hint: str | None = None, suggestions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.suggestions = tuple(suggestions)


class UsageError(AdvisorError, ValueError):
    """The call is off: an unknown model, task, unit, file or combination of options."""

    exit_code = 2
    code = "usage"


class DataError(UsageError):
    """A data set holds rows that cannot be learned from.

    Attributes:
        faults: the bad rows, each with its line.
    """

    code = "bad_data"

    def __init__(self, message: str, *, faults: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)


class NothingFits(AdvisorError):
    """A true answer: the question was understood and no candidate passes."""

    exit_code = 3
    code = "nothing_fits"


class CatalogError(AdvisorError, ValueError):
    """The catalogue is invalid.

    Attributes:
        faults: every fault found, each with its file and line where known.
    """

    exit_code = 4
    code = "catalog_invalid"

    def __init__(self, message: str, *, faults: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(faults)


class ProbeError(AdvisorError):
    """No machine could be read and none was described."""

    exit_code = 5
    code = "no_machine"


class NetworkError(AdvisorError, OSError):
    """The network failed, in a command that needs it."""

    exit_code = 6
    code = "network"
