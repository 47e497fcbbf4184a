"""Values of OMA settings: kept, compared and restored where the reader may read them, and never shown to anybody."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from lavawall.emulator.seed.grants import READER_PERMISSIONS
from rollbacks.models import Rollback
from rollbacks.states import State
from snapshots.models import Version
from snapshots.store import content_store
from tests.rollbacks.conftest import Scene

PROFILES = "/beta/deviceManagement/deviceConfigurations"
KIND = "deviceConfiguration"
TYPE = "#microsoft.graph.windows10CustomConfiguration"
READ_WRITE = "DeviceManagementConfiguration.ReadWrite.All"
GOOD, BAD = "correct horse battery staple", "planted by the intruder"


def profile(value: str) -> dict[str, Any]:
    setting = {
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": "Wi-Fi key",
        "omaUri": "./Vendor/MSFT/WiFi/Profile/Office/WlanXml",
        "value": value,
    }
    return {"@odata.type": TYPE, "displayName": "Office Wi-Fi", "omaSettings": [setting]}


@pytest.fixture
def configured(scene: Scene) -> str:
    made = scene.intrude("POST", PROFILES, profile(GOOD))
    return str(made["id"])


def may_read_secrets(scene: Scene, *more: str) -> None:
    info = scene.cloud.tenants[scene.tenant.name]
    scene.cloud.set_permissions(info.directory_id, info.reader.client_id, [*READER_PERMISSIONS, *more])


def plain_texts(scene: Scene) -> set[str]:
    """The values that Intune would tell of the profile of that name now."""
    info = scene.cloud.tenants[scene.tenant.name]
    directory = scene.cloud.state(info.directory_id)
    found = next(each for each in directory.documents(KIND).values() if each["displayName"] == "Office Wi-Fi")
    return {directory.secret_values[each["secretReferenceValueId"]] for each in found["omaSettings"]}


def state_of(rollback: Rollback) -> str:
    return Rollback.objects.get(pk=rollback.pk).state


def warnings_of(rollback: Rollback) -> str:
    assert rollback.plan is not None
    return " ".join(rollback.plan.warnings)


def stored(scene: Scene, key: str) -> str:
    version = Version.objects.filter(tenant=scene.tenant, resource_type=KIND, resource_id=key).latest("pk")
    return str(content_store.document(scene.tenant, version.digest)["omaSettings"][0]["value"])


def test_a_changed_secret_is_seen_and_restored(scene: Scene, configured: str) -> None:
    may_read_secrets(scene, READ_WRITE)
    scene.observe(KIND)
    scene.intrude("PATCH", f"{PROFILES}/{configured}", profile(BAD))
    (change,) = scene.observe(KIND)
    rollback = scene.approved([change])
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert plain_texts(scene) == {GOOD}
    assert content_store.verify(scene.tenant) == []


def test_a_deleted_profile_comes_back_with_its_secret(scene: Scene, configured: str) -> None:
    may_read_secrets(scene, READ_WRITE)
    scene.observe(KIND)
    scene.intrude("DELETE", f"{PROFILES}/{configured}")
    rollback = scene.approved(scene.observe(KIND))
    assert "enter it again" not in warnings_of(rollback)
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert plain_texts(scene) == {GOOD}


def test_without_the_permission_the_value_is_not_kept_and_the_plan_says_what_it_needs(
    scene: Scene, configured: str
) -> None:
    scene.observe(KIND)
    assert set(stored(scene, configured)) == {"*"}
    scene.intrude("DELETE", f"{PROFILES}/{configured}")
    said = warnings_of(scene.plan(scene.observe(KIND)))
    assert "Wi-Fi key" in said
    assert f"reading it needs {READ_WRITE}" in said


def test_a_permission_that_comes_or_goes_is_no_change(scene: Scene, configured: str) -> None:
    scene.observe(KIND)
    may_read_secrets(scene, READ_WRITE)
    assert scene.observe(KIND) == []
    assert stored(scene, configured).startswith("kept secret ")
    may_read_secrets(scene)
    assert scene.observe(KIND) == []


def test_no_page_no_answer_and_no_file_shows_a_secret(
    scene: Scene, configured: str, client: Client, tmp_path: Any
) -> None:
    may_read_secrets(scene, READ_WRITE)
    scene.observe(KIND)
    scene.intrude("PATCH", f"{PROFILES}/{configured}", profile(BAD))
    (change,) = scene.observe(KIND)
    rollback = scene.plan([change])
    client.force_login(scene.requester)
    addresses = (
        f"/changes/{change.pk}/",
        f"/rollbacks/{rollback.pk}/",
        f"/api/v1/changes/{change.pk}/",
        f"/api/v1/rollbacks/{rollback.pk}/",
        f"/api/v1/resources/{KIND}/{configured}/history/?tenant={scene.tenant.pk}",
    )
    shown = [client.get(each) for each in addresses]
    assert [each.status_code for each in shown] == [200] * len(addresses)
    out, file = io.StringIO(), tmp_path / "snapshot.json"
    call_command("changes", scene.tenant.name, "--json", stdout=out)
    snapshot = str(change.snapshot_id)
    call_command(
        "export", scene.tenant.name, "--snapshot", snapshot, "--out", str(file), stdout=io.StringIO()
    )
    texts = [*(each.content.decode() for each in shown), out.getvalue(), file.read_text()]
    for text in texts:
        assert GOOD not in text
        assert BAD not in text
        assert "kept secret" in text
    assert rollback.plan is not None
    assert GOOD not in json.dumps(rollback.plan.dry_run)
