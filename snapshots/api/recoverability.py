"""REST API of recoverability: what could be restored, resource by resource."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from snapshots.api.snapshots import ResourceFilters
from snapshots.models import Version
from snapshots.recoverability import summary
from snapshots.recoverability.verdicts import Verdict
from tenants.models import Tenant
from tenants.web.rest import TENANT_PARAMETER, ApiViewSet, Choice, tenant_asked_for

VERDICTS = [(verdict.value, verdict.label) for verdict in Verdict]
VERDICT_PARAMETER = OpenApiParameter(
    "verdict",
    OpenApiTypes.STR,
    enum=[verdict.value for verdict in Verdict],
    description="Only resources with this verdict.",
)


class LossSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="The affected property.")
    what = serializers.CharField()
    items = serializers.ListField(
        child=serializers.CharField(),
        help_text="The affected items: secrets by name, key ID and expiry, never their values.",
    )


class ReferrerSerializer(serializers.Serializer[Any]):
    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)


class CaseSerializer(serializers.Serializer[Any]):
    """What a rollback can do in one case."""

    verdict = Choice("RestorabilityVerdict", VERDICTS)
    reason = serializers.CharField()
    losses = LossSerializer(many=True)


class RestorabilitySerializer(serializers.Serializer[Any]):
    """Whether and how a resource can be restored, in the worst case."""

    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    verdict = Choice("RestorabilityVerdict", VERDICTS)
    reason = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True, help_text="How to make more possible.")
    losses = LossSerializer(many=True)
    remapped = ReferrerSerializer(
        many=True,
        help_text=f"References that would be updated if it gets a new ID; at most {summary.MORE}.",
    )
    if_changed = CaseSerializer(allow_null=True, help_text="Null if it cannot be changed.")
    if_deleted = CaseSerializer(allow_null=True, help_text="Null if it cannot be deleted.")
    if_purged = CaseSerializer(
        allow_null=True, help_text="If it is also removed from the deleted items. Null if the type has none."
    )


@extend_schema_view(
    list=extend_schema(
        tags=["recoverability"],
        summary="List what can be restored in a tenant, and how",
        parameters=[TENANT_PARAMETER, VERDICT_PARAMETER],
        responses=RestorabilitySerializer(many=True),
    )
)
class RecoverabilityViewSet(ApiViewSet[Version]):
    queryset = Version.objects.none()
    serializer_class = RestorabilitySerializer
    filterset_class = ResourceFilters
    ordering = "pk"

    def list(self, request: Request) -> Response:
        tenant = tenant_asked_for(request, self.actor)
        page = self.paginate_queryset(self._asked_for(tenant, request)) or []
        verdicts = [summary.as_json(each) for each in summary.judged(tenant, page)]
        return self.get_paginated_response(RestorabilitySerializer(verdicts, many=True).data)

    def _asked_for(self, tenant: Tenant, request: Request) -> QuerySet[Version]:
        found = self.filter_queryset(summary.current(tenant))
        text = request.query_params.get("verdict")
        if not text:
            return found
        try:
            verdict = Verdict(text)
        except ValueError as error:
            choices = ", ".join(verdict.value for verdict in Verdict)
            raise serializers.ValidationError({"verdict": [f"Choose one of {choices}."]}) from error
        return summary.with_verdict(tenant, found, verdict)
