"""Conditional Access policies and named locations."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import GraphError
from lavawall.emulator.filters import value_at
from lavawall.emulator.model import Audit, EntityType, Write
from lavawall.emulator.presentation import View, present
from lavawall.emulator.store import Directory, Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ = ("Policy.Read.All", "Policy.Read.ConditionalAccess")
WRITE = ("Policy.Read.All & Policy.ReadWrite.ConditionalAccess",)
MOST_POLICIES = 240
MOST_RANGES = 2_000
PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
WELL_KNOWN_APPS = frozenset(
    {
        "00000003-0000-0000-c000-000000000000",
        "00000002-0000-0ff1-ce00-000000000000",
        "00000003-0000-0ff1-ce00-000000000000",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    }
)


def refusal(number: int, message: str) -> GraphError:
    """Conditional Access numbers its refusals inside the message."""
    return GraphError(400, "BadRequest", f"{number}: {message}")


def _is_user(directory: Directory, value: str) -> bool:
    return directory.get("user", value) is not None


def _is_group(directory: Directory, value: str) -> bool:
    return directory.get("group", value) is not None


def _is_role(directory: Directory, value: str) -> bool:
    return directory.get("unifiedRoleDefinition", value) is not None


def _is_app(directory: Directory, value: str) -> bool:
    return value in WELL_KNOWN_APPS or directory.by_property("servicePrincipal", "appId", value) is not None


def _is_location(directory: Directory, value: str) -> bool:
    return directory.get("namedLocation", value) is not None


def _is_context(directory: Directory, value: str) -> bool:
    return directory.get("authenticationContextClassReference", value) is not None


def _is_service_principal(directory: Directory, value: str) -> bool:
    return directory.get("servicePrincipal", value) is not None


Check = Callable[[Directory, str], bool]
REFERENCES: tuple[tuple[str, frozenset[str], Check], ...] = (
    ("users/{}Users", frozenset({"All", "None", "GuestsOrExternalUsers"}), _is_user),
    ("users/{}Groups", frozenset(), _is_group),
    ("users/{}Roles", frozenset(), _is_role),
    (
        "applications/{}Applications",
        frozenset({"All", "None", "Office365", "MicrosoftAdminPortals"}),
        _is_app,
    ),
    ("applications/{}AuthenticationContextClassReferences", frozenset(), _is_context),
    (
        "locations/{}Locations",
        frozenset({"All", "AllTrusted", "00000000-0000-0000-0000-000000000000"}),
        _is_location,
    ),
    (
        "clientApplications/{}ServicePrincipals",
        frozenset({"ServicePrincipalsInMyTenant"}),
        _is_service_principal,
    ),
    ("clientApplications/{}AgentIdServicePrincipals", frozenset({"All", "None"}), _is_service_principal),
    ("agents/{}AgentUsers", frozenset({"All", "None"}), _is_user),
)


def _dangling(directory: Directory, conditions: Json) -> Iterator[str]:
    for pattern, words, exists in REFERENCES:
        for path in (pattern.format("include"), pattern.format("exclude")):
            values: list[str] = value_at(conditions, path) or []
            yield from (
                f"{path}: {value}" for value in values if value not in words and not exists(directory, value)
            )


def check_conditions(write: Write) -> None:
    conditions = write.after.get("conditions") or {}
    for name in ("users", "applications"):
        if not conditions.get(name) and not conditions.get("clientApplications"):
            raise refusal(1011, f"Policy contains invalid conditions: '{name}' is required.")
    if not conditions.get("clientAppTypes"):
        conditions["clientAppTypes"] = ["all"]
    if "conditions" in write.body:
        missing = next(_dangling(write.session.directory, conditions), None)
        if missing is not None:
            raise refusal(
                1017, f"Policy refers to an object that does not exist in the directory: {missing}."
            )


def check_controls(write: Write) -> None:
    controls = write.after.get("grantControls")
    if not controls:
        if not write.after.get("sessionControls"):
            raise refusal(1046, "Policy must have at least one grant control or session control.")
        return
    built_in = controls.get("builtInControls") or []
    strength = controls.get("authenticationStrength")
    _check_terms(write.session.directory, controls.get("termsOfUse") or [])
    if strength:
        _check_strength(write.session.directory, strength, built_in)
    demands = [
        *built_in,
        *(controls.get("termsOfUse") or []),
        *(controls.get("customAuthenticationFactors") or []),
    ]
    if not demands and not strength:
        raise refusal(1046, "Grant controls are empty.")
    if "block" in built_in and (len(demands) > 1 or strength):
        raise refusal(1047, "'block' cannot be combined with other grant controls.")
    if controls.get("operator") not in {"AND", "OR"}:
        raise refusal(1007, "Grant controls need the operator 'AND' or 'OR'.")


def _check_terms(directory: Directory, identifiers: list[str]) -> None:
    missing = [each for each in identifiers if directory.get("agreement", each) is None]
    if missing:
        raise refusal(1017, f"Terms of use do not exist: {missing}.")


def _check_strength(directory: Directory, strength: Json, built_in: list[str]) -> None:
    if set(strength) != {"id"}:
        raise refusal(
            1007, "Incoming object does not match the schema: authenticationStrength takes an 'id' only."
        )
    if directory.get("authenticationStrengthPolicy", strength["id"]) is None:
        raise refusal(1017, f"Authentication strength '{strength['id']}' does not exist.")
    if "mfa" in built_in:
        raise refusal(1048, "'mfa' cannot be required together with an authentication strength.")


def check_security_defaults(write: Write) -> None:
    """No policy beside security defaults: none is created, none switched on."""
    defaults = write.session.directory.records["identitySecurityDefaultsEnforcementPolicy"].values()
    if not any(each.body.get("isEnabled") for each in defaults):
        return
    if write.creating or write.body.get("state") == "enabled":
        raise refusal(1014, "Security defaults are enabled; disable them before enabling a policy.")


def check_count(write: Write) -> None:
    if write.creating and len(write.session.directory.records["conditionalAccessPolicy"]) >= MOST_POLICIES:
        raise refusal(1034, f"The directory has its {MOST_POLICIES} policies already.")


def show_strength(view: View) -> None:
    """The policy keeps the id of its strength only; a read shows the strength as a whole."""
    controls = view.body.get("grantControls")
    if not controls or not controls.get("authenticationStrength"):
        return
    record = view.session.directory.get(
        "authenticationStrengthPolicy", controls["authenticationStrength"]["id"]
    )
    if record is None:
        return
    strength = present(view.session, registry.kind("authenticationStrengthPolicy"), record)
    view.body["grantControls"] = {
        **controls,
        "authenticationStrength@odata.context": (
            "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies"
            f"('{view.record.id}')/grantControls/authenticationStrength/$entity"
        ),
        "authenticationStrength": strength,
    }


def policies_with_location(directory: Directory, location_id: str) -> list[Record]:
    return [
        policy
        for policy in directory.all("conditionalAccessPolicy")
        if any(
            location_id in (value_at(policy.body, f"conditions/locations/{name}") or [])
            for name in ("includeLocations", "excludeLocations")
        )
    ]


def policies_with_strength(directory: Directory, strength_id: str) -> list[Record]:
    return [
        policy
        for policy in directory.all("conditionalAccessPolicy")
        if value_at(policy.body, "grantControls/authenticationStrength/id") == strength_id
    ]


def check_location(write: Write) -> None:
    after = write.after
    if write.before is not None and write.before.get("@odata.type") != after.get("@odata.type"):
        raise refusal(1042, "The type of a named location cannot be changed.")
    if after.get("@odata.type") == "#microsoft.graph.ipNamedLocation":
        after.setdefault("isTrusted", False)
        _check_ranges(after.get("ipRanges") or [])
    elif after.get("@odata.type") == "#microsoft.graph.countryNamedLocation":
        after.setdefault("includeUnknownCountriesAndRegions", False)
        after.setdefault("countryLookupMethod", "clientIpAddress")
        _check_countries(after.get("countriesAndRegions") or [])


def _check_ranges(ranges: list[Json]) -> None:
    if not 0 < len(ranges) <= MOST_RANGES:
        raise refusal(1038, f"A named location holds between 1 and {MOST_RANGES} IP ranges.")
    for each in ranges:
        version = 6 if "iPv6" in each["@odata.type"] else 4
        try:
            network = ipaddress.ip_network(each.get("cidrAddress", ""), strict=False)
        except ValueError as error:
            raise refusal(
                1039, f"'{each.get('cidrAddress')}' is not an address range in CIDR notation."
            ) from error
        if network.version != version:
            raise refusal(1039, f"'{network}' does not match its '@odata.type'.")
        if any(network.version == other.version and network.overlaps(other) for other in PRIVATE_NETWORKS):
            raise refusal(1040, f"'{network}' is a private address range.")


def _check_countries(countries: list[Any]) -> None:
    wrong = [each for each in countries if not re.fullmatch("[A-Z]{2}", str(each))]
    if not countries or wrong:
        raise refusal(
            1041, f"A country location holds two-letter country codes; refused: {wrong or 'none given'}."
        )


def check_location_unused(session: Session, record: Record) -> None:
    if policies_with_location(session.directory, record.id):
        raise refusal(
            1100, "The named location is used by a Conditional Access policy and cannot be deleted."
        )
    if record.body.get("isTrusted"):
        raise refusal(1101, "A trusted named location cannot be deleted; set isTrusted to false first.")


KINDS = (
    EntityType(
        name="conditionalAccessPolicy",
        path="/identity/conditionalAccess/policies",
        read=READ,
        write=WRITE,
        service="conditionalAccess",
        rules=WriteRules(
            computed=frozenset({"deletedDateTime", "templateId"}),
            required=("displayName", "state", "conditions"),
            inline=frozenset({"authenticationStrength", "combinationConfigurations"}),
        ),
        audit=Audit(
            service=audit.CONDITIONAL_ACCESS,
            category="Policy",
            target_type="Policy",
            create="Add conditional access policy",
            update="Update conditional access policy",
            delete="Delete conditional access policy",
            restore="Restore conditional access policy",
            purge="Hard delete conditional access policy",
            whole_value="ConditionalAccessPolicy",
        ),
        checks=(check_count, check_security_defaults, check_conditions, check_controls),
        dates=("createdDateTime",),
        modified=("modifiedDateTime",),
        recycle="/identity/conditionalAccess/deletedItems/policies",
        present=show_strength,
    ),
    EntityType(
        name="namedLocation",
        path="/identity/conditionalAccess/namedLocations",
        read=READ,
        write=WRITE,
        service="conditionalAccess",
        rules=WriteRules(computed=frozenset({"deletedDateTime"}), required=("displayName",), typed=True),
        audit=Audit(
            service=audit.CONDITIONAL_ACCESS,
            category="Policy",
            target_type="Policy",
            create="Add named location",
            update="Update named location",
            delete="Delete named location",
            restore="Restore named location",
            purge="Hard delete named location",
            whole_value="NamedLocation",
        ),
        checks=(check_location,),
        delete_checks=(check_location_unused,),
        modified=("modifiedDateTime",),
        recycle="/identity/conditionalAccess/deletedItems/namedLocations",
    ),
)
