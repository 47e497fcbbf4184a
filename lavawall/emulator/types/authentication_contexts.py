"""Authentication contexts, whose ids c1 to c99 the client chooses, and terms of use."""

import re

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request
from lavawall.emulator.filters import value_at
from lavawall.emulator.licences import ENTRA_P1
from lavawall.emulator.model import Audit, EntityType, Write
from lavawall.emulator.store import Record, Session
from lavawall.emulator.validation import WriteRules

READ = (
    "AuthenticationContext.Read.All",
    "AuthenticationContext.ReadWrite.All",
    "Policy.Read.ConditionalAccess",
)
WRITE = ("AuthenticationContext.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess")
CONTEXT_ID = re.compile(r"^c[1-9][0-9]?$")


def check_context_id(write: Write) -> None:
    if not CONTEXT_ID.match(str(write.after["id"])):
        raise bad_request("The id of an authentication context is one of c1 to c99.", "BadRequest")


def check_context_unused(session: Session, record: Record) -> None:
    if record.body.get("isAvailable"):
        raise bad_request("A published authentication context cannot be deleted.", "BadRequest")
    path = "conditions/applications/includeAuthenticationContextClassReferences"
    policies = session.directory.records["conditionalAccessPolicy"].values()
    if any(record.id in (value_at(policy.body, path) or []) for policy in policies):
        raise bad_request(
            "The authentication context is used by a Conditional Access policy and cannot be deleted.",
            "BadRequest",
        )


def check_agreement_unused(session: Session, record: Record) -> None:
    policies = session.directory.records["conditionalAccessPolicy"].values()
    if any(record.id in (value_at(policy.body, "grantControls/termsOfUse") or []) for policy in policies):
        raise bad_request("The terms of use are required by a Conditional Access policy.", "BadRequest")


KINDS = (
    EntityType(
        name="authenticationContextClassReference",
        path="/identity/conditionalAccess/authenticationContextClassReferences",
        verbs=frozenset({"list", "get", "create", "update", "replace", "delete"}),
        read=READ,
        write=WRITE,
        service="conditionalAccess",
        licence=ENTRA_P1,
        rules=WriteRules(writable=frozenset({"id"}), immutable=frozenset({"id"}), required=("displayName",)),
        defaults={"isAvailable": False},
        audit=Audit(
            service=audit.CONDITIONAL_ACCESS,
            category="Policy",
            target_type="Policy",
            create="Add AuthenticationContextClassReference",
            update="Update AuthenticationContextClassReference",
            delete="Delete AuthenticationContextClassReference",
            whole_value="AuthenticationContextClassReference",
        ),
        checks=(check_context_id,),
        delete_checks=(check_context_unused,),
        dates=(),
        client_key="id",
        upsert=frozenset({"PATCH", "PUT"}),
        repeatable=frozenset({"id"}),
    ),
    EntityType(
        name="agreement",
        path="/identityGovernance/termsOfUse/agreements",
        verbs=frozenset({"list", "get", "update", "delete"}),
        read=("Agreement.Read.All", "Agreement.ReadWrite.All"),
        write=("Agreement.ReadWrite.All",),
        licence=ENTRA_P1,
        delete_checks=(check_agreement_unused,),
        dates=(),
    ),
)
