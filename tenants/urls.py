"""URLs of this app's pages."""

from django.urls import path

from tenants import views

urlpatterns = [
    path("runs/<int:run_id>/", views.run, name="run"),
    path("confirmations/", views.confirmations, name="confirmations"),
    path("confirmations/<int:number>/confirm/", views.confirm, name="confirm-act"),
    path("ledger/", views.ledger, name="ledger"),
    path("password/", views.password, name="password"),
]
