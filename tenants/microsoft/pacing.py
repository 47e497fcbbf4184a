"""Keeps all callers in this process within Microsoft's published request limits, per tenant and service. A
table declares the limits; a Pacer waits. Used by the client around each request. Sends nothing itself.
Sources: learn.microsoft.com/graph/throttling-limits, and Azure Resource Manager's page on request limits.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Budget:
    """A number of units in any window of a number of seconds."""

    units: float
    seconds: float


@dataclass(frozen=True)
class ServiceLimit:
    """Budgets of a service. `tiers` grow with the tenant's size; `writes` is charged in addition for each
    write.
    """

    tiers: tuple[Budget, ...]
    writes: Budget | None = None
    exclusive: bool = False
    batched: bool = True
    unit_based: bool = False


SERVICES: Mapping[str, ServiceLimit] = MappingProxyType(
    {
        "conditional_access": ServiceLimit((Budget(1, 1),), exclusive=True, batched=False),
        "audit": ServiceLimit((Budget(5, 10),), batched=False),
        "directory": ServiceLimit(
            (Budget(3_500, 10), Budget(5_000, 10), Budget(8_000, 10)),
            writes=Budget(3_000, 150),
            unit_based=True,
        ),
        "intune": ServiceLimit((Budget(1_000, 20),), writes=Budget(100, 20)),
        "arm": ServiceLimit((Budget(250, 10),), writes=Budget(200, 20), batched=False),
    }
)

# Resource units of the directory service; everything else costs 1.
_UNIT_COSTS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), units)
    for pattern, units in (
        (r"/groups/[^/]+/transitiveMembers$", 5),
        (r"/domains/[^/]+/domainNameReferences$", 4),
        (r"/groups/[^/]+/members$", 3),
        (r"/(subscribedSkus|contracts)$", 3),
        (r"/directoryObjects/getByIds$", 3),
        (r"/(applications|users)$", 2),
        (r"/oauth2PermissionGrants(/[^/]+)?$", 2),
        (r"/servicePrincipals/[^/]+/appRoleAssignments$", 2),
    )
)


def service_limit(service: str) -> ServiceLimit:
    limit = SERVICES.get(service)
    if limit is None:
        raise ValueError(f"Unknown service {service!r}. Use one of {', '.join(SERVICES)}.")
    return limit


def resource_units(url: str, params: Mapping[str, str] | None = None) -> int:
    """The cost of one read in the directory's budget, by path and query options; at least 1."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()} | dict(params or {})
    units = next((cost for pattern, cost in _UNIT_COSTS if pattern.search(parts.path)), 1)
    top = query.get("$top", "")
    units += ("$expand" in query) - ("$select" in query) - (top.isdecimal() and int(top) < 20)
    return max(1, units)


class _Window:
    """The units charged in a sliding window, so that no burst can exceed the budget."""

    def __init__(self) -> None:
        self.used = 0.0
        self._charges: deque[tuple[float, float]] = deque()

    def charge(self, now: float, units: float) -> None:
        self._charges.append((now, units))
        self.used += units

    def restart_last(self, now: float) -> None:
        _, units = self._charges.pop()
        self._charges.append((now, units))

    def wait(self, now: float, units: float, budget: Budget) -> float:
        while self._charges and self._charges[0][0] + budget.seconds <= now:
            self.used -= self._charges.popleft()[1]
        remaining = self.used
        wait = 0.0
        for charged_at, charged in self._charges:
            if remaining + units <= budget.units:
                break
            remaining -= charged
            wait = charged_at + budget.seconds - now
        return wait


class _Lane:
    """One service of one tenant."""

    def __init__(self, limit: ServiceLimit) -> None:
        self.limit = limit
        self.lock = threading.Lock()
        self.exclusive_lock = threading.Lock()
        self.all, self.writes = _Window(), _Window()
        self.tier = 0
        self.held_until = float("-inf")

    @property
    def budget(self) -> Budget:
        return self.limit.tiers[self.tier]

    def wait_or_charge(self, now: float, units: float, writes: int) -> float:
        """Seconds to wait, or 0 if the budgets were charged."""
        with self.lock:
            wait = max(0.0, self.held_until - now, self.all.wait(now, units, self.budget))
            write_budget = self.limit.writes if writes else None
            if write_budget:
                wait = max(wait, self.writes.wait(now, writes, write_budget))
            if wait == 0:
                self.all.charge(now, units)
                if write_budget:
                    self.writes.charge(now, writes)
            return wait

    def learn(self, now: float, charged: float, headers: Mapping[str, str]) -> None:
        """Corrects our count with the usage that the service reports. It reports usage only from 80 % of its
        limit: no report at a nearly spent budget proves a larger tier, and a higher share than ours shows
        usage by others.
        """
        actual, share = (
            _number(headers.get("x-ms-resource-unit")),
            _number(headers.get("x-ms-throttle-limit-percentage")),
        )
        with self.lock:
            if actual is not None and actual > charged:
                self.all.charge(now, actual - charged)
            if share is not None:
                foreign = share * self.budget.units - self.all.used
                if foreign > 0:
                    self.all.charge(now, foreign)
            elif actual is not None and self.all.used > 0.9 * self.budget.units:
                self.tier = min(self.tier + 1, len(self.limit.tiers) - 1)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


class Pacer:
    """Thread-safe. One pacer per process serves all clients, because budgets belong to the tenant."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._lanes: dict[tuple[str, str], _Lane] = {}

    @contextmanager
    def slot(self, tenant_key: str, service: str, *, units: float = 1, writes: int = 0) -> Iterator[None]:
        """Waits until the request fits the budget. An exclusive service runs one request at a time."""
        lane = self._lane(tenant_key, service)
        with lane.exclusive_lock if lane.limit.exclusive else nullcontext():
            while wait := lane.wait_or_charge(self._clock(), units, writes):
                # A wait below the clock's resolution would never pass.
                self._sleep(max(wait, 0.001))
            try:
                yield
            finally:
                if lane.limit.exclusive:
                    # The next request is timed from our response, so that requests cannot arrive closer
                    # together.
                    with lane.lock:
                        lane.all.restart_last(self._clock())

    def hold(self, tenant_key: str, service: str, seconds: float) -> None:
        """Pauses all requests to this service of this tenant, because rejected requests also count against
        the budget.
        """
        lane = self._lane(tenant_key, service)
        with lane.lock:
            lane.held_until = max(lane.held_until, self._clock() + seconds)
            lane.tier = 0

    def learn(self, tenant_key: str, service: str, *, units: float, headers: Mapping[str, str]) -> None:
        lane = self._lane(tenant_key, service)
        if lane.limit.unit_based:
            lane.learn(self._clock(), units, headers)

    def _lane(self, tenant_key: str, service: str) -> _Lane:
        limit = service_limit(service)
        with self._lock:
            return self._lanes.setdefault((tenant_key, service), _Lane(limit))


class UnlimitedPacer(Pacer):
    """For an emulator on this machine: never waits."""

    @contextmanager
    def slot(self, tenant_key: str, service: str, *, units: float = 1, writes: int = 0) -> Iterator[None]:
        del tenant_key, service, units, writes
        yield

    def hold(self, tenant_key: str, service: str, seconds: float) -> None:
        """Does not pause requests."""

    def learn(self, tenant_key: str, service: str, *, units: float, headers: Mapping[str, str]) -> None:
        """Does not count."""


PROCESS_PACER = Pacer()
