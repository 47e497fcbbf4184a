"""The intruder's scenario: what it leaves behind in the tenant and in its logs."""

from collections.abc import Callable

import pytest

from lavawall.emulator import Emulator
from lavawall.emulator.attack import AttackStep, run_attack
from tests.emulator.conftest import client_for


@pytest.mark.parametrize("name", ["Aurora Dental", "Aurora Labs", "Brenner Logistics"])
def test_the_stolen_session_does_all_seven_things_in_every_tenant(
    start: Callable[..., Emulator], name: str
) -> None:
    emulator = start()
    tenant = emulator.tenants[name]
    directory = emulator.state(tenant.directory_id)
    before = directory.export()
    reported: list[AttackStep] = []
    login = tenant.admins[0]
    steps = run_attack(
        emulator.url,
        emulator.url,
        tenant.directory_id,
        login.user_principal_name,
        login.password,
        "198.51.100.23",
        verify=emulator.ca_file,
        report=reported.append,
    )
    after = directory.export()
    assert reported == steps
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6, 7]
    policies = after["conditionalAccessPolicy"]
    assert policies[steps[0].objects["conditionalAccessPolicy"]]["state"] == "disabled"
    excluded = policies[steps[1].objects["conditionalAccessPolicy"]]["conditions"]["users"]["excludeUsers"]
    assert excluded == [steps[1].objects["user"]]
    for kind in ("conditionalAccessPolicy", "namedLocation"):
        assert steps[2].objects[kind] in before[kind]
        assert steps[2].objects[kind] not in after[kind]
    assert steps[2].objects["conditionalAccessPolicy"] in directory.deleted
    assert steps[2].objects["namedLocation"] not in directory.deleted
    new_roles = set(after["appRoleAssignment"]) - set(before["appRoleAssignment"])
    assert len(new_roles) == 2
    assert steps[3].objects["oAuth2PermissionGrant"] in after["oAuth2PermissionGrant"]
    assert steps[4].objects["unifiedRoleAssignment"] in after["unifiedRoleAssignment"]
    assert after["authenticationMethodConfiguration"]["Sms"]["state"] == "enabled"
    strength = after["authenticationStrengthPolicy"][steps[5].objects["authenticationStrengthPolicy"]]
    assert "password, sms" in strength["allowedCombinations"]
    app = steps[6].objects["application"]
    key_ids = [each["keyId"] for each in after["application"][app]["passwordCredentials"]]
    assert steps[6].objects["credential"] in key_ids


def test_every_write_of_the_intruder_is_in_the_audit_log_under_one_name(emulator: Emulator) -> None:
    tenant = emulator.tenants["Aurora Dental"]
    login = tenant.admins[0]
    run_attack(
        emulator.url,
        emulator.url,
        tenant.directory_id,
        login.user_principal_name,
        login.password,
        "198.51.100.23",
        verify=emulator.ca_file,
    )
    reader = client_for(emulator, tenant, tenant.reader)
    events = reader.get("/auditLogs/directoryAudits?$top=100")["value"]
    assert {each["initiatedBy"]["user"]["ipAddress"] for each in events} == {"198.51.100.23"}
    assert {
        "Delete named location",
        "Consent to application",
        "Add app role assignment to service principal",
        "Add delegated permission grant",
        "Add member to role",
        "Authentication Methods Policy Update",
        "Authentication Strength Policy Update",
        "Add service principal",
    } <= {each["activityDisplayName"] for each in events}
