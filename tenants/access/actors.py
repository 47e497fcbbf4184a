"""The actor of an operation: a person, a person through an API token, or a system task. Passed to every
service.
"""

from dataclasses import dataclass

from tenants.access.matrix import TOKEN_SCOPES, Action, TokenScope
from tenants.models import ApiToken, User


@dataclass(frozen=True)
class Actor:
    """`user` is None for system tasks; their `system_actions` list what they may do."""

    label: str
    via: str
    user: User | None = None
    token: ApiToken | None = None
    system_actions: frozenset[Action] = frozenset()

    @classmethod
    def person(cls, user: User, via: str) -> "Actor":
        return cls(label=user.get_username(), via=via, user=user)

    @classmethod
    def bearer(cls, token: ApiToken) -> "Actor":
        return cls(
            label=token.user.get_username(), via=f"api token {token.prefix}", user=token.user, token=token
        )

    @classmethod
    def system(cls, name: str, *actions: Action) -> "Actor":
        return cls(label=f"system:{name}", via="task", system_actions=frozenset(actions))

    def permits(self, action: Action) -> bool:
        """Whether this kind of actor can ever perform the action, regardless of scope."""
        if self.user is None:
            return action in self.system_actions
        if not self.user.is_active:
            return False
        if self.token is None:
            return True
        return any(action in TOKEN_SCOPES[TokenScope(scope)] for scope in self.token.scopes)
