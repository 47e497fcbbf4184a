"""Landscapes that are laid down once per process and copied: laying one costs more than all else of a start."""

import io
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import FunctionType
from typing import Any

from lavawall.emulator.cloud import Cloud
from lavawall.emulator.seed.builder import Landscape

Made = tuple[Cloud, Landscape]
LOCKS = {type(make()): make for make in (threading.Lock, threading.RLock)}


@dataclass
class Prepared:
    """A landscape as it was laid. Copies share its code and nothing else."""

    laid_at: datetime
    content: bytes
    code: list[Any] = field(repr=False)

    def copy(self, clock: Callable[[], datetime]) -> Made:
        found: Made = _Reader(io.BytesIO(self.content), self.code, clock).load()
        return found


def prepared(made: Made) -> Prepared:
    target = io.BytesIO()
    writer = _Writer(target, made[0].clock)
    writer.dump(made)
    return Prepared(made[0].clock(), target.getvalue(), writer.code)


class _Writer(pickle.Pickler):
    """Leaves out the clock and the locks, which each copy has anew, and functions, which need not have a name."""

    def __init__(self, target: io.BytesIO, clock: Callable[[], datetime]) -> None:
        super().__init__(target, protocol=5)
        self.clock = clock
        self.code: list[Any] = []

    def persistent_id(self, thing: Any) -> Any:
        if thing is self.clock:
            return ("clock", None)
        if type(thing) in LOCKS:
            return ("lock", list(LOCKS).index(type(thing)))
        if isinstance(thing, FunctionType):
            self.code.append(thing)
            return ("code", len(self.code) - 1)
        return None


class _Reader(pickle.Unpickler):
    def __init__(self, content: io.BytesIO, code: list[Any], clock: Callable[[], datetime]) -> None:
        super().__init__(content)
        self.code = code
        self.clock = clock

    def persistent_load(self, reference: Any) -> Any:
        kind, index = reference
        if kind == "clock":
            return self.clock
        return list(LOCKS.values())[index]() if kind == "lock" else self.code[index]
