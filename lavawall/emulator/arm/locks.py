"""Management locks: what they forbid at their scope and below."""

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import ArmError, bad_request
from lavawall.emulator.arm.ids import covers
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite
from lavawall.emulator.arm.state import AzureTenant, Resource
from lavawall.emulator.requests import Answer

LOCKS = "Microsoft.Authorization/locks"
LEVELS = ("CanNotDelete", "ReadOnly")


def scope_of(lock: Resource) -> str:
    return lock.id[: lock.id.lower().rindex(f"/providers/{LOCKS}/".lower())]


def refuse_locked(azure: AzureTenant, method: str, identifier: str) -> None:
    """409 for what a lock at or above the id forbids; locks do not stand in the way of locks."""
    forbidding = LEVELS if method == "DELETE" else LEVELS[1:]
    found = [
        scope_of(lock)
        for lock in azure.all(LOCKS)
        if lock.properties["level"] in forbidding and covers(scope_of(lock), identifier)
    ]
    if found:
        verb = "delete" if method == "DELETE" else "write"
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{identifier}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{','.join(found)}'. Please remove the lock and try again.",
        )


def check_lock(write: ArmWrite) -> None:
    level = write.after.properties.get("level")
    if level not in LEVELS:
        raise bad_request(f"The lock level '{level}' is not one of {', '.join(LEVELS)}.", "InvalidLockLevel")


def list_locks(call: ArmCall) -> Answer:
    """The locks at the scope and below it; with atScope() those that act on the scope: at it and above."""
    scope = call.target.scope
    if call.query.get("$filter", "").replace(" ", "").lower() == "atscope()":
        found = [each for each in call.azure.all(LOCKS) if covers(scope_of(each), scope)]
    else:
        found = list(call.azure.all(LOCKS, scope))
    return resources.page(call, found)


TYPES = (
    ArmType(
        name=LOCKS,
        versions=("2016-09-01", "2017-04-01", "2020-05-01"),
        handlers={**resources.CRUD, "list": list_locks},
        writable=frozenset({"level", "notes", "owners"}),
        check=check_lock,
    ),
)
