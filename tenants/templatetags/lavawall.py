"""Template tags for all pages: times, values, navigation. They only format."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants import selectors
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.control import confirmation
from tenants.models import RoleBinding
from tenants.web.pages import actor_of

register = template.Library()

NAVIGATION = (
    ("overview", "Overview"),
    ("timeline", "Timeline"),
    ("rollbacks", "Rollbacks"),
    ("tenants", "Tenants"),
    ("audit-events", "Audit events"),
)
UNITS = ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))
MINUTE = 60


@register.simple_tag
def ago(moment: datetime | None, absent: str = "never") -> SafeString | str:
    """A relative time for tables, with the exact UTC time in the title and for machines."""
    if moment is None:
        return absent
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M:%S"),
        _in_words((timezone.now() - moment).total_seconds()),
    )


@register.simple_tag
def at(moment: datetime | None, absent: str = "never") -> SafeString | str:
    """The exact UTC time."""
    if moment is None:
        return absent
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{} UTC</time>',
        exact.isoformat(timespec="seconds"),
        _in_words((timezone.now() - moment).total_seconds()),
        exact.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def pretty(value: Any) -> str:
    """A value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@register.filter
def spaced(word: str) -> str:
    """`awaiting_approval` → `awaiting approval`."""
    return str(word).replace("_", " ")


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's query string with some parameters set, or removed if the value is empty."""
    return _query(context, changes)


@register.simple_tag(takes_context=True)
def page_query(context: template.Context, parameter: str, value: Any) -> str:
    """The same for the parameter named by the list."""
    return _query(context, {parameter: value})


@register.inclusion_tag("includes/_navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    request: HttpRequest = context["request"]
    names, actor = list(NAVIGATION), actor_of(request)
    if selectors.may_read_ledger(actor):
        count = len(confirmation.waiting(actor))
        names += [
            ("confirmations", f"Confirmations ({count})" if count else "Confirmations"),
            ("ledger", "Ledger"),
        ]
    here = context.get("section") or ""
    return {
        "items": [{"url": reverse(name), "label": label, "current": name == here} for name, label in names]
    }


@register.inclusion_tag("includes/_cooling_off.html", takes_context=True)
def cooling_off(context: template.Context) -> dict[str, Any]:
    """The notice to approvers, auditors and administrators during the cooling-off period of a single
    administrator's actions.
    """
    actor = actor_of(context["request"])
    acts = list(confirmation.cooling_off())
    is_told = bool(acts) and (
        selectors.may_read_ledger(actor)
        or permissions.visible_tenants(actor, Action.APPROVE_ROLLBACK).exists()
    )
    return {
        "count": len(acts) if is_told else 0,
        "until": max((act.cools_off_at for act in acts if act.cools_off_at), default=None),
        "may_look": selectors.may_read_ledger(actor) if is_told else False,
    }


@register.inclusion_tag("includes/_account.html", takes_context=True)
def account(context: template.Context) -> dict[str, Any]:
    request: HttpRequest = context["request"]
    user = actor_of(request).user
    bindings = RoleBinding.objects.filter(user=user) | RoleBinding.objects.filter(group__user=user)
    return {
        "request": request,
        "user": user,
        "bindings": bindings.select_related("tenant", "customer").distinct(),
        "csrf_token": context.get("csrf_token"),
    }


def _query(context: template.Context, changes: Mapping[str, Any]) -> str:
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


def _in_words(seconds: float) -> str:
    size = abs(seconds)
    if size < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    length, unit = next((length, unit) for length, unit in UNITS if size >= length)
    count = int(size // length)
    words = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{words} ago" if seconds >= 0 else f"in {words}"
