"""REST API of Microsoft's audit events, read-only."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from changes.audit import records
from changes.models import AuditEvent
from tenants.access import permissions
from tenants.web.rest import TENANT_HELP, ApiViewSet, MomentFilter, TenantFilter


class AuditTargetSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True, required=False)
    name = serializers.CharField(allow_null=True, required=False)
    type = serializers.CharField(allow_null=True, required=False)
    properties = serializers.ListField(child=serializers.CharField(), required=False)


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """Facts of an audit event. `record` returns the original record from Microsoft."""

    tenant = serializers.CharField(source="tenant.name", read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    targets = AuditTargetSerializer(many=True, read_only=True)

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "tenant",
            "tenant_id",
            "event_id",
            "source",
            "activity",
            "category",
            "service",
            "result",
            "occurred_at",
            "correlation_id",
            "actor_type",
            "actor_id",
            "actor_name",
            "actor_app_id",
            "ip",
            "targets",
        )
        read_only_fields = fields


class AuditEventFilters(django_filters.FilterSet):
    tenant = TenantFilter(help_text=TENANT_HELP)
    actor = django_filters.CharFilter(
        field_name="actor_name", lookup_expr="iexact", help_text="User principal name, or application name."
    )
    activity = django_filters.CharFilter(lookup_expr="icontains")
    since = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    until = MomentFilter(field_name="occurred_at", lookup_expr="lt")


@extend_schema_view(
    list=extend_schema(tags=["audit-events"], summary="List Microsoft's audit events, newest received first"),
    retrieve=extend_schema(tags=["audit-events"], summary="Get an audit event"),
    record=extend_schema(
        tags=["audit-events"],
        summary="Get the original record from Microsoft",
        responses=OpenApiTypes.OBJECT,
        filters=False,
    ),
)
class AuditEventViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[AuditEvent]):
    queryset = AuditEvent.objects.none()
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilters

    def get_queryset(self) -> QuerySet[AuditEvent]:
        visible = AuditEvent.objects.filter(tenant__in=permissions.visible_tenants(self.actor))
        return visible.select_related("tenant").defer("sealed")

    @action(detail=True, pagination_class=None, filter_backends=[])
    def record(self, _request: Request, **_kwargs: Any) -> Response:
        return Response(records.as_received(self.get_object()))
