"""The output of the demo: each step, its results, and whether it passed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

SEVERITY_STYLE = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}
INDENT = 4
MOST_COLUMNS = 110


class StepFailed(Exception):
    """A step of the demo failed."""


def expect(holds: object, otherwise: str) -> None:
    """Raises StepFailed with the message unless the condition is true."""
    if not holds:
        raise StepFailed(otherwise)


class Show:
    """Prints the steps as they happen. Works in a terminal, in a pipe and in a log."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if self.console.width > MOST_COLUMNS:
            self.console.width = MOST_COLUMNS
        self.number = 0
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str, of: int) -> Iterator[None]:
        """A failed step is shown and ends the demo, because later steps depend on it."""
        self.number += 1
        began = time.monotonic()
        self.console.print(Text(f"\n{self.number}/{of}  {title}", style="bold"))
        try:
            with self.console.status("working"):
                yield
        except Exception as error:
            self._row(Text("✗", style="bold red"), Text(f"failed: {said(error)}", style="bold red"))
            raise
        spent = time.monotonic() - began
        self._row(Text("✓", style="bold green"), Text(f"passed, {spent:.1f} s", style="green"))

    def say(self, text: str, mark: str = "·") -> None:
        self._row(Text(mark, style="dim"), Text(text))

    def refusal(self, attempt: str, answer: str) -> None:
        """Shows that a forbidden action was refused."""
        self._row(Text("✗", style="bold yellow"), Text(f"{attempt}: refused. {answer}"))

    def finding(self, severity: str, what: str, summary: str) -> None:
        cell = Text(what, style="bold")
        cell.append(f"\n{summary}", style="not bold dim")
        self._row(Text(f" {severity} ", style=SEVERITY_STYLE.get(severity, "dim")), cell, wide=10)

    def panel(self, title: str, text: str) -> None:
        self.console.print()
        self.console.print(Panel(Text(text), title=Text(title), title_align="left", expand=False))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _row(self, mark: Text, text: Text, wide: int = 2) -> None:
        """A hanging indent, so that long lines stay readable in a narrow terminal."""
        row = Table.grid(padding=(0, 1))
        row.add_column(width=INDENT - 1)
        row.add_column(width=wide, justify="right", no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row("", mark, text)
        self.console.print(row)


def said(error: BaseException) -> str:
    """The message of an exception, or its name if the message is empty."""
    return str(error) or type(error).__name__
