"""When a request may be repeated, and after how long.

Shared by sign-in, single requests and batches. A write whose outcome is unknown is never repeated.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom

from tenants.microsoft.errors import OutcomeUnknown, Unreachable
from tenants.microsoft.wire import Answer, AnswerLost

REPEATABLE_READ = frozenset({429, 502, 503, 504})
REPEATABLE_WRITE = frozenset({429, 503})
# A gateway or the service gave up: the write behind it may have been applied all the same.
AMBIGUOUS_WRITE = frozenset({500, 502, 504})


@dataclass(frozen=True)
class RetryPolicy:
    attempts: int = 6
    lost_attempts: int = 3
    first_wait: float = 5.0
    longest_wait: float = 60.0
    total_wait: float = 300.0
    jitter: Callable[[float, float], float] = field(default=SystemRandom().uniform, repr=False)

    def wait(self, attempt: int, headers: Mapping[str, str], now: float) -> float:
        """Seconds to wait after an attempt: what the service asks for, else doubling from the first wait."""
        asked = retry_after(headers.get("Retry-After"), now)
        if asked is not None:
            return asked
        base = min(self.longest_wait, self.first_wait * 2 ** (attempt - 1))
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


def _nobody(seconds: float) -> None:
    del seconds


@dataclass(frozen=True)
class Retrier:
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    stats: ClientStats = field(default_factory=ClientStats)

    def run(
        self,
        send: Callable[[], Answer],
        *,
        label: str,
        writes: bool,
        on_throttled: Callable[[float], None] = _nobody,
    ) -> Answer:
        """Send until the answer is final, the attempts are used up or the waiting would take too long.

        What comes back may thus still be a 429 or 503; without any answer, an error is raised.
        """
        waited, attempt = 0.0, 0
        while True:
            attempt += 1
            self.stats.requests += 1
            answer = self._try(send, label, writes=writes)
            if answer and answer.status not in (REPEATABLE_WRITE if writes else REPEATABLE_READ):
                return answer
            wait = self.policy.wait(attempt, answer.headers if answer else {}, self.now())
            if answer and answer.status == 429:
                self.stats.throttled += 1
                on_throttled(min(wait, self.policy.total_wait))
            attempts = self.policy.attempts if answer else self.policy.lost_attempts
            if attempt >= attempts or waited + wait > self.policy.total_wait:
                if answer:
                    return answer
                raise Unreachable(f"The connection broke before Microsoft had answered {label}")
            self.sleep(wait)
            waited += wait
            self.stats.retried += 1

    @staticmethod
    def _try(send: Callable[[], Answer], label: str, *, writes: bool) -> Answer | None:
        """One attempt; None when the answer to a read was lost."""
        try:
            answer = send()
        except AnswerLost:
            if writes:
                raise OutcomeUnknown(f"{label} was sent, and its answer was lost") from None
            return None
        if writes and answer.status in AMBIGUOUS_WRITE:
            raise OutcomeUnknown(
                f"Microsoft answered {label} with {answer.status}",
                code=str(answer.status),
                request_id=answer.headers.get("request-id", ""),
            )
        return answer
