"""Users, as far as principals need them, and groups with members and owners."""

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request, denied
from lavawall.emulator.model import Audit, EntityType, Link, Write
from lavawall.emulator.permissions import app_permissions, keep_one_administrator
from lavawall.emulator.store import Record, Session
from lavawall.emulator.types import attribute_values, licensing, pim, role_settings
from lavawall.emulator.types.administrative_units import refuse_restricted, show_restriction
from lavawall.emulator.validation import WriteRules

USER_READ = (
    "User.Read.All",
    "User.ReadWrite.All",
    "User.ReadBasic.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
USER_WRITE = ("User.ReadWrite.All", "Directory.ReadWrite.All")
GROUP_READ = (
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
GROUP_WRITE = ("Group.ReadWrite.All", "Directory.ReadWrite.All")
MEMBER_READ = (*GROUP_READ, "GroupMember.ReadWrite.All")
MEMBER_WRITE = ("GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All")
USER_DEFAULTS = frozenset(
    {
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    }
)
GROUP_ON_REQUEST = frozenset(
    {
        "accessType",
        "allowExternalSenders",
        "assignedLicenses",
        "autoSubscribeNewMembers",
        "hasMembersWithLicenseErrors",
        "hideFromAddressLists",
        "hideFromOutlookClients",
        "infoCatalogs",
        "isArchived",
        "isFavorite",
        "isManagementRestricted",
        "isSubscribedByMail",
        "licenseProcessingState",
        "onPremisesExtensionAttributes",
        "organizationId",
        "unseenConversationsCount",
        "unseenCount",
        "unseenMessagesCount",
        "welcomeMessageEnabled",
    }
)


GROUP_MAIL_SETTINGS = frozenset(
    {
        "allowExternalSenders",
        "autoSubscribeNewMembers",
        "hideFromAddressLists",
        "hideFromOutlookClients",
        "isSubscribedByMail",
        "unseenConversationsCount",
        "unseenCount",
        "unseenMessagesCount",
    }
)


def check_labels(write: Write) -> None:
    if write.body.get("assignedLabels") and "Unified" not in (write.after.get("groupTypes") or []):
        raise bad_request("Sensitivity labels are assigned to Microsoft 365 groups only.")


def check_user(write: Write) -> None:
    after = write.after
    other = write.session.directory.by_property("user", "userPrincipalName", after.get("userPrincipalName"))
    if other is not None and other.id != (write.before or {}).get("id"):
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")
    profile = write.body.get("passwordProfile")
    if write.creating and not (profile or {}).get("password"):
        raise bad_request("A password must be specified to create a new user.")


def keep_password(_session: Session, record: Record) -> None:
    """A password can be set and used, never read."""
    profile = record.body.pop("passwordProfile", None) or {}
    if profile.get("password"):
        record.secrets["password"] = profile["password"]


def check_group(write: Write) -> None:
    after = write.after
    kinds = after.get("groupTypes") or []
    dynamic = "DynamicMembership" in kinds
    if after.get("mailEnabled") and "Unified" not in kinds:
        raise bad_request("Mail-enabled security groups and distribution groups cannot be written here.")
    if dynamic and not after.get("membershipRule"):
        raise bad_request("A group with dynamic membership needs a membershipRule.")
    if after.get("isAssignableToRole"):
        if dynamic:
            raise bad_request("A group that can be assigned to roles cannot have dynamic membership.")
        if not after.get("securityEnabled"):
            raise bad_request("A group that can be assigned to roles must be security-enabled.")
        need_role_management(write.session)
    before_kinds = (write.before or {}).get("groupTypes") or []
    if write.before is not None and dynamic and "DynamicMembership" not in before_kinds:
        write.session.directory.records["group"][write.before["id"]].links["members"].clear()


def check_hidden_membership(write: Write) -> None:
    if "HiddenMembership" in {write.after.get("visibility"), (write.before or {}).get("visibility")} and (
        not write.creating and write.after.get("visibility") != (write.before or {}).get("visibility")
    ):
        raise bad_request("HiddenMembership can only be chosen when the group is created.")


def need_role_management(session: Session) -> None:
    """Groups that can hold roles take more than the right to write groups."""
    caller = session.caller
    if caller.kind == "app" and "RoleManagement.ReadWrite.Directory" not in app_permissions(
        session.directory, caller.object_id
    ):
        raise denied()


def check_member(session: Session, group: Record, member: Record) -> None:
    if "DynamicMembership" in (group.body.get("groupTypes") or []):
        raise bad_request("The members of a group with dynamic membership follow its rule.")
    if group.body.get("isAssignableToRole"):
        if member.type_name == "group":
            raise bad_request("A group that can be assigned to roles cannot hold other groups.")
        need_role_management(session)


def check_member_leaves(session: Session, group: Record, member: Record) -> None:
    check_member(session, group, member) if member.type_name != "group" else None


def check_owner_leaves(session: Session, group: Record, owner: Record) -> None:
    users = [each for each in group.links["owners"] if session.directory.get("user", each) is not None]
    if owner.type_name == "user" and len(users) == 1:
        raise bad_request("The last owner of a group who is a user cannot be removed.")


def own_by_creator(session: Session, record: Record) -> None:
    if session.caller.kind == "user":
        record.links["owners"][session.caller.object_id] = None


def role_assignments_of(session: Session, record: Record) -> list[Record]:
    assignments = session.directory.records["unifiedRoleAssignment"].values()
    return [each for each in assignments if each.body["principalId"] == record.id]


def app_role_assignments_of(session: Session, record: Record) -> list[Record]:
    assignments = session.directory.records["appRoleAssignment"].values()
    return [each for each in assignments if each.body["principalId"] == record.id]


def dependants(session: Session, record: Record) -> list[Record]:
    settings = (
        role_settings.stored_policies(session.directory, record.id) if record.type_name == "group" else []
    )
    return [
        *role_assignments_of(session, record),
        *app_role_assignments_of(session, record),
        *pim.schedules_of(session, record),
        *settings,
    ]


def end_membership(session: Session, group: Record, principal_id: str) -> None:
    """Who takes a member out takes its schedule in PIM away with it."""
    _end_schedule(session, group, principal_id, "member")


def end_ownership(session: Session, group: Record, principal_id: str) -> None:
    _end_schedule(session, group, principal_id, "owner")


def _end_schedule(session: Session, group: Record, principal_id: str, access_id: str) -> None:
    body = {"groupId": group.id, "principalId": principal_id, "accessId": access_id}
    pim.forget(session.directory, "privilegedAccessGroupAssignmentSchedule", body, tuple(body))


KINDS = (
    EntityType(
        name="user",
        path="/users",
        read=USER_READ,
        write=USER_WRITE,
        rules=WriteRules(
            computed=frozenset({"deletedDateTime", "isManagementRestricted", "securityIdentifier"}),
            writable=frozenset({"businessPhones", "mobilePhone"}),
            required=(
                "accountEnabled",
                "displayName",
                "mailNickname",
                "userPrincipalName",
                "passwordProfile",
            ),
        ),
        defaults={"userType": "Member"},
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="UserManagement",
            target_type="User",
            create="Add user",
            update="Update user",
            delete="Delete user",
            restore="Restore user",
            purge="Hard Delete user",
        ),
        checks=(check_user, attribute_values.check_attributes),
        property_guards={attribute_values.PROPERTY: attribute_values.GUARD},
        guards=(refuse_restricted,),
        present=show_restriction,
        created=(keep_password,),
        updated=(keep_password,),
        delete_checks=(keep_one_administrator,),
        dependants=dependants,
        recycle="/directory/deletedItems",
        default_select=USER_DEFAULTS,
        id_aliases=("userPrincipalName",),
    ),
    EntityType(
        name="group",
        path="/groups",
        read=GROUP_READ,
        write=GROUP_WRITE,
        rules=WriteRules(
            computed=frozenset(
                {
                    "deletedDateTime",
                    "securityIdentifier",
                    "isManagementRestricted",
                    "hasMembersWithLicenseErrors",
                    "assignedLicenses",
                }
            ),
            immutable=frozenset({"isAssignableToRole", "uniqueName", "resourceBehaviorOptions"}),
            required=("displayName", "mailEnabled", "mailNickname", "securityEnabled"),
            bindable=frozenset({"members", "owners"}),
        ),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="GroupManagement",
            target_type="Group",
            create="Add group",
            update="Update group",
            delete="Delete group",
            restore="Restore Group",
            purge="Hard Delete group",
        ),
        links=(
            Link(
                name="members",
                targets=("user", "group", "servicePrincipal"),
                added="Add member to group",
                removed="Remove member from group",
                category="GroupManagement",
                check_add=check_member,
                check_remove=check_member_leaves,
                after_remove=end_membership,
                read=MEMBER_READ,
                write=MEMBER_WRITE,
            ),
            Link(
                name="owners",
                targets=("user", "servicePrincipal"),
                added="Add owner to group",
                removed="Remove owner from group",
                category="GroupManagement",
                check_remove=check_owner_leaves,
                after_remove=end_ownership,
            ),
        ),
        guards=(refuse_restricted,),
        present=show_restriction,
        checks=(check_group, check_hidden_membership, check_labels),
        created=(own_by_creator,),
        dependants=dependants,
        recycle="/directory/deletedItems",
        actions=(licensing.ACTION,),
        on_request=GROUP_ON_REQUEST,
        single_only=GROUP_MAIL_SETTINGS,
    ),
)
