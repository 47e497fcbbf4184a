"""Known devices: a signed cookie that a browser gets when somebody signs in with it. It opens nothing; it only keeps
other people's failures from counting against this browser.
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

LIFE_SECONDS = 180 * 24 * 3600
MOST_PEOPLE = 8
"""Who share a browser."""
SALT = "lavawall.known-device"


def known(request: HttpRequest, username: str) -> str:
    """The device's name for this account, or nothing."""
    number = _devices(request).get(username)
    return f"device {number}" if number else ""


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Called when the person has signed in."""
    devices = _devices(request)
    number = devices.pop(username, "") or secrets.token_urlsafe(16)
    newest = dict([*devices.items(), (username, number)][-MOST_PEOPLE:])
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        signing.dumps(newest, salt=SALT),
        max_age=LIFE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _devices(request: HttpRequest) -> dict[str, str]:
    try:
        devices = signing.loads(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=LIFE_SECONDS
        )
    except signing.BadSignature:
        return {}
    return devices if isinstance(devices, dict) else {}
