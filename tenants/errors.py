"""The base of every error that a person can act upon.

Pages, API and commands show its text. Everything else that is raised is a bug of ours: logged with its traceback, shown
as an internal error with a reference id.
"""

from typing import ClassVar


class DomainError(Exception):
    """The message is one or more sentences for the person who asked; `remedy` says what to do, where that helps."""

    http_status: ClassVar[int] = 409
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
