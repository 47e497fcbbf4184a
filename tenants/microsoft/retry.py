"""When a request may be repeated, and after how long.

Shared by sign-in, single requests and batches. A write whose outcome is unknown is never repeated here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Protocol, TypeVar

from tenants.microsoft.errors import MicrosoftError
from tenants.microsoft.failures import NOT_IMPLEMENTED
from tenants.microsoft.request import Safety

THROTTLED = 429
UNAVAILABLE = 503


class Answered(Protocol):
    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


T = TypeVar("T", bound=Answered)


class Unanswered(Exception):
    """A read got no answer that can be used. `error` is what is raised where it stays so."""

    def __init__(self, error: MicrosoftError) -> None:
        super().__init__(str(error))
        self.error = error


def may_repeat(status: int, safety: Safety) -> bool:
    """Whether a request that was answered so may be sent again.

    429 says that nothing was done. A 503 may come after the effect, so only what does no harm twice is repeated.
    """
    if status == THROTTLED:
        return True
    if safety is Safety.READ:
        return status >= 500 and status != NOT_IMPLEMENTED
    return status == UNAVAILABLE and safety is Safety.IDEMPOTENT


def is_ambiguous(status: int, safety: Safety) -> bool:
    """Whether a write that was finally answered so may have been applied all the same."""
    return safety is not Safety.READ and status >= 500 and status != NOT_IMPLEMENTED


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after how long. Throttling wants patience; a server error usually passes at once."""

    attempts: int = 6
    first_wait: float = 5.0
    error_attempts: int = 8
    first_error_wait: float = 0.25
    lost_attempts: int = 5
    longest_wait: float = 60.0
    total_wait: float = 300.0
    jitter: Callable[[float, float], float] = field(default=SystemRandom().uniform, repr=False)

    def wait(self, attempt: int, headers: Mapping[str, str], now: float, *, throttled: bool = True) -> float:
        """Seconds to wait after an attempt: what the service asks for, else doubling from the first wait."""
        asked = retry_after(headers.get("Retry-After"), now)
        if asked is not None:
            return asked
        first = self.first_wait if throttled else self.first_error_wait
        base = min(self.longest_wait, first * 2 ** (attempt - 1))
        return self.jitter(base, base * 1.5)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from a Retry-After header, a number or an HTTP date; None when it says nothing usable."""
    text = (value or "").strip()
    if not text:
        return None
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.fromtimestamp(now, UTC)).total_seconds())


@dataclass
class ClientStats:
    """What a client did: requests sent, answers that throttled it, repetitions."""

    requests: int = 0
    throttled: int = 0
    retried: int = 0


@dataclass
class Patience:
    """What is left of one request's attempts. Several requests may wait at the same time."""

    policy: RetryPolicy
    attempt: int = 0
    waited: float = 0.0

    def next_wait(self, answer: Answered | None, now: float) -> float | None:
        """Seconds until the next attempt after this answer (None: no usable one); None where there is none."""
        self.attempt += 1
        throttled = answer is not None and answer.status == THROTTLED
        wait = self.policy.wait(self.attempt, answer.headers if answer else {}, now, throttled=throttled)
        if self.attempt >= self._attempts(answer) or self.waited + wait > self.policy.total_wait:
            return None
        self.waited += wait
        return wait

    def _attempts(self, answer: Answered | None) -> int:
        if answer is None:
            return self.policy.lost_attempts
        return self.policy.attempts if answer.status == THROTTLED else self.policy.error_attempts


def _nobody(seconds: float) -> None:
    del seconds


@dataclass(frozen=True)
class Retrier:
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    stats: ClientStats = field(default_factory=ClientStats)

    def patience(self) -> Patience:
        return Patience(self.policy)

    def run(
        self, send: Callable[[], T], safety: Safety, *, on_throttled: Callable[[float], None] = _nobody
    ) -> T:
        """Send until the answer is final, the attempts are used up or the waiting would take too long.

        What comes back may thus still be a 429 or 5xx; without any usable answer, an error is raised.
        """
        patience = self.patience()
        while True:
            told = self.once(send)
            answer = None if isinstance(told, MicrosoftError) else told
            if answer is not None and not may_repeat(answer.status, safety):
                return answer
            if answer is not None and answer.status == THROTTLED:
                on_throttled(self.hold(answer))
            wait = patience.next_wait(answer, self.now())
            if wait is None:
                if isinstance(told, MicrosoftError):
                    raise told
                return told
            self.sleep(wait)
            self.stats.retried += 1

    def once(self, send: Callable[[], T]) -> T | MicrosoftError:
        """One attempt: the answer, or what is to be raised where a read stays without a usable one."""
        self.stats.requests += 1
        try:
            answer = send()
        except Unanswered as unanswered:
            return unanswered.error
        if answer.status == THROTTLED:
            self.stats.throttled += 1
        return answer

    def hold(self, answer: Answered) -> float:
        """For how long nobody should ask a service that throttled us."""
        asked = retry_after(answer.headers.get("Retry-After"), self.now())
        return min(self.policy.first_wait if asked is None else asked, self.policy.total_wait)
