"""Authentication strengths and the authentication methods policy with its configurations."""

import copy
from collections.abc import Iterator
from typing import Any

from lavawall.emulator import audit, entities, registry, schema
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import Action, Audit, EntityType, Write
from lavawall.emulator.presentation import View, present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Directory, Json, Record, Session, timestamp
from lavawall.emulator.types.conditional_access import policies_with_strength
from lavawall.emulator.validation import WriteRules, checked_body

READ = ("Policy.Read.All", "Policy.Read.AuthenticationMethod", "Policy.ReadWrite.AuthenticationMethod")
READ_STRENGTH = (*READ, "Policy.ReadWrite.ConditionalAccess")
WRITE = ("Policy.ReadWrite.AuthenticationMethod",)
WRITE_STRENGTH = ("Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.AuthenticationMethod")
STRENGTHS = "/policies/authenticationStrengthPolicies"
METHODS_POLICY = "authenticationMethodsPolicy"
SINGLE_FACTOR = frozenset(
    {"password", "sms", "voice", "email", "qrCodePin", "federatedSingleFactor", "x509CertificateSingleFactor"}
)
MOST_CUSTOM_STRENGTHS = 15


def tidy(combinations: list[str]) -> list[str]:
    """Combinations with Graph's spacing and without repetitions."""
    return list(dict.fromkeys(", ".join(part.strip() for part in each.split(",")) for each in combinations))


def check_strength(write: Write) -> None:
    if write.before is not None:
        refuse_built_in(write.session, write.before)
        if "allowedCombinations" in write.body:
            raise bad_request(
                "Use updateAllowedCombinations to change the allowed combinations.", "BadRequest"
            )
        return
    _check_combinations(write.after)
    if write.session.is_seeding:
        return
    custom = [
        each for each in write.session.directory.all(write.type.name) if each.body["policyType"] == "custom"
    ]
    if len(custom) >= MOST_CUSTOM_STRENGTHS:
        raise bad_request(f"A directory has at most {MOST_CUSTOM_STRENGTHS} custom strengths.", "BadRequest")
    write.after["policyType"] = "custom"


def _check_combinations(body: Json) -> None:
    combinations = tidy(body.get("allowedCombinations") or [])
    if not combinations:
        raise bad_request("At least one allowed combination is required.", "BadRequest")
    body["allowedCombinations"] = combinations
    weak = any(set(each.split(", ")) <= SINGLE_FACTOR and "," not in each for each in combinations)
    body["requirementsSatisfied"] = "none" if weak else "mfa"


def refuse_built_in(session: Session, body: Json) -> None:
    if body.get("policyType") == "builtIn" and not session.is_seeding:
        raise bad_request("Built-in authentication strengths cannot be changed or deleted.", "BadRequest")


def check_strength_unused(session: Session, record: Record) -> None:
    refuse_built_in(session, record.body)
    if policies_with_strength(session.directory, record.id):
        raise bad_request("The authentication strength is used by a Conditional Access policy.", "BadRequest")


def show_configurations(view: View) -> None:
    kind = registry.kind("authenticationCombinationConfiguration")
    view.body["combinationConfigurations"] = [
        present(view.session, kind, each)
        for each in view.session.directory.all(kind.name)
        if each.parent_id == view.record.id
    ]


def update_allowed_combinations(call: Call) -> Answer:
    session, kind = call.session, registry.kind("authenticationStrengthPolicy")
    record = entities.find(session, kind, call.parameter("id"))
    body = call.json()
    if not isinstance(body, dict) or set(body) - {"allowedCombinations", "@odata.type"}:
        raise bad_request("updateAllowedCombinations takes 'allowedCombinations' only.", "BadRequest")
    refuse_built_in(session, record.body)
    checked = checked_body(
        {"allowedCombinations": body.get("allowedCombinations")}, kind.name, WriteRules(), creating=False
    )
    _check_combinations(checked)
    before = copy.deepcopy(record.body)
    record.body = {**record.body, **checked, "modifiedDateTime": timestamp(session.now)}
    assert kind.audit is not None  # noqa: S101 - declared below
    audit.write_change(session, kind.audit, "Update", record, before)
    references = [policy.id for policy in policies_with_strength(session.directory, record.id)]
    return Answer(
        200,
        {
            "@odata.context": f"{call.root}/$metadata#microsoft.graph.updateAllowedCombinationsResult",
            "previousCombinations": before["allowedCombinations"],
            "currentCombinations": record.body["allowedCombinations"],
            "conditionalAccessReferences": references,
            "additionalInformation": f"{len(references)} Conditional Access policies use this strength.",
        },
    )


def usage(call: Call) -> Answer:
    record = entities.find(call.session, registry.kind("authenticationStrengthPolicy"), call.parameter("id"))
    policies = [
        present(call.session, registry.kind("conditionalAccessPolicy"), policy)
        for policy in policies_with_strength(call.session.directory, record.id)
    ]
    satisfied = record.body["requirementsSatisfied"]
    return Answer(
        200, {"mfa": policies if satisfied == "mfa" else [], "none": policies if satisfied == "none" else []}
    )


def check_combination_configuration(write: Write) -> None:
    strength = write.session.directory.get("authenticationStrengthPolicy", write.parent_id)
    if strength is None:
        raise resource_not_found(write.parent_id)
    refuse_built_in(write.session, strength.body)
    applies = tidy(write.after.get("appliesToCombinations") or [])
    unknown = [each for each in applies if each not in strength.body["allowedCombinations"]]
    if not applies or unknown:
        raise bad_request(
            f"Combinations that the strength does not allow: {unknown or 'none given'}.", "BadRequest"
        )


def _configurations(directory: Directory) -> Iterator[Record]:
    return directory.all("authenticationMethodConfiguration")


def show_methods(view: View) -> None:
    kind = registry.kind("authenticationMethodConfiguration")
    view.body["authenticationMethodConfigurations"] = [
        present(view.session, kind, each) for each in _configurations(view.session.directory)
    ]


def check_targets(write: Write) -> None:
    """Groups that a configuration targets must exist."""
    after = write.after
    if write.before is not None and write.before.get("@odata.type") != after.get("@odata.type"):
        raise bad_request(f"'{write.before['id']}' is a '{write.before['@odata.type']}'.", "BadRequest")
    for name in ("includeTargets", "excludeTargets"):
        for target in after.get(name) or []:
            identifier = target.get("id")
            if identifier != "all_users" and write.session.directory.get("group", str(identifier)) is None:
                raise bad_request(f"Target group '{identifier}' in '{name}' does not exist.", "BadRequest")


def write_methods_audit(session: Session, verb: str, record: Record, before: Json | None) -> None:
    """Microsoft logs one event with the whole policy, whichever configuration was changed."""
    policy = session.directory.records[METHODS_POLICY].get(METHODS_POLICY)
    if policy is None:
        return

    def whole(changed: Json | None) -> Json:
        configurations = [each.body for each in _configurations(session.directory) if each.id != record.id]
        if record.type_name == METHODS_POLICY:
            return {**(changed or policy.body), "authenticationMethodConfigurations": configurations}
        return {
            **policy.body,
            "authenticationMethodConfigurations": [*configurations, *([changed] if changed else [])],
        }

    after = None if verb == "Delete" else record.body
    policy.body["lastModifiedDateTime"] = timestamp(session.now)
    audit.write(
        session,
        "Authentication Methods Policy Reset" if verb == "Reset" else "Authentication Methods Policy Update",
        service=audit.AUTHENTICATION_METHODS,
        category="ApplicationManagement",
        operation="Update",
        targets=[
            audit.target(
                policy,
                [audit.property_change("AuthenticationMethodsPolicy", whole(before), whole(after))],
                target_type="Policy",
            )
        ],
    )


def method_defaults(odata_type: str, identifier: str) -> Json:
    """A configuration as a new directory has it: switched off, for everybody."""
    actual = schema.type_named(odata_type.removeprefix(schema.NAMESPACE))
    body: Json = {
        "@odata.type": actual.odata_type,
        "id": identifier,
        "state": "disabled",
        "excludeTargets": [],
    }
    if "includeTargets" in actual.navigation:
        body["includeTargets"] = [{"id": "all_users", "targetType": "group", "isRegistrationRequired": False}]
    return body


def delete_configuration(call: Call) -> Answer:
    """DELETE resets a built-in method to its default and really deletes an external one."""
    session, kind = call.session, registry.kind("authenticationMethodConfiguration")
    record = entities.find(session, kind, call.parameter("id"))
    if record.body["@odata.type"] == "#microsoft.graph.externalAuthenticationMethodConfiguration":
        entities.delete(session, kind, record)
        return Answer(204)
    before = copy.deepcopy(record.body)
    record.body = method_defaults(record.body["@odata.type"], record.id)
    write_methods_audit(session, "Reset", record, before)
    return Answer(204)


def check_external_only(write: Write) -> None:
    external = "#microsoft.graph.externalAuthenticationMethodConfiguration"
    if write.creating and not write.session.is_seeding and write.after.get("@odata.type") != external:
        raise bad_request("Only external authentication methods can be created.", "BadRequest")


def check_migration(write: Write) -> None:
    before: Any = (write.before or {}).get("policyMigrationState")
    if before == "migrationComplete" and write.after.get("policyMigrationState") != before:
        raise bad_request("policyMigrationState cannot go back from migrationComplete.", "BadRequest")


def _strength_audit(noun: str) -> Audit:
    return Audit(
        service=audit.AUTHENTICATION_METHODS,
        category="Policy",
        target_type="Policy",
        create=f"{noun} Create",
        update=f"{noun} Update",
        delete=f"{noun} Delete",
    )


KINDS = (
    EntityType(
        name="authenticationStrengthPolicy",
        path=STRENGTHS,
        read=READ_STRENGTH,
        write=WRITE_STRENGTH,
        rules=WriteRules(
            computed=frozenset(
                {"createdDateTime", "modifiedDateTime", "policyType", "requirementsSatisfied"}
            ),
            required=("displayName", "allowedCombinations"),
        ),
        audit=_strength_audit("Authentication Strength Policy"),
        checks=(check_strength,),
        delete_checks=(check_strength_unused,),
        modified=("modifiedDateTime",),
        present=show_configurations,
        actions=(
            Action("POST", "updateAllowedCombinations", update_allowed_combinations, WRITE_STRENGTH),
            Action("GET", "usage", usage, READ_STRENGTH),
        ),
    ),
    EntityType(
        name="authenticationCombinationConfiguration",
        path=f"{STRENGTHS}/{{parent}}/combinationConfigurations",
        parent="authenticationStrengthPolicy",
        read=READ_STRENGTH,
        write=WRITE_STRENGTH,
        audit=_strength_audit("Authentication Strength Combination Configuration"),
        checks=(check_combination_configuration,),
        dates=(),
    ),
    EntityType(
        name=METHODS_POLICY,
        path=f"/policies/{METHODS_POLICY}",
        singleton=METHODS_POLICY,
        verbs=frozenset({"get", "update"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset(
                {
                    "lastModifiedDateTime",
                    "policyVersion",
                    "reconfirmationInDays",
                    "displayName",
                    "description",
                }
            )
        ),
        checks=(check_migration,),
        audit_writer=write_methods_audit,
        dates=(),
        modified=("lastModifiedDateTime",),
        present=show_methods,
    ),
    EntityType(
        name="authenticationMethodConfiguration",
        path=f"/policies/{METHODS_POLICY}/authenticationMethodConfigurations",
        verbs=frozenset({"list", "get", "create", "update"}),
        read=READ,
        write=WRITE,
        rules=WriteRules(inline=frozenset({"includeTargets", "passkeyProfiles"})),
        checks=(check_external_only, check_targets),
        audit_writer=write_methods_audit,
        dates=(),
        actions=(
            Action(
                "DELETE",
                f"/policies/{METHODS_POLICY}/authenticationMethodConfigurations/{{id}}",
                delete_configuration,
                WRITE,
            ),
        ),
    ),
)
