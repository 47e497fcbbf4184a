"""Checks text from outside before it reaches the database. For pages, API and admin of all apps. Pure."""

from typing import Any

NUL = "\x00"
"""PostgreSQL accepts no NUL character in text, neither in values nor in queries."""
LONGEST_NOTE = 2000
"""Maximum length of a note, a comment or a reason."""


def integer(text: Any) -> int | None:
    """A row ID, or None if the text is not one or has too many digits."""
    return (
        int(text)
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19
        else None
    )
