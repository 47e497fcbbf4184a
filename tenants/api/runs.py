"""REST API of runs: the progress of queued work."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.reverse import reverse

from tenants.access import permissions
from tenants.models import Run
from tenants.web.rest import ApiViewSet, Choice


class RunSerializer(serializers.ModelSerializer[Run]):
    tenant = serializers.CharField(source="tenant.name", read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    kind = Choice("RunKind", Run.Kind.choices, read_only=True)
    state = Choice("RunState", Run.State.choices, read_only=True)
    result = serializers.JSONField(read_only=True, help_text="The result, for example the snapshot's ID.")

    class Meta:
        model = Run
        fields = (
            "id",
            "tenant",
            "tenant_id",
            "kind",
            "state",
            "requested_by",
            "attempts",
            "error",
            "result",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


@extend_schema_view(retrieve=extend_schema(tags=["runs"], summary="Get the progress of a run"))
class RunViewSet(RetrieveModelMixin, ApiViewSet[Run]):
    queryset = Run.objects.none()
    serializer_class = RunSerializer

    def get_queryset(self) -> QuerySet[Run]:
        return Run.objects.filter(tenant__in=permissions.visible_tenants(self.actor)).select_related("tenant")


def accepted(run: Run, request: Any) -> Response:
    """A 202 response: the work is queued, and the Location header names the run."""
    location = reverse("run-detail", args=[run.pk], request=request)
    return Response(RunSerializer(run).data, status=202, headers={"Location": location})
