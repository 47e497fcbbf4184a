"""PIM for directory roles: settings, requests with the rules they obey, schedules that begin and end in time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from lavawall.emulator.attack import AttackError, StolenSession
from tests.emulator.conftest import SettableClock, client_for

DIRECTORY = "/roleManagement/directory"
ELIGIBLE = f"{DIRECTORY}/roleEligibilitySchedule"
ACTIVE = f"{DIRECTORY}/roleAssignmentSchedule"
ASSIGNMENTS = f"{DIRECTORY}/roleAssignments"
POLICIES = "/policies/roleManagementPolicies"
POLICY_ASSIGNMENTS = "/policies/roleManagementPolicyAssignments"
TENANT_ROLES = "scopeId eq '/' and scopeType eq 'DirectoryRole'"
READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
FOREVER = {"expiration": {"type": "noExpiration"}}
Json = dict[str, Any]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with Emulator(seed="empty") as running:
        yield running


class Pim:
    """A tenant with a writer, and people as they are needed."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.tenant: TenantInfo = next(iter(emulator.tenants.values()))
        self.writer = client_for(emulator, self.tenant, self.tenant.writer)
        self.count = 0

    def group(self, **more: Any) -> str:
        self.count += 1
        body = {
            "displayName": f"Role group {self.count}",
            "mailEnabled": False,
            "mailNickname": "roles",
            "securityEnabled": True,
            "isAssignableToRole": True,
            **more,
        }
        identifier: str = self.writer.post("/groups", body)["id"]
        return identifier

    def request(self, principal: str, action: str = "adminAssign", **more: Any) -> Json:
        return {
            "action": action,
            "principalId": principal,
            "roleDefinitionId": READERS,
            "directoryScopeId": "/",
            "justification": "because",
            "scheduleInfo": FOREVER,
            **more,
        }

    def assign(self, path: str, principal: str, action: str = "adminAssign", **more: Any) -> Json:
        return self.writer.post(f"{path}Requests", self.request(principal, action, **more))

    def refused(self, path: str, principal: str, action: str = "adminAssign", **more: Any) -> str:
        answer = self.writer.send("POST", f"{path}Requests", self.request(principal, action, **more))
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        return f"{error['code']}: {error['message']}"

    def of(self, path: str, principal: str) -> list[Json]:
        found: list[Json] = self.writer.get(f"{path}?$filter=principalId eq '{principal}'")["value"]
        return found

    def policy(self, role: str = READERS) -> Json:
        query = f"{TENANT_ROLES} and roleDefinitionId eq '{role}'&$expand=policy($expand=rules)"
        found: Json = self.writer.get(f"{POLICY_ASSIGNMENTS}?$filter={query}")["value"][0]["policy"]
        return found

    def set_rule(self, kind: str, identifier: str, role: str = READERS, **settings: Any) -> None:
        body = {
            "@odata.type": f"#microsoft.graph.unifiedRoleManagementPolicy{kind}Rule",
            "id": identifier,
            **settings,
        }
        self.writer.done("PATCH", f"{POLICIES}/{self.policy(role)['id']}/rules/{identifier}", body)

    def admin(self) -> StolenSession:
        login = self.tenant.admins[0]
        return StolenSession(
            login_url=self.emulator.url,
            graph_url=self.emulator.url,
            directory_id=self.tenant.directory_id,
            user=login.user_principal_name,
            password=login.password,
            ip="203.0.113.9",
            verify=self.emulator.ca_file,
        )


@pytest.fixture(scope="module")
def pim(shared: Emulator) -> Pim:
    return Pim(shared)


# Settings


def test_every_role_has_a_policy_of_all_rules(pim: Pim) -> None:
    policy = pim.policy()
    rules = {rule["id"]: rule for rule in policy["rules"]}
    assert policy["id"].startswith(f"DirectoryRole_{pim.tenant.directory_id}_")
    assert len(rules) == 17
    assert rules["Expiration_EndUser_Assignment"]["maximumDuration"] == "PT8H"
    assert rules["Enablement_Admin_Assignment"]["enabledRules"] == ["Justification"]
    assert pim.writer.get(f"{POLICIES}/{policy['id']}")["id"] == policy["id"]
    assert "rules" not in pim.writer.get(f"{POLICIES}/{policy['id']}")
    both = pim.writer.get(f"{POLICIES}/{policy['id']}?$expand=rules,effectiveRules")
    assert len(both["rules"]) == len(both["effectiveRules"]) == 17
    listed = pim.writer.get(f"{POLICIES}/{policy['id']}/rules")["value"]
    assert {rule["id"] for rule in listed} == set(rules)


def test_a_custom_role_gets_a_policy_and_loses_it(pim: Pim) -> None:
    permissions = [{"allowedResourceActions": ["microsoft.directory/applications/standard/read"]}]
    body = {"displayName": "Custom", "isEnabled": True, "rolePermissions": permissions}
    role = pim.writer.post(f"{DIRECTORY}/roleDefinitions", body)["id"]
    pim.set_rule("Expiration", "Expiration_Admin_Eligibility", role, isExpirationRequired=True)
    policy = pim.policy(role)["id"]
    pim.writer.done("DELETE", f"{DIRECTORY}/roleDefinitions/{role}")
    pim.writer.refused("GET", f"{POLICIES}/{policy}", status=404)
    assert policy not in pim.emulator.state(pim.tenant.directory_id).documents("unifiedRoleManagementPolicy")


@pytest.mark.parametrize("path", [POLICIES, POLICY_ASSIGNMENTS])
@pytest.mark.parametrize("text", ["", "?$filter=scopeId eq '/'", "?$filter=scopeType eq 'DirectoryRole'"])
def test_policies_are_listed_by_scope_only(pim: Pim, path: str, text: str) -> None:
    assert "filter" in pim.writer.refused("GET", path + text)


def test_a_changed_rule_is_shown_with_who_changed_it(pim: Pim) -> None:
    path = f"{POLICIES}/{pim.policy(HELPDESK)['id']}/rules/Expiration_EndUser_Assignment"
    target = {"caller": "EndUser", "operations": ["All"], "level": "Assignment"}
    pim.set_rule(
        "Expiration", "Expiration_EndUser_Assignment", HELPDESK, maximumDuration="PT2H", target=target
    )
    rule = pim.writer.get(path)
    assert (rule["maximumDuration"], rule["isExpirationRequired"]) == ("PT2H", True)
    assert rule["target"]["operations"] == ["All"]
    assert pim.policy(HELPDESK)["lastModifiedBy"]["displayName"] == "Lavawall Writer"
    assert pim.policy(READERS).get("lastModifiedDateTime") is None


@pytest.mark.parametrize(
    ("rule", "body", "reported"),
    [
        ("Expiration_EndUser_Assignment", {"maximumDuration": "PT1H"}, "@odata.type"),
        ("Expiration_EndUser_Assignment", {"@odata.type": "Enablement", "enabledRules": []}, "another type"),
        (
            "Expiration_EndUser_Assignment",
            {"@odata.type": "Expiration", "maximumDuration": "8 h"},
            "Duration",
        ),
        ("Expiration_EndUser_Assignment", {"@odata.type": "Expiration", "id": "Other"}, "id of a rule"),
        ("Enablement_EndUser_Assignment", {"@odata.type": "Enablement", "enabledRules": ["Luck"]}, "Luck"),
        (
            "AuthenticationContext_EndUser_Assignment",
            {"@odata.type": "AuthenticationContext", "isEnabled": True, "claimValue": "c1"},
            "together",
        ),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(pim: Pim, rule: str, body: Json, reported: str) -> None:
    path = f"{POLICIES}/{pim.policy()['id']}/rules/{rule}"
    sent = dict(body)
    if "@odata.type" in sent:
        sent["@odata.type"] = f"#microsoft.graph.unifiedRoleManagementPolicy{sent['@odata.type']}Rule"
    assert reported in pim.writer.refused("PATCH", path, sent)


def test_an_authentication_context_takes_the_place_of_mfa(pim: Pim) -> None:
    role = "4a5d8f65-41da-4de4-8968-e035b65339cf"
    pim.set_rule("Enablement", "Enablement_EndUser_Assignment", role, enabledRules=["Justification"])
    context = {"isEnabled": True, "claimValue": "c1"}
    pim.set_rule("AuthenticationContext", "AuthenticationContext_EndUser_Assignment", role, **context)
    path = f"{POLICIES}/{pim.policy(role)['id']}/rules/Enablement_EndUser_Assignment"
    kind = "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule"
    body = {"@odata.type": kind, "enabledRules": ["MultiFactorAuthentication"]}
    assert "together" in pim.writer.refused("PATCH", path, body)


def test_apps_may_be_kept_from_the_settings_of_roles(start: Callable[..., Emulator]) -> None:
    pim = Pim(start(seed="empty", role_settings_by_apps=False))
    path = f"{POLICIES}/{pim.policy()['id']}/rules/Expiration_EndUser_Assignment"
    kind = "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule"
    body = {"@odata.type": kind, "maximumDuration": "PT1H"}
    pim.writer.refused("PATCH", path, body, status=403)
    pim.admin().send("PATCH", path, body)
    assert pim.writer.get(path)["maximumDuration"] == "PT1H"


# Requests


@pytest.mark.parametrize("path", [ELIGIBLE, ACTIVE])
def test_a_request_makes_a_schedule_and_an_instance(pim: Pim, path: str) -> None:
    group = pim.group()
    past = {"startDateTime": "2022-04-10T00:00:00Z", "expiration": {"type": "NoExpiration"}}
    made = pim.assign(path, group, "AdminAssign", scheduleInfo=past)
    assert (made["action"], made["status"], made["targetScheduleId"]) == (
        "adminAssign",
        "Provisioned",
        made["id"],
    )
    assert made["scheduleInfo"]["startDateTime"] > "2025"
    assert made["scheduleInfo"]["expiration"]["type"] == "noExpiration"
    [schedule] = pim.of(f"{path}s", group)
    assert (schedule["id"], schedule["createdUsing"], schedule["status"]) == (
        made["id"],
        made["id"],
        "Provisioned",
    )
    assert schedule["memberType"] == "Direct"
    [instance] = pim.of(f"{path}Instances", group)
    assert instance["roleDefinitionId"] == READERS
    assert instance["id"].endswith("-1-e" if path == ELIGIBLE else "-1")
    held = pim.of(ASSIGNMENTS, group)
    assert [each["id"] for each in held] == ([] if path == ELIGIBLE else [instance["id"]])
    assert (
        pim.writer.get(f"{path}s/{made['id']}?$expand=roleDefinition,principal")["principal"]["id"] == group
    )


@pytest.mark.parametrize("path", [ELIGIBLE, ACTIVE])
def test_a_second_one_and_the_removal_of_none_are_refused(pim: Pim, path: str) -> None:
    group = pim.group()
    assert "RoleAssignmentDoesNotExist" in pim.refused(path, group, "adminRemove")
    assert "RoleAssignmentDoesNotExist" in pim.refused(path, group, "adminUpdate")
    assert "RoleAssignmentDoesNotExist" in pim.refused(path, group, "adminRenew")
    pim.assign(path, group)
    assert "RoleAssignmentExists" in pim.refused(path, group)
    removed = pim.writer.post(
        f"{path}Requests",
        {"action": "adminRemove", "principalId": group, "roleDefinitionId": READERS, "directoryScopeId": "/"},
    )
    assert (removed["status"], removed.get("targetScheduleId"), removed.get("completedDateTime")) == (
        "Revoked",
        None,
        None,
    )
    assert pim.of(f"{path}s", group) == pim.of(f"{path}Instances", group) == pim.of(ASSIGNMENTS, group) == []
    assert pim.assign(path, group, "adminRenew")["status"] == "Provisioned"


@pytest.mark.parametrize(
    ("more", "reported"),
    [
        ({"scheduleInfo": None}, "InvalidScheduleInfo"),
        ({"scheduleInfo": {"expiration": {"type": "afterDateTime"}}}, "InvalidScheduleInfo"),
        (
            {
                "scheduleInfo": {
                    "expiration": {"type": "afterDateTime", "endDateTime": "2020-01-01T00:00:00Z"}
                }
            },
            "InvalidScheduleInfo",
        ),
        ({"directoryScopeId": "/administrativeUnits/none"}, "scope"),
        ({"action": "adminDream"}, "adminDream"),
        ({"action": "selfExtend"}, "InvalidAction"),
        ({"status": "Provisioned"}, "status"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(pim: Pim, more: Json, reported: str) -> None:
    group = pim.group()
    assert reported in pim.refused(ELIGIBLE, group, **more)
    assert pim.of(f"{ELIGIBLE}s", group) == []


def test_who_cannot_hold_a_role_cannot_be_made_eligible(pim: Pim) -> None:
    assert "isAssignableToRole" in pim.refused(ELIGIBLE, pim.group(isAssignableToRole=False))
    body = pim.request(HELPDESK)
    pim.writer.refused("POST", f"{ELIGIBLE}Requests", body, status=404)


YEAR = {"expiration": {"type": "afterDuration", "duration": "P1Y"}}
WEEK = {"expiration": {"type": "afterDuration", "duration": "P7D"}}
TICKET = {"ticketInfo": {"ticketNumber": "7", "ticketSystem": "Desk"}}


@pytest.mark.parametrize(
    ("kind", "rule", "settings", "bad", "good", "reported"),
    [
        (
            "Expiration",
            "Expiration",
            {"isExpirationRequired": True},
            {},
            {"scheduleInfo": WEEK},
            "ExpirationRule",
        ),
        (
            "Expiration",
            "Expiration",
            {"isExpirationRequired": True, "maximumDuration": "P30D"},
            {"scheduleInfo": YEAR},
            {"scheduleInfo": WEEK},
            "ExpirationRule",
        ),
        (
            "Enablement",
            "Enablement",
            {"enabledRules": ["Justification"]},
            {"justification": ""},
            {},
            "Justification",
        ),
        ("Enablement", "Enablement", {"enabledRules": ["Ticketing"]}, {}, TICKET, "TicketingRule"),
    ],
)
@pytest.mark.parametrize("path", [ELIGIBLE, ACTIVE])
def test_the_settings_of_the_role_hold_for_apps_too(
    pim: Pim, path: str, kind: str, rule: str, settings: Json, bad: Json, good: Json, reported: str
) -> None:
    group, role = pim.group(), "b0f54661-2d74-4c50-afa3-1ec803f12efe"
    level = "Eligibility" if path == ELIGIBLE else "Assignment"
    free: Json = {"isExpirationRequired": False} if kind == "Expiration" else {"enabledRules": []}
    pim.set_rule(kind, f"{rule}_Admin_{level}", role, **settings)
    refusal = pim.refused(path, group, roleDefinitionId=role, **bad)
    assert refusal.startswith("RoleAssignmentRequestPolicyValidationFailed")
    assert reported in refusal
    pim.assign(path, group, roleDefinitionId=role, **good)
    pim.set_rule(kind, f"{rule}_Admin_{level}", role, **free)


def test_an_app_never_satisfies_mfa(pim: Pim) -> None:
    role = "fe930be7-5e62-47db-91af-98c3a49a38b1"
    pim.set_rule(
        "Enablement", "Enablement_Admin_Assignment", role, enabledRules=["MultiFactorAuthentication"]
    )
    assert "MfaRule" in pim.refused(ACTIVE, pim.group(), roleDefinitionId=role)


def test_a_request_for_validation_only_changes_nothing(pim: Pim) -> None:
    group = pim.group()
    assert pim.assign(ACTIVE, group, isValidationOnly=True)["isValidationOnly"] is True
    assert pim.of(f"{ACTIVE}s", group) == pim.of(f"{ACTIVE}Requests", group) == []


def test_an_update_keeps_the_schedule_and_changes_its_end(pim: Pim) -> None:
    group = pim.group()
    first = pim.assign(ELIGIBLE, group)
    second = pim.assign(ELIGIBLE, group, "adminUpdate", scheduleInfo=WEEK)
    assert second["targetScheduleId"] == first["id"] != second["id"]
    [schedule] = pim.of(f"{ELIGIBLE}s", group)
    assert (schedule["id"], schedule["createdUsing"]) == (first["id"], second["id"])
    assert schedule["scheduleInfo"]["expiration"]["duration"] == "P7D"


def test_an_app_that_may_only_remove_does_not_assign(pim: Pim) -> None:
    app = pim.emulator.add_app_registration(
        "Cleaner",
        home=pim.tenant.directory_id,
        permissions=["RoleEligibilitySchedule.Remove.Directory"],
        consented_in=[pim.tenant.directory_id],
    )
    cleaner, group = client_for(pim.emulator, pim.tenant, app), pim.group()
    body = pim.request(group)
    cleaner.refused("POST", f"{ELIGIBLE}Requests", body, status=403)
    pim.assign(ELIGIBLE, group)
    assert cleaner.post(f"{ELIGIBLE}Requests", {**body, "action": "adminRemove"})["status"] == "Revoked"


# Two views of one thing


def test_an_assignment_made_without_pim_is_a_standing_schedule(pim: Pim) -> None:
    group = pim.group()
    body = {"roleDefinitionId": READERS, "principalId": group, "directoryScopeId": "/"}
    assignment = pim.writer.post(ASSIGNMENTS, body)["id"]
    [schedule] = pim.of(f"{ACTIVE}s", group)
    assert (schedule["id"], schedule.get("createdUsing"), schedule["assignmentType"]) == (
        assignment,
        None,
        "Assigned",
    )
    [instance] = pim.of(f"{ACTIVE}Instances", group)
    assert (instance["id"], instance.get("startDateTime")) == (assignment, None)
    assert "RoleAssignmentExists" in pim.refused(ACTIVE, group)
    pim.assign(ACTIVE, group, "adminRemove")
    assert pim.of(ASSIGNMENTS, group) == []


def test_deleting_an_assignment_ends_its_schedule(pim: Pim) -> None:
    group = pim.group()
    pim.assign(ACTIVE, group)
    pim.writer.done("DELETE", f"{ASSIGNMENTS}/{pim.of(ASSIGNMENTS, group)[0]['id']}")
    assert pim.of(f"{ACTIVE}s", group) == []
    pim.assign(ACTIVE, group)


def test_schedules_leave_and_return_with_their_principal(pim: Pim) -> None:
    group = pim.group()
    pim.assign(ELIGIBLE, group)
    pim.assign(ACTIVE, group, roleDefinitionId=HELPDESK)
    pim.writer.done("DELETE", f"/groups/{group}")
    assert pim.of(f"{ELIGIBLE}s", group) == pim.of(f"{ACTIVE}s", group) == []
    pim.writer.post(f"/directory/deletedItems/{group}/restore", {})
    assert len(pim.of(f"{ELIGIBLE}s", group)) == len(pim.of(f"{ACTIVE}s", group)) == 1


def test_members_of_an_eligible_group_are_eligible_through_it(pim: Pim) -> None:
    group, person = pim.group(), pim.tenant.admins[0].id
    member = {"@odata.id": f"{pim.writer.base}/directoryObjects/{person}"}
    pim.writer.done("POST", f"/groups/{group}/members/$ref", member)
    schedule = pim.assign(ELIGIBLE, group, roleDefinitionId=HELPDESK)["id"]
    found = pim.of(f"{ELIGIBLE}Instances", person)
    assert [(each["memberType"], each["roleEligibilityScheduleId"]) for each in found] == [
        ("Group", schedule)
    ]
    assert pim.of(f"{ELIGIBLE}s", person) == []


def test_the_last_global_administrator_stays(pim: Pim) -> None:
    refusal = pim.refused(
        ACTIVE, pim.tenant.admins[0].id, "adminRemove", roleDefinitionId=GLOBAL_ADMINISTRATOR
    )
    assert "Global Administrator" in refusal


def test_a_scope_can_be_an_administrative_unit(pim: Pim) -> None:
    unit, group = (
        pim.writer.post("/directory/administrativeUnits", {"displayName": "Branch"})["id"],
        pim.group(),
    )
    pim.assign(ACTIVE, group, roleDefinitionId=HELPDESK, directoryScopeId=f"/administrativeUnits/{unit}")
    assert pim.of(f"{ACTIVE}Instances", group)[0]["id"].endswith("-2")
    members = pim.writer.get(f"/directory/administrativeUnits/{unit}/scopedRoleMembers")["value"]
    assert [each["roleMemberInfo"]["id"] for each in members] == [group]
    pim.writer.done("DELETE", f"/directory/administrativeUnits/{unit}")
    assert pim.of(f"{ACTIVE}s", group) == []


# Activation


def test_an_eligible_person_activates_for_a_while(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    pim = Pim(start(seed="empty", clock=clock, token_lifetime=10**9))
    person, admin = pim.tenant.admins[0].id, pim.admin()
    body = pim.request(person, "selfActivate") | {
        "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT1H"}}
    }
    with pytest.raises(AttackError, match="RoleAssignmentDoesNotExist"):
        admin.send("POST", f"{ACTIVE}Requests", body)
    pim.assign(ELIGIBLE, person)
    with pytest.raises(AttackError, match="ExpirationRule"):
        admin.send("POST", f"{ACTIVE}Requests", {**body, "scheduleInfo": FOREVER})
    pim.writer.refused("POST", f"{ACTIVE}Requests", body, status=403)
    assert admin.send("POST", f"{ACTIVE}Requests", body)["status"] == "Provisioned"
    [instance] = [
        each for each in pim.of(f"{ACTIVE}Instances", person) if each["roleDefinitionId"] == READERS
    ]
    assert instance["assignmentType"] == "Activated"
    found = pim.writer.get(f"{ACTIVE}s?$filter=assignmentType eq 'Activated'&$expand=activatedUsing")["value"]
    assert [each["activatedUsing"]["principalId"] for each in found] == [person]
    clock.advance(3601)
    assert {each["roleDefinitionId"] for each in pim.of(ASSIGNMENTS, person)} == {GLOBAL_ADMINISTRATOR}
    assert len(pim.of(f"{ELIGIBLE}s", person)) == 1


def test_an_activation_may_need_approval(start: Callable[..., Emulator]) -> None:
    pim = Pim(start(seed="empty"))
    person = pim.tenant.admins[0].id
    pim.assign(ELIGIBLE, person)
    pim.set_rule("Approval", "Approval_EndUser_Assignment", setting={"isApprovalRequired": True})
    hour = {"expiration": {"type": "afterDuration", "duration": "PT1H"}}
    body = pim.request(person, "selfActivate", scheduleInfo=hour)
    assert pim.admin().send("POST", f"{ACTIVE}Requests", body)["status"] == "PendingApproval"
    assert {each["roleDefinitionId"] for each in pim.of(ASSIGNMENTS, person)} == {GLOBAL_ADMINISTRATOR}


# The clock


def test_a_request_is_carried_out_a_moment_later(
    start: Callable[..., Emulator], clock: SettableClock
) -> None:
    pim = Pim(start(seed="empty", clock=clock, replication_delay=30))
    group = pim.group()
    clock.advance(31)
    made = pim.assign(ACTIVE, group)
    assert (made["status"], made.get("completedDateTime"), made["targetScheduleId"]) == (
        "PendingProvisioning",
        None,
        made["id"],
    )
    assert pim.of(f"{ACTIVE}s", group) == pim.of(ASSIGNMENTS, group) == []
    assert "RoleAssignmentExists" in pim.refused(ACTIVE, group)
    clock.advance(31)
    assert pim.writer.get(f"{ACTIVE}Requests/{made['id']}")["status"] == "Provisioned"
    assert len(pim.of(f"{ACTIVE}s", group)) == len(pim.of(ASSIGNMENTS, group)) == 1
    pim.assign(ACTIVE, group, "adminRemove")
    assert len(pim.of(f"{ACTIVE}s", group)) == 1
    clock.advance(31)
    assert pim.of(f"{ACTIVE}s", group) == pim.of(ASSIGNMENTS, group) == []


def test_a_schedule_begins_and_ends_in_its_time(start: Callable[..., Emulator], clock: SettableClock) -> None:
    pim = Pim(start(seed="empty", clock=clock, token_lifetime=10**9))
    group = pim.group()
    later = clock.now.replace(year=clock.now.year + 1).strftime("%Y-%m-%dT%H:%M:%SZ")
    info = {"startDateTime": later, "expiration": {"type": "afterDuration", "duration": "P2D"}}
    made = pim.assign(ACTIVE, group, scheduleInfo=info)
    assert made["status"] == "Granted"
    assert len(pim.of(f"{ACTIVE}s", group)) == 1
    assert pim.of(f"{ACTIVE}Instances", group) == pim.of(ASSIGNMENTS, group) == []
    clock.advance(366.5 * 86_400)
    assert len(pim.of(f"{ACTIVE}Instances", group)) == len(pim.of(ASSIGNMENTS, group)) == 1
    clock.advance(2 * 86_400)
    assert pim.of(f"{ACTIVE}s", group) == pim.of(ASSIGNMENTS, group) == []


# Audit


@pytest.mark.parametrize(
    ("path", "action", "by_pim", "by_directory"),
    [
        (
            ELIGIBLE,
            "adminAssign",
            "Add eligible member to role in PIM completed (permanent)",
            "Add eligible member to role",
        ),
        (ACTIVE, "adminAssign", "Add member to role in PIM completed (permanent)", "Add member to role"),
        (ACTIVE, "adminRemove", "Remove member from role in PIM completed", "Remove member from role"),
    ],
)
def test_pim_names_who_asked_and_the_directory_names_pim(
    pim: Pim, path: str, action: str, by_pim: str, by_directory: str
) -> None:
    group = pim.group()
    if action == "adminRemove":
        pim.assign(path, group)
    pim.assign(path, group, action)
    events = pim.writer.get(f"/auditLogs/directoryAudits?$filter=targetResources/any(t:t/id eq '{group}')")[
        "value"
    ]
    asked = next(each for each in events if each["activityDisplayName"] == by_pim)
    done = next(each for each in events if each["activityDisplayName"] == by_directory)
    assert asked["correlationId"] == done["correlationId"]
    assert (asked["loggedByService"], done["loggedByService"]) == ("PIM", "Core Directory")
    assert asked["initiatedBy"]["app"]["displayName"] == "Lavawall Writer"
    assert done["initiatedBy"]["app"]["displayName"] == "MS-PIM"


def test_a_changed_setting_is_in_the_audit(pim: Pim) -> None:
    pim.set_rule("Enablement", "Enablement_Admin_Eligibility", HELPDESK, enabledRules=["Justification"])
    events = pim.writer.get("/auditLogs/directoryAudits?$filter=loggedByService eq 'PIM'")["value"]
    found = next(
        each
        for each in events
        if each["activityDisplayName"] == "Update role setting in PIM"
        and each["targetResources"][0]["id"] == HELPDESK
    )
    assert (
        found["targetResources"][0]["modifiedProperties"][0]["displayName"] == "Enablement_Admin_Eligibility"
    )
