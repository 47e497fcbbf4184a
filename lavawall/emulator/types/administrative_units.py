"""Administrative units with their members, and what a restricted one forbids everybody without a role in it."""

from lavawall.emulator import audit
from lavawall.emulator.errors import GraphError, bad_request
from lavawall.emulator.model import Audit, EntityType, Link, Write
from lavawall.emulator.presentation import View
from lavawall.emulator.store import Record, Session
from lavawall.emulator.types import pim
from lavawall.emulator.validation import WriteRules

PATH = "/directory/administrativeUnits"
WRITE = ("AdministrativeUnit.ReadWrite.All",)
READ = ("AdministrativeUnit.Read.All", *WRITE, "Directory.Read.All", "Directory.ReadWrite.All")
VISIBILITIES = (None, "Public", "HiddenMembership")
MEMBERSHIPS = (None, "Assigned", "Dynamic")


def scope_of(unit_id: str) -> str:
    return f"/administrativeUnits/{unit_id}"


def is_dynamic(body: dict[str, object]) -> bool:
    return body.get("membershipType") == "Dynamic"


def check_unit(write: Write) -> None:
    after, before = write.after, write.before or {}
    if after.get("visibility") not in VISIBILITIES:
        raise bad_request(f"Invalid value '{after['visibility']}' for property 'visibility'.")
    hidden = (after.get("visibility") == "HiddenMembership", before.get("visibility") == "HiddenMembership")
    if not write.creating and hidden[0] != hidden[1]:
        raise bad_request("HiddenMembership can only be chosen when the administrative unit is created.")
    if after.get("membershipType") not in MEMBERSHIPS:
        raise bad_request(f"Invalid value '{after['membershipType']}' for property 'membershipType'.")
    if is_dynamic(after) and not after.get("membershipRule"):
        raise bad_request("An administrative unit with dynamic membership needs a membershipRule.")
    if not is_dynamic(after) and after.get("membershipRule"):
        raise bad_request("A membershipRule needs the membershipType Dynamic.")
    if is_dynamic(after) and write.before is not None and not is_dynamic(before):
        write.session.directory.records[write.type.name][before["id"]].links["members"].clear()


def refuse_dynamic(_session: Session, unit: Record, _member: Record) -> None:
    if is_dynamic(unit.body):
        raise bad_request("The members of an administrative unit with dynamic membership follow its rule.")


def restricting_units(session: Session, record: Record) -> list[Record]:
    return [
        unit
        for unit in session.directory.all("administrativeUnit")
        if unit.body.get("isMemberManagementRestricted") and record.id in unit.links["members"]
    ]


def refuse_restricted(session: Session, record: Record) -> None:
    """Members of a restricted unit can be written with a role held in that unit only, whatever else one holds."""
    units = {scope_of(unit.id) for unit in restricting_units(session, record)}
    if not units:
        return
    held = {
        each.body["directoryScopeId"]
        for each in session.directory.all("unifiedRoleAssignment")
        if each.body["principalId"] == session.caller.object_id
    }
    if not units & held:
        raise GraphError(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges: the object is in a restricted management administrative unit.",
        )


def show_restriction(view: View) -> None:
    view.body["isManagementRestricted"] = bool(restricting_units(view.session, view.record)) or None


def dependants(session: Session, unit: Record) -> list[Record]:
    assignments = session.directory.records["unifiedRoleAssignment"].values()
    scoped = [each for each in assignments if each.body["directoryScopeId"] == scope_of(unit.id)]
    return [*scoped, *pim.schedules_of(session, unit)]


KINDS = (
    EntityType(
        name="administrativeUnit",
        path=PATH,
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset({"deletedDateTime"}),
            immutable=frozenset({"isMemberManagementRestricted"}),
            required=("displayName",),
        ),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="AdministrativeUnit",
            target_type="AdministrativeUnit",
            create="Add administrative unit",
            update="Update administrative unit",
            delete="Delete administrative unit",
            restore="Restore administrative unit",
            purge="Hard Delete administrative unit",
        ),
        links=(
            Link(
                name="members",
                targets=("user", "group", "device"),
                added="Add member to administrative unit",
                removed="Remove member from administrative unit",
                category="AdministrativeUnit",
                check_add=refuse_dynamic,
                check_remove=refuse_dynamic,
            ),
        ),
        checks=(check_unit,),
        dependants=dependants,
        recycle="/directory/deletedItems",
        dates=(),
    ),
)
