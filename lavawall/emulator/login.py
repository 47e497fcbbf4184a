"""The login service: discovery documents and the token endpoint that MSAL talks to."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography import x509

from lavawall.emulator import audit, tokens
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.permissions import app_permissions
from lavawall.emulator.store import Caller, Directory, Json, Record, timestamp

FIRST_PARTY_CLIENTS = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
USER_SCOPES = "Directory.AccessAsUser.All User.Read email openid profile"


@dataclass
class LoginError(Exception):
    """A refusal of the login service, with its AADSTS number."""

    number: int
    message: str
    error: str = "invalid_client"
    status: int = 401


def unknown_directory(directory: str) -> LoginError:
    return LoginError(
        90002,
        f"Tenant '{directory}' not found. Check to make sure you have the correct tenant ID and cloud.",
        "invalid_tenant",
        400,
    )


class LoginService:
    """Answers for every directory of the cloud at one origin."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def directory(self, name: str) -> Directory:
        found = self._cloud.directory(name)
        if found is None:
            raise unknown_directory(name)
        return found

    def error_body(self, error: LoginError) -> Json:
        now, guid = self._cloud.clock(), self._cloud.randomness.guid
        trace, correlation = guid(), guid()
        text = (
            f"AADSTS{error.number}: {error.message} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {now:%Y-%m-%d %H:%M:%SZ}"
        )
        return {
            "error": error.error,
            "error_description": text,
            "error_codes": [error.number],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
        }

    def configuration(self, origin: str, name: str) -> Json:
        base = f"{origin}/{self.directory(name).directory_id}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "tenant_region_scope": "NA",
        }

    @staticmethod
    def instance_discovery(origin: str) -> Json:
        host = origin.removeprefix("https://")
        return {
            "tenant_discovery_endpoint": f"{origin}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    @staticmethod
    def user_realm(user: str) -> Json:
        return {"ver": "1.0", "account_type": "Managed", "domain_name": user.partition("@")[2]}

    def token(self, origin: str, name: str, form: Mapping[str, str], address: str, user_agent: str) -> Json:
        directory = self.directory(name)
        grant = form.get("grant_type")
        with directory.lock:
            if grant == "client_credentials":
                return self._app_token(origin, directory, form, address)
            if grant == "password":
                return self._user_token(origin, directory, form, address, user_agent)
        raise LoginError(
            70003, f"The app requested an unsupported grant type '{grant}'.", "unsupported_grant_type", 400
        )

    def _audience(self, origin: str, form: Mapping[str, str]) -> str:
        """The service that a token is for: the one whose address the scope names, Graph where it names none."""
        scopes = [each for each in form.get("scope", "").split() if each.startswith("https://")]
        resource = scopes[0].removesuffix("/.default").rstrip("/") if scopes else tokens.GRAPH_AUDIENCE
        if resource in {origin, *self._cloud.origins, tokens.GRAPH_AUDIENCE, *tokens.ARM_AUDIENCES}:
            return resource
        raise LoginError(
            500011,
            f"The resource principal named {resource} was not found in the tenant.",
            "invalid_resource",
            400,
        )

    def _answer(
        self,
        origin: str,
        directory: Directory,
        caller: Caller,
        form: Mapping[str, str],
        scopes: dict[str, Any],
    ) -> Json:
        lifetime, audience = self._cloud.options.token_lifetime, self._audience(origin, form)
        if audience in tokens.ARM_AUDIENCES:
            scopes = {"scp": "user_impersonation"} if caller.kind == "user" else {}
        token = tokens.issue(
            caller,
            directory_id=directory.directory_id,
            issuer=f"{origin}/{directory.directory_id}/",
            audience=audience,
            scopes=scopes,
            now=self._cloud.clock(),
            lifetime=lifetime,
        )
        return {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }

    def _app_token(self, origin: str, directory: Directory, form: Mapping[str, str], address: str) -> Json:
        client_id = form.get("client_id", "")
        found = self._cloud.find_application(client_id)
        if found is None:
            raise _unknown_app(client_id, directory)
        home, application = found
        if home is not directory and application.body.get("signInAudience") == "AzureADMyOrg":
            raise _unknown_app(client_id, directory)
        self._check_credential(origin, directory, application, form)
        principal = directory.by_property("servicePrincipal", "appId", client_id)
        if principal is None:
            raise LoginError(
                7000229,
                f"The client application {client_id} is missing service principal in the tenant "
                f"{directory.directory_id}. See instructions on how to give consent.",
                "unauthorized_client",
            )
        if principal.body.get("accountEnabled") is False:
            raise LoginError(7000112, f"Application '{client_id}' is disabled.", "unauthorized_client")
        caller = Caller("app", principal.id, principal.name, client_id, address)
        roles = sorted(app_permissions(directory, principal.id))
        return self._answer(origin, directory, caller, form, {"roles": roles})

    def _check_credential(
        self, origin: str, directory: Directory, application: Record, form: Mapping[str, str]
    ) -> None:
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            self._check_assertion(origin, directory, application, form.get("client_assertion", ""))
            return
        secret = form.get("client_secret")
        if not secret:
            raise LoginError(7000218, "The request body must contain 'client_assertion' or 'client_secret'.")
        now = timestamp(self._cloud.clock())
        known = {each["keyId"]: each for each in application.body.get("passwordCredentials") or []}
        for key_id, stored in application.secrets.items():
            if key_id in known and hmac.compare_digest(stored.encode(), secret.encode()):
                if known[key_id]["endDateTime"] <= now:
                    raise LoginError(
                        7000222,
                        f"The provided client secret keys for app '{application.body['appId']}' are expired.",
                    )
                return
        raise LoginError(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
            f"value, not the client secret ID, for a secret added to app '{application.body['appId']}'.",
        )

    def _check_assertion(
        self, origin: str, directory: Directory, application: Record, assertion: str
    ) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise LoginError(50027, "JWT token is invalid or malformed.", "invalid_request", 400) from error
        certificate = _registered(application, header)
        if certificate is None:
            raise LoginError(
                700027,
                "Client assertion contains an invalid signature. The certificate with identifier used to sign the "
                f"client assertion is not registered on application '{application.body['appId']}'.",
            )
        if certificate.not_valid_after_utc <= self._cloud.clock():
            raise LoginError(
                700027, "Client assertion contains an invalid signature. The certificate used is expired."
            )
        endpoints = [
            f"{each}/{directory.directory_id}/oauth2/v2.0/token" for each in {origin, *self._cloud.origins}
        ]
        try:
            claims = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["RS256", "PS256"],
                audience=endpoints,
                options={"require": ["exp", "iss", "sub"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise LoginError(700024, "Client assertion is not within its valid time range.") from error
        except jwt.InvalidAudienceError as error:
            raise LoginError(
                700023, "Client assertion audience claim does not match the realm issuer."
            ) from error
        except jwt.InvalidTokenError as error:
            raise LoginError(700027, f"Client assertion failed signature validation: {error}.") from error
        if {claims["iss"], claims["sub"]} != {application.body["appId"]}:
            raise LoginError(
                700021, "Client assertion application identifier doesn't match 'client_id' parameter."
            )

    def _user_token(
        self, origin: str, directory: Directory, form: Mapping[str, str], address: str, user_agent: str
    ) -> Json:
        client_id, name = form.get("client_id", ""), form.get("username", "")
        app_name = FIRST_PARTY_CLIENTS.get(client_id)
        if app_name is None:
            found = self._cloud.find_application(client_id)
            if found is None or not found[1].body.get("isFallbackPublicClient"):
                raise _unknown_app(client_id, directory)
            app_name = found[1].name
        user = next(
            (
                each
                for each in directory.all("user")
                if str(each.body["userPrincipalName"]).lower() == name.lower()
            ),
            None,
        )
        if user is None:
            raise LoginError(
                50034, f"The user account {name} does not exist in the directory.", "invalid_grant", 400
            )
        if not hmac.compare_digest(
            user.secrets.get("password", "").encode(), form.get("password", "").encode()
        ):
            raise LoginError(
                50126,
                "Error validating credentials due to invalid username or password.",
                "invalid_grant",
                400,
            )
        if user.body.get("accountEnabled") is False:
            raise LoginError(50057, "The user account is disabled.", "invalid_grant", 400)
        caller = Caller("user", user.id, user.name, client_id, address, user.body["userPrincipalName"])
        session = self._cloud.session(directory, caller)
        audit.write_sign_in(session, user, client_id, app_name, user_agent)
        answer = self._answer(origin, directory, caller, form, {"scp": USER_SCOPES})
        info = {"uid": user.id, "utid": directory.directory_id}
        encoded = base64.urlsafe_b64encode(str(info).replace("'", '"').encode()).decode().rstrip("=")
        return {**answer, "scope": form.get("scope", ""), "client_info": encoded}


def _unknown_app(client_id: str, directory: Directory) -> LoginError:
    return LoginError(
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{directory.name}'. This can "
        "happen if the application has not been installed by the administrator of the tenant or consented to.",
        "unauthorized_client",
        400,
    )


def _registered(application: Record, header: Mapping[str, Any]) -> x509.Certificate | None:
    """The registered certificate that an assertion's header names by thumbprint."""
    wanted = str(header.get("x5t") or header.get("x5t#S256") or "").rstrip("=")
    for key in application.body.get("keyCredentials") or []:
        der = base64.b64decode(key["key"])
        digests = (hashlib.sha1(der, usedforsecurity=False).digest(), hashlib.sha256(der).digest())
        if wanted in {base64.urlsafe_b64encode(digest).decode().rstrip("=") for digest in digests}:
            return x509.load_der_x509_certificate(der)
    return None
