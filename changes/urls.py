"""URLs of the pages of changes."""

from django.urls import path

from changes import views

urlpatterns = [
    path("changes/", views.timeline, name="timeline"),
    path("changes/<int:change_id>/", views.detail, name="change"),
    path("changes/<int:change_id>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("snapshots/compare/", views.comparison, name="compare"),
    path(
        "tenants/<int:tenant_id>/resources/<str:resource_type>/<path:resource_id>/",
        views.resource,
        name="resource",
    ),
    path("audit-events/", views.audit_events, name="audit-events"),
    path("audit-events/<int:event_id>/", views.audit_event, name="audit-event"),
]
