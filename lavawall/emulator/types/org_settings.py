"""Settings of Microsoft 365 for the whole organisation. Their changes do not show in the directory audit."""

import re
from collections.abc import Callable

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, VERSIONS, EntityType, Permissions, Write
from lavawall.emulator.validation import WriteRules

RETENTION_DAYS = range(30, 3651)
CARD_PROPERTY = re.compile(
    r"^(userPrincipalName|fax|streetAddress|postalCode|stateOrProvince|alias|customAttribute([1-9]|1[0-5]))$",
    re.IGNORECASE,
)


def check_sharing(write: Write) -> None:
    days = write.after.get("deletedUserPersonalSiteRetentionPeriodInDays")
    if days is not None and days not in RETENTION_DAYS:
        raise bad_request("Personal sites of deleted users are kept between 30 and 3650 days.", "BadRequest")


def check_group(write: Write) -> None:
    group = write.after.get("disabledForGroup")
    if group and write.session.directory.get("group", str(group)) is None:
        raise bad_request(f"The group '{group}' does not exist.", "BadRequest")


def check_card_property(write: Write) -> None:
    name, annotations = str(write.after["directoryPropertyName"]), write.after.get("annotations") or []
    if not CARD_PROPERTY.match(name):
        raise bad_request(f"'{name}' cannot be shown on profile cards.", "BadRequest")
    if name.lower().startswith("customattribute") and not any(
        each.get("displayName") for each in annotations
    ):
        raise bad_request("A custom attribute needs an annotation with its display name.", "BadRequest")


def permissions(name: str) -> tuple[Permissions, Permissions]:
    """Those to read and those to write of a family of settings."""
    write = f"{name}.ReadWrite.All"
    return (f"{name}.Read.All", write), (write,)


def _settings(
    name: str,
    path: str,
    family: str,
    *,
    versions: frozenset[str] = VERSIONS,
    rules: WriteRules | None = None,
    shows_update: bool = False,
    check: tuple[Callable[[Write], None], ...] = (),
) -> EntityType:
    read, write = permissions(family)
    return EntityType(
        name=name,
        path=path,
        singleton=name,
        verbs=frozenset({"get", "update"}),
        read=read,
        write=write,
        rules=rules or WriteRules(),
        checks=check,
        dates=(),
        versions=versions,
        shows_update=shows_update,
        on_request=frozenset({"id"}),
    )


_PEOPLE_READ, _PEOPLE_WRITE = permissions("PeopleSettings")
_SYNC_READ, _SYNC_WRITE = permissions("OnPremDirectorySynchronization")

KINDS = (
    _settings(
        "sharepointSettings",
        "/admin/sharepoint/settings",
        "SharePointTenantSettings",
        rules=WriteRules(computed=frozenset({"availableManagedPathsForSiteCreation"})),
        shows_update=True,
        check=(check_sharing,),
    ),
    _settings("adminForms", "/admin/forms", "OrgSettings-Forms", versions=BETA),
    _settings("adminTodo", "/admin/todo", "OrgSettings-Todo", versions=BETA),
    _settings("adminAppsAndServices", "/admin/appsAndServices", "OrgSettings-AppsAndServices", versions=BETA),
    _settings("adminDynamics", "/admin/dynamics", "OrgSettings-DynamicsVoice", versions=BETA),
    _settings(
        "m365AppsInstallationOptions",
        "/admin/microsoft365Apps/installationOptions",
        "OrgSettings-Microsoft365Install",
    ),
    _settings("adminReportSettings", "/admin/reportSettings", "ReportSettings"),
    _settings("pronounsSettings", "/admin/people/pronouns", "PeopleSettings", shows_update=True),
    _settings(
        "insightsSettings",
        "/admin/people/itemInsights",
        "PeopleSettings",
        shows_update=True,
        check=(check_group,),
    ),
    _settings(
        "namePronunciationSettings", "/admin/people/namePronunciation", "PeopleSettings", shows_update=True
    ),
    _settings(
        "photoUpdateSettings", "/admin/people/photoUpdateSettings", "PeopleSettings", shows_update=True
    ),
    EntityType(
        name="profileCardProperty",
        path="/admin/people/profileCardProperties",
        read=_PEOPLE_READ,
        write=_PEOPLE_WRITE,
        rules=WriteRules(immutable=frozenset({"directoryPropertyName"})),
        checks=(check_card_property,),
        dates=(),
        client_key="directoryPropertyName",
        repeatable=frozenset({"directoryPropertyName"}),
        shows_update=True,
        on_request=frozenset({"id"}),
    ),
    EntityType(
        name="onPremisesDirectorySynchronization",
        path="/directory/onPremisesSynchronization",
        verbs=frozenset({"list", "get", "update"}),
        read=_SYNC_READ,
        write=_SYNC_WRITE,
        dates=(),
        merged=frozenset({"configuration", "features"}),
    ),
)
