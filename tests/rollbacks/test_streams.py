"""Plans that write images: what the approver sees of them, and what cannot be put back."""

import base64
from contextlib import closing

from rollbacks import selectors
from tenants.connections import onboarding
from tenants.microsoft.request import Request
from tests.rollbacks.conftest import Scene

APPLICATIONS = "/v1.0/applications"
OURS, PLANTED = b"\x89PNG\r\n\x1a\n ours", b"\xff\xd8\xff planted"


def paint(scene: Scene, content: bytes) -> str:
    application = scene.named(APPLICATIONS, "Route Planner")["id"]
    with closing(onboarding.open_client(scene.tenant, "writer")) as client:
        client.send(Request("PUT", f"{APPLICATIONS}/{application}/logo").carrying(content, "image/png"))
    return str(application)


def test_an_approver_sees_which_image_is_put_back_and_no_wall_of_bytes(scene: Scene) -> None:
    paint(scene, OURS)
    scene.observe("application")
    paint(scene, PLANTED)
    (step,) = selectors.as_json(scene.plan(scene.observe("application")))["steps"]
    (request,) = step["requests"]
    (field,) = step["fields"]
    assert (request["method"], request["body"]) == ("PUT", field["after"])
    assert field["before"].startswith("image/jpeg, 1 KB, sha256 ")
    assert field["after"].startswith("image/png, 1 KB, sha256 ")
    assert base64.b64encode(OURS).decode() not in str(step)


def test_an_image_that_was_not_kept_is_left_and_the_plan_says_so(scene: Scene) -> None:
    paint(scene, OURS)
    scene.cloud.faults.add("answer", path="/logo$", status=403)
    scene.observe("application")
    application = paint(scene, PLANTED)
    shown = selectors.as_json(scene.plan(scene.observe("application")))
    assert shown["steps"] == []
    assert any("logo cannot be restored" in warning for warning in shown["warnings"])
    with closing(onboarding.open_client(scene.tenant, "reader")) as client:
        assert client.get_bytes(f"{APPLICATIONS}/{application}/logo") == PLANTED
