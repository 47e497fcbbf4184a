"""REST API of changes. Selectors define what is visible, services act."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from changes import selectors, services
from changes.api.differences import FieldChangeSerializer, PatchOperationSerializer
from changes.by_actor import by_actor
from changes.models import SEVERITIES, Acknowledgement, Attribution, Change
from changes.states import State, in_state
from tenants.web.input_limits import LONGEST_NOTE
from tenants.web.rest import TENANT_HELP, ApiViewSet, Choice, ListFilter, MomentFilter, TenantFilter


class FindingSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField(read_only=True)
    severity = Choice("Severity", SEVERITIES, read_only=True)
    direction = serializers.CharField(read_only=True)
    reason = serializers.CharField(read_only=True)
    technique = serializers.CharField(read_only=True, help_text="MITRE ATT&CK ID.")


class AttributionSerializer(serializers.Serializer[Any]):
    """Who made the change, according to Microsoft's logs."""

    actor = serializers.CharField(help_text="User principal name, or the application's name.")
    actor_type = serializers.CharField()
    actor_id = serializers.CharField()
    ip = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)
    country_source = serializers.CharField(allow_null=True, help_text="sign-in or geoip.")
    audit_event_id = serializers.CharField()
    activity = serializers.CharField()
    confidence = Choice("Confidence", Attribution.Confidence.choices)
    why = serializers.ListField(child=serializers.CharField(), help_text="Why this event was matched.")
    ours = serializers.BooleanField(help_text="The change was made by a Lavawall rollback.")


class AcknowledgementSerializer(serializers.ModelSerializer[Acknowledgement]):
    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = Acknowledgement
        fields = ("by", "at", "note")
        read_only_fields = fields


class AcknowledgeSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_NOTE)


class ChangeSerializer(serializers.Serializer[Change]):
    """A change as shown on the timeline. Get it by ID for the exact differences."""

    id = serializers.IntegerField(read_only=True)
    tenant = serializers.CharField(read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    snapshot = serializers.IntegerField(read_only=True)
    resource_type = serializers.CharField(read_only=True)
    resource_id = serializers.CharField(read_only=True)
    display_name = serializers.CharField(read_only=True)
    kind = Choice("ChangeKind", Change.Kind.choices, read_only=True)
    severity = Choice("Severity", SEVERITIES, read_only=True)
    direction = serializers.CharField(read_only=True)
    summary = serializers.CharField(read_only=True, help_text="The reason of the most severe finding.")
    findings = FindingSerializer(read_only=True, many=True)
    attribution = AttributionSerializer(
        read_only=True, allow_null=True, help_text="The attribution with the highest confidence."
    )
    unattributed_reason = serializers.CharField(
        read_only=True, allow_null=True, help_text="Why there is no attribution; null if there is one."
    )
    earliest_at = serializers.DateTimeField(
        read_only=True, help_text="The earliest possible time: when the previous state was read."
    )
    detected_at = serializers.DateTimeField(read_only=True)
    occurred_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="According to the audit event; null if unknown."
    )
    acknowledged = serializers.BooleanField(read_only=True)
    state = Choice("ChangeState", State.choices, read_only=True)
    rollback = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The rollback that undid or made this change."
    )
    rollback_verified = serializers.BooleanField(
        read_only=True,
        allow_null=True,
        help_text="Whether the rollback was verified; null without a rollback.",
    )

    def facts_of(self, change: Change) -> dict[str, Any]:
        return selectors.facts_of(change)

    def to_representation(self, change: Change) -> Any:
        return super().to_representation(self.facts_of(change))  # type: ignore[arg-type]


class ChangeDetailSerializer(ChangeSerializer):
    """A change with its exact differences."""

    patch = PatchOperationSerializer(
        read_only=True, many=True, help_text="JSON Patch (RFC 6902) from before to after."
    )
    fields = FieldChangeSerializer(
        read_only=True,  # type: ignore[assignment]
        many=True,
        help_text="The differences field by field, for display.",
    )
    attributions = AttributionSerializer(
        read_only=True, many=True, help_text="All audit events that may explain the change."
    )
    acknowledgement = AcknowledgementSerializer(read_only=True, allow_null=True)

    def facts_of(self, change: Change) -> dict[str, Any]:
        difference = selectors.difference_of(change)
        return {
            **super().facts_of(change),
            "patch": difference.patch,
            "fields": difference.fields,
            "attributions": [selectors.attribution_as_json(each) for each in change.attributions.all()],
            "acknowledgement": getattr(change, "acknowledgement", None),
        }


class ChangeFilters(django_filters.FilterSet):
    tenant = TenantFilter(help_text=TENANT_HELP)
    severity = ListFilter(choices=SEVERITIES, help_text="One or more, comma-separated.")
    type = django_filters.CharFilter(field_name="resource_type", help_text="Resource type.")
    resource = django_filters.CharFilter(field_name="resource_id", help_text="Resource ID.")
    kind = django_filters.ChoiceFilter(choices=Change.Kind.choices)
    actor = django_filters.CharFilter(
        method="by_actor",
        help_text="User principal name or application name (complete or part of it), address, or ID.",
    )
    state = django_filters.ChoiceFilter(method="in_state", choices=State.choices)
    since = MomentFilter(field_name="detected_at", lookup_expr="gte")
    until = MomentFilter(field_name="detected_at", lookup_expr="lt")
    acknowledged = django_filters.BooleanFilter(
        field_name="acknowledgement",
        lookup_expr="isnull",
        exclude=True,
        help_text="Whether the change was acknowledged.",
    )

    def by_actor(self, queryset: QuerySet[Change], _name: str, value: str) -> QuerySet[Change]:
        return by_actor(queryset, value)

    def in_state(self, queryset: QuerySet[Change], _name: str, value: str) -> QuerySet[Change]:
        return in_state(queryset, value)


@extend_schema_view(
    list=extend_schema(tags=["changes"], summary="List changes, newest first"),
    retrieve=extend_schema(
        tags=["changes"],
        summary="Get a change with its differences and attribution",
        responses=ChangeDetailSerializer,
    ),
    acknowledge=extend_schema(
        tags=["changes"],
        summary="Acknowledge a change, with an optional note",
        request=AcknowledgeSerializer,
        responses={201: AcknowledgementSerializer},
        examples=[
            OpenApiExample(
                "Planned maintenance", {"note": "Ticket 4711: planned maintenance."}, request_only=True
            )
        ],
    ),
)
class ChangeViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[Change]):
    queryset = Change.objects.none()
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilters

    def get_queryset(self) -> QuerySet[Change]:
        return selectors.with_details(selectors.visible_changes(self.actor))

    def get_serializer_class(self) -> type[ChangeSerializer]:
        return ChangeDetailSerializer if self.action == "retrieve" else ChangeSerializer

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, **_kwargs: Any) -> Response:
        given = AcknowledgeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        change = self.get_object()
        made = services.acknowledge(self.actor, change=change, note=given.validated_data["note"])
        return Response(AcknowledgementSerializer(made).data, status=201)
