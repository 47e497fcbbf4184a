"""REST API of tenants and their policies. Credentials are not part of this API."""

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from tenants.access import permissions
from tenants.models import Tenant
from tenants.web.rest import ApiViewSet


class TenantSerializer(serializers.ModelSerializer[Tenant]):
    customer = serializers.CharField(source="customer.name", read_only=True)
    customer_id = serializers.IntegerField(read_only=True)
    subscriptions = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Tenant
        fields: tuple[str, ...] = (
            "id",
            "name",
            "customer",
            "customer_id",
            "directory_id",
            "subscriptions",
            "is_active",
            "snapshot_interval_minutes",
            "required_approvals",
            "required_approvals_critical",
            "plan_lifetime_hours",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields


class TenantFilters(django_filters.FilterSet):
    customer = django_filters.CharFilter(field_name="customer__name", help_text="The customer's name.")
    name = django_filters.CharFilter(help_text="The tenant's name.")


class TenantViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[Tenant]):
    """Base view; higher apps add their own fields."""

    queryset = Tenant.objects.none()
    serializer_class = TenantSerializer
    filterset_class = TenantFilters
    ordering = "name"

    def get_queryset(self) -> QuerySet[Tenant]:
        return permissions.visible_tenants(self.actor).select_related("customer")
