"""Base classes for errors. Pages, API and commands show the message of a DomainError to the user. Any other
exception is a bug in Lavawall: it is logged with its traceback and shown as a LoggedError with a reference
ID.
"""

import logging
import secrets
from typing import ClassVar

logger = logging.getLogger(__name__)


class DomainError(Exception):
    """An error for the user. The message is one or more sentences; `remedy` says what to do about it."""

    http_status: ClassVar[int] = 409
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InvalidInput(DomainError):
    """Invalid input; the message says what to enter instead."""

    http_status = 400


class InternalError(DomainError):
    """An error that the user did not cause. Pages and API show only a reference ID."""

    http_status = 500


class StorageError(InternalError):
    """Stored data cannot be used: wrong key, or missing or altered contents. For the operator."""


class LoggedError(InternalError):
    """A bug as shown to users: a reference ID that identifies the traceback in the log."""

    def __init__(self, reference: str, about: str = "") -> None:
        super().__init__(
            f"Internal error {reference} in Lavawall{f' at {about}' if about else ''}.",
            remedy=(
                "Try again. If it fails again, give your administrator this reference. The log has "
                "the details."
            ),
        )
        self.reference = reference


def logged(error: BaseException | None, during: str, *, about: str = "") -> LoggedError:
    """Logs the error with its traceback under a new reference ID, unless already logged. `about` names what
    was being processed, such as an object.
    """
    if isinstance(error, LoggedError):
        return error
    reference = secrets.token_hex(5)
    logger.error("internal error %s: %s", reference, during, exc_info=error)
    return LoggedError(reference, about)
