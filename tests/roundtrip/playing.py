"""The intruder at work: plays the acts of an attack with the writer's application, over HTTPS."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from snapshots.catalog import registry as catalogue
from tenants.connections import onboarding
from tenants.microsoft.client import GraphClient
from tenants.microsoft.request import Request
from tests.rollbacks.conftest import Scene
from tests.roundtrip.model import Act, Case, Json, World


class Player:
    """Plays the attacks of one case in one tenant."""

    def __init__(self, scene: Scene, case: Case) -> None:
        self.scene = scene
        self.case = case
        self.service = catalogue.get(case.key).read.service
        info = scene.cloud.tenants[scene.tenant.name]
        subscriptions = getattr(info, "subscriptions", ())
        self.world = World(self._read, info.directory_id, subscriptions[0] if subscriptions else "")

    @cached_property
    def _reader(self) -> GraphClient:
        return onboarding.open_client(self.scene.tenant, "reader")

    @cached_property
    def _writer(self) -> GraphClient:
        return onboarding.open_client(self.scene.tenant, "writer")

    def prepare(self) -> None:
        """What the case wants done before its tenant is observed."""
        about_subject = any("{" in act.path for act in self.case.given)
        self._send(self.case.given, self.case.subject(self.world) if about_subject else {})

    def play(self, acts: Sequence[Act]) -> None:
        self._send(acts, self.case.subject(self.world))

    def _send(self, acts: Sequence[Act], subject: Json) -> None:
        for act in acts:
            method, path, body = act.prepared(self.world, subject)
            self._writer.send(_request(method, path, body, self._service_of(path)))

    def _read(self, path: str) -> Json:
        service = self._service_of(path)
        found = self._reader.get(path, service=service)
        if "@odata.nextLink" in found or "nextLink" in found:
            found["value"] = list(self._reader.items(path, service=service))
        return found

    def _service_of(self, path: str) -> str:
        is_azure = path.startswith(("/subscriptions/", "/providers/"))
        return "arm" if is_azure else self.service if self.service != "arm" else "directory"


def _request(method: str, path: str, body: Any, service: str) -> Request:
    if isinstance(body, bytes):
        kind = "text/css" if path.endswith("CSS") else "image/png"
        return Request(method, path, service=service).carrying(body, kind)
    return Request(method, path, body=body, service=service)
