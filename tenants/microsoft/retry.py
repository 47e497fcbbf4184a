"""Decides whether and when a request is retried. Shared by sign-in, single requests and batches. Never
retries a write whose outcome is unknown.
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
    """A read got no usable response. `error` is raised if retries do not help."""

    def __init__(self, error: MicrosoftError) -> None:
        super().__init__(str(error))
        self.error = error


def may_repeat(status: int, safety: Safety) -> bool:
    """Whether a request may be retried after this response. 429 means that nothing was done. A 503 may follow
    a change that was applied, so only requests that are safe to repeat are retried.
    """
    if status == THROTTLED:
        return True
    if safety is Safety.READ:
        return status >= 500 and status != NOT_IMPLEMENTED
    return status == UNAVAILABLE and safety is Safety.IDEMPOTENT


def is_ambiguous(status: int, safety: Safety) -> bool:
    """Whether a write may have been applied despite this final response."""
    return safety is not Safety.READ and status >= 500 and status != NOT_IMPLEMENTED


@dataclass(frozen=True)
class RetryPolicy:
    """Number of attempts and delays. Throttling needs long delays; server errors are usually short."""

    attempts: int = 6
    first_wait: float = 5.0
    error_attempts: int = 8
    first_error_wait: float = 0.25
    lost_attempts: int = 5
    longest_wait: float = 60.0
    total_wait: float = 300.0
    jitter: Callable[[float, float], float] = field(default=SystemRandom().uniform, repr=False)

    def wait(self, attempt: int, headers: Mapping[str, str], now: float, *, throttled: bool = True) -> float:
        """Seconds to wait after an attempt: as the service requests, otherwise doubling from the first delay."""
        asked = retry_after(headers.get("Retry-After"), now)
        if asked is not None:
            return asked
        first = self.first_wait if throttled else self.first_error_wait
        base = min(self.longest_wait, first * 2 ** (attempt - 1))
        return self.jitter(base, base * 1.5)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from a Retry-After header (a number or an HTTP date); None if it is not usable."""
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
    """Counters of a client: requests sent, throttled responses, retries."""

    requests: int = 0
    throttled: int = 0
    retried: int = 0


@dataclass
class Patience:
    """The remaining attempts of one request. Several requests may wait at the same time."""

    policy: RetryPolicy
    attempt: int = 0
    waited: float = 0.0

    def next_wait(self, answer: Answered | None, now: float) -> float | None:
        """Seconds until the next attempt after this response (None: no usable response). None if there is no
        next attempt.
        """
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
        """Sends until the response is final, the attempts are used up or the wait would be too long. The
        result may still be a 429 or 5xx. Raises an error if there is no usable response.
        """
        patience = self.patience()
        while True:
            result = self.once(send)
            answer = None if isinstance(result, MicrosoftError) else result
            if answer is not None and not may_repeat(answer.status, safety):
                return answer
            if answer is not None and answer.status == THROTTLED:
                on_throttled(self.hold(answer))
            wait = patience.next_wait(answer, self.now())
            if wait is None:
                if isinstance(result, MicrosoftError):
                    raise result
                return result
            self.sleep(wait)
            self.stats.retried += 1

    def once(self, send: Callable[[], T]) -> T | MicrosoftError:
        """One attempt: the response, or the error to raise if a read gets no usable response."""
        self.stats.requests += 1
        try:
            answer = send()
        except Unanswered as unanswered:
            return unanswered.error
        if answer.status == THROTTLED:
            self.stats.throttled += 1
        return answer

    def hold(self, answer: Answered) -> float:
        """How long to pause requests to a service that throttled us."""
        asked = retry_after(answer.headers.get("Retry-After"), self.now())
        return min(self.policy.first_wait if asked is None else asked, self.policy.total_wait)
