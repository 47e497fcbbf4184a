"""Images and style sheets: what a document holds of them, and how they are read."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from lavawall.emulator import Emulator
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.stream_values import LARGEST, content_of, described, stored_value
from snapshots.collection.type_reading import read_type
from snapshots.recoverability.verdicts import lost_in_place
from tenants.connections.onboarding import open_client
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import Throttled
from tenants.microsoft.request import Request
from tenants.models import Tenant
from tests.factories.cloud import onboarded

APPLICATION = registry.get("application")
BRANDING = registry.get("organizationalBranding")
LOGO = APPLICATION.streams[0]
STYLE = next(stream for stream in BRANDING.streams if stream.name == "customCSS")
PNG = b"\x89PNG\r\n\x1a\n one"


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


@pytest.fixture
def client(tenant: Tenant) -> Iterator[GraphClient]:
    with closing(open_client(tenant, "reader")) as client:
        yield client


@pytest.fixture
def painted(tenant: Tenant, client: GraphClient) -> str:
    """The id of an application with a logo."""
    application = str(next(client.items("/v1.0/applications"))["id"])
    with closing(open_client(tenant, "writer")) as writer:
        writer.send(Request("PUT", f"/v1.0/applications/{application}/logo").carrying(PNG, "image/png"))
    return application


def _logos(client: GraphClient) -> dict[str, Any]:
    return {each.resource_id: each.document.get("logo") for each in read_type(client, APPLICATION)}


@pytest.mark.parametrize(
    ("stream", "content", "kind"),
    [
        (LOGO, PNG, "image/png"),
        (LOGO, b"\xff\xd8\xff\xe0", "image/jpeg"),
        (LOGO, b"<svg/>", "image/*"),
        (STYLE, b"body {}", "text/css"),
    ],
)
def test_a_document_gives_back_the_bytes_with_the_type_that_they_tell(
    stream: Any, content: bytes, kind: str
) -> None:
    value = stored_value(stream, content)
    assert content_of(value) == (content, kind)
    assert canonicalise({stream.name: value}, BRANDING if stream is STYLE else APPLICATION) == {
        stream.name: value
    }


def test_what_is_too_large_is_known_by_its_digest_and_told_as_lost() -> None:
    one, other = (stored_value(LOGO, content * (LARGEST + 1)) for content in (b"a", b"b"))
    assert one != other
    assert content_of(one) is None
    assert [lost.path for lost in lost_in_place(APPLICATION, {"logo": one})] == ["logo"]
    assert not list(lost_in_place(APPLICATION, {"logo": stored_value(LOGO, PNG)}))


def test_people_see_type_size_and_digest_of_an_image() -> None:
    shown = described({"displayName": "A", "logo": stored_value(LOGO, PNG + b"." * 2000)}, APPLICATION) or {}
    assert shown["displayName"] == "A"
    assert shown["logo"].startswith("image/png, 2 KB, sha256 ")
    assert len(shown["logo"]) < 100


def test_only_the_image_that_is_there_is_asked_for(
    emulator: Emulator, client: GraphClient, painted: str
) -> None:
    emulator.requests.clear()
    found = _logos(client)
    assert found.pop(painted) == stored_value(LOGO, PNG)
    assert set(found.values()) == {None}
    assert [each.path for each in emulator.requests if each.path.endswith("/logo")] == [
        f"/v1.0/applications/{painted}/logo"
    ]


def test_an_image_that_is_not_given_out_is_said_and_leaves_no_application_unread(
    emulator: Emulator, client: GraphClient, painted: str
) -> None:
    emulator.faults.add("answer", path="/logo$", status=403)
    found = _logos(client)
    assert len(found) > 1
    assert found[painted] == "not kept: Microsoft does not give it out"


def test_a_throttled_tenant_is_no_sign_that_an_image_is_gone(
    emulator: Emulator, client: GraphClient, painted: str
) -> None:
    emulator.faults.add("answer", path="/logo$", status=429, times=99, headers={"Retry-After": "9999"})
    with pytest.raises(Throttled):
        _logos(client)


def test_what_a_language_shows_of_the_default_branding_is_not_its_own() -> None:
    spec = registry.get("organizationalBrandingLocalization")
    square = next(stream for stream in spec.streams if stream.name == "squareLogo")
    assert square.present({"squareLogoRelativeUrl": "c1/logintenantbranding/1036/tilelogo?ts=1"})
    assert not square.present({"squareLogoRelativeUrl": "c1/logintenantbranding/0/tilelogo?ts=1"})
    assert not square.present({"squareLogoRelativeUrl": None})
