"""Directory settings by template: lists of names and texts, one object per template."""

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request, conflict
from lavawall.emulator.model import Audit, EntityType, Permissions, Write
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ: Permissions = (
    "GroupSettings.Read.All",
    "GroupSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
WRITE: Permissions = ("GroupSettings.ReadWrite.All", "Directory.ReadWrite.All")
TEMPLATE = "groupSettingTemplate"
SETTING = "groupSetting"
OF_ONE_GROUP = "08d542b9-071f-4e16-94b0-74abb372e3d9"
GROUPS_OF_TENANT = "62375ab9-6b52-47ed-826b-58e47e0e304b"


def _template(write: Write) -> Record:
    template = write.session.directory.get(TEMPLATE, str(write.after.get("templateId")))
    if template is None:
        raise bad_request(f"The settings template '{write.after.get('templateId')}' does not exist.")
    if (template.id == OF_ONE_GROUP) != bool(write.parent_id):
        raise bad_request(f"The template '{template.name}' does not fit here.")
    return template


def check_setting(write: Write) -> None:
    template = _template(write)
    declared: dict[str, Json] = {each["name"]: each for each in template.body["values"]}
    given = {str(each.get("name")): each.get("value") for each in write.after.get("values") or []}
    unknown = set(given) - set(declared)
    if unknown or len(given) != len(write.after.get("values") or []):
        raise bad_request(f"Values are unknown or repeated: {sorted(unknown) or sorted(given)}.")
    if write.creating:
        _check_first(write, template)
        given = {name: each["defaultValue"] for name, each in declared.items()} | given
    elif set(given) != set(declared):
        raise bad_request(f"Values are missing: {sorted(set(declared) - set(given))}.")
    for name, value in given.items():
        _check_value(name, str(value), declared[name]["type"])
    write.after["values"] = [{"name": name, "value": value} for name, value in given.items()]
    write.after["displayName"] = template.name


def _check_first(write: Write, template: Record) -> None:
    for other in write.session.directory.records[write.type.name].values():
        if (other.body["templateId"], other.parent_id) == (template.id, write.parent_id):
            raise conflict(f"A settings object of the template '{template.name}' exists already.")


def _check_value(name: str, value: str, type_name: str) -> None:
    wrong_flag = type_name == "System.Boolean" and value.lower() not in {"true", "false"}
    if wrong_flag or (type_name == "System.Int32" and not value.lstrip("-").isdecimal()):
        raise bad_request(f"'{value}' is no {type_name} for '{name}'.")


def belongs_to_groups(session: Session, record: Record) -> bool:
    """v1.0 knows the settings of groups only, beta those of every template."""
    template_id = record.body.get("templateId", record.id)
    return session.version == "beta" or template_id in {GROUPS_OF_TENANT, OF_ONE_GROUP}


def _setting(name: str, path: str, parent: str = "", beta_path: str = "") -> EntityType:
    return EntityType(
        name=name,
        schema=SETTING,
        path=path,
        beta_path=beta_path,
        parent=parent,
        read=READ,
        write=WRITE,
        rules=WriteRules(
            writable=frozenset({"templateId"}),
            immutable=frozenset({"templateId"}),
            required=("templateId",),
        ),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="GroupManagement",
            target_type="Directory",
            create="Create group settings",
            update="Update group settings",
            delete="Delete group settings",
        ),
        checks=(check_setting,),
        dates=(),
        repeatable=frozenset({"templateId", "displayName"}),
        visible=belongs_to_groups,
    )


KINDS = (
    EntityType(
        name=TEMPLATE,
        path="/groupSettingTemplates",
        beta_path="/directorySettingTemplates",
        verbs=frozenset({"list", "get"}),
        read=READ,
        dates=(),
    ),
    _setting(SETTING, "/groupSettings", beta_path="/settings"),
    _setting("groupSettingOfOneGroup", "/groups/{parent}/settings", parent="group"),
)
