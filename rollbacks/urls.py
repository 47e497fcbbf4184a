"""URLs of the pages of rollbacks."""

from django.urls import path

from rollbacks import views

urlpatterns = [
    path("rollbacks/", views.rollback_list, name="rollbacks"),
    path("rollbacks/new/", views.plan, name="plan-rollback"),
    path("rollbacks/<int:rollback_id>/", views.detail, name="rollback"),
    path("rollbacks/<int:rollback_id>/progress/", views.progress, name="rollback-progress"),
    path("rollbacks/<int:rollback_id>/approve/", views.approve, name="approve-rollback"),
    path("rollbacks/<int:rollback_id>/reject/", views.reject, name="reject-rollback"),
    path("rollbacks/<int:rollback_id>/execute/", views.execute, name="execute-rollback"),
    path("rollbacks/<int:rollback_id>/cancel/", views.cancel, name="cancel-rollback"),
    path("rollbacks/<int:rollback_id>/replan/", views.replan, name="replan-rollback"),
]
