"""What the demo prints: one line for each step, with what it shows, and whether it held."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

SEVERITY_STYLE = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}


class StepFailed(Exception):
    """A step of the story did not hold."""


def expect(holds: object, otherwise: str) -> None:
    """Raises StepFailed with what went wrong, unless it holds."""
    if not holds:
        raise StepFailed(otherwise)


class Show:
    """Counts the steps and remembers whether all of them held."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.failed: list[str] = []
        self.number = 0
        self._started = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A failing step is told and ends the story, for what follows builds on it."""
        self.number += 1
        began = time.monotonic()
        try:
            with self.console.status(f"{self.number:>2}  {escape(title)}"):
                yield
        except Exception as error:
            self.failed.append(title)
            self.console.print(f"[bold red]✗[/] {self.number:>2}  {escape(title)}: {escape(str(error))}")
            raise
        spent = time.monotonic() - began
        self.console.print(f"[bold green]✓[/] {self.number:>2}  {escape(title)} [dim]({spent:.1f} s)[/]")

    def say(self, text: str) -> None:
        self.console.print(f"       [dim]{escape(text)}[/]")

    def finding(self, severity: str, text: str) -> None:
        style = SEVERITY_STYLE.get(severity, "dim")
        self.console.print(f"       [{style}]{severity:>13}[/]  {escape(text)}")

    def panel(self, title: str, text: str) -> None:
        self.console.print(Panel(escape(text), title=escape(title), expand=False))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started
