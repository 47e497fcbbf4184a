"""Intune itself: the settings of the tenant and the log of what was done."""

from lavawall.emulator import registry
from lavawall.emulator.errors import resource_not_found
from lavawall.emulator.licences import INTUNE
from lavawall.emulator.model import Action, EntityType
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Record
from lavawall.emulator.types.intune.core import APPS, CONFIGURATION, SERVICE_CONFIG, intune_type
from lavawall.emulator.validation import WriteRules

SINGLETON = "deviceManagement"
EVENTS = "/deviceManagement/auditEvents"


def _visible(call: Call) -> list[Record]:
    return [
        each
        for each in reversed(call.session.directory.intune_events)
        if each.visible_from <= call.session.now
    ]


def list_events(call: Call) -> Answer:
    return Answer(200, listing(call, registry.kind("auditEvent"), _visible(call), keep_order=True))


def get_event(call: Call) -> Answer:
    for event in _visible(call):
        if event.id == call.parameter("id"):
            return Answer(200, present(call.session, registry.kind("auditEvent"), event, single=True))
    raise resource_not_found(call.parameter("id"))


KINDS = (
    intune_type(
        SINGLETON,
        "/deviceManagement",
        CONFIGURATION | SERVICE_CONFIG,
        rules=WriteRules(computed=frozenset({"maximumDepTokens"})),
        verbs=frozenset({"get", "update"}),
        singleton=SINGLETON,
    ),
    EntityType(
        name="auditEvent",
        path=EVENTS,
        read=APPS.read,
        verbs=frozenset(),
        service="intune",
        licence=INTUNE,
        actions=(
            Action("GET", EVENTS, list_events, APPS.read),
            Action("GET", f"{EVENTS}/{{id}}", get_event, APPS.read),
        ),
    ),
)
