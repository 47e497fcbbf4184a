"""The admin's own forms. Their choices hold only what the administrator may see or bind."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from tenants import access
from tenants.actions import Action, Role, TokenScope
from tenants.actors import Actor
from tenants.models import Customer, RoleBinding, Tenant, User


def visible_users(actor: Actor) -> QuerySet[User]:
    """Everybody for administrators of the whole MSP; otherwise those with a role within the administrator's scope."""
    if access.can_everywhere(actor, Action.BIND_ROLES):
        return User.objects.all()
    within = RoleBinding.objects.filter(
        Q(tenant__in=access.visible_tenants(actor, Action.BIND_ROLES))
        | Q(customer__in=access.whole_customers(actor, Action.BIND_ROLES))
    )
    return User.objects.filter(
        Q(pk__in=within.values("user")) | Q(groups__in=within.values("group"))
    ).distinct()


class RoleBindingForm(forms.Form):
    user = forms.ModelChoiceField(queryset=User.objects.none())
    role = forms.ChoiceField(choices=[(role.value, role.value.replace("_", " ")) for role in Role])
    customer = forms.ModelChoiceField(
        queryset=Customer.objects.none(), required=False, help_text="All its tenants."
    )
    tenant = forms.ModelChoiceField(
        queryset=Tenant.objects.none(), required=False, help_text="Only this one. Neither: the whole MSP."
    )

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        _choose(self, "user", visible_users(actor))
        _choose(self, "customer", access.whole_customers(actor, Action.BIND_ROLES))
        _choose(self, "tenant", access.visible_tenants(actor, Action.BIND_ROLES))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("customer") and given.get("tenant"):
            raise forms.ValidationError("Choose a customer or a tenant, not both.")
        return given


class PasswordForm(forms.Form):
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), label="New password"
    )
    again = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        label="The same again",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.pop("again", None) != given.get("password"):
            raise forms.ValidationError("The two passwords are not the same.")
        return given


class NewAccountForm(PasswordForm):
    username = forms.CharField(max_length=150)
    email = forms.EmailField(required=False)

    field_order = ("username", "email", "password", "again")


class TokenForm(forms.Form):
    user = forms.ModelChoiceField(queryset=User.objects.none(), help_text="Whose rights the token carries.")
    name = forms.CharField(max_length=100, help_text="What it is for.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in TokenScope], widget=forms.CheckboxSelectMultiple
    )
    customer = forms.ModelChoiceField(
        queryset=Customer.objects.none(), required=False, help_text="Limits it to this customer's tenants."
    )

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        own = User.objects.filter(pk=actor.user.pk) if actor.user is not None else User.objects.none()
        everybody = access.can_everywhere(actor, Action.BIND_ROLES)
        _choose(self, "user", User.objects.filter(is_active=True) if everybody else own)
        _choose(self, "customer", access.visible_customers(actor))


def _choose(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
