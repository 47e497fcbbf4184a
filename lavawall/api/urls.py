"""URLs of the API."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from changes.api.audit_events import AuditEventViewSet
from changes.api.changes import ChangeViewSet
from changes.api.comparison import ComparedSnapshotViewSet
from lavawall.api.documentation import DocumentationView, SchemaView, UnknownAddressView
from rollbacks.api import RollbackViewSet
from snapshots.api.coverage import CoverageViewSet, ObservedTenantViewSet
from snapshots.api.history import HistoryViewSet
from snapshots.api.recoverability import RecoverabilityViewSet
from tenants.api.control import ControlActViewSet
from tenants.api.ledger import LedgerViewSet
from tenants.api.runs import RunViewSet

router = SimpleRouter()
router.trailing_slash = "/?"  # the argument would make a plain slash of it
router.register("tenants", ObservedTenantViewSet, basename="tenant")
router.register("snapshots", ComparedSnapshotViewSet, basename="snapshot")
router.register(
    "resources/(?P<resource_type>[A-Za-z0-9]+)/(?P<resource_id>.+)/history",
    HistoryViewSet,
    basename="resource-history",
)
router.register("changes", ChangeViewSet, basename="change")
router.register("rollbacks", RollbackViewSet, basename="rollback")
router.register("audit-events", AuditEventViewSet, basename="audit-event")
router.register("control-acts", ControlActViewSet, basename="control-act")
router.register("ledger", LedgerViewSet, basename="ledger")
router.register("coverage", CoverageViewSet, basename="coverage")
router.register("recoverability", RecoverabilityViewSet, basename="recoverability")
router.register("runs", RunViewSet, basename="run")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocumentationView.as_view(url_name="schema"), name="api-docs"),
    re_path("", UnknownAddressView.as_view(), name="api-unknown"),
]
