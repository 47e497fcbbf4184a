"""Published request budgets per service, and the 429 that follows when one is used up."""

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from lavawall.emulator.errors import GraphError


@dataclass(frozen=True)
class Budget:
    """So many units in so many seconds, per tenant or per app and tenant."""

    units: int
    seconds: float
    per_app: bool
    tells_when: bool
    in_units: bool = False


# The published window of one second is kept a little short: a client that paces itself exactly must pass.
BUDGETS: dict[str, tuple[Budget, ...]] = {
    "conditionalAccess": (Budget(1, 0.95, per_app=False, tells_when=False),),
    "auditLogs": (Budget(5, 10, per_app=True, tells_when=True),),
    "directory": (Budget(3_500, 10, per_app=True, tells_when=True, in_units=True),),
    "intune": (
        Budget(1_000, 20, per_app=True, tells_when=True),
        Budget(2_000, 20, per_app=False, tells_when=True),
    ),
}
WRITE_BUDGETS: dict[str, tuple[Budget, ...]] = {
    "directory": (Budget(3_000, 150, per_app=True, tells_when=True),),
    "intune": (
        Budget(100, 20, per_app=True, tells_when=True),
        Budget(200, 20, per_app=False, tells_when=True),
    ),
}
UNIT_COSTS = (
    ("/members", 3),
    ("getbyids", 3),
    ("/subscribedskus", 3),
    ("/approleassignments", 2),
    ("/approleassignedto", 2),
    ("/oauth2permissiongrants", 2),
    ("/applications", 2),
    ("/users", 2),
)


def unit_cost(method: str, path: str, query: dict[str, str]) -> int:
    """Resource units of one request to the directory service."""
    if method != "GET":
        return 1
    cost = next((units for part, units in UNIT_COSTS if part in path.lower()), 1)
    cost -= "$select" in query
    cost += "$expand" in query
    top = query.get("$top", "")
    cost -= top.isdecimal() and int(top) < 20
    return max(1, cost)


class Throttle:
    """Counts requests in sliding windows; refused ones count too."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, ...], deque[tuple[float, int]]] = defaultdict(deque)
        self._lock = threading.Lock()

    def charge(
        self, service: str, directory_id: str, app_id: str, *, cost: int, writes: bool, now: datetime
    ) -> dict[str, str]:
        """Headers for the answer, or a 429."""
        budgets = [(service, budget) for budget in BUDGETS[service]]
        if writes:
            budgets += [(f"{service} writes", budget) for budget in WRITE_BUDGETS.get(service, ())]
        headers = {"x-ms-resource-unit": str(cost)} if service == "directory" else {}
        for name, budget in budgets:
            key = (name, directory_id, app_id if budget.per_app else "")
            used, oldest = self._use(key, budget, cost if budget.in_units else 1, now.timestamp())
            if used > budget.units:
                raise self._refusal(name, budget, headers, oldest + budget.seconds - now.timestamp())
            if budget.in_units and used / budget.units >= 0.8:
                headers["x-ms-throttle-limit-percentage"] = f"{used / budget.units:.2f}"
        return headers

    def _use(self, key: tuple[str, ...], budget: Budget, cost: int, now: float) -> tuple[int, float]:
        with self._lock:
            window = self._spent[key]
            while window and window[0][0] <= now - budget.seconds:
                window.popleft()
            window.append((now, cost))
            return sum(units for _, units in window), window[0][0]

    @staticmethod
    def _refusal(name: str, budget: Budget, headers: dict[str, str], wait: float) -> GraphError:
        answer_headers = dict(headers)
        if budget.tells_when:
            answer_headers["Retry-After"] = str(max(1, ceil(wait)))
        if name.startswith("directory"):
            answer_headers["x-ms-throttle-scope"] = "Tenant_Application/ReadWrite"
            answer_headers["x-ms-throttle-information"] = (
                "ResourceUnitLimitExceeded" if budget.in_units else "WriteLimitExceeded"
            )
        return GraphError(
            429, "TooManyRequests", "Too many requests: the request budget is used up.", answer_headers
        )
