"""REST API for comparing two snapshots. It is here because the snapshots app does not know the diff."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from changes.api.differences import FieldChangeSerializer, PatchOperationSerializer
from changes.diff.structural import shown_diff
from changes.models import Change
from snapshots.api.snapshots import SnapshotViewSet
from snapshots.catalog import registry
from snapshots.models import Snapshot
from snapshots.selectors import Compared, NotComparable, compare
from snapshots.store import content_store
from tenants.web.rest import Choice


class ComparedSerializer(serializers.Serializer[Any]):
    """A resource that differs between the snapshots."""

    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    kind = Choice("ChangeKind", Change.Kind.choices)
    patch = PatchOperationSerializer(many=True)
    fields = FieldChangeSerializer(many=True)  # type: ignore[assignment]


class ComparisonSerializer(serializers.Serializer[Any]):
    base = serializers.IntegerField(help_text="Snapshot ID.")
    target = serializers.IntegerField(help_text="Snapshot ID.")
    differences = ComparedSerializer(many=True)


@extend_schema_view(
    compare=extend_schema(
        operation_id="snapshots_compare",
        tags=["snapshots"],
        summary="List the differences between two snapshots of a tenant",
        parameters=[
            OpenApiParameter(
                "base", OpenApiTypes.INT, required=True, description="The ID of the earlier snapshot."
            ),
            OpenApiParameter(
                "target", OpenApiTypes.INT, required=True, description="The ID of the later snapshot."
            ),
            OpenApiParameter("type", OpenApiTypes.STR, description="Only this resource type."),
        ],
        responses=ComparisonSerializer,
        filters=False,
    )
)
class ComparedSnapshotViewSet(SnapshotViewSet):
    @action(detail=False, pagination_class=None, filter_backends=[])
    def compare(self, request: Request) -> Response:
        base, target = [self.snapshot_named(text) for text in _asked_for(request)]
        try:
            found = compare(base, target)
        except NotComparable as error:
            raise serializers.ValidationError({"target": [str(error)]}) from error
        wanted = request.query_params.get("type")
        found = [each for each in found if wanted in (None, each.resource_type)]
        return Response(
            ComparisonSerializer(
                {"base": base.pk, "target": target.pk, "differences": _differences(base, found)}
            ).data
        )


def _asked_for(request: Request) -> list[str]:
    """The two IDs from the query. Raises ValidationError."""
    sides = {side: request.query_params.get(side, "") for side in ("base", "target")}
    if wrong := [side for side, text in sides.items() if not text.isdecimal()]:
        raise serializers.ValidationError({side: ["This must be the ID of a snapshot."] for side in wrong})
    return list(sides.values())


def _differences(base: Snapshot, found: list[Compared]) -> list[dict[str, Any]]:
    sides = [version for each in found for version in (each.before, each.after) if version is not None]
    documents = content_store.documents(base.tenant, (version.digest for version in sides))
    return [_as_json(each, documents) for each in found]


def _as_json(each: Compared, documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    difference = shown_diff(
        documents[each.before.digest] if each.before else None,
        documents[each.after.digest] if each.after else None,
        registry.get(each.resource_type),
    )
    return {
        "resource_type": each.resource_type,
        "resource_id": each.resource_id,
        "display_name": each.display_name,
        "kind": each.kind,
        "patch": difference.patch,
        "fields": difference.fields,
    }
