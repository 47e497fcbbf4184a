"""REST API of snapshots and their resources."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from snapshots import selectors, services
from snapshots.api.coverage import CoverageSerializer
from snapshots.canonical.spelling import original
from snapshots.catalog import registry
from snapshots.models import Snapshot, Version
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.api.runs import RunSerializer, accepted
from tenants.web.input_limits import integer
from tenants.web.rest import TENANT_HELP, ApiViewSet, Choice, MomentFilter, TenantFilter


class SnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    tenant = serializers.CharField(source="tenant.name", read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    mode = Choice("SnapshotMode", Snapshot.Mode.choices, read_only=True)
    status = Choice("SnapshotStatus", Snapshot.Status.choices, read_only=True)

    class Meta:
        model = Snapshot
        fields: tuple[str, ...] = (
            "id",
            "number",
            "tenant",
            "tenant_id",
            "mode",
            "status",
            "requested_by",
            "started_at",
            "completed_at",
            "root",
            "previous_root",
            "resource_count",
            "requests",
        )
        read_only_fields: tuple[str, ...] = fields


class SnapshotDetailSerializer(SnapshotSerializer):
    coverage = CoverageSerializer(many=True, read_only=True)

    class Meta(SnapshotSerializer.Meta):
        fields = (*SnapshotSerializer.Meta.fields, "coverage")
        read_only_fields = fields


class TakeSnapshotSerializer(serializers.Serializer[Any]):
    tenant = serializers.CharField(help_text=TENANT_HELP)
    types = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Resource types. Default: all."
    )
    mode = Choice(
        "SnapshotMode",
        Snapshot.Mode.choices,
        default=Snapshot.Mode.FULL,
        help_text=(
            "The mode that may be used. Currently every snapshot is read in full, and its mode says so."
        ),
    )

    def validate_types(self, types: list[str]) -> list[str]:
        try:
            return [registry.get(key).key for key in types]
        except registry.UnknownResourceType as error:
            raise serializers.ValidationError(str(error)) from error


class ResourceSerializer(serializers.ModelSerializer[Version]):
    """A resource in a snapshot. `documents` in the context, if requested, contains contents by digest."""

    document = serializers.SerializerMethodField(help_text="The canonical content; null unless requested.")

    class Meta:
        model = Version
        fields = ("resource_type", "resource_id", "display_name", "digest", "document")
        read_only_fields = fields

    def get_document(self, version: Version) -> dict[str, Any] | None:
        document: dict[str, Any] | None = original(self.context.get("documents", {}).get(version.digest))
        return document


class SnapshotFilters(django_filters.FilterSet):
    tenant = TenantFilter(help_text=TENANT_HELP)
    status = django_filters.ChoiceFilter(choices=Snapshot.Status.choices)
    since = MomentFilter(field_name="completed_at", lookup_expr="gte")
    until = MomentFilter(field_name="completed_at", lookup_expr="lt")


class ResourceFilters(django_filters.FilterSet):
    type = django_filters.CharFilter(field_name="resource_type", help_text="Resource type.")
    name = django_filters.CharFilter(
        field_name="display_name", lookup_expr="icontains", help_text="Part of the name."
    )


DOCUMENTS_PARAMETER = OpenApiParameter(
    "documents", OpenApiTypes.BOOL, description="Whether to include each resource's content."
)


@extend_schema_view(
    list=extend_schema(tags=["snapshots"], summary="List snapshots, newest first"),
    retrieve=extend_schema(
        tags=["snapshots"], summary="Get a snapshot with its coverage", responses=SnapshotDetailSerializer
    ),
    create=extend_schema(
        tags=["snapshots"],
        summary="Take a snapshot now",
        request=TakeSnapshotSerializer,
        responses={202: RunSerializer},
        examples=[
            OpenApiExample("All types of a tenant", {"tenant": "Contoso"}, request_only=True),
            OpenApiExample(
                "Two types",
                {"tenant": "Contoso", "types": ["conditionalAccessPolicy", "namedLocation"]},
                request_only=True,
            ),
        ],
    ),
    resources=extend_schema(
        tags=["snapshots"],
        summary="List the resources in a snapshot",
        parameters=[DOCUMENTS_PARAMETER],
        responses=ResourceSerializer(many=True),
    ),
)
class SnapshotViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[Any]):
    queryset = Snapshot.objects.none()
    serializer_class = SnapshotSerializer
    filterset_class = SnapshotFilters

    def get_queryset(self) -> QuerySet[Snapshot]:
        return selectors.visible_snapshots(self.actor)

    def get_serializer_class(self) -> Any:
        return SnapshotDetailSerializer if self.action == "retrieve" else SnapshotSerializer

    def create(self, request: Request) -> Response:
        given = TakeSnapshotSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        tenant = permissions.tenant_named(self.actor, asked["tenant"], Action.TAKE_SNAPSHOT)
        run = services.request_snapshot(
            self.actor, tenant=tenant, types=asked.get("types"), mode=Snapshot.Mode(asked["mode"])
        )
        return accepted(run, request)

    @action(detail=True, filterset_class=ResourceFilters, queryset=Version.objects.none())
    def resources(self, request: Request, **kwargs: Any) -> Response:
        snapshot = self.snapshot_named(kwargs["pk"])
        page = self.paginate_queryset(self.filter_queryset(content_store.state_at(snapshot))) or []
        wanted = serializers.BooleanField().run_validation(request.query_params.get("documents", False))
        documents = (
            content_store.documents(snapshot.tenant, (version.digest for version in page)) if wanted else {}
        )
        return self.get_paginated_response(
            ResourceSerializer(page, many=True, context={"documents": documents}).data
        )

    def snapshot_named(self, text: str) -> Snapshot:
        """Raises NotVisible."""
        pk = integer(text)
        found = self.get_queryset().filter(pk=pk).first() if pk is not None else None
        if found is None:
            raise permissions.NotVisible("This snapshot does not exist, or you do not have access to it.")
        return found
