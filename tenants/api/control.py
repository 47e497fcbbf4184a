"""REST API of control actions: list those waiting for a second administrator, and confirm them."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import selectors
from tenants.control import confirmation
from tenants.control.graph import LABELS, Kind
from tenants.control.presentation import sentence
from tenants.models import ControlAct
from tenants.web.rest import TENANT_HELP, ApiViewSet, Choice, TenantFilter, shown_as

TAGS = ["confirmations"]


class ControlActSerializer(serializers.ModelSerializer[ControlAct]):
    """An action by which a person gained control over another account, or proposed a weaker approval policy."""

    kind = Choice("ControlKind", [(kind.value, LABELS[kind]) for kind in Kind], read_only=True)
    actor = serializers.CharField(source="actor.username", default=None, read_only=True, allow_null=True)
    subject = serializers.CharField(source="subject.username", default=None, read_only=True, allow_null=True)
    sentence = serializers.SerializerMethodField(help_text="What was done, as a sentence.")
    cools_off_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When the hold ends without confirmation, if there is no second administrator.",
    )

    class Meta:
        model = ControlAct
        fields = (
            "number",
            "kind",
            "at",
            "actor",
            "subject",
            "tenant_id",
            "customer_id",
            "sentence",
            "cools_off_at",
        )
        read_only_fields = fields

    @shown_as(serializers.CharField())
    def get_sentence(self, act: ControlAct) -> str:
        return sentence(act)


class ControlActFilters(django_filters.FilterSet):
    tenant = TenantFilter(help_text=TENANT_HELP)


@extend_schema_view(
    list=extend_schema(tags=TAGS, summary="List actions waiting for a second administrator, newest first"),
    confirm=extend_schema(
        tags=TAGS,
        summary="Confirm an action of another administrator (browser sessions only, not with a token)",
        request=None,
        responses=ControlActSerializer,
    ),
)
class ControlActViewSet(ListModelMixin, ApiViewSet[ControlAct]):
    """For administrators; auditors can view."""

    queryset = ControlAct.objects.none()
    serializer_class = ControlActSerializer
    filterset_class = ControlActFilters
    ordering = "-number"
    lookup_field = "number"

    def get_queryset(self) -> QuerySet[ControlAct]:
        selectors.require_ledger(self.actor)
        visible = confirmation.visible_acts(self.actor)
        if self.action != "list":
            return visible
        return visible.filter(pk__in=[act.pk for act in confirmation.waiting(self.actor)])

    @action(detail=True, methods=["post"])
    def confirm(self, _request: Request, **_kwargs: str) -> Response:
        act = self.get_object()
        confirmation.confirm(self.actor, act=act)
        return Response(ControlActSerializer(act).data)
