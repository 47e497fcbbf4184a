"""Applications and service principals."""

from collections.abc import Callable

from tests.roundtrip.model import (
    AUTO,
    PICTURE,
    PLANTED_PICTURE,
    Act,
    Case,
    Json,
    World,
    attacked_stream,
    impossible,
)

APPLICATIONS, PRINCIPALS = "/v1.0/applications", "/v1.0/servicePrincipals"
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"
DELETED = "/v1.0/directory/deletedItems"
SCOPE = "5f3a1c52-0a52-4d7c-8f0e-3f5c2a1b7d90"
CREDENTIALS = frozenset({"passwordCredentials"})
FOR_GOOD = (
    Act("DELETE", f"{APPLICATIONS}/{{id}}"),
    Act("DELETE", f"{DELETED}/{{_principal}}"),
    Act("DELETE", f"{DELETED}/{{id}}"),
)


def with_principal(name: str) -> Callable[[World], Json]:
    def subject(world: World) -> Json:
        return {**world.named(APPLICATIONS, name), "_principal": world.named(PRINCIPALS, name)["id"]}

    return subject


def planner(world: World) -> Json:
    found = world.named(APPLICATIONS, "Route Planner")
    return {**found, "_principal": planner_principal(world)["id"]}


def planner_principal(world: World) -> Json:
    return world.named(PRINCIPALS, "Route Planner")


def _somebody(world: World, _subject: Json) -> Json:
    return {"@odata.id": f"{OBJECTS}/{world.named('/v1.0/users', 'Emil')['id']}"}


def _role_added(_world: World, subject: Json) -> list[Json]:
    planted = {
        "allowedMemberTypes": ["Application"],
        "description": "Planted",
        "displayName": "Planted",
        "id": SCOPE,
        "isEnabled": True,
        "value": "Everything.Read",
    }
    return [*({k: v for k, v in each.items() if k != "origin"} for each in subject["appRoles"]), planted]


def _redirected(property_name: str) -> Json:
    return {"redirectUris": [f"https://{property_name}.attacker.example/callback"]}


def certified(world: World) -> Json:
    """Its certificates, of which the public parts are told only where they are asked for."""
    return _with_certificates(world, world.named(APPLICATIONS, "Certified")["id"])


def _with_certificates(world: World, identifier: str) -> Json:
    return world.read(f"{APPLICATIONS}/{identifier}?$select=id,appId,displayName,keyCredentials")


def _certified_application(world: World, _subject: Json) -> Json:
    """With a certificate like that of another application."""
    other = next(each["id"] for each in world.read(APPLICATIONS)["value"] if each["keyCredentials"])
    key = _with_certificates(world, other)["keyCredentials"][0]["key"]
    described = {"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "CN=routes", "key": key}
    return {"displayName": "Certified", "keyCredentials": [described]}


def _another_certificate(_world: World, subject: Json) -> list[Json]:
    planted = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "displayName": "CN=planted",
        "key": subject["keyCredentials"][0]["key"],
    }
    return [*subject["keyCredentials"], planted]


CASES = (
    Case(
        key="application",
        variant="certificates",
        subject=certified,
        path=f"{APPLICATIONS}/{{id}}",
        given=(Act("POST", APPLICATIONS, _certified_application),),
        updates={"keyCredentials": _another_certificate},
        more={"keyCredentials": [Act("PATCH", f"{APPLICATIONS}/{{id}}", {"keyCredentials": []})]},
    ),
    Case(
        key="application",
        subject=planner,
        path=f"{APPLICATIONS}/{{id}}",
        updates={
            "addIns": AUTO,
            "api": AUTO,
            "appRoles": _role_added,
            "authenticationBehaviors": AUTO,
            "defaultRedirectUri": "https://attacker.example/",
            "description": AUTO,
            "displayName": AUTO,
            "groupMembershipClaims": "SecurityGroup",
            "identifierUris": ["https://brenner.example/planted"],
            "info": {"supportUrl": "https://attacker.example/support"},
            "isDeviceOnlyAuthSupported": AUTO,
            "isFallbackPublicClient": AUTO,
            "nativeAuthenticationApisEnabled": AUTO,
            "notes": AUTO,
            "oauth2RequirePostResponse": AUTO,
            "optionalClaims": {"accessToken": [{"name": "groups", "essential": False}]},
            "parentalControlSettings": AUTO,
            "publicClient": _redirected("public"),
            "requestSignatureVerification": AUTO,
            "requiredResourceAccess": AUTO,
            "serviceManagementReference": AUTO,
            "servicePrincipalLockConfiguration": AUTO,
            "signInAudience": "AzureADMultipleOrgs",
            "spa": _redirected("spa"),
            "tags": AUTO,
            "tokenEncryptionKeyId": AUTO,
            "web": _redirected("web"),
        },
        create=[Act("POST", APPLICATIONS, {"displayName": "Planted app"})],
        delete=[Act("DELETE", f"{APPLICATIONS}/{{id}}")],
        more={
            "redirects, and its service principal": [
                Act("PATCH", f"{APPLICATIONS}/{{id}}", {"displayName": "Planted", "web": _redirected("web")}),
                Act("PATCH", f"{PRINCIPALS}/{{_principal}}", {"appRoleAssignmentRequired": True}),
            ],
            "owners": [Act("POST", f"{APPLICATIONS}/{{id}}/owners/$ref", _somebody)],
            "a secret added": [
                Act(
                    "POST", f"{APPLICATIONS}/{{id}}/addPassword", {"passwordCredential": {"displayName": "x"}}
                )
            ],
        },
        types=("servicePrincipal", "oAuth2PermissionGrant", "appRoleAssignment"),
    ),
    Case(
        key="application",
        variant="without a logo",
        subject=planner,
        path=f"{APPLICATIONS}/{{id}}",
        more={"logo planted": [Act("PUT", f"{APPLICATIONS}/{{id}}/logo", PLANTED_PICTURE)]},
    ),
    Case(
        key="application",
        variant="with a logo",
        subject=with_principal("Route Planner"),
        path=f"{APPLICATIONS}/{{id}}",
        given=[Act("PUT", f"{APPLICATIONS}/{{id}}/logo", PICTURE)],
        delete=[Act("DELETE", f"{APPLICATIONS}/{{id}}")],
        more={
            **attacked_stream(f"{APPLICATIONS}/{{id}}", "logo"),
            "delete for good": FOR_GOOD,
        },
        types=("servicePrincipal", "oAuth2PermissionGrant", "appRoleAssignment"),
        lost={"delete for good": CREDENTIALS},
    ),
    Case(
        key="application",
        variant="with a secret",
        subject=with_principal("Telematics"),
        path=f"{APPLICATIONS}/{{id}}",
        more={
            "a secret removed": "nobody but its users ever knew it; the plan says which one is lost",
            "delete for good": FOR_GOOD,
        },
        types=("servicePrincipal", "oAuth2PermissionGrant", "appRoleAssignment"),
        lost={"delete for good": CREDENTIALS},
    ),
    Case(
        key="servicePrincipal",
        subject=planner_principal,
        path=f"{PRINCIPALS}/{{id}}",
        updates={
            "accountEnabled": AUTO,
            "alternativeNames": AUTO,
            "appRoleAssignmentRequired": AUTO,
            "description": AUTO,
            "homepage": "https://attacker.example/",
            "loginUrl": "https://attacker.example/login",
            "logoutUrl": "https://attacker.example/logout",
            "notes": AUTO,
            "notificationEmailAddresses": ["intruder@attacker.example"],
            "preferredSingleSignOnMode": "saml",
            "preferredTokenSigningKeyThumbprint": AUTO,
            "replyUrls": ["https://attacker.example/reply"],
            "samlSingleSignOnSettings": {"relayState": "planted"},
            "servicePrincipalNames": impossible("they are copied from the application at every write"),
            "tags": ["HideApp"],
            "tokenEncryptionKeyId": AUTO,
        },
        create=[
            Act("POST", APPLICATIONS, {"displayName": "Planted app"}),
            Act(
                "POST",
                PRINCIPALS,
                lambda world, _subject: {"appId": world.named(APPLICATIONS, "Planted app")["appId"]},
            ),
        ],
        delete=[Act("DELETE", f"{PRINCIPALS}/{{id}}")],
        more={
            "owners": [Act("POST", f"{PRINCIPALS}/{{id}}/owners/$ref", _somebody)],
            "a secret added": [
                Act("POST", f"{PRINCIPALS}/{{id}}/addPassword", {"passwordCredential": {"displayName": "x"}})
            ],
            "delete for good": [
                Act("DELETE", f"{PRINCIPALS}/{{id}}"),
                Act("DELETE", f"{DELETED}/{{id}}"),
            ],
        },
        types=("application", "oAuth2PermissionGrant", "appRoleAssignment"),
    ),
)
