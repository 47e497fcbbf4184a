"""Device configurations of every platform, with OMA settings whose values are kept secret; filters and categories."""

from typing import Any

from lavawall.emulator import schema
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import BETA, Action, Write
from lavawall.emulator.presentation import View
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import FILTER_ID, FILTERS, Assigning, assignable, targets
from lavawall.emulator.types.intune.core import CONFIGURATION, NEVER_SHOWN, SERVICE_CONFIG, intune_type
from lavawall.emulator.validation import WriteRules

CONFIGURATIONS = "/deviceManagement/deviceConfigurations"
MASK = "****"
SECRET_TYPES = frozenset(
    {
        "#microsoft.graph.omaSettingBase64",
        "#microsoft.graph.omaSettingString",
        "#microsoft.graph.omaSettingStringXml",
    }
)
ORDERED = frozenset(
    {
        "apps",
        "dnsSearchDomains",
        "dnsSuffixSearchList",
        "dnsSuffixes",
        "homeScreenDockIcons",
        "homeScreenPages",
        "icons",
        "onDemandRules",
        "pages",
    }
)


def hide_oma_values(write: Write) -> None:
    """Texts of OMA settings are encrypted: a read shows a mask and the reference of the value."""
    for setting in write.body.get("omaSettings") or []:
        _check_oma_setting(write, setting)
    settings = write.after.get("omaSettings")
    if "omaSettings" in write.body and settings is not None:
        write.after["omaSettings"] = [_hidden(write, setting) for setting in settings]


def _check_oma_setting(write: Write, setting: Json) -> None:
    if not str(setting.get("omaUri") or "").startswith(("./", "/")):
        raise bad_request("An OMA setting needs an 'omaUri' that begins with './'.", "BadRequest")
    if setting.get("value") in {None, ""}:
        raise bad_request("An OMA setting needs a 'value'.", "BadRequest")
    reference = setting.get("secretReferenceValueId")
    known = write.before is not None and any(
        each.get("secretReferenceValueId") == reference for each in write.before.get("omaSettings") or []
    )
    if reference and not known:
        raise bad_request(f"The secret '{reference}' does not belong to this configuration.", "BadRequest")


def _hidden(write: Write, setting: Json) -> Json:
    if setting["@odata.type"] not in SECRET_TYPES:
        return {**setting, "isEncrypted": False, "secretReferenceValueId": None}
    if setting.get("secretReferenceValueId") and setting.get("isEncrypted") is not False:
        return {**setting, "isEncrypted": True, "value": MASK}
    reference = write.session.randomness.guid()
    write.session.directory.secret_values[reference] = str(setting["value"])
    return {**setting, "isEncrypted": True, "secretReferenceValueId": reference, "value": MASK}


def tell_of_key(write: Write) -> None:
    """Whether there is a key is computed, where the type says so."""
    properties = schema.type_of(write.after, write.type.schema_name).properties
    if "preSharedKeyIsSet" in write.body:
        raise bad_request("Property 'preSharedKeyIsSet' is read-only and cannot be set.")
    if "preSharedKeyIsSet" in properties:
        write.after["preSharedKeyIsSet"] = bool(write.after.get("preSharedKey"))


def hide_keys(view: View) -> None:
    """Keys of networks are written, never read."""
    view.body |= {name: None for name in NEVER_SHOWN if name in view.body}


def plain_text_value(call: Call) -> Answer:
    """getOmaSettingPlainTextValue(secretReferenceValueId='...') of one configuration; whoever only reads is refused."""
    record = call.session.directory.get("deviceConfiguration", call.parameter("id"))
    reference = call.parameter("reference")
    held = record is not None and any(
        each.get("secretReferenceValueId") == reference for each in record.body.get("omaSettings") or []
    )
    if not held:
        raise resource_not_found(reference)
    value = call.session.directory.secret_values[reference]
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#Edm.String", "value": value})


def check_filter(write: Write) -> None:
    rule: Any = write.after.get("rule")
    if not str(rule).strip().startswith("("):
        raise bad_request("The rule of an assignment filter is not a valid expression.", "BadRequest")


def refuse_used_filter(session: Session, record: Record) -> None:
    if any(target.get(FILTER_ID) == record.id for target in targets(session.directory)):
        raise bad_request(
            "The assignment filter is used by an assignment and cannot be deleted.", "BadRequest"
        )


KINDS = (
    *assignable(
        intune_type(
            "deviceConfiguration",
            CONFIGURATIONS,
            CONFIGURATION,
            rules=WriteRules(required=("displayName",)),
            defaults={"supportsScopeTags": True},
            checks=(hide_oma_values, tell_of_key),
            present=hide_keys,
            ordered=ORDERED,
            actions=(
                Action(
                    "GET",
                    "getOmaSettingPlainTextValue(secretReferenceValueId='{reference}')",
                    plain_text_value,
                    CONFIGURATION.write,
                ),
            ),
        ),
        Assigning("deviceConfigurationAssignment", answers=True),
    ),
    intune_type(
        FILTERS,
        "/deviceManagement/assignmentFilters",
        CONFIGURATION,
        rules=WriteRules(
            required=("displayName", "platform", "rule"),
            immutable=frozenset({"platform"}),
            computed=frozenset({"payloads"}),
        ),
        checks=(check_filter,),
        delete_checks=(refuse_used_filter,),
        versions=BETA,
    ),
    intune_type(
        "deviceCategory",
        "/deviceManagement/deviceCategories",
        SERVICE_CONFIG | CONFIGURATION,
        rules=WriteRules(required=("displayName",)),
    ),
)
