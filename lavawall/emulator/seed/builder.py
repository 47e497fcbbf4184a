"""Builds directories for the emulated cloud through the same rules that client writes obey, with dates in the past."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lavawall.emulator import entities, registry
from lavawall.emulator.certificates import AppCertificate, make_app_certificate
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.permissions import GRAPH_APP_ID
from lavawall.emulator.schema import DATA
from lavawall.emulator.store import SYSTEM, Directory, Json, Record, Session, timestamp
from lavawall.emulator.types.applications import make_secret

FOUNDED = datetime(2024, 2, 5, 8, 0, tzinfo=UTC)
SECRET_END = "2099-12-31T00:00:00Z"


@dataclass(frozen=True)
class AppRegistration:
    """An app registration with everything a client needs to sign in as it."""

    name: str
    client_id: str
    home_directory_id: str
    permissions: tuple[str, ...]
    secret: str = field(repr=False)
    certificate: AppCertificate = field(repr=False)

    @property
    def certificate_pem(self) -> str:
        return self.certificate.pem


@dataclass(frozen=True)
class UserLogin:
    """A user who can sign in with a password."""

    id: str
    display_name: str
    user_principal_name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class TenantInfo:
    """One seeded tenant as an operator would write it down."""

    name: str
    customer: str
    directory_id: str
    domain: str
    reader: AppRegistration
    writer: AppRegistration
    admins: tuple[UserLogin, ...]
    subscriptions: tuple[str, ...] = ()


@dataclass
class Landscape:
    tenants: dict[str, TenantInfo] = field(default_factory=dict)


@cache
def reference_data(name: str) -> Json:
    """One of the data files beside the emulator: directory_roles or graph_permissions."""
    document: Json = json.loads((DATA / f"{name}.json").read_text())
    return document


def stable_guid(*parts: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(NAMESPACE_URL, "https://emulator.lavawall.example/" + "/".join(parts)))


class TenantBuilder:
    """Fills one directory. Every object gets a stable id from its kind and name, and a date a little later."""

    def __init__(self, cloud: Cloud, directory: Directory) -> None:
        self.cloud = cloud
        self.directory = directory
        self._moment = FOUNDED

    def session(self) -> Session:
        self._moment += timedelta(minutes=7)
        return self.cloud.session(self.directory, SYSTEM, now=self._moment)

    def guid(self, kind: str, name: str) -> str:
        return stable_guid(self.directory.directory_id, kind, name)

    def add(
        self,
        kind_name: str,
        body: Json,
        *,
        name: str = "",
        computed: Json | None = None,
        links: dict[str, list[str]] | None = None,
        parent_id: str = "",
    ) -> Record:
        kind = registry.kind(kind_name)
        identifier = (
            body[kind.client_key]
            if kind.client_key
            else self.guid(kind_name, name or str(body.get("displayName")))
        )
        return entities.create(
            self.session(),
            kind,
            body,
            computed={"id": identifier, **(computed or {})},
            links=links,
            parent_id=parent_id,
        )

    def single(self, kind_name: str, body: Json, computed: Json | None = None) -> Record:
        """The one object of a type of which a tenant has one."""
        return self.add(
            kind_name, body, computed={"id": registry.kind(kind_name).singleton, **(computed or {})}
        )

    def user(self, display_name: str, **more: Any) -> UserLogin:
        local = display_name.lower().replace(" ", ".").replace("'", "")
        given, _, surname = display_name.partition(" ")
        password = make_secret(self.session())
        record = self.add(
            "user",
            {
                "accountEnabled": True,
                "displayName": display_name,
                "givenName": given,
                "surname": surname or None,
                "mailNickname": local,
                "userPrincipalName": f"{local}@{self.directory.domain}",
                "passwordProfile": {"password": password},
                "usageLocation": "CA",
                **more,
            },
        )
        return UserLogin(record.id, display_name, record.body["userPrincipalName"], password)

    def group(
        self, display_name: str, members: Iterable[str] = (), owners: Iterable[str] = (), **more: Any
    ) -> str:
        nickname = "".join(letter for letter in display_name.lower() if letter.isalnum())
        body = {
            "displayName": display_name,
            "mailEnabled": False,
            "mailNickname": nickname,
            "securityEnabled": True,
            "groupTypes": [],
            **more,
        }
        return self.add("group", body, links={"members": list(members), "owners": list(owners)}).id

    def role(self, template_id: str, principal_id: str, *, scope: str = "/") -> str:
        body = {"roleDefinitionId": template_id, "principalId": principal_id, "directoryScopeId": scope}
        name = f"{template_id}/{principal_id}{scope.rstrip('/')}"
        return self.add("unifiedRoleAssignment", body, name=name).id

    def application(
        self, display_name: str, owners: Iterable[str] = (), *, secret: bool = False, **more: Any
    ) -> tuple[Record, Record]:
        """An application with its service principal in the same directory."""
        app = self.add(
            "application",
            {"displayName": display_name, **more},
            computed={"appId": self.guid("appId", display_name)},
            links={"owners": list(owners)},
        )
        if secret:
            self.password(app, "Deployment pipeline")
        principal = self.add(
            "servicePrincipal",
            {
                "appId": app.body["appId"],
                "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
            },
            name=display_name,
            links={"owners": list(owners)},
        )
        return app, principal

    def password(self, app: Record, display_name: str) -> str:
        session = self.session()
        secret, key_id = make_secret(session), self.guid("password", f"{app.name}/{display_name}")
        app.body.setdefault("passwordCredentials", []).append(
            {
                "customKeyIdentifier": None,
                "displayName": display_name,
                "endDateTime": SECRET_END,
                "hint": secret[:3],
                "keyId": key_id,
                "startDateTime": timestamp(session.now),
            }
        )
        app.secrets[key_id] = secret
        return secret

    def service_principal(self, app_id: str) -> Record:
        found = self.directory.by_property("servicePrincipal", "appId", app_id)
        if found is None:
            raise LookupError(f"{self.directory.name} has no service principal of app {app_id}.")
        return found

    def grant_app_role(self, principal_id: str, value: str, *, resource_app_id: str = GRAPH_APP_ID) -> None:
        resource = self.service_principal(resource_app_id)
        role = next(role for role in resource.body["appRoles"] if role["value"] == value)
        self.add(
            "appRoleAssignment",
            {"principalId": principal_id, "resourceId": resource.id, "appRoleId": role["id"]},
            name=f"{principal_id}/{resource.id}/{value}",
        )

    def grant_scopes(self, client_id: str, scope: str, principal_id: str | None = None) -> None:
        resource = self.service_principal(GRAPH_APP_ID)
        entities.create(
            self.session(),
            registry.kind("oAuth2PermissionGrant"),
            {
                "clientId": client_id,
                "consentType": "Principal" if principal_id else "AllPrincipals",
                "principalId": principal_id,
                "resourceId": resource.id,
                "scope": scope,
            },
        )

    def consent(self, app_id: str, name: str, permissions: Iterable[str]) -> Record:
        """Brings an app into this directory with Graph app roles, as an administrator's consent does."""
        principal = self.directory.by_property("servicePrincipal", "appId", app_id)
        if principal is None:
            principal = self.add("servicePrincipal", {"appId": app_id}, name=name)
        for value in permissions:
            self.grant_app_role(principal.id, value)
        return principal


def register_app(
    cloud: Cloud,
    name: str,
    *,
    home: str,
    permissions: Iterable[str],
    consented_in: Iterable[str],
    certificate: str,
) -> AppRegistration:
    """Registers an app in its home directory with a secret and a certificate, and consents to it."""
    granted, elsewhere = tuple(permissions), [each for each in consented_in if each != home]
    builder = TenantBuilder(cloud, cloud.directories[home])
    credential = make_app_certificate(name, expired=certificate == "expired")
    app = builder.add(
        "application",
        {
            "displayName": name,
            "signInAudience": "AzureADMultipleOrgs" if elsewhere else "AzureADMyOrg",
            "keyCredentials": [
                {
                    "displayName": f"CN={name}",
                    "endDateTime": timestamp(credential.not_after),
                    "key": credential.key_credential,
                    "keyId": builder.guid("key", name),
                    "startDateTime": timestamp(credential.not_after - timedelta(days=365)),
                    "type": "AsymmetricX509Cert",
                    "usage": "Verify",
                }
            ],
        },
        computed={"appId": builder.guid("appId", name)},
    )
    secret = builder.password(app, "Lavawall")
    for directory_id in dict.fromkeys(consented_in):
        TenantBuilder(cloud, cloud.directories[directory_id]).consent(app.body["appId"], name, granted)
    return AppRegistration(name, app.body["appId"], home, granted, secret, credential)


def set_permissions(cloud: Cloud, directory_id: str, client_id: str, permissions: Iterable[str]) -> None:
    """Replaces the Graph app roles of an app in one directory."""
    builder = TenantBuilder(cloud, cloud.directories[directory_id])
    principal = builder.service_principal(client_id)
    with builder.directory.lock:
        for record in list(builder.directory.all("appRoleAssignment")):
            if record.body["principalId"] == principal.id:
                builder.directory.remove(record)
        for value in permissions:
            builder.grant_app_role(principal.id, value)
