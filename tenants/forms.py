"""Forms of the platform's own pages."""

from django.contrib.auth.forms import PasswordChangeForm

from tenants import accounts
from tenants.actors import Actor
from tenants.models import User


class OwnPasswordForm(PasswordChangeForm):
    """One's own new password, set by the service: it ends the account's tokens, and the ledger has it."""

    def save(self, commit: bool = True) -> User:  # noqa: ARG002
        accounts.set_password(
            Actor.person(self.user, "page"), user=self.user, password=self.cleaned_data["new_password1"]
        )
        return self.user
