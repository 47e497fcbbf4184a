"""Admin forms. Their choices contain only what the administrator may see or bind."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role, TokenScope
from tenants.accounts import user_accounts
from tenants.models import Customer, RoleBinding, Tenant, User

LONGEST_GROUP = 150


def visible_users(actor: Actor) -> QuerySet[User]:
    """All users for administrators of the whole MSP; otherwise users with a role within the administrator's
    scope.
    """
    if permissions.can_everywhere(actor, Action.BIND_ROLES):
        return User.objects.all()
    within = RoleBinding.objects.filter(
        Q(tenant__in=permissions.visible_tenants(actor, Action.BIND_ROLES))
        | Q(customer__in=permissions.whole_customers(actor, Action.BIND_ROLES))
    )
    return User.objects.filter(
        Q(pk__in=within.values("user")) | Q(groups__in=within.values("group"))
    ).distinct()


class RoleBindingForm(forms.Form):
    """The scope is an explicit choice, never inferred from blank fields."""

    user = forms.ModelChoiceField(queryset=User.objects.none(), required=False, label="Person")
    group = forms.ModelChoiceField(
        queryset=Group.objects.none(),
        required=False,
        help_text="Instead of a person: all members of the group.",
    )
    role = forms.ChoiceField(choices=[(role.value, role.value.replace("_", " ")) for role in Role])
    scope = forms.ChoiceField(
        choices=[
            ("", "Choose the scope of the role"),
            ("tenant", "One tenant"),
            ("customer", "One customer, with all its tenants"),
            ("msp", "The whole MSP: every tenant of every customer"),
        ]
    )
    customer = forms.ModelChoiceField(queryset=Customer.objects.none(), required=False)
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), required=False)
    confirmed = forms.BooleanField(label="I have checked the person, the role and the scope")

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        everywhere = permissions.can_everywhere(actor, Action.BIND_ROLES)
        _choose(self, "user", visible_users(actor))
        _choose(self, "group", Group.objects.all() if everywhere else Group.objects.none())
        _choose(self, "customer", permissions.whole_customers(actor, Action.BIND_ROLES))
        _choose(self, "tenant", permissions.visible_tenants(actor, Action.BIND_ROLES))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if bool(given.get("user")) == bool(given.get("group")):
            raise forms.ValidationError("Choose a person or a group.")
        for scope in ("tenant", "customer"):
            if given.get("scope") == scope and not given.get(scope):
                self.add_error(scope, f"Choose the {scope}.")
            elif given.get("scope") not in (scope, None) and given.get(scope):
                self.add_error(scope, "This does not match the chosen scope. Leave it blank.")
        return given

    def chosen_scope(self) -> user_accounts.Scope:
        given = self.cleaned_data
        return user_accounts.Scope(customer=given["customer"], tenant=given["tenant"])


class GroupsForm(forms.Form):
    groups = forms.CharField(
        required=False,
        help_text=(
            "Names, separated by commas. A new name creates a new group. Members get the group's roles."
        ),
    )

    def clean_groups(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["groups"].split(",") if name.strip()]
        if any(len(name) > LONGEST_GROUP for name in names):
            raise forms.ValidationError(f"A group name can have at most {LONGEST_GROUP} characters.")
        return names


class PasswordForm(forms.Form):
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), label="New password"
    )
    password_again = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        label="Repeat the new password",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.pop("password_again", None) != given.get("password"):
            raise forms.ValidationError("The two passwords do not match.")
        return given


class NewAccountForm(PasswordForm):
    username = forms.CharField(max_length=150)
    email = forms.EmailField(required=False)

    field_order = ("username", "email", "password", "password_again")


class TokenForm(forms.Form):
    user = forms.ModelChoiceField(
        queryset=User.objects.none(), help_text="The token acts with this user's permissions."
    )
    name = forms.CharField(max_length=100, help_text="What the token is for.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in TokenScope], widget=forms.CheckboxSelectMultiple
    )
    customer = forms.ModelChoiceField(
        queryset=Customer.objects.none(),
        required=False,
        help_text="Limits the token to this customer's tenants.",
    )

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        own = User.objects.filter(pk=actor.user.pk) if actor.user is not None else User.objects.none()
        everybody = permissions.can_everywhere(actor, Action.BIND_ROLES)
        _choose(self, "user", User.objects.filter(is_active=True) if everybody else own)
        _choose(self, "customer", permissions.visible_customers(actor))


def _choose(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
