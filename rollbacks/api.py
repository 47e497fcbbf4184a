"""REST API of rollbacks. Selectors define what is visible; services contain all rules about who may sign
what.
"""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from changes.selectors import visible_changes
from rollbacks import selectors, services
from rollbacks.models import Approval, Rollback, Step
from snapshots.selectors import visible_snapshots
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.api.runs import RunSerializer, accepted
from tenants.models import Run, Tenant
from tenants.web.rest import TENANT_HELP, ApiViewSet, Choice, ListFilter, TenantFilter, shown_as

TARGETS = ("changes", "actor", "snapshot", "undo")
TAGS = ["rollbacks"]
SIGNED_DIGEST = (
    "The digest of the plan that was reviewed. Refused with 409 if the current plan has a different digest."
)
MOST = 2**63 - 1
"""The largest possible database ID."""


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    """An approval or rejection of the current plan."""

    by = serializers.CharField(source="approver.username", read_only=True)
    verdict = Choice("Verdict", Approval.Verdict.choices, read_only=True)

    class Meta:
        model = Approval
        fields: tuple[str, ...] = ("by", "verdict", "comment", "at")
        read_only_fields: tuple[str, ...] = fields


class JudgedApprovalSerializer(ApprovalSerializer):
    """A signature, and whether it currently counts."""

    counts = serializers.BooleanField(
        read_only=True, help_text="Whether it counts towards the approvals needed."
    )
    reason = serializers.CharField(read_only=True, help_text="Why it counts, or why it does not.")

    class Meta(ApprovalSerializer.Meta):
        fields = (*ApprovalSerializer.Meta.fields, "counts", "reason")
        read_only_fields = fields


class RequestSerializer(serializers.Serializer[Any]):
    """One request to Microsoft. IDs that are not known yet are shown as placeholders."""

    method = serializers.CharField()
    path = serializers.CharField()
    body = serializers.JSONField(allow_null=True)
    why = serializers.CharField(allow_blank=True)
    elements = serializers.ListField(
        child=serializers.CharField(),
        help_text="IDs of the members that a batch adds or removes; empty if it is not a batch.",
    )


class StepSerializer(serializers.Serializer[Any]):
    order = serializers.IntegerField()
    kind = Choice("StepKind", Step.Kind.choices)
    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    explanation = serializers.CharField(help_text="What this step does, in one sentence.")
    requests = RequestSerializer(many=True)
    fields = serializers.ListField(  # type: ignore[assignment]
        child=serializers.DictField(), help_text="The changes, field by field."
    )
    changes = serializers.ListField(
        child=serializers.IntegerField(), help_text="IDs of the changes that it undoes."
    )


class AnnouncedLossSerializer(serializers.Serializer[Any]):
    """A loss that the plan announces."""

    resource_type = serializers.CharField()
    resource_id = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    path = serializers.CharField(
        allow_blank=True, help_text="The path of the property. Empty: the whole resource."
    )
    what = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField(), help_text="Each lost thing by name.")


class RollbackSerializer(serializers.ModelSerializer[Rollback]):
    """A rollback with a summary of its current plan. Get it by ID for the steps and the dry run."""

    tenant = serializers.CharField(source="tenant.name", read_only=True)
    tenant_id = serializers.IntegerField(read_only=True)
    state = Choice("RollbackState", Rollback.State.choices, read_only=True)
    source = Choice("RollbackSource", Rollback.Source.choices, read_only=True)  # type: ignore[assignment]
    requester = serializers.CharField(source="requester.username", read_only=True)
    digest = serializers.CharField(
        source="plan.digest",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="What an approval signs.",
    )
    expires_at = serializers.DateTimeField(
        source="plan.expires_at", read_only=True, default=None, allow_null=True
    )
    required_approvals = serializers.IntegerField(
        source="plan.required_approvals", read_only=True, default=None, allow_null=True
    )
    approvals = ApprovalSerializer(source="plan.approvals", many=True, read_only=True, default=())

    class Meta:
        model = Rollback
        fields: tuple[str, ...] = (
            "id",
            "tenant",
            "tenant_id",
            "state",
            "source",
            "reason",
            "requester",
            "created_at",
            "closed_at",
            "digest",
            "expires_at",
            "required_approvals",
            "approvals",
        )
        read_only_fields: tuple[str, ...] = fields


class RollbackDetailSerializer(RollbackSerializer):
    """A rollback with its plan, dry run, approvals and execution."""

    facts: dict[str, Any]
    approvals = serializers.SerializerMethodField()  # type: ignore[assignment]
    complete = serializers.SerializerMethodField(help_text="Everything asked for is in the steps.")
    applicable = serializers.SerializerMethodField(help_text="It may be approved and executed.")
    warnings = serializers.SerializerMethodField()
    losses = serializers.SerializerMethodField(help_text="The losses that the plan announces.")
    steps = serializers.SerializerMethodField()
    dry_run = serializers.SerializerMethodField(help_text="The result of the dry run.")
    execution = serializers.SerializerMethodField(
        help_text="The execution and its verification; null before it starts."
    )

    class Meta(RollbackSerializer.Meta):
        fields = (
            *RollbackSerializer.Meta.fields,
            "complete",
            "applicable",
            "warnings",
            "losses",
            "steps",
            "dry_run",
            "execution",
        )
        read_only_fields = fields

    def to_representation(self, rollback: Rollback) -> Any:
        self.facts = selectors.as_json(rollback)
        return super().to_representation(rollback)

    @shown_as(JudgedApprovalSerializer(many=True))
    def get_approvals(self, _rollback: Rollback) -> Any:
        return self.facts.get("approvals", [])

    def get_complete(self, _rollback: Rollback) -> bool:
        return bool(self.facts["complete"])

    def get_applicable(self, _rollback: Rollback) -> bool:
        return bool(self.facts["applicable"])

    def get_warnings(self, _rollback: Rollback) -> list[str]:
        return list(self.facts["warnings"])

    @shown_as(AnnouncedLossSerializer(many=True))
    def get_losses(self, _rollback: Rollback) -> Any:
        return self.facts["losses"]

    @shown_as(StepSerializer(many=True))
    def get_steps(self, _rollback: Rollback) -> Any:
        return self.facts["steps"]

    @shown_as(serializers.DictField(allow_null=True))
    def get_dry_run(self, _rollback: Rollback) -> Any:
        return self.facts["dry_run"]

    @shown_as(serializers.DictField(allow_null=True))
    def get_execution(self, _rollback: Rollback) -> Any:
        return self.facts["execution"]


class RequestRollbackSerializer(serializers.Serializer[Any]):
    """What to roll back: selected changes, all changes by an actor in a time window, to the state of a
    snapshot, or to the state before another rollback was executed.
    """

    tenant = serializers.CharField(help_text=TENANT_HELP)
    changes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST),
        required=False,
        allow_empty=False,
        help_text="Change IDs.",
    )
    actor = serializers.CharField(required=False, help_text="User principal name, or application name.")
    to = serializers.DateTimeField(required=False, help_text="End of the time window. Needs actor.")
    snapshot = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text="Snapshot id.")
    type = serializers.CharField(required=False, help_text="Only this resource type. Needs snapshot.")
    resource = serializers.CharField(
        required=False, help_text="Only this resource ID. Needs snapshot and type."
    )
    undo = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST,
        help_text="ID of a rollback: return to the state before its execution.",
    )
    reason = serializers.CharField(default="", allow_blank=True, max_length=2000)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a keyword in Python.
        start = serializers.DateTimeField(required=False, help_text="Start of the time window. Needs actor.")
        return {**super().get_fields(), "from": start}

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in TARGETS if name in asked]
        if len(given) != 1:
            raise serializers.ValidationError(
                "Give exactly one of changes, actor (with from and to), snapshot or undo."
            )
        if given == ["actor"] and not {"from", "to"} <= asked.keys():
            raise serializers.ValidationError({"actor": ["The fields from and to are required."]})
        if given != ["actor"] and {"from", "to"} & asked.keys():
            raise serializers.ValidationError({"from": ["The fields from and to need actor."]})
        if given != ["snapshot"] and {"type", "resource"} & asked.keys():
            raise serializers.ValidationError({"type": ["The fields type and resource need snapshot."]})
        if "resource" in asked and "type" not in asked:
            raise serializers.ValidationError({"resource": ["The field type is required with resource."]})
        return asked


class ApproveSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(max_length=200, help_text=SIGNED_DIGEST)
    comment = serializers.CharField(default="", allow_blank=True, max_length=2000)


class RejectSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(max_length=200, help_text=SIGNED_DIGEST)
    reason = serializers.CharField(max_length=2000, help_text="Why the plan is rejected.")


class RollbackFilters(django_filters.FilterSet):
    tenant = TenantFilter(help_text=TENANT_HELP)
    state = ListFilter(choices=Rollback.State.choices, help_text="One or more, comma-separated.")
    requester = django_filters.CharFilter(field_name="requester__username")


def _acts(summary: str, **kwargs: Any) -> Any:
    return extend_schema(tags=TAGS, summary=summary, **{"responses": RollbackDetailSerializer, **kwargs})


@extend_schema_view(
    list=extend_schema(tags=TAGS, summary="List rollbacks, newest first"),
    retrieve=_acts("One rollback: steps, dry run, approvals and execution"),
    create=_acts(
        "Request a rollback, with a plan and a dry run",
        request=RequestRollbackSerializer,
        responses={201: RollbackDetailSerializer},
        examples=[
            OpenApiExample("Two changes", {"tenant": "Contoso", "changes": [41, 42]}, request_only=True),
            OpenApiExample(
                "All changes by an actor",
                {
                    "tenant": "Contoso",
                    "actor": "mallory@contoso.example",
                    "from": "2026-03-01T02:00:00Z",
                    "to": "2026-03-01T03:00:00Z",
                },
                request_only=True,
            ),
            OpenApiExample("Return to a snapshot", {"tenant": "Contoso", "snapshot": 7}, request_only=True),
            OpenApiExample("Undo a rollback", {"tenant": "Contoso", "undo": 12}, request_only=True),
        ],
    ),
    dry_run=_acts(
        "Plan it again with a dry run on the live tenant. Approvals of the old plan are discarded",
        request=None,
    ),
    approve=_acts(
        "Approve the plan with the digest that you reviewed. You cannot approve your own request",
        request=ApproveSerializer,
    ),
    reject=_acts("Reject the plan with the digest that you reviewed", request=RejectSerializer),
    cancel=_acts("Cancel a rollback before anything was written", request=None),
    execute=_acts(
        "Execute the approved plan, or resume its execution", request=None, responses={202: RunSerializer}
    ),
    steps=_acts("The current plan's steps in order", responses=StepSerializer(many=True), filters=False),
)
class RollbackViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[Rollback]):
    queryset = Rollback.objects.none()
    serializer_class = RollbackSerializer
    filterset_class = RollbackFilters

    def get_queryset(self) -> QuerySet[Rollback]:
        """Services get a rollback without prefetched rows, because they must decide on fresh data."""
        visible: QuerySet[Rollback] = selectors.visible_rollbacks(self.actor)
        return _shown_with(visible) if self.request.method in SAFE_METHODS else visible

    def get_serializer_class(self) -> type[RollbackSerializer]:
        return RollbackSerializer if self.action == "list" else RollbackDetailSerializer

    def create(self, request: Request) -> Response:
        asked = _valid(RequestRollbackSerializer, request)
        tenant = permissions.tenant_named(self.actor, asked["tenant"], Action.REQUEST_ROLLBACK)
        targets = _targets(self.actor, tenant, asked)
        rollback = services.plan_rollback(self.actor, tenant=tenant, reason=asked["reason"], **targets)
        return self._shown(rollback, status=201)

    @action(detail=True, methods=["post"], url_path="dry-run")
    def dry_run(self, _request: Request, **_kwargs: Any) -> Response:
        rollback = self.get_object()
        services.replan(self.actor, rollback=rollback)
        return self._shown(rollback)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **_kwargs: Any) -> Response:
        signed = _valid(ApproveSerializer, request)
        rollback = self.get_object()
        services.approve(self.actor, rollback=rollback, digest=signed["digest"], comment=signed["comment"])
        return self._shown(rollback)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **_kwargs: Any) -> Response:
        signed = _valid(RejectSerializer, request)
        rollback = self.get_object()
        services.reject(self.actor, rollback=rollback, digest=signed["digest"], reason=signed["reason"])
        return self._shown(rollback)

    @action(detail=True, methods=["post"])
    def cancel(self, _request: Request, **_kwargs: Any) -> Response:
        rollback = self.get_object()
        services.cancel(self.actor, rollback=rollback)
        return self._shown(rollback)

    @action(detail=True, methods=["post"])
    def execute(self, request: Request, **_kwargs: Any) -> Response:
        rollback = self.get_object()
        execution = services.execute(self.actor, rollback=rollback)
        return accepted(Run.objects.select_related("tenant").get(pk=execution.present_run), request)

    @action(detail=True, pagination_class=None, filter_backends=[])
    def steps(self, _request: Request, **_kwargs: Any) -> Response:
        return Response(selectors.as_json(self.get_object())["steps"])

    def _shown(self, rollback: Rollback, status: int = 200) -> Response:
        """Reads the current state instead of the caller's object."""
        fresh = _shown_with(selectors.visible_rollbacks(self.actor)).get(pk=rollback.pk)
        return Response(RollbackDetailSerializer(fresh).data, status=status)


def _shown_with(rollbacks: QuerySet[Rollback]) -> QuerySet[Rollback]:
    return rollbacks.select_related("tenant", "requester", "plan").prefetch_related(
        "plan__approvals__approver"
    )


def _valid(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _targets(actor: Actor, tenant: Tenant, asked: dict[str, Any]) -> dict[str, Any]:
    """Converts the request to the planner's selection. Objects that the actor cannot see do not exist."""
    if "changes" in asked:
        wanted = set(asked["changes"])
        chosen = list(visible_changes(actor).filter(tenant=tenant, pk__in=wanted))
        if absent := sorted(wanted - {change.pk for change in chosen}):
            raise serializers.ValidationError({"changes": [f"{tenant.name} has no change {absent[0]}."]})
        return {"changes": chosen}
    if "actor" in asked:
        return {"actor_name": asked["actor"], "since": asked["from"], "until": asked["to"]}
    if "undo" in asked:
        return {"undo": asked["undo"]}
    snapshot = visible_snapshots(actor).filter(tenant=tenant, pk=asked["snapshot"]).first()
    if snapshot is None:
        raise serializers.ValidationError(
            {"snapshot": [f"{tenant.name} has no snapshot {asked['snapshot']}."]}
        )
    return {
        "snapshot": snapshot.pk,
        "resource_type": asked.get("type", ""),
        "resource_id": asked.get("resource", ""),
    }
