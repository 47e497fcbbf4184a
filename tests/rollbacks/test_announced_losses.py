"""What a plan said beforehand that it cannot bring back is no difference afterwards; everything else is one."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from rollbacks.execution import verification
from rollbacks.models import Execution, Plan, Rollback
from rollbacks.plans import storage
from rollbacks.states import State
from tenants.trust.append_only import retention_gate
from tests.rollbacks.conftest import Scene

APPLICATIONS = "/v1.0/applications"
DEFINITIONS = "/v1.0/directory/customSecurityAttributeDefinitions"
CONFIGURATIONS = "/v1.0/deviceManagement/deviceConfigurations"
GROUPS, DELETED = "/v1.0/groups", "/v1.0/directory/deletedItems"


def remove_a_secret(scene: Scene) -> None:
    """And rename the application: for the secret alone there would be nothing to write."""
    app = scene.named(APPLICATIONS, "Telematics")
    key = {"keyId": app["passwordCredentials"][0]["keyId"]}
    scene.intrude("POST", f"{APPLICATIONS}/{app['id']}/removePassword", key)
    scene.intrude("PATCH", f"{APPLICATIONS}/{app['id']}", {"displayName": "Telematics (old)"})


def purge_an_application(scene: Scene) -> None:
    app = scene.named(APPLICATIONS, "Telematics")
    scene.intrude("DELETE", f"{APPLICATIONS}/{app['id']}")
    scene.intrude("DELETE", f"{DELETED}/{app['id']}")


def plant_an_attribute(scene: Scene) -> None:
    body = {
        "attributeSet": "Access",
        "name": "Planted",
        "status": "Available",
        "type": "String",
        "isCollection": False,
        "isSearchable": True,
        "usePreDefinedValuesOnly": False,
    }
    scene.intrude("POST", DEFINITIONS, body)


def plant_an_allowed_value(scene: Scene) -> None:
    path = f"{DEFINITIONS}/Access_Clearance/allowedValues"
    scene.intrude("POST", path, {"id": "Planted", "isActive": True})


def delete_a_profile_with_secrets(scene: Scene) -> None:
    profile = scene.named(CONFIGURATIONS, "Windows custom")
    scene.intrude("DELETE", f"{CONFIGURATIONS}/{profile['id']}")


LOSSES: dict[str, tuple[Callable[[Scene], None], str, set[str]]] = {
    "a removed secret": (remove_a_secret, "application", {"passwordCredentials"}),
    "secrets of a purged application": (
        purge_an_application,
        "application",
        {"passwordCredentials", "appId"},
    ),
    "a definition that is only retired": (plant_an_attribute, "customSecurityAttributeDefinition", {""}),
    "a value that is only retired": (
        plant_an_allowed_value,
        "customSecurityAttributeDefinition",
        {"allowedValues"},
    ),
    "masked values of a profile": (
        delete_a_profile_with_secrets,
        "deviceConfiguration",
        {"omaSettings[].value"},
    ),
}


def struck(scene: Scene, name: str) -> Rollback:
    act, kind, _ = LOSSES[name]
    scene.observe(kind)
    act(scene)
    return scene.approved(scene.observe(kind))


@pytest.mark.parametrize("name", LOSSES)
def test_what_the_plan_announced_as_lost_is_verified_and_listed(scene: Scene, name: str) -> None:
    done = scene.execute(struck(scene, name))
    paths = LOSSES[name][2]
    assert (done.outcome, done.verification["differs"]) == (State.VERIFIED, [])
    assert {loss["path"] for loss in done.verification["losses"]} == paths
    assert f"with {len(paths)} announced loss" in done.message


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Somebody acts between the last step and the verification."""
    verify = verification.verify

    def after_somebody(*args: Any) -> Any:
        act()
        return verify(*args)

    monkeypatch.setattr(verification, "verify", after_somebody)


@pytest.mark.parametrize("name", ["a removed secret", "secrets of a purged application"])
def test_a_secret_that_somebody_added_meanwhile_is_no_announced_loss(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rollback = struck(scene, name)

    def plant() -> None:
        app = scene.named(APPLICATIONS, "Telematics")
        body = {"passwordCredential": {"displayName": "planted"}}
        scene.intrude("POST", f"{APPLICATIONS}/{app['id']}/addPassword", body)

    meanwhile(monkeypatch, plant)
    done = scene.execute(rollback)
    assert done.outcome == State.DIFFERS
    (differs,) = done.verification["differs"]
    assert {field.split("[")[0] for field in differs["fields"]} == {"passwordCredentials"}


def test_a_retired_definition_that_somebody_put_into_use_again_differs(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = struck(scene, "a definition that is only retired")
    meanwhile(
        monkeypatch,
        lambda: scene.intrude("PATCH", f"{DEFINITIONS}/Access_Planted", {"status": "Available"}),
    )
    assert scene.execute(rollback).outcome == State.DIFFERS


def test_the_approvers_sign_the_announced_losses(scene: Scene) -> None:
    plan = struck(scene, "a removed secret").plan
    assert plan is not None
    storage.check(plan)
    more = [*(plan.losses or ()), {**(plan.losses or [{}])[0], "path": "displayName", "items": []}]
    with retention_gate("a test"):
        Plan.objects.filter(pk=plan.pk).update(losses=more)
    with pytest.raises(storage.Altered):
        storage.check(Plan.objects.get(pk=plan.pk))


def test_the_command_succeeds_and_lists_the_announced_losses(scene: Scene) -> None:
    rollback = struck(scene, "a removed secret")
    reported = io.StringIO()
    call_command("execute", rollback.pk, "--as", scene.engineer.username, stdout=reported)
    assert "with 1 announced loss" in reported.getvalue()
    assert "passwordCredentials" in reported.getvalue()
    assert Execution.objects.get().outcome == State.VERIFIED


def test_page_and_api_list_the_announced_losses(scene: Scene, client: Client) -> None:
    rollback = struck(scene, "a removed secret")
    scene.execute(rollback)
    client.force_login(scene.engineer)
    page = client.get(reverse("rollback", args=[rollback.pk])).text
    assert "Announced losses" in page
    assert "Deployment pipeline" in page
    reported = client.get(f"/api/v1/rollbacks/{rollback.pk}/").json()
    (loss,) = reported["losses"]
    assert (reported["state"], loss["path"]) == ("verified", "passwordCredentials")
    assert reported["execution"]["verification"]["losses"] == [loss]
