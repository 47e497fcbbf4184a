"""Compared loosely, kept and written exactly: what Microsoft spells otherwise than documents do is remembered."""

import base64
import copy
import pickle
import plistlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from changes.detection import detect
from changes.models import Change
from rollbacks.planning.bodies import create_body, update_body
from snapshots import catalog
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.canonical.spelling import original
from snapshots.catalog import registry
from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import Document, NormaliseRaw, ResourceType
from snapshots.collection import capture
from snapshots.store import content_store
from tenants.models import Tenant
from tests.factories.snapshots import State, collected, take
from tests.factories.tenants import TenantFactory
from tests.strategies import json_objects

RULE = catalog.get("unifiedRoleManagementPolicyRule")
NETWORK = catalog.get("networkSecurityGroup")
VAULT = catalog.get("keyVault")
PROFILE = catalog.get("deviceConfiguration")
POLICY = catalog.get("conditionalAccessPolicy")
TYPES = st.sampled_from([spec for spec in catalog.all_types() if spec.comparison.quirk(NormaliseRaw) is None])
ENABLEMENT = "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule"
PAYLOAD = base64.b64encode(
    b"<?xml version='1.0'?>\n<!-- made by hand -->\n<plist version='1.0'><dict>"
    b"<key>PayloadType</key><string>Configuration</string></dict></plist>"
).decode()
SAME_PAYLOAD = base64.b64encode(plistlib.dumps({"PayloadType": "Configuration"})).decode()
GROUP = (
    "/subscriptions/0B1C2D3E-1111-4222-8333-444455556666/resourceGroups/RG-Web/providers/Microsoft.Network"
)

RAW: dict[str, tuple[ResourceType, Document, Document]] = {
    "words of an enumeration": (
        RULE,
        {
            "@odata.type": ENABLEMENT,
            "target": {"operations": ["All"]},
        },
        {
            "@odata.type": ENABLEMENT,
            "target": {"operations": ["all"]},
        },
    ),
    "letter case of guids": (
        POLICY,
        {
            "conditions": {
                "users": {"excludeUsers": ["B7E1C2D3-1111-4222-8333-444455556666", "GuestsOrExternalUsers"]}
            }
        },
        {
            "conditions": {
                "users": {"excludeUsers": ["GuestsOrExternalUsers", "b7e1c2d3-1111-4222-8333-444455556666"]}
            }
        },
    ),
    "ids of Azure": (
        NETWORK,
        {
            "name": "web",
            "location": "West Europe",
            "properties": {
                "securityRules": [
                    {
                        "name": "Web",
                        "properties": {
                            "access": "allow",
                            "protocol": "TCP",
                            "sourceApplicationSecurityGroups": [
                                {"id": f"{GROUP}/applicationSecurityGroups/Web"}
                            ],
                        },
                    }
                ]
            },
        },
        {
            "name": "web",
            "location": "westeurope",
            "properties": {
                "securityRules": [
                    {
                        "name": "Web",
                        "properties": {
                            "access": "Allow",
                            "protocol": "Tcp",
                            "sourceApplicationSecurityGroups": [
                                {"id": f"{GROUP}/applicationSecurityGroups/Web".lower()}
                            ],
                        },
                    }
                ]
            },
        },
    ),
    "permissions on a vault": (
        VAULT,
        {
            "name": "v",
            "properties": {
                "sku": {"name": "Standard"},
                "accessPolicies": [{"permissions": {"keys": ["Get"]}}],
            },
        },
        {
            "name": "v",
            "properties": {
                "sku": {"name": "standard"},
                "accessPolicies": [{"permissions": {"keys": ["get"]}}],
            },
        },
    ),
    "a property list": (PROFILE, {"payload": PAYLOAD}, {"payload": SAME_PAYLOAD}),
}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not key.endswith(ODATA_TYPE):
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@pytest.fixture
def tenant(db: None) -> Tenant:
    found: Tenant = TenantFactory()
    return found


@given(TYPES, json_objects())
def test_no_text_is_written_that_was_not_read(spec: ResourceType, raw: Document) -> None:
    """Whatever the comparison makes of a text: what would be sent of it is what Microsoft said."""
    document = canonicalise(raw, spec)
    assert set(texts(original(document))) <= set(texts(raw))
    assert original(canonicalise(document, spec)) == original(document)


@pytest.mark.parametrize(("spec", "raw", "other_spelling"), RAW.values(), ids=RAW.keys())
def test_two_spellings_are_one_state_and_each_is_written_as_it_was_read(
    spec: ResourceType, raw: Document, other_spelling: Document
) -> None:
    one, other = canonicalise(raw, spec), canonicalise(other_spelling, spec)
    assert canonical_bytes(one) == canonical_bytes(other)
    for document, said in ((one, raw), (other, other_spelling)):
        known = {*texts(said), *texts(list(spec.comparison.defaults.values()))}
        assert set(texts(original(create_body(spec, document)))) <= known
        names = tuple(name for name in document if spec.writes(name))
        assert set(texts(original(update_body(spec, {}, document, names)))) <= known


def test_the_store_gives_the_spelling_back_and_no_digest_depends_on_it(tenant: Tenant) -> None:
    for spec, raw, other_spelling in RAW.values():
        document = canonicalise(raw, spec)
        first, second = content_store.put(
            tenant, [(spec, document), (spec, canonicalise(other_spelling, spec))]
        )
        assert first == second
        found = content_store.document(tenant, first)
        assert canonical_bytes(found) == canonical_bytes(document)
        assert original(found) == original(document)
    assert content_store.verify(tenant) == []


def test_a_document_in_pieces_keeps_its_spelling(tenant: Tenant) -> None:
    spec = catalog.get("group")
    members = [{"id": f"AAAAAAAA-1111-4222-8333-{number:012d}"} for number in range(300)]
    document = canonicalise({"displayName": "Large", "members": members}, spec)
    (digest,) = content_store.put(tenant, [(spec, document)])
    assert original(content_store.document(tenant, digest)) == original(document)
    assert {each["id"][:8] for each in original(document)["members"]} == {"AAAAAAAA"}
    assert content_store.verify(tenant) == []


def test_a_spelling_survives_copies() -> None:
    document = canonicalise(RAW["words of an enumeration"][1], RULE)
    for copied in (copy.deepcopy(document), pickle.loads(pickle.dumps(document))):  # noqa: S301
        assert original(copied) == original(document)


def test_an_upgrade_from_documents_without_spelling_shows_no_change(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version stored has the compared form only, and nothing of what it did not read."""
    state: State = {spec.key: {"x": raw} for spec, raw, _ in RAW.values()}
    with monkeypatch.context() as before:
        old = tuple(
            replace(spec, comparison=replace(spec.comparison, version=1)) for spec in registry.all_types()
        )
        before.setattr(registry, "_declared", lambda: old)
        before.setattr(registry, "_by_key", lambda: {each.key: each for each in old})
        before.setattr(content_store, "_spelling_of", lambda _document: b"")
        take(tenant, state)
    seen = {**state, POLICY.key: {"x": {**state[POLICY.key]["x"], **_only_at_beta()}}}
    changes, gathered = _detected(tenant, seen)
    assert changes == []
    for spec, raw, _ in RAW.values():
        digest, _name = gathered.states[(spec.key, "x")]
        assert set(texts(original(content_store.document(tenant, digest)))) <= {
            *texts(raw),
            *texts(_only_at_beta()),
        }
    assert content_store.verify(tenant) == []


def test_what_beta_shows_is_a_change_from_then_on(tenant: Tenant) -> None:
    take(tenant, {POLICY.key: {"x": {"displayName": "Agents", "state": "enabled", **_only_at_beta()}}})
    weaker = {"displayName": "Agents", "state": "enabled", "conditions": {"agentIdRiskLevels": "low"}}
    changes, _ = _detected(tenant, {POLICY.key: {"x": weaker}})
    assert [change.kind for change in changes] == [Change.Kind.UPDATED]


def _only_at_beta() -> Document:
    return {
        "conditions": {
            "users": {"excludeUsers": ["B7E1C2D3-1111-4222-8333-444455556666", "GuestsOrExternalUsers"]},
            "agentIdRiskLevels": "medium,high",
            "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
        }
    }


def _detected(tenant: Tenant, state: State) -> tuple[list[Change], capture.Collected]:
    gathered = collected(tenant, state)
    with transaction.atomic():
        return detect.detect(capture.seal(gathered, requested_by="test")), gathered
