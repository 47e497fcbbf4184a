"""What came from outside as text, before a database sees it. For pages, API and admin of every room; pure."""

from typing import Any

NUL = "\x00"
"""PostgreSQL takes it in no text, and fails where it is asked for one."""
LONGEST_NOTE = 2000
"""Characters in what a person writes beside an act: a note, a comment, a reason."""


def integer(text: Any) -> int | None:
    """A row id; None for anything else, and for more digits than an id can have."""
    return (
        int(text)
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19
        else None
    )
