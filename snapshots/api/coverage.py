"""REST API of coverage, and of tenants with facts from their snapshots."""

from collections.abc import Sequence
from typing import Any, cast

from django.db.models import Max
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from snapshots import coverage
from snapshots.coverage import Standing
from snapshots.models import Coverage, Snapshot
from snapshots.recoverability import summary
from tenants.api.tenants import TenantSerializer, TenantViewSet
from tenants.models import Tenant
from tenants.web.rest import TENANT_PARAMETER, ApiViewSet, Choice, shown_as, tenant_asked_for


class CoverageSerializer(serializers.ModelSerializer[Coverage]):
    """Whether a resource type is covered, according to the newest snapshot that included it."""

    status = Choice("CoverageStatus", Coverage.Status.choices, read_only=True)
    snapshot = serializers.IntegerField(source="snapshot_id", read_only=True)

    class Meta:
        model = Coverage
        fields: tuple[str, ...] = ("resource_type", "status", "count", "reason", "remedy", "snapshot")
        read_only_fields: tuple[str, ...] = fields


class RecoverableCoverageSerializer(CoverageSerializer):
    """Adds the verdicts on the type's resources. `recoverability` in the context contains the tenant's
    counts.
    """

    recoverability = serializers.SerializerMethodField(help_text="Verdict → number of resources.")

    class Meta(CoverageSerializer.Meta):
        fields = (*CoverageSerializer.Meta.fields, "recoverability")
        read_only_fields = fields

    def get_recoverability(self, coverage: Coverage) -> dict[str, int]:
        counted: summary.Counts = self.context["recoverability"]
        return summary.counts_as_json(counted.get(coverage.resource_type, {}))


@extend_schema_view(
    list=extend_schema(
        tags=["coverage"],
        summary="Get a tenant's coverage by resource type",
        parameters=[TENANT_PARAMETER],
        responses=RecoverableCoverageSerializer(many=True),
    )
)
class CoverageViewSet(ApiViewSet[Coverage]):
    queryset = Coverage.objects.none()
    serializer_class = RecoverableCoverageSerializer
    ordering = "resource_type"

    def list(self, request: Request) -> Response:
        tenant = tenant_asked_for(request, self.actor)
        page = self.paginate_queryset(coverage.coverage_of(tenant)) or []
        context = {"recoverability": summary.counts(tenant)}
        return self.get_paginated_response(
            RecoverableCoverageSerializer(page, many=True, context=context).data
        )


class LatestSnapshotSerializer(serializers.ModelSerializer[Snapshot]):
    status = Choice("SnapshotStatus", Snapshot.Status.choices, read_only=True)

    class Meta:
        model = Snapshot
        fields = ("id", "number", "status", "completed_at")
        read_only_fields = fields


class ObservedTenantSerializer(TenantSerializer):
    """`snapshots` and `standings` in the context contain each tenant's facts by ID."""

    latest_snapshot = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField(help_text="Coverage status → number of resource types.")
    problems = serializers.SerializerMethodField(
        help_text="Resource types that were requested and could not be read completely."
    )
    not_read = serializers.SerializerMethodField(
        help_text="Resource types that no snapshot has requested yet."
    )

    class Meta(TenantSerializer.Meta):
        fields = (*TenantSerializer.Meta.fields, "latest_snapshot", "coverage", "problems", "not_read")
        read_only_fields = fields

    @shown_as(LatestSnapshotSerializer(allow_null=True))
    def get_latest_snapshot(self, tenant: Tenant) -> Any:
        latest = self.context["snapshots"].get(tenant.pk)
        return LatestSnapshotSerializer(latest).data if latest else None

    def get_coverage(self, tenant: Tenant) -> dict[str, int]:
        return self._standing(tenant).counts

    def get_problems(self, tenant: Tenant) -> list[str]:
        return [row.resource_type for row in self._standing(tenant).problems]

    def get_not_read(self, tenant: Tenant) -> list[str]:
        return [spec.key for spec in self._standing(tenant).unread]

    def _standing(self, tenant: Tenant) -> Standing:
        return cast("Standing", self.context["standings"][tenant.pk])


@extend_schema_view(
    list=extend_schema(tags=["tenants"], summary="List the tenants that you can see"),
    retrieve=extend_schema(tags=["tenants"], summary="Get a tenant"),
)
class ObservedTenantViewSet(TenantViewSet):
    """Tenants with their latest snapshot and coverage, in a fixed number of queries for any page."""

    serializer_class = ObservedTenantSerializer

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        shown: Sequence[Tenant] = args[0] if kwargs.get("many") else args[:1]
        kwargs["context"] = {
            **self.get_serializer_context(),
            "snapshots": latest_snapshots(shown),
            "standings": coverage.standings(shown),
        }
        return self.get_serializer_class()(*args, **kwargs)


def latest_snapshots(tenants: Sequence[Tenant]) -> dict[int, Snapshot]:
    """Tenant id → its newest snapshot."""
    newest = (
        Snapshot.objects.filter(tenant__in=tenants)
        .order_by()
        .values("tenant")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    return {snapshot.tenant_id: snapshot for snapshot in Snapshot.objects.filter(pk__in=newest)}
