"""The vocabulary in which a resource type is declared, once, as frozen data.

Collection, canonical form, diff, planning, permission lists and the docs table interpret these values;
nothing here does anything by itself, and nothing here knows Django, the network or the clock.

There is one module for each question that a reader asks: how a type is listed (`listing`, `parts`), identified,
compared, created, updated, deleted, undeleted, ordered in a plan and guarded. What few types need is a quirk: see
`values`.

Paths into a document are dotted; `[]` steps into every element of a list and `*` matches any one key:
`conditions.users.includeUsers`, `appRoles[].id`, `grantControls.*`. In paths of references `**` matches any number of
keys and elements: `settings[].settingInstance.**.simpleSettingValue.value`.
"""

from snapshots.catalog.spec.access import AuditHints, AuditLog, Permissions
from snapshots.catalog.spec.comparison import (
    AppendedByPolicy,
    Comparison,
    Defaults,
    NormaliseRaw,
    SetOf,
    TypedValues,
)
from snapshots.catalog.spec.creation import AfterCreate, AutoCreatedWith, Create, NamedLater
from snapshots.catalog.spec.deletion import Delete, EmptiedFirst, PreparedWith, ResetsToDefault, Retired
from snapshots.catalog.spec.guards import EndsByItself, Guard, Guards, Irreplaceable, Loss, NeverDeleted
from snapshots.catalog.spec.identity import GraphEntity, Identity, PrincipalIdentity
from snapshots.catalog.spec.listing import (
    AlsoListedAt,
    DerivedFrom,
    Headers,
    Nested,
    OnePerParent,
    Read,
    RepeatsId,
    Secret,
    Stream,
)
from snapshots.catalog.spec.order import Order, RankWithinType, WrittenFirst, WrittenLast
from snapshots.catalog.spec.parts import ChosenKeys, Inner, OnlyWhen, Part, ReplacedElements, RetiredElements
from snapshots.catalog.spec.references import Reference
from snapshots.catalog.spec.resource_type import EVERYTHING, ResourceType, Restore
from snapshots.catalog.spec.undelete import Undelete
from snapshots.catalog.spec.update import (
    Action,
    ElementRemoval,
    MovedByNeighbours,
    RepeatsLive,
    Staged,
    SwitchedOffFirst,
    Update,
)
from snapshots.catalog.spec.values import AZURE_ID, GUID, Document, Quirk, Service, display_name

__all__ = [
    "AZURE_ID",
    "EVERYTHING",
    "GUID",
    "Action",
    "AfterCreate",
    "AlsoListedAt",
    "AppendedByPolicy",
    "AuditHints",
    "AuditLog",
    "AutoCreatedWith",
    "ChosenKeys",
    "Comparison",
    "Create",
    "Defaults",
    "Delete",
    "DerivedFrom",
    "Document",
    "ElementRemoval",
    "EmptiedFirst",
    "EndsByItself",
    "GraphEntity",
    "Guard",
    "Guards",
    "Headers",
    "Identity",
    "Inner",
    "Irreplaceable",
    "Loss",
    "MovedByNeighbours",
    "NamedLater",
    "Nested",
    "NeverDeleted",
    "NormaliseRaw",
    "OnePerParent",
    "OnlyWhen",
    "Order",
    "Part",
    "Permissions",
    "PreparedWith",
    "PrincipalIdentity",
    "Quirk",
    "RankWithinType",
    "Read",
    "Reference",
    "RepeatsId",
    "RepeatsLive",
    "ReplacedElements",
    "ResetsToDefault",
    "ResourceType",
    "Restore",
    "Retired",
    "RetiredElements",
    "Secret",
    "Service",
    "SetOf",
    "Staged",
    "Stream",
    "SwitchedOffFirst",
    "TypedValues",
    "Undelete",
    "Update",
    "WrittenFirst",
    "WrittenLast",
    "display_name",
]
