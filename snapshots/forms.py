"""Filter forms for a tenant's lists: snapshots, their contents, coverage and recoverability."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.models import Coverage, Snapshot, Version
from snapshots.recoverability import summary
from snapshots.recoverability.verdicts import Verdict
from tenants.models import Tenant
from tenants.web.lists import ListFilter


def type_choices(
    types: Iterable[ResourceType], counts: Mapping[str, int] | None = None
) -> list[tuple[str, str]]:
    """By display name, with the number of resources if known."""
    known = sorted(types, key=lambda spec: spec.plural.lower())
    label = "{0.plural}" if counts is None else "{0.plural} ({1})"
    return [
        ("", "All types"),
        *((spec.key, label.format(spec, (counts or {}).get(spec.key, 0))) for spec in known),
    ]


class RestorabilityFilter(ListFilter):
    type = forms.ChoiceField(label="Resource type")
    verdict = forms.ChoiceField(
        choices=[("", "Any verdict"), *((verdict.value, verdict.label) for verdict in Verdict)]
    )
    name = forms.CharField(max_length=200)

    def __init__(self, data: Any, *, tenant: Tenant) -> None:
        super().__init__(data)
        self._tenant = tenant
        _choose(self.fields["type"], type_choices(registry.all_types()))

    def _narrow(self, rows: QuerySet[Version], asked: dict[str, Any]) -> QuerySet[Version]:
        found = _named(rows, asked)
        if asked["verdict"]:
            found = summary.with_verdict(self._tenant, found, Verdict(asked["verdict"]))
        return found


class ContentFilter(ListFilter):
    """The contents of a snapshot."""

    type = forms.ChoiceField(label="Resource type")
    name = forms.CharField(
        max_length=400, label="Name or ID", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, data: Any, *, counts: Mapping[str, int]) -> None:
        super().__init__(data)
        _choose(self.fields["type"], type_choices(map(registry.get, counts), counts))

    def _narrow(self, rows: QuerySet[Version], asked: dict[str, Any]) -> QuerySet[Version]:
        found = _named(rows, asked | {"name": ""})
        if text := asked["name"]:
            found = found.filter(display_name__icontains=text) | found.filter(resource_id__icontains=text)
        return found


class SnapshotFilter(ListFilter):
    status = forms.ChoiceField(choices=[("", "Any status"), *Snapshot.Status.choices])
    requested_by = forms.CharField(max_length=200, label="Requested by")

    def _narrow(self, rows: QuerySet[Snapshot], asked: dict[str, Any]) -> QuerySet[Snapshot]:
        if asked["status"]:
            rows = rows.filter(status=asked["status"])
        return rows.filter(requested_by__icontains=asked["requested_by"])


class CoverageFilter(ListFilter):
    status = forms.ChoiceField(choices=[("", "Any status"), *Coverage.Status.choices])
    type = forms.CharField(max_length=200, label="Resource type")

    def _narrow(self, rows: QuerySet[Coverage], asked: dict[str, Any]) -> QuerySet[Coverage]:
        if asked["status"]:
            rows = rows.filter(status=asked["status"])
        if text := asked["type"].casefold():
            named = [
                spec.key
                for spec in registry.all_types()
                if text in spec.plural.casefold() or text in spec.key.casefold()
            ]
            rows = rows.filter(resource_type__in=named)
        return rows


def _named(rows: QuerySet[Version], asked: dict[str, Any]) -> QuerySet[Version]:
    if asked["type"]:
        rows = rows.filter(resource_type=asked["type"])
    return rows.filter(display_name__icontains=asked["name"]) if asked["name"] else rows


def _choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    if isinstance(field, forms.ChoiceField):
        field.choices = choices
