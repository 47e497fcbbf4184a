"""The published token buckets of Azure Resource Manager, and the 429 that follows when one is empty."""

import threading
from dataclasses import dataclass
from math import ceil

from lavawall.emulator.arm.errors import ArmError

SUBSCRIPTION_FACTOR = 15
"""All principals of a subscription together have so many times the budget of one."""


@dataclass(frozen=True)
class Bucket:
    """So many requests at once, refilled by so many a second."""

    size: int
    refill: float


BUCKETS = {"reads": Bucket(250, 25), "writes": Bucket(200, 10), "deletes": Bucket(200, 10)}


def budget_of(method: str) -> str:
    return {"GET": "reads", "DELETE": "deletes"}.get(method, "writes")


class ArmThrottle:
    """Counts requests per subscription and principal, or per tenant and principal above all subscriptions."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, ...], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def charge(
        self, location: str, principal_id: str, method: str, *, at_tenant: bool, enforced: bool, now: float
    ) -> dict[str, str]:
        """Headers for the answer, or a 429."""
        name = budget_of(method)
        bucket = BUCKETS[name]
        whole = Bucket(bucket.size * SUBSCRIPTION_FACTOR, bucket.refill * SUBSCRIPTION_FACTOR)
        with self._lock:
            own = self._take((location, name, principal_id), bucket, now)
            shared = self._take((location, name), whole, now)
        if enforced and min(own, shared) < 0:
            wait = max(1, ceil(max(-own / bucket.refill, -shared / whole.refill)))
            raise ArmError(
                429,
                "SubscriptionRequestsThrottled",
                f"The budget of {name} for '{location}' is used up. Try again after {wait} seconds.",
                {"Retry-After": str(wait)},
            )
        word = "tenant" if at_tenant else "subscription"
        return {f"x-ms-ratelimit-remaining-{word}-{name}": str(max(0, int(own)))}

    def _take(self, key: tuple[str, ...], bucket: Bucket, now: float) -> float:
        """What is left after one more request; an empty bucket does not sink lower than one refused request."""
        left, since = self._left.get(key, (float(bucket.size), now))
        left = min(bucket.size, left + (now - since) * bucket.refill) - 1
        self._left[key] = (max(left, -1.0), now)
        return left
