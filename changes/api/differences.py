"""Serializers for the differences between two documents."""

from typing import Any

from rest_framework import serializers

from changes.diff.structural import FieldChange
from tenants.web.rest import Choice


class PatchOperationSerializer(serializers.Serializer[Any]):
    """One operation of a JSON Patch (RFC 6902)."""

    op = Choice("PatchOp", ["add", "remove", "replace"])
    path = serializers.CharField(allow_blank=True, help_text="JSON Pointer.")
    value = serializers.JSONField(required=False)


class FieldChangeSerializer(serializers.Serializer[FieldChange]):
    """One difference, for display."""

    path = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = Choice("FieldChangeKind", ["added", "removed", "changed"])
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    added = serializers.ListField(child=serializers.JSONField(), help_text="Members added to a set.")
    removed = serializers.ListField(child=serializers.JSONField(), help_text="Members removed from a set.")
