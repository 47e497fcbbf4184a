"""REST API of changes. Selectors define what is visible, services act."""

from datetime import datetime
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
from changes.diff.structural import Difference
from changes.models import SEVERITIES, Acknowledgement, Attribution, Change, Finding
from changes.states import State, in_state, state_of
from tenants.web.input_limits import LONGEST_NOTE
from tenants.web.rest import TENANT_HELP, ApiViewSet, Choice, ListFilter, MomentFilter, TenantFilter, shown_as


class FindingSerializer(serializers.ModelSerializer[Finding]):
    severity = Choice("Severity", SEVERITIES, read_only=True)

    class Meta:
        model = Finding
        fields = ("rule", "severity", "direction", "reason", "technique")
        read_only_fields = fields


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


class ChangeSerializer(serializers.ModelSerializer[Change]):
    """A change as shown on the timeline. Get it by ID for the exact differences."""

    tenant = serializers.CharField(source="tenant.name", read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    snapshot = serializers.IntegerField(source="snapshot_id", read_only=True)
    kind = Choice("ChangeKind", Change.Kind.choices, read_only=True)
    severity = Choice("Severity", SEVERITIES, read_only=True)
    findings = FindingSerializer(many=True, read_only=True)
    attribution = serializers.SerializerMethodField(help_text="The attribution with the highest confidence.")
    occurred_at = serializers.SerializerMethodField(
        help_text="According to the audit event; null if unknown."
    )
    unattributed_reason = serializers.SerializerMethodField(
        help_text="Why there is no attribution; null if there is one."
    )
    acknowledged = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    rollback = serializers.SerializerMethodField(help_text="The rollback that undid or made this change.")
    rollback_verified = serializers.SerializerMethodField(
        help_text="Whether the rollback was verified; null without a rollback."
    )

    class Meta:
        model = Change
        fields: tuple[str, ...] = (
            "id",
            "tenant",
            "tenant_id",
            "snapshot",
            "resource_type",
            "resource_id",
            "display_name",
            "kind",
            "severity",
            "direction",
            "summary",
            "findings",
            "attribution",
            "unattributed_reason",
            "earliest_at",
            "detected_at",
            "occurred_at",
            "acknowledged",
            "state",
            "rollback",
            "rollback_verified",
        )
        read_only_fields: tuple[str, ...] = fields

    @shown_as(AttributionSerializer(allow_null=True))
    def get_attribution(self, change: Change) -> dict[str, Any] | None:
        return selectors.attribution_as_json(selectors.best_attribution(change))

    def get_unattributed_reason(self, change: Change) -> str | None:
        return selectors.unattributed_reason(change)

    def get_occurred_at(self, change: Change) -> datetime | None:
        attribution = selectors.best_attribution(change)
        return attribution.event.occurred_at if attribution else None

    def get_acknowledged(self, change: Change) -> bool:
        return hasattr(change, "acknowledgement")

    @shown_as(Choice("ChangeState", State.choices))
    def get_state(self, change: Change) -> str:
        return state_of(change).value

    def get_rollback(self, change: Change) -> int | None:
        return change.resolution.rollback if change.resolution else None

    def get_rollback_verified(self, change: Change) -> bool | None:
        return change.resolution.verified if change.resolution else None


class ChangeDetailSerializer(ChangeSerializer):
    """A change with its exact differences."""

    difference: Difference

    patch = serializers.SerializerMethodField(help_text="JSON Patch (RFC 6902) from before to after.")
    fields = serializers.SerializerMethodField(  # type: ignore[assignment]
        method_name="get_field_changes", help_text="The differences field by field, for display."
    )
    attributions = serializers.SerializerMethodField(
        help_text="All audit events that may explain the change."
    )
    acknowledgement = serializers.SerializerMethodField()

    class Meta(ChangeSerializer.Meta):
        fields = (*ChangeSerializer.Meta.fields, "patch", "fields", "attributions", "acknowledgement")
        read_only_fields = fields

    def to_representation(self, change: Change) -> Any:
        self.difference = selectors.difference_of(change)
        return super().to_representation(change)

    @shown_as(PatchOperationSerializer(many=True))
    def get_patch(self, _change: Change) -> list[dict[str, Any]]:
        return list(self.difference.patch)

    @shown_as(FieldChangeSerializer(many=True))
    def get_field_changes(self, _change: Change) -> Any:
        return [FieldChangeSerializer(each).data for each in self.difference.fields]

    @shown_as(AttributionSerializer(many=True))
    def get_attributions(self, change: Change) -> list[dict[str, Any] | None]:
        return [selectors.attribution_as_json(attribution) for attribution in change.attributions.all()]

    @shown_as(AcknowledgementSerializer(allow_null=True))
    def get_acknowledgement(self, change: Change) -> Any:
        if not hasattr(change, "acknowledgement"):
            return None
        return AcknowledgementSerializer(change.acknowledgement).data


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
