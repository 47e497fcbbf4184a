"""Forms of this app's pages, and filters shared by pages of several apps."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.db.models import Q, QuerySet

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.accounts import user_accounts
from tenants.models import Customer, Tenant, User
from tenants.web.lists import ListFilter, choose_from

DATETIME = {"type": "datetime-local"}
NO_SUCH_TENANT = "This tenant does not exist, or you do not have access to it."


class OwnPasswordForm(PasswordChangeForm):
    """Changes the user's own password through the service, which also revokes tokens and writes the ledger."""

    def save(self, commit: bool = True) -> User:  # noqa: ARG002
        user_accounts.set_password(
            Actor.person(self.user, "page"), user=self.user, password=self.cleaned_data["new_password1"]
        )
        return self.user


class TenantFilter(ListFilter):
    name = forms.CharField(
        max_length=200, widget=forms.TextInput(attrs={"placeholder": "Tenant, customer or directory ID"})
    )
    customer = forms.ModelChoiceField(queryset=Customer.objects.none(), empty_label="All customers")

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        choose_from(
            self.fields["customer"],
            permissions.visible_customers(actor),
            "This customer does not exist, or you do not have access to it.",
        )

    def _narrow(self, rows: QuerySet[Tenant], asked: dict[str, Any]) -> QuerySet[Tenant]:
        if asked["customer"]:
            rows = rows.filter(customer=asked["customer"])
        if text := asked["name"]:
            rows = rows.filter(
                Q(name__icontains=text) | Q(customer__name__icontains=text) | Q(directory_id__icontains=text)
            )
        return rows


class LedgerFilter(ListFilter):
    actor = forms.CharField(max_length=200, label="Who")
    action = forms.CharField(
        max_length=60,
        label="Action begins with",
        widget=forms.TextInput(attrs={"placeholder": "rollback:"}),
    )
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), empty_label="All tenants")
    since = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME), label="Since (UTC)")
    until = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME), label="Until (UTC)")

    def __init__(self, data: Any, *, tenants: QuerySet[Tenant]) -> None:
        super().__init__(data)
        choose_from(self.fields["tenant"], tenants, NO_SUCH_TENANT)

    def _narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        if who := asked["actor"]:
            rows = rows.filter(Q(actor__icontains=who) | Q(os_account__icontains=who))
        wanted = {
            "action__startswith": asked["action"],
            "tenant_id": asked["tenant"].pk if asked["tenant"] else None,
            "at__gte": asked["since"],
            "at__lte": asked["until"],
        }
        return rows.filter(**{lookup: value for lookup, value in wanted.items() if value})
