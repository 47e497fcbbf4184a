"""REST API of the history of a resource."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from snapshots.canonical.spelling import original
from snapshots.models import Version
from snapshots.store import content_store
from tenants.access import permissions
from tenants.web.rest import TENANT_PARAMETER, ApiViewSet, tenant_asked_for


class VersionSerializer(serializers.ModelSerializer[Version]):
    """A version of the resource. `documents` in the context contains contents by digest."""

    first_snapshot = serializers.IntegerField(source="first_snapshot_id", read_only=True)
    last_snapshot = serializers.IntegerField(
        source="last_snapshot_id",
        read_only=True,
        allow_null=True,
        help_text="Null if this is the current version.",
    )
    since = serializers.DateTimeField(source="first_snapshot.completed_at", read_only=True)
    document = serializers.SerializerMethodField(help_text="The canonical content, in Microsoft's spelling.")

    class Meta:
        model = Version
        fields = ("display_name", "digest", "first_snapshot", "last_snapshot", "since", "document")
        read_only_fields = fields

    def get_document(self, version: Version) -> dict[str, Any]:
        document: dict[str, Any] = original(self.context["documents"][version.digest])
        return document


@extend_schema_view(
    list=extend_schema(
        operation_id="resources_history_list",
        tags=["resources"],
        summary="List all versions of a resource, newest first",
        parameters=[
            TENANT_PARAMETER,
            OpenApiParameter("resource_type", OpenApiTypes.STR, OpenApiParameter.PATH),
            OpenApiParameter("resource_id", OpenApiTypes.STR, OpenApiParameter.PATH),
        ],
        responses=VersionSerializer(many=True),
    )
)
class HistoryViewSet(ApiViewSet[Version]):
    queryset = Version.objects.none()
    serializer_class = VersionSerializer
    ordering = "-first_snapshot_id"

    def list(self, request: Request, resource_type: str, resource_id: str) -> Response:
        tenant = tenant_asked_for(request, self.actor)
        versions: QuerySet[Version] = content_store.history(tenant, resource_type, resource_id)
        if not versions.exists():
            raise permissions.NotVisible("This resource does not exist, or you do not have access to it.")
        page = self.paginate_queryset(versions) or []
        documents = content_store.documents(tenant, (version.digest for version in page))
        return self.get_paginated_response(
            VersionSerializer(page, many=True, context={"documents": documents}).data
        )
