"""Licences of groups, which have an action of their own."""

from typing import Any

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import Action
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Directory, Json

WRITE = ("LicenseAssignment.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All")


def assign_license(call: Call) -> Answer:
    """Adds, changes and removes licences in one request; both lists are required, empty ones too."""
    session, kind = call.session, registry.kind("group")
    record = entities.find(session, kind, call.parameter("id"))
    body: Any = call.json()
    added, removed = _list(body, "addLicenses"), _list(body, "removeLicenses")
    if not record.body.get("securityEnabled"):
        raise bad_request("Licences are assigned to security-enabled groups only.")
    before = record.body.get("assignedLicenses") or []
    assigned = {each["skuId"]: each for each in before}
    unassigned = [sku for sku in removed if sku not in assigned]
    if unassigned:
        raise bad_request(f"Licences to remove are not assigned: {unassigned}.")
    for licence in added:
        assigned[licence.get("skuId")] = _checked(session.directory, licence)
    record.body["assignedLicenses"] = [each for sku, each in assigned.items() if sku not in removed]
    changes = [audit.property_change("AssignedLicenses", before, record.body["assignedLicenses"])]
    audit.write(
        session,
        "Set group license",
        service=audit.CORE_DIRECTORY,
        category="GroupManagement",
        operation="Update",
        targets=[audit.target(record, changes)],
    )
    return Answer(202, present(session, kind, record, single=True))


def _list(body: Any, name: str) -> list[Any]:
    found = body.get(name) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise bad_request(f"'{name}' is required.")
    return found


def _checked(directory: Directory, licence: Json) -> Json:
    sku = directory.by_property("subscribedSku", "skuId", licence.get("skuId"))
    if sku is None:
        raise bad_request(f"The tenant has no licence '{licence.get('skuId')}'.")
    plans = {each["servicePlanId"] for each in sku.body["servicePlans"]}
    disabled = list(licence.get("disabledPlans") or [])
    if not plans.issuperset(disabled):
        raise bad_request(f"The licence does not hold all of the plans to disable: {disabled}.")
    return {"skuId": sku.body["skuId"], "disabledPlans": disabled}


ACTION = Action("POST", "assignLicense", assign_license, WRITE)
