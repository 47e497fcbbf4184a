"""REST API of the ledger, read-only."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin

from tenants import selectors
from tenants.access import permissions
from tenants.models import LedgerEntry, Tenant
from tenants.web.rest import ApiViewSet, MomentFilter, named


class LedgerEntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    detail = serializers.JSONField(read_only=True, help_text="Details of the action. Never contains secrets.")

    class Meta:
        model = LedgerEntry
        fields = (
            "sequence",
            "at",
            "actor",
            "via",
            "os_account",
            "action",
            "target",
            "tenant_id",
            "customer_id",
            "detail",
            "previous",
            "digest",
        )
        read_only_fields = fields


class LedgerFilters(django_filters.FilterSet):
    tenant = django_filters.CharFilter(method="of_tenant", help_text="Tenant, by ID or name.")
    actor = django_filters.CharFilter(help_text="User name, or system:<what>.")
    os_account = django_filters.CharFilter(help_text="Operating-system account that ran the command.")
    action = django_filters.CharFilter(
        lookup_expr="startswith",
        help_text="For example rollback:approve, or the prefix rollback: for all rollback actions.",
    )
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    def of_tenant(self, queryset: QuerySet[LedgerEntry], _name: str, value: str) -> QuerySet[LedgerEntry]:
        return queryset.filter(tenant_id__in=Tenant.objects.filter(named(value)).values("pk"))


@extend_schema_view(list=extend_schema(tags=["ledger"], summary="List ledger entries, newest first"))
class LedgerViewSet(ListModelMixin, ApiViewSet[LedgerEntry]):
    """Entries of the tenants and customers in your scope. Entries of the whole MSP need a role on the whole
    MSP.
    """

    queryset = LedgerEntry.objects.none()
    serializer_class = LedgerEntrySerializer
    filterset_class = LedgerFilters
    ordering = "-sequence"

    def get_queryset(self) -> QuerySet[LedgerEntry]:
        if not selectors.may_read_ledger(self.actor):
            raise permissions.Refused(
                "You may not read the ledger. Ask an administrator for the auditor role."
            )
        return selectors.readable_entries(self.actor)
