"""Faults that tests order beforehand: the next matching requests fail in the chosen way."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Behaviour = Literal[
    "answer",
    "answer_after",
    "close_before",
    "close_after",
    "not_json",
    "html",
    "loop",
    "endless",
    "gaps",
    "bomb",
    "slow",
]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
NO_JSON = '{"value": [{"id": '
"""The beginning of an answer that was cut off."""


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path match, or to every `every`-th of them.

    answer: the given status, body and headers, nothing is applied. answer_after: the same, but the request took
    effect. close_before and close_after: the connection is cut without an answer, before or after the request took
    effect. not_json, html: a page that is none. loop: the page's nextLink leads to the same page. endless: it
    leads to that page under ever new addresses. gaps: the page leaves out every other item. bomb: a small compressed
    answer that is very large. slow: the answer comes `seconds` later.
    """

    behaviour: Behaviour = "answer"
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    every: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        if self.behaviour not in BEHAVIOURS:
            raise ValueError(f"Unknown behaviour '{self.behaviour}': choose one of {', '.join(BEHAVIOURS)}.")

    def matches(self, method: str, path: str) -> bool:
        return bool(
            self.times > 0
            and re.fullmatch(self.method, method, re.IGNORECASE)
            and re.search(self.path, path, re.IGNORECASE)
        )


class Faults:
    """The ordered faults, first match first; each is used up after its number of times."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, behaviour: Behaviour = "answer", **details: Any) -> Fault:
        fault = Fault(behaviour, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[Fault]:
        with self._lock:
            return [fault for fault in self._faults if fault.times > 0]

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if not fault.matches(method, path):
                    continue
                fault.seen += 1
                if fault.seen % fault.every == 0:
                    fault.times -= 1
                    return fault
        return None
