"""Slows down guessing of passwords: by account and address, by address alone, and by account alone.

A browser in which the person has signed in before is a known device: it is judged by its own failures only, so that
nobody elsewhere can lock the person out. django-axes counts and refuses; this module says what is counted together, and
tells the ledger. Names that belong to no account are kept as digests: people type passwords into the name field.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tenants.accounts import devices, sign_in_log
from tenants.models import User

IPV6_SITE = 64
"""One IPv6 customer owns at least this prefix: its addresses are one address to us."""


@dataclass(frozen=True)
class Limit:
    """How many failures within the cool-off time close the door, counted over rows that share these columns."""

    columns: tuple[str, ...]
    failures: int


LIMITS = (Limit(("username", "ip_address"), 8), Limit(("ip_address",), 30), Limit(("username",), 50))
KNOWN_DEVICE = Limit(("username", "user_agent"), 8)


def client_address(request: HttpRequest) -> str:
    """The client's address, as the outermost trusted proxy saw it; an IPv6 address as its /64.

    Each of the settings.PROXIES proxies appends the address that it was called from to X-Forwarded-For; what stands
    before those entries is the caller's own claim.
    """
    forwarded = [
        each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each.strip()
    ]
    trusted = settings.PROXIES and len(forwarded) >= settings.PROXIES
    text = forwarded[-settings.PROXIES] if trusted else str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ip_address(text)
    except ValueError:
        address = ip_address(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 - stands for "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> (128 - IPV6_SITE) << (128 - IPV6_SITE)))


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """What failures are counted under: the account's user name, or a keyed digest of what was typed instead."""
    typed = str((credentials or request.POST).get("username", ""))
    names: dict[str, str] = request.__dict__.setdefault("counted_names", {})
    if typed not in names:
        names[typed] = typed if User.objects.filter(username=typed).exists() else _digest(typed)
    return names[typed]


def _digest(typed: str) -> str:
    return salted_hmac("lavawall.unknown-name", typed, algorithm="sha256").hexdigest()


class LockoutHandler(AxesDatabaseHandler):
    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        if request is None:
            super().user_login_failed(sender, credentials, request, **kwargs)
            return
        if device := _device(request, credentials):
            request.axes_user_agent = device  # type: ignore[attr-defined]
        was_locked_out = self.is_locked(request, credentials)
        super().user_login_failed(sender, credentials, request, **kwargs)
        name = counted_name(request, credentials)
        sign_in_log.failed(
            name,
            request.axes_ip_address,  # type: ignore[attr-defined]
            is_account=name == credentials.get("username"),
            was_wrong=not was_locked_out,
            is_locked_out=was_locked_out or request.axes_locked_out,  # type: ignore[attr-defined]
        )

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        is_known_device = bool(devices.known(request, user.get_username()))
        sign_in_log.signed_in(user, request.axes_ip_address, is_known_device=is_known_device)  # type: ignore[attr-defined]

    def user_logged_out(self, sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
        super().user_logged_out(sender, request, user, **kwargs)
        if user is not None:
            sign_in_log.signed_out(user, request.axes_ip_address)  # type: ignore[attr-defined]

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The failure limit where any of our limits is reached, else what the account and address have."""
        facts = {
            "username": get_client_username(request, credentials),
            "ip_address": request.axes_ip_address,  # type: ignore[attr-defined]
        }
        if device := _device(request, credentials):
            return _failures(KNOWN_DEVICE, {**facts, "user_agent": device})
        counts = [(limit, _failures(limit, facts)) for limit in LIMITS]
        if any(count >= limit.failures for limit, count in counts):
            return int(settings.AXES_FAILURE_LIMIT)
        return counts[0][1]


def _failures(limit: Limit, facts: dict[str, str]) -> int:
    recent: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
        **{column: facts[column] for column in limit.columns},
    )
    return recent.aggregate(total=Sum("failures_since_start"))["total"] or 0


def _device(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """What the attempts of a known device are kept under; empty where the browser is not known."""
    return devices.known(request, get_client_username(request, credentials) or "")
