"""Network security groups: full replacement, rules by priority, and what the service itself adds."""

import copy
import re
from ipaddress import ip_network
from typing import Any

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import ArmError, bad_request, not_found
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite
from lavawall.emulator.arm.spelling import respelling
from lavawall.emulator.arm.state import Resource
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Json

SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
RULES = f"{SECURITY_GROUPS}/securityRules"
APPLICATION_GROUPS = "Microsoft.Network/applicationSecurityGroups"
VERSIONS = (
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
    "2025-07-01",
    "2025-09-01",
    "2026-01-01",
    "2026-03-01",
)
PRIORITIES = range(100, 4097)
CHOICES = {
    "protocol": ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah"),
    "access": ("Allow", "Deny"),
    "direction": ("Inbound", "Outbound"),
}
PLURALS = {
    "sourceAddressPrefix": "sourceAddressPrefixes",
    "destinationAddressPrefix": "destinationAddressPrefixes",
    "sourcePortRange": "sourcePortRanges",
    "destinationPortRange": "destinationPortRanges",
}
GROUPED = {
    "sourceAddressPrefix": "sourceApplicationSecurityGroups",
    "destinationAddressPrefix": "destinationApplicationSecurityGroups",
}
RULE_MEMBERS = frozenset(
    {"description", "priority", *CHOICES, *PLURALS, *PLURALS.values(), *GROUPED.values()}
)
RULE_COMPUTED = frozenset({"provisioningState"})
NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,78}\w)?")
PORTS = re.compile(r"\*|(\d{1,5})(-(\d{1,5}))?")
SERVICE_TAG = re.compile(r"\*|[A-Za-z][A-Za-z0-9.]*")
LARGEST_PORT = 65_535


def _default(name: str, priority: int, access: str, direction: str, source: str, destination: str) -> Json:
    return {
        "name": name,
        "properties": {
            "description": None,
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": direction,
        },
    }


DEFAULT_RULES = (
    _default("AllowVnetInBound", 65000, "Allow", "Inbound", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowAzureLoadBalancerInBound", 65001, "Allow", "Inbound", "AzureLoadBalancer", "*"),
    _default("DenyAllInBound", 65500, "Deny", "Inbound", "*", "*"),
    _default("AllowVnetOutBound", 65000, "Allow", "Outbound", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowInternetOutBound", 65001, "Allow", "Outbound", "*", "Internet"),
    _default("DenyAllOutBound", 65500, "Deny", "Outbound", "*", "*"),
)


def _checked_rule(rule: Any) -> Json:
    """One rule with the members a client may set, its words in the service's letter case."""
    if not isinstance(rule, dict) or not isinstance(rule.get("properties"), dict):
        raise bad_request(
            "A security rule is an object with 'name' and 'properties'.", "InvalidRequestFormat"
        )
    name, sent = str(rule.get("name") or ""), rule["properties"]
    if not NAME.fullmatch(name):
        raise bad_request(f"Resource name '{name}' is invalid.", "InvalidResourceName")
    unknown = set(sent) - RULE_MEMBERS - RULE_COMPUTED
    if unknown:
        raise bad_request(
            f"Could not find member '{min(unknown)}' on an object of type SecurityRule.",
            "InvalidRequestFormat",
        )
    properties = {member: value for member, value in sent.items() if member in RULE_MEMBERS}
    for member, choices in CHOICES.items():
        properties[member] = _choice(name, member, properties.get(member), choices)
    if properties.get("priority") not in PRIORITIES:
        raise bad_request(
            f"Security rule has invalid Priority. Value provided: {properties.get('priority')} Allowed range "
            f"{PRIORITIES.start}-{PRIORITIES.stop - 1}.",
            "SecurityRuleInvalidPriority",
        )
    for member in PLURALS:
        _check_spellings(name, member, properties)
    return {"name": name, "properties": properties}


def _choice(name: str, member: str, value: Any, choices: tuple[str, ...]) -> str:
    found = next((each for each in choices if each.lower() == str(value).lower()), None)
    if found is None:
        raise bad_request(
            f"Security rule {name} has invalid value '{value}' for {member}.", "InvalidRequestFormat"
        )
    return found


def _check_spellings(name: str, member: str, properties: Json) -> None:
    """One of the singular, the plural and the application groups: each is a spelling of the same."""
    singular, plural = properties.get(member), properties.get(PLURALS[member]) or []
    grouped = properties.get(GROUPED.get(member, "")) or []
    if (singular not in (None, "")) + bool(plural) + bool(grouped) != 1:
        raise bad_request(
            f"Security rule {name} needs exactly one of {member} and {PLURALS[member]}.",
            "SecurityRuleParameterInvalid",
        )
    is_valid = _is_ports if member.endswith("PortRange") else _is_address
    for value in plural or ([] if grouped else [singular]):
        if not is_valid(str(value)) or (value == "*" and bool(plural)):
            raise bad_request(
                f"Security rule {name} has invalid value '{value}' for {member}.",
                "SecurityRuleParameterInvalid",
            )


def _is_ports(text: str) -> bool:
    found = PORTS.fullmatch(text)
    if found is None:
        return False
    first, last = int(found[1] or 0), int(found[3] or found[1] or 0)
    return first <= last <= LARGEST_PORT


def _is_address(text: str) -> bool:
    if SERVICE_TAG.fullmatch(text):
        return True
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _check_together(rules: list[Json]) -> None:
    names: set[str] = set()
    places: dict[tuple[str, int], str] = {}
    for rule in rules:
        name, location = rule["name"], (rule["properties"]["direction"], rule["properties"]["priority"])
        if name.lower() in names:
            raise bad_request(
                f"Cannot parse the request: rule '{name}' is there twice.", "InvalidRequestFormat"
            )
        if location in places:
            raise bad_request(
                f"Security rule {name} conflicts with rule {places[location]}. Rules cannot have the same Priority "
                "and Direction.",
                "SecurityRuleConflict",
            )
        names.add(name.lower())
        places[location] = name


def check_group(write: ArmWrite) -> None:
    session, properties = write.call.session, write.after.properties
    if not NAME.fullmatch(write.after.name):
        raise bad_request(f"Resource name '{write.after.name}' is invalid.", "InvalidResourceName")
    rules = properties.get("securityRules") or []
    properties["securityRules"] = [_checked_rule(rule) for rule in rules]
    _check_together(properties["securityRules"])
    properties.setdefault("resourceGuid", session.randomness.guid())


def complete_group(_: ArmCall, group: Resource, body: Json) -> None:
    properties = body["properties"]
    body["etag"] = _etag(group)
    properties["provisioningState"] = group.unsettled or "Succeeded"
    properties["securityRules"] = [_rule_body(group, rule) for rule in properties["securityRules"]]
    properties["defaultSecurityRules"] = [
        _rule_body(group, rule, "defaultSecurityRules") for rule in DEFAULT_RULES
    ]
    for name, part in (("subnets", "/subnets/"), ("networkInterfaces", "/networkinterfaces/")):
        bound = [{"id": each} for each in sorted(group.bound) if part in each.lower()]
        if bound:
            properties[name] = bound


def _etag(group: Resource) -> str:
    return f'W/"{group.body["etag"]}"'


def _rule_body(group: Resource, rule: Json, collection: str = "securityRules") -> Json:
    unset: Json = {"description": None, **{name: [] for name in PLURALS.values()}}
    properties = {**unset, **copy.deepcopy(rule["properties"])}
    return {
        "name": rule["name"],
        "id": f"{group.id}/{collection}/{rule['name']}",
        "etag": _etag(group),
        "type": f"{SECURITY_GROUPS}/{collection}",
        "properties": {**properties, "provisioningState": group.unsettled or "Succeeded"},
    }


def refuse_bound(_: ArmCall, group: Resource) -> None:
    if group.bound:
        raise ArmError(
            400,
            "InUseNetworkSecurityGroupCannotBeDeleted",
            f"Network security group {group.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(sorted(group.bound))}.",
        )


def _group_of(call: ArmCall) -> Resource:
    found = call.azure.get(call.target.parent_id)
    if found is None:
        raise resources.missing(call.target.parent_id)
    return found


def _rule_in(group: Resource, name: str) -> Json | None:
    rules: list[Json] = group.properties["securityRules"]
    return next((rule for rule in rules if rule["name"].lower() == name.lower()), None)


def list_rules(call: ArmCall) -> Answer:
    group = _group_of(call)
    return resources.paged(
        call,
        lambda: list(group.properties["securityRules"]),
        lambda rule: respelling(call.session, _rule_body(group, rule)),
    )


def get_rule(call: ArmCall) -> Answer:
    group = _group_of(call)
    rule = _rule_in(group, call.target.name)
    if rule is None:
        raise not_found(f"Resource {call.target.id} not found.", "NotFound")
    body = respelling(call.session, _rule_body(group, rule))
    group.unsettled = ""
    return Answer(200, body)


def put_rule(call: ArmCall) -> Answer:
    group, body = _group_of(call), call.body()
    old = _rule_in(group, call.target.name)
    rule = _checked_rule({**body, "name": old["name"] if old else call.target.name})
    rules = [each for each in group.properties["securityRules"] if each is not old]
    _check_together([*rules, rule])
    _replace_rules(call, group, [*rules, rule])
    headers = resources.operation_headers(call, group)
    return Answer(200 if old else 201, respelling(call.session, _rule_body(group, rule)), headers)


def delete_rule(call: ArmCall) -> Answer:
    group = _group_of(call)
    old = _rule_in(group, call.target.name)
    if old is None:
        return Answer(204)
    rules = [each for each in group.properties["securityRules"] if each is not old]
    _replace_rules(call, group, rules)
    return Answer(202, None, resources.operation_headers(call, group))


def _replace_rules(call: ArmCall, group: Resource, rules: list[Json]) -> None:
    group.body["properties"] = {**group.properties, "securityRules": rules}
    group.body["etag"] = call.session.randomness.guid()
    group.unsettled = "" if call.session.is_seeding else "Updating"


TYPES = (
    ArmType(
        name=SECURITY_GROUPS,
        versions=VERSIONS,
        handlers={**resources.CRUD, "patch": resources.patch_tags},
        writable=frozenset({"securityRules", "flushConnection"}),
        computed=frozenset(
            {
                "resourceGuid",
                "defaultSecurityRules",
                "networkInterfaces",
                "subnets",
                "flowLogs",
                "provisioningState",
            }
        ),
        strict=True,
        is_tracked=True,
        is_async=True,
        has_etag=True,
        creating_state="Updating",
        updating_state="Updating",
        check=check_group,
        complete=complete_group,
        delete_check=refuse_bound,
    ),
    ArmType(name=APPLICATION_GROUPS, versions=VERSIONS, handlers=resources.CRUD, is_tracked=True),
    ArmType(
        name=RULES,
        versions=VERSIONS,
        handlers={"list": list_rules, "get": get_rule, "put": put_rule, "delete": delete_rule},
        is_async=True,
    ),
    ArmType(
        name="Microsoft.Network/locations/operations",
        versions=VERSIONS,
        handlers={"get": resources.operation_status},
    ),
    ArmType(
        name="Microsoft.Network/locations/operationResults",
        versions=VERSIONS,
        handlers={"get": resources.operation_result},
    ),
)
