"""The three ways a run can end badly; each says what was found, what was expected and what to do."""

from __future__ import annotations


class ArchiveError(Exception):
    """A problem stated for the user: which file or record, what was found, what was expected, what to do.

    Attributes
    ----------
    where : the file, record, sheet and cell, or key.
    found : what stands there.
    expected : what should stand there.
    remedy : what the user can do; may be empty.
    """

    exit_code = 2

    def __init__(self, where: str, found: str, expected: str, remedy: str = "") -> None:
        self.where, self.found, self.expected, self.remedy = where, found, expected, remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: found {self.found}; expected {self.expected}"
        return f"{text}; {self.remedy}" if self.remedy else text


class BadInput(ArchiveError):
    """A raster, outline, table or option that cannot be used as it stands (exit code 2)."""


class BadDefinition(ArchiveError):
    """A dataset definition that contradicts its schema or itself (exit code 2)."""


class FailedCheck(ArchiveError):
    """A check of a finished archive, or a quality gate, that did not pass (exit code 1)."""

    exit_code = 1


class ManyBadInputs(BadInput):
    """Several input errors found in one reading, reported together.

    Attributes
    ----------
    errors : the single errors, in reading order.
    """

    def __init__(self, errors: list[BadInput]) -> None:
        self.errors = tuple(errors)
        first = errors[0]
        super().__init__(first.where, first.found, first.expected, first.remedy)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)
