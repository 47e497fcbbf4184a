import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.microsoft.pacing import SERVICES, Pacer, UnlimitedPacer, resource_units, service_limit
from tests.strategies import at_most


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacer(clock: Clock) -> Pacer:
    return Pacer(clock=clock, sleep=clock.sleep)


def take(pacer: Pacer, service: str, *, tenant: str = "a", units: float = 1, writes: int = 0) -> None:
    with pacer.slot(tenant, service, units=units, writes=writes):
        pass


def test_conditional_access_gets_one_request_a_second_from_its_last_answer(
    pacer: Pacer, clock: Clock
) -> None:
    with pacer.slot("a", "conditional_access"):
        clock.now += 0.4
    take(pacer, "conditional_access")
    assert clock.now == pytest.approx(1_000_001.4, abs=0.002)


def test_audit_logs_get_five_requests_in_ten_seconds(pacer: Pacer, clock: Clock) -> None:
    for _ in range(5):
        take(pacer, "audit")
    assert clock.slept == 0
    take(pacer, "audit")
    assert clock.slept == pytest.approx(10, abs=0.002)


def test_each_tenant_and_service_has_a_budget_of_its_own(pacer: Pacer, clock: Clock) -> None:
    for tenant in ("a", "b"):
        for service in SERVICES:
            take(pacer, service, tenant=tenant)
    assert clock.slept == 0


def test_units_are_what_the_directory_budget_counts(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "directory", units=3_400)
    take(pacer, "directory", units=100)
    assert clock.slept == 0
    take(pacer, "directory", units=1)
    assert clock.slept == pytest.approx(10, abs=0.002)


def test_writes_have_a_budget_besides(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "intune", units=100, writes=100)
    take(pacer, "intune")
    assert clock.slept == 0
    take(pacer, "intune", writes=1)
    assert clock.slept == pytest.approx(20, abs=0.002)


def test_more_than_a_whole_budget_waits_for_an_empty_one_and_then_goes(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "audit")
    take(pacer, "audit", units=50)
    assert clock.slept == pytest.approx(10, abs=0.002)


def test_a_throttled_caller_holds_the_others_of_the_same_tenant(pacer: Pacer, clock: Clock) -> None:
    pacer.hold("a", "audit", 30)
    take(pacer, "audit", tenant="b")
    assert clock.slept == 0
    take(pacer, "audit")
    assert clock.slept == pytest.approx(30)


def test_what_others_use_up_is_left_to_them(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "directory")
    pacer.learn("a", "directory", units=1, headers={"x-ms-throttle-limit-percentage": "1.0"})
    take(pacer, "directory")
    assert clock.slept == pytest.approx(10, abs=0.002)


def test_the_price_that_the_service_states_corrects_ours(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "directory", units=1)
    pacer.learn("a", "directory", units=1, headers={"x-ms-resource-unit": "3000"})
    take(pacer, "directory", units=500)
    assert clock.slept == 0
    take(pacer, "directory", units=1)
    assert clock.slept > 0


def test_silence_at_a_nearly_spent_budget_proves_a_larger_one(pacer: Pacer, clock: Clock) -> None:
    for units in (3_400, 1_500, 2_900):
        take(pacer, "directory", units=units)
        pacer.learn("a", "directory", units=units, headers={"x-ms-resource-unit": str(units)})
    assert clock.slept == 0


def test_a_throttle_takes_the_larger_budget_away(pacer: Pacer, clock: Clock) -> None:
    take(pacer, "directory", units=3_400)
    pacer.learn("a", "directory", units=3_400, headers={"x-ms-resource-unit": "3400"})
    pacer.hold("a", "directory", 0)
    take(pacer, "directory", units=200)
    assert clock.slept > 0


@pytest.mark.parametrize("value", ["", "much", "-"])
def test_headers_that_are_no_numbers_are_ignored(pacer: Pacer, clock: Clock, value: str) -> None:
    pacer.learn(
        "a",
        "directory",
        units=1,
        headers={"x-ms-resource-unit": value, "x-ms-throttle-limit-percentage": value},
    )
    take(pacer, "directory", units=3_500)
    assert clock.slept == 0


def test_an_unlimited_pacer_never_waits() -> None:
    pacer = UnlimitedPacer()
    pacer.hold("a", "audit", 1e9)
    pacer.learn("a", "directory", units=1, headers={"x-ms-throttle-limit-percentage": "1.8"})
    for _ in range(100):
        take(pacer, "audit")


def test_an_exclusive_service_lets_one_request_run_at_a_time(pacer: Pacer) -> None:
    inside, second_inside = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait()
        with pacer.slot("a", "conditional_access"):
            second_inside.set()

    thread = threading.Thread(target=second)
    thread.start()
    with pacer.slot("a", "conditional_access"):
        inside.set()
        assert not second_inside.wait(0.05)
    thread.join(5)
    assert second_inside.is_set()


@at_most(40)
@given(
    st.sampled_from(sorted(SERVICES)),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 300)), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_its_budget(service: str, calls: list[tuple[float, int]]) -> None:
    clock = Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    budget = service_limit(service).tiers[0]
    charged: list[tuple[float, float]] = []
    for pause, size in calls:
        clock.now += pause
        units = min(size, budget.units)
        take(pacer, service, units=units)
        charged.append((clock.now, units))
        # A hair less than the window: both of its ends are exact only up to the clock's resolution.
        recent = sum(cost for at, cost in charged if clock.now - at < budget.seconds - 1e-6)
        assert recent <= budget.units


@pytest.mark.parametrize(
    ("path", "params", "units"),
    [
        ("/v1.0/organization", {}, 1),
        ("/v1.0/users", {}, 2),
        ("/v1.0/users/1", {}, 1),
        ("/v1.0/users", {"$select": "id"}, 1),
        ("/v1.0/groups/1/members", {}, 3),
        ("/v1.0/groups/1/transitiveMembers", {"$select": "id"}, 4),
        ("/v1.0/oauth2PermissionGrants", {}, 2),
        ("/v1.0/servicePrincipals/1/appRoleAssignments", {"$top": "5"}, 1),
        ("/v1.0/applications?$expand=owners", {}, 3),
        ("/v1.0/applications?%24top=999", {}, 2),
        ("/v1.0/organization", {"$select": "id", "$top": "1"}, 1),
    ],
)
def test_reads_cost_their_published_units(path: str, params: dict[str, str], units: int) -> None:
    assert resource_units(f"https://graph.microsoft.com{path}", params) == units


def test_an_unknown_service_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="conditional_access"):
        service_limit("mail")
