"""The base of every error that a person can act upon, and what people see of every other error.

Pages, API and commands show the text of a DomainError. Everything else that is raised is a bug of ours: it is logged
with its traceback, and shown as a LoggedError with a reference id.
"""

import logging
import secrets
from typing import ClassVar

logger = logging.getLogger(__name__)


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


class InvalidInput(DomainError):
    """What was given cannot be used; the text says what to give instead."""

    http_status = 400


class InternalError(DomainError):
    """Something that is not the fault of the person who asked. Pages and API show it by a reference id only."""

    http_status = 500


class StorageError(InternalError):
    """What is stored cannot be used: a key does not fit, or contents are missing or altered. For the operator."""


class LoggedError(InternalError):
    """A bug as people see it: a reference id, under which the log has the traceback."""

    def __init__(self, reference: str, about: str = "") -> None:
        super().__init__(
            f"Internal error {reference} in Lavawall{f' at {about}' if about else ''}.",
            remedy="Try again. If it fails again, give your administrator this reference: the log has the details.",
        )
        self.reference = reference


def logged(error: BaseException | None, during: str, *, about: str = "") -> LoggedError:
    """Logs the error with its traceback under a new reference id, unless that was done already.

    `about` names what people can look at, such as an object.
    """
    if isinstance(error, LoggedError):
        return error
    reference = secrets.token_hex(5)
    logger.error("internal error %s: %s", reference, during, exc_info=error)
    return LoggedError(reference, about)
