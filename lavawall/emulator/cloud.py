"""The emulated cloud behind all services: its directories, clock, chance and options."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lavawall.emulator.arm.state import AzureTenant
from lavawall.emulator.pages import Pages
from lavawall.emulator.store import SYSTEM, Caller, Directory, Options, Randomness, Record, Session


class Cloud:
    """Everything that login and Graph share. Knows nothing of HTTP."""

    def __init__(self, options: Options, clock: Callable[[], datetime], seed: int) -> None:
        self.options = options
        self.clock = clock
        self.randomness = Randomness(seed)
        self.pages: Pages[Record] = Pages(self.randomness)
        self.arm_pages: Pages[Any] = Pages(self.randomness)
        self.azure: dict[str, AzureTenant] = {}
        self.directories: dict[str, Directory] = {}
        self.origins: tuple[str, ...] = ()

    def add_directory(self, directory_id: str, name: str, domain: str) -> Directory:
        directory = Directory(directory_id, name, domain, self.clock)
        self.directories[directory_id] = directory
        self.azure[directory_id] = AzureTenant(directory)
        return directory

    def directory(self, name: str) -> Directory | None:
        """A directory by its id or by its domain, as Microsoft's authority URLs allow both."""
        found = self.directories.get(name.lower())
        if found is not None:
            return found
        return next((each for each in self.directories.values() if each.domain == name.lower()), None)

    def find_application(self, app_id: str) -> tuple[Directory, Record] | None:
        """An application by its appId, in whichever directory it is registered."""
        for directory in self.directories.values():
            record = directory.by_property("application", "appId", app_id)
            if record is not None:
                return directory, record
        return None

    def session(
        self,
        directory: Directory,
        caller: Caller = SYSTEM,
        *,
        now: datetime | None = None,
        correlation_id: str = "",
        version: str = "beta",
    ) -> Session:
        return Session(
            directory=directory,
            caller=caller,
            options=self.options,
            randomness=self.randomness,
            now=now or self.clock(),
            correlation_id=correlation_id or self.randomness.guid(),
            find_application=self.find_application,
            version=version,
        )
