"""URLs of the pages of tenants and snapshots."""

from django.urls import path, register_converter

from snapshots import views
from tenants.models import Connection


class PurposeConverter:
    regex = "|".join(Connection.Purpose.values)

    def to_python(self, value: str) -> Connection.Purpose:
        return Connection.Purpose(value)

    def to_url(self, value: str) -> str:
        return str(value)


register_converter(PurposeConverter, "purpose")

urlpatterns = [
    path("tenants/", views.tenant_list, name="tenants"),
    path("tenants/<int:tenant_id>/", views.tenant, name="tenant"),
    path("tenants/<int:tenant_id>/recoverability/", views.recoverable, name="recoverability"),
    path("tenants/<int:tenant_id>/snapshot/", views.take, name="take-snapshot"),
    path(
        "tenants/<int:tenant_id>/connections/<purpose:purpose>/test/",
        views.check_connection,
        name="test-connection",
    ),
    path("snapshots/<int:snapshot_id>/", views.snapshot, name="snapshot"),
]
